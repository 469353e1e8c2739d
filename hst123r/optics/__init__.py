"""What the telescope does to light: pupil, wavefront, and the effective point-spread function.

Arrays in, arrays out; no files. :func:`hst123r.optics.telescope.effective_psf` computes the
point-spread function of a detector and filter from first principles, and
:func:`hst123r.optics.stdpsf.read_stdpsf` makes the same kind of object from a measured grid.
"""

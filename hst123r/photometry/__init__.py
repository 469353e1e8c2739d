"""Fluxes from pixels: point-spread functions fitted to frames, and fluxes combined.

Arrays and WCS objects in, arrays out. A :class:`~hst123r.photometry.frame.Frame` is one chip of
one exposure; :func:`~hst123r.photometry.measure.measure` finds its sky and the fluxes of stars
at given places, :func:`~hst123r.photometry.free.free` fits places too,
:func:`~hst123r.photometry.joint.common_positions` does so in many frames at once, and
:func:`~hst123r.photometry.combine.combine` turns fluxes of exposures into those of epochs.
"""

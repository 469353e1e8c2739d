"""What a user should know about the fit of one star in one frame."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """Facts about a fit; several may hold.

    The numbers are part of published tables: they never change their meaning.
    """

    GOOD = 0
    OFF_FRAME = 1
    """The position is outside the frame; light that falls inside is fitted."""
    NO_PIXELS = 2
    """No usable pixel, or hardly any: there is no flux."""
    PARTLY_MASKED = 4
    """A tenth or more of the star's weight is on pixels that are masked, rejected or outside
    the frame, or a pixel within one pixel of its central pixel is masked."""
    SATURATED = 8
    """A pixel within two pixels of the centre is saturated."""
    OUTLIERS = 16
    """Pixels that fit no star, such as cosmic rays, were left out within the fit radius."""
    POOR_FIT = 32
    """The residuals are larger than noise and the measured error of the PSF allow."""
    BLENDED = 64
    """Neighbours make the flux at least three times as uncertain as it would be alone."""
    MOVED = 128
    """A free position ran away; the position it started from was used."""
    NOT_CONVERGED = 256
    """The position was still changing when the iteration ended."""
    VARIABLE = 512
    """Of a mean over epochs: they differ by more than their errors, so the source changed, or
    one of them is wrong."""
    POSSIBLE_HIT = 1024
    """Brighter than in other exposures as by a cosmic ray in the core, and the flux was kept as it
    was: there is no other exposure of the epoch, or too few pixels would have been left."""

"""Frames whose PSF is corrected by their own stars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import StageError
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.frame import Frame
from hst123r.photometry.measure import first_sky
from hst123r.photometry.psf_image import image_psf

Floats = NDArray[np.float64]


class OwnPSF:
    """Goes through frames and corrects the PSF of each by its bright isolated stars, once.

    Parameters
    ----------
    frames : iterable of Frame
        The frames; can be gone through several times.
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions of all known sources.
    """

    def __init__(self, frames: Iterable[Frame], ra_deg: Floats, dec_deg: Floats) -> None:
        self.frames = frames
        self.ra_deg = ra_deg
        self.dec_deg = dec_deg
        self.problems: dict[str, str] = {}
        """Why a frame keeps its computed PSF, by its label."""
        self._psf: dict[str, EffectivePSF] = {}

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames with their own PSF."""
        for frame in self.frames:
            if frame.label not in self._psf:
                self._psf[frame.label] = self._measured(frame)
            yield replace(frame, psf=self._psf[frame.label])

    def _measured(self, frame: Frame) -> EffectivePSF:
        x, y = frame.pixels(self.ra_deg, self.dec_deg)
        on = frame.contains(x, y)
        x, y = x[on], y[on]
        try:
            return image_psf(frame, x, y, first_sky(frame, x, y)).psf
        except StageError as error:
            self.problems[frame.label] = error.message
            return frame.psf

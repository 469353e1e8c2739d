"""Frames whose PSF is corrected by their own stars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import StageError
from hst123r.instruments.detector import Detector
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.frame import Frame
from hst123r.photometry.measure import first_sky
from hst123r.photometry.psf_hybrid import hybrid_psf
from hst123r.photometry.psf_image import image_psf
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Correct = Callable[[Frame, Floats, Floats, Background], EffectivePSF]


class OwnPSF:
    """Goes through frames and corrects the PSF of each by its bright isolated stars, once.

    Parameters
    ----------
    frames : iterable of Frame
        The frames; can be gone through several times.
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions of all known sources.
    correct : callable
        Gives the PSF of a frame from its stars; raises `StageError` where it cannot.
    """

    def __init__(
        self, frames: Iterable[Frame], ra_deg: Floats, dec_deg: Floats, correct: Correct
    ) -> None:
        self.frames = frames
        self.correct = correct
        self.ra_deg = ra_deg
        self.dec_deg = dec_deg
        self.problems: dict[str, str] = {}
        """Why a frame keeps the PSF it came with, by its label."""
        self._psf: dict[str, EffectivePSF] = {}

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames with their own PSF; what is worked out of it goes with the frame."""
        for frame in self.frames:
            if frame.label not in self._psf and frame.label not in self.problems:
                self._measure(frame)
            own = self._psf.get(frame.label)
            yield frame if own is None else replace(frame, psf=own.fresh())

    def _measure(self, frame: Frame) -> None:
        x, y = frame.pixels(self.ra_deg, self.dec_deg)
        on = frame.contains(x, y)
        x, y = x[on], y[on]
        try:
            found = self.correct(frame, x, y, first_sky(frame, x, y))
        except StageError as error:
            self.problems[frame.label] = error.message
        else:
            self._psf[frame.label] = found.fresh()


class BySamples:
    """Corrects the core of the PSF by samples of the stars of a frame."""

    def __init__(self) -> None:
        self.orders: dict[str, int] = {}
        """Order of the polynomial by which it follows the place, by the label of the frame."""

    def __call__(self, frame: Frame, x: Floats, y: Floats, sky: Background) -> EffectivePSF:
        """Return the PSF of a frame."""
        found = image_psf(frame, x, y, sky)
        self.orders[frame.label] = found.order
        return found.psf


class ByFocus:
    """Fits defocus and charge diffusion of the computed PSF to the stars of a frame.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    band : str
        The filter.
    chips : dict of str to int
        Number of the chip of each frame, by the frame's label.
    """

    def __init__(self, detector: Detector, band: str, chips: dict[str, int]) -> None:
        self.detector = detector
        self.band = band
        self.chips = chips
        self.focus_nm: dict[str, float] = {}
        """Defocus that was found, nanometres rms of the wavefront, by the label of the frame."""
        self.blur_pix: dict[str, float] = {}
        """Sigma of charge diffusion, likewise."""
        self.over_frame_nm: dict[str, float] = {}
        """Largest less smallest defocus on the frame, likewise."""
        self.orders: dict[str, int] = {}
        """Order of the polynomials by which both follow the place, likewise."""

    def __call__(self, frame: Frame, x: Floats, y: Floats, sky: Background) -> EffectivePSF:
        """Return the PSF of a frame, the change of the computed one added to its own."""

        def model(focus_nm: float, blur_pix: float) -> EffectivePSF:
            return self._on_the_grid_of(frame, focus_nm, blur_pix)

        blur = self.detector.optics.blur.value
        found = hybrid_psf(frame, x, y, sky, model, blur)
        self.focus_nm[frame.label] = found.focus_nm
        self.blur_pix[frame.label] = found.blur_pix
        self.over_frame_nm[frame.label] = found.focus_over_frame_nm
        self.orders[frame.label] = found.order
        return found.psf

    def _on_the_grid_of(self, frame: Frame, focus_nm: float, blur_pix: float) -> EffectivePSF:
        """Return the computed PSF on the nodes of the frame's."""
        psf = frame.psf
        computed = effective_psf(
            self.detector, self.band, chip=self.chips[frame.label], oversampling=psf.oversampling,
            half_pix=ceil(psf.middle / psf.oversampling), focus_nm=focus_nm, blur_pix=blur_pix,
        )  # fmt: skip
        edge = computed.middle - psf.middle
        size = psf.data.shape[0]
        return EffectivePSF(computed.data[edge : edge + size, edge : edge + size], psf.oversampling)

"""The state of a fit: all stars of one chip, their light, weights and rejected pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hst123r.photometry import outliers
from hst123r.photometry.design import Design
from hst123r.photometry.frame import Frame
from hst123r.photometry.paint import LOST_SIGMA, paint
from hst123r.photometry.sky import Background
from hst123r.photometry.solve import normal_matrix, solve, star_covariances

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

_PASSES: Final = 8
"""Most passes of weights and rejection; nearly all frames settle after four."""
_SETTLED: Final = 0.01
"""Fluxes have settled when they change by less than this fraction of their errors."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How stars are fitted.

    Parameters
    ----------
    fit_radius_pix : float
        Pixels nearer than this to a star decide its flux; the light beyond is taken off
        other stars and the sky.
    reject_sigma : float
        Pixels whose residual is above this many standard deviations are left out.
    model_error : float or None
        Relative error of the PSF, which makes rejection (not weights) more tolerant; None
        measures it on the frame's own bright stars.
    lost_sigma : float
        Wings end where they are below this fraction of the noise.
    """

    fit_radius_pix: float = 5.0
    reject_sigma: float = 4.5
    model_error: float | None = None
    lost_sigma: float = LOST_SIGMA


class ChipFit:
    """Stars of one chip being fitted together.

    Parameters
    ----------
    frame : Frame
        The chip.
    background : Background
        Its sky.
    options : FitOptions
        How.
    x, y : (n,) ndarray of float64
        Zero-based positions to begin with.
    """

    def __init__(
        self, frame: Frame, background: Background, options: FitOptions, x: Floats, y: Floats
    ) -> None:
        self.frame = frame
        self.background = background
        self.options = options
        self.flux = np.zeros(x.size)
        """Fluxes in frame units: true electrons over the pixel area."""
        self.model_error = options.model_error or outliers.UNKNOWN_MODEL_ERROR
        self.misplaced = 0.0
        """Relative error of the model for another reason: stars that are not yet in place."""
        self._rejected = np.zeros(frame.shape[0] * frame.shape[1], np.bool_)
        self._wings = np.zeros(frame.shape, np.float32)
        self._painted = np.zeros(x.size)
        self.place(x, y)

    def place(self, x: Floats, y: Floats, *, derivatives: bool = False) -> None:
        """Put the stars somewhere; fluxes, wings and rejected pixels stay.

        Parameters
        ----------
        x, y : (n,) ndarray of float64
            Zero-based positions.
        derivatives : bool
            Whether :meth:`newton` will be called.
        """
        self.x, self.y = x, y
        self.design = Design.build(self.frame, x, y, self.options.fit_radius_pix)
        psf, half = self.frame.psf, self.design.half
        if derivatives:
            stamps, along_x, along_y, _, _ = psf.stamps_with_derivatives(
                self.design.x, self.design.y, half
            )
            self._slopes = self.design.select(along_x), self.design.select(along_y)
        else:
            stamps, _, _ = psf.stamps(self.design.x, self.design.y, half)
        self.values = self.design.select(stamps)
        self.matrix = self.design.matrix([self.values])
        self.hits = np.zeros(self.design.pixels.size, np.bool_)
        """Pixels that stay rejected whatever the fit says, until the stars are moved."""
        self._whole = np.sum(stamps**2, axis=(1, 2), where=self.design.inside)
        self._wings_here = self._wings.ravel()[self.design.pixels].astype(np.float64)
        self.take_off(self.background)

    def take_off(self, background: Background) -> None:
        """Use a sky from now on; fluxes stay until they are solved for.

        Parameters
        ----------
        background : Background
            The sky.
        """
        self.background = background
        sky, self.empty = self.design.empty_variance(background)
        self._data = self.frame.data.ravel()[self.design.pixels].astype(np.float64) - sky

    @property
    def rejected(self) -> Booleans:
        """Which of the design's pixels are rejected."""
        return np.asarray(self._rejected[self.design.pixels])

    @rejected.setter
    def rejected(self, out: Booleans) -> None:
        self._rejected[self.design.pixels] = out

    @property
    def usable(self) -> Floats:
        """Fraction of each star's weight, for a smooth noise, that is on pixels in use."""
        kept = np.where(self.rejected[self.design.place], 0.0, self.values**2)
        share = np.zeros(self.x.size)
        np.divide(self.design.per_star(kept), self._whole, out=share, where=self._whole > 0)
        return share

    @property
    def wings(self) -> Floats:
        """Light of stars on pixels beyond their fit radius, on the design's pixels."""
        return self._wings_here

    def spread_wings(self, *, anew: bool = False) -> None:
        """Bring the wings up to date with the present fluxes.

        Parameters
        ----------
        anew : bool
            Whether stars have moved since; otherwise only changes of flux are painted.
        """
        if anew:
            self._wings[...] = 0.0
            self._painted = np.zeros(self.flux.size)
        noise = float(np.sqrt(np.median(self.empty))) if self.empty.size else 1.0
        self._wings += paint(
            self.frame.shape,
            self.frame.psf,
            self.x,
            self.y,
            self.flux - self._painted,
            noise,
            beyond_pix=self.options.fit_radius_pix,
            lost_sigma=self.options.lost_sigma,
        )
        self._painted = self.flux.copy()
        self._wings_here = self._wings.ravel()[self.design.pixels].astype(np.float64)

    def image(self) -> NDArray[np.float32]:
        """Return the light of all stars, pixels that are left out of fits without their cores."""
        result = self._wings.copy()
        result.ravel()[self.design.pixels] += (self.matrix.T @ self.flux).astype(np.float32)
        return result

    def resume(self, flux: Floats, rejected: Integers) -> None:
        """Go on from what an earlier fit of the same stars and frame found.

        Parameters
        ----------
        flux : (n,) ndarray of float64
            Fluxes in frame units.
        rejected : (k,) ndarray of int64
            Flat indices of rejected pixels of the frame.
        """
        self.flux = flux.copy()
        self._rejected[rejected] = True
        self.spread_wings(anew=True)

    def rejected_pixels(self) -> Integers:
        """Return the flat indices, in the frame, of the pixels rejected so far."""
        return np.flatnonzero(self._rejected)

    def light(self) -> Floats:
        """Return the light of all stars on the design's pixels."""
        return np.asarray(self.matrix.T @ self.flux) + self.wings

    def variance(self) -> Floats:
        """Return the variance of the design's pixels that the model predicts."""
        bright = np.asarray(self.matrix.T @ np.maximum(self.flux, 0.0)) + self.wings
        return np.asarray(self.empty + np.maximum(bright, 0.0) / self.design.area)

    def residual(self) -> Floats:
        """Return data less sky and model on the design's pixels."""
        return np.asarray(self._data - self.light())

    def weights(self) -> Floats:
        """Return the weights of the design's pixels: none for rejected ones."""
        return np.where(self.rejected, 0.0, 1.0 / self.variance())

    def significance(self) -> Floats:
        """Return residuals over their standard deviation, PSF errors included."""
        model = max(self.model_error, self.misplaced) * self.light()
        return np.asarray(self.residual() / np.sqrt(self.variance() + model**2))

    def information(self) -> Floats:
        """Return the inverse variance that each flux would have if all others were known."""
        return self.design.per_star(self.values**2 * self.weights()[self.design.place])

    def normal(self) -> sparse.csr_matrix:
        """Return the normal matrix of the fluxes."""
        return normal_matrix(self.matrix, self.weights())

    def solve_fluxes(self) -> None:
        """Solve for all fluxes with the present weights."""
        weight = self.weights()
        right = self.matrix @ (weight * (self._data - self.wings))
        self.flux = solve(normal_matrix(self.matrix, weight), right)

    def reject(self) -> bool:
        """Find the pixels that fit no star; return whether there are others than before."""
        if self.options.model_error is None:
            self.model_error = outliers.measured_model_error(
                self.residual(), self.light(), self.variance()
            )
        before = self.rejected
        after = outliers.find(self.design, self.significance(), before, self.options.reject_sigma)
        after |= self.hits
        self.rejected = after
        return bool((before != after).any())

    def settle(self) -> None:
        """Solve for fluxes, weights, wings and rejected pixels until they agree."""
        if self.design.pixels.size == 0:
            return
        for turn in range(_PASSES):
            before = self.flux
            self.solve_fluxes()
            if turn < 3:
                self.spread_wings()
            changed = self.reject()
            step = np.abs(self.flux - before) * np.sqrt(self.information())
            if turn >= 2 and not changed and step.max() < _SETTLED:
                return
        self.solve_fluxes()

    def position_equations(self, precision: Floats) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """Return the design and the normal matrix of all fluxes and positions together.

        Parameters
        ----------
        precision : (n, 2) ndarray of float64
            Prior knowledge of the positions, 1/pix² for x and y.

        Returns
        -------
        design : (3 n, p) csr_matrix
            Derivatives of the pixels by all fluxes, then all x, then all y.
        normal : (3 n, 3 n) csr_matrix
            The prior included.
        """
        # without light there is nothing to move
        flux = self.flux[self.design.star]
        design = self.design.matrix([self.values, flux * self._slopes[0], flux * self._slopes[1]])
        prior = np.concatenate([np.zeros(self.design.stars), precision[:, 0], precision[:, 1]])
        return design, (normal_matrix(design, self.weights()) + sparse.diags(prior)).tocsr()

    def newton(self, precision: Floats, offset: Floats | None = None) -> tuple[Floats, Floats]:
        """Return one Gauss-Newton step of all fluxes and positions together.

        Parameters
        ----------
        precision : (n, 2) ndarray of float64
            Prior knowledge of the positions, 1/pix² for x and y.
        offset : (n, 2) ndarray of float64, optional
            How far the stars are from where the prior has them, in pixels; not at all when
            not given.

        Returns
        -------
        step : (n, 3) ndarray of float64
            Changes of flux, x and y.
        error : (n, 3) ndarray of float64
            Their errors if each were the only one that is not known.
        """
        stars = self.design.stars
        design, normal = self.position_equations(precision)
        right = design @ (self.weights() * self.residual())
        if offset is not None:
            right[stars:] -= (precision * offset).T.ravel()
        step = solve(normal, right).reshape(3, stars).T
        return step, normal.diagonal().reshape(3, stars).T ** -0.5

    def covariances(self, precision: Floats) -> Floats:
        """Return the covariances of flux, x and y of each star, prior included.

        Parameters
        ----------
        precision : (n, 2) ndarray of float64
            Prior knowledge of the positions, 1/pix² for x and y.

        Returns
        -------
        (n, 3, 3) ndarray of float64
            Covariances.
        """
        return star_covariances(self.position_equations(precision)[1], 3)

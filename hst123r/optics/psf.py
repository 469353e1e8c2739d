"""The effective point-spread function: how much of a star's light each pixel gets.

The *effective* PSF (Anderson & King 2000, PASP 112, 1360) is the instrumental PSF already
integrated over a pixel: its value at an offset (dx, dy) is the fraction of the star's light in
the pixel whose centre lies there. Stars are then made, or fitted, by looking values up; nothing
is integrated any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_TAPS: Final = 4
_FINE: Final = 4
"""Nodes per pixel from which on straight lines between them are good enough for wings."""
_BLOCK: Final = 65536
"""Pixels of stamps worked on at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class EffectivePSF:
    """An oversampled effective PSF, interpolated by cubic B-splines.

    Parameters
    ----------
    data : (n, n) ndarray of float64
        Values on a grid of `oversampling` nodes per native pixel, n odd, the star in the middle
        node. Values are fractions of the star's light per *native* pixel, as seen by a pixel
        centred on that node, and they refer to an infinite aperture: the sum over one node per
        pixel is below 1 by the light of the wings that lie outside the array. That light is
        counted in the normalisation and missing from the stamps.
    oversampling : int
        Nodes per native pixel.

    Raises
    ------
    InputError
        If the array is not square with an odd size, or holds values that are not finite.
    """

    data: Floats
    oversampling: int

    def __post_init__(self) -> None:
        data = np.ascontiguousarray(self.data, dtype=np.float64)
        if data.ndim != 2 or data.shape[0] != data.shape[1] or data.shape[0] % 2 == 0:
            raise InputError(f"a PSF of shape {data.shape} is not square with an odd size")
        if not np.isfinite(data).all():
            raise InputError("the PSF holds values that are not finite")
        if self.oversampling < 1:
            raise InputError(f"an oversampling of {self.oversampling} is below 1")
        data.flags.writeable = False
        object.__setattr__(self, "data", data)

    @property
    def middle(self) -> int:
        """Index of the node the star sits on, the same in both axes."""
        return int(self.data.shape[0]) // 2

    @property
    def half_pix(self) -> int:
        """Whole native pixels from the star to the edge of the array."""
        return self.middle // self.oversampling

    @property
    def central_fraction(self) -> float:
        """Fraction of the light in the pixel on whose centre the star falls."""
        return float(self.data[self.middle, self.middle])

    def moved(self, left: float, low: float) -> EffectivePSF:
        """Return the PSF for a piece of the image, whose first pixel is (left, low): the same."""
        del left, low
        return self

    def fresh(self) -> EffectivePSF:
        """Return the same without what was worked out of it, which can be ten times its size."""
        return replace(self)

    def plus(self, change: Floats) -> EffectivePSF:
        """Return the PSF after a change of its values, shape (n, n)."""
        return EffectivePSF(self.data + change, self.oversampling)

    def brightest_beyond(self, half: float) -> float:
        """Return the largest absolute value outside a square around the star.

        Parameters
        ----------
        half : float
            Half the side of the square in pixels; 0 for no square.

        Returns
        -------
        float
            Fraction of the star's light in a pixel; 0 where the square is larger than the array.
        """
        return float(self._brightest[min(int(half * self.oversampling), self.middle)])

    @cached_property
    def _brightest(self) -> Floats:
        """The largest absolute value outside squares of 0, 1, 2 and more nodes; first of all."""
        size = np.abs(self.data)
        middle = self.middle
        lines = np.maximum(size.max(axis=0), size.max(axis=1))
        rings = np.maximum(lines[middle:], lines[middle::-1])
        outside = np.append(np.maximum.accumulate(rings[:0:-1])[::-1], 0.0)
        outside[0] = size.max()
        return outside

    @cached_property
    def coefficients(self) -> Floats:
        """B-spline coefficients of :attr:`data`, the same shape."""
        return np.asarray(ndimage.spline_filter(self.data, order=3, mode="mirror"), np.float64)

    @property
    def _before(self) -> int:
        """Nodes without light that are put around the array before it is sorted."""
        return 2 * self.oversampling + _TAPS

    @cached_property
    def _sorted_coefficients(self) -> Floats:
        return self._by_phase(self.coefficients)

    @cached_property
    def _sorted_data(self) -> Floats:
        return self._by_phase(self.data)

    @cached_property
    def _views(self) -> dict[tuple[int, bool], Floats]:
        """What :meth:`_windows` gave."""
        return {}

    def _windows(self, size: int, *, straight: bool) -> Floats:
        """Return a view of all stamps, [row phase, column phase, row, column] of the first node."""
        if (size, straight) not in self._views:
            tiles = self._sorted_data if straight else self._sorted_coefficients
            self._views[size, straight] = np.lib.stride_tricks.sliding_window_view(
                tiles, (size, size), axis=(2, 3)
            )
        return self._views[size, straight]

    def _by_phase(self, nodes: Floats) -> Floats:
        """Return an array of nodes sorted by their phase within a pixel, with a frame of zeros.

        Element [p, q, i, j] is the node of row ``i * oversampling + p`` and column
        ``j * oversampling + q`` of the framed array, so that what one tap of an interpolation
        needs for all pixels of a stamp is one rectangle.
        """
        step = self.oversampling
        total = nodes.shape[0] + 2 * self._before
        padded = np.pad(nodes, (self._before, self._before + (-total) % step))
        tiles = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
        return np.ascontiguousarray(tiles.transpose(1, 3, 0, 2))

    def at(self, dx: ArrayLike, dy: ArrayLike) -> Floats:
        """Return the PSF at any offsets from the star.

        Parameters
        ----------
        dx, dy : array_like of float
            Offsets (pixel centre minus star) in native pixels, of one shape.

        Returns
        -------
        ndarray of float64
            Fraction of the light per native pixel, in the shape of the input; zero outside the
            array.
        """
        columns = np.asarray(dx, np.float64) * self.oversampling + self.middle
        rows = np.asarray(dy, np.float64) * self.oversampling + self.middle
        return np.asarray(
            ndimage.map_coordinates(
                self.coefficients, [rows, columns], order=3, mode="grid-constant", prefilter=False
            ),
            np.float64,
        )

    def stamps(self, x: ArrayLike, y: ArrayLike, half: int) -> tuple[Floats, Integers, Integers]:
        """Return the pixels around each star as the star of unit flux lights them.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Zero-based pixel positions of the stars; the centre of the first pixel is (0, 0).
        half : int
            Stamps reach `half` pixels to each side of the pixel the star falls in.

        Returns
        -------
        values : (n, k, k) ndarray of float64
            Fractions of the star's light, with ``k = 2 * half + 1``; second axis y, third x.
        x0, y0 : (n,) ndarray of int64
            Column and row of each stamp's first pixel.
        """
        (values,), x0, y0 = self._stamps(x, y, half, derivatives=False)
        return values, x0, y0

    def wings(self, x: ArrayLike, y: ArrayLike, half: int) -> tuple[Floats, Integers, Integers]:
        """Return stamps for what is far from the stars, in a fraction of the time.

        Where the oversampling is at least 4, values are those of straight lines between nodes,
        which in the wings of a PSF smoothed by pixels is right to a hundredth of themselves;
        near the star they are not good enough to measure with.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Zero-based pixel positions of the stars.
        half : int
            Half size of the stamps in pixels.

        Returns
        -------
        values : (n, k, k) ndarray of float64
            As :meth:`stamps`.
        x0, y0 : (n,) ndarray of int64
            Column and row of each stamp's first pixel.
        """
        straight = self.oversampling >= _FINE
        (values,), x0, y0 = self._looked_up(x, y, half, 1, straight=straight)
        return values, x0, y0

    def stamps_with_derivatives(
        self, x: ArrayLike, y: ArrayLike, half: int
    ) -> tuple[Floats, Floats, Floats, Integers, Integers]:
        """Return stamps as :meth:`stamps` does, and how they change when the star moves.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Zero-based pixel positions of the stars.
        half : int
            Half size of the stamps in pixels.

        Returns
        -------
        values, dvalues_dx, dvalues_dy : (n, k, k) ndarray of float64
            Fractions of the star's light, and their derivatives with respect to the star's x
            and y, per pixel.
        x0, y0 : (n,) ndarray of int64
            Column and row of each stamp's first pixel.
        """
        (values, along_x, along_y), x0, y0 = self._stamps(x, y, half, derivatives=True)
        return values, along_x, along_y, x0, y0

    def _stamps(
        self, x: ArrayLike, y: ArrayLike, half: int, *, derivatives: bool
    ) -> tuple[list[Floats], Integers, Integers]:
        return self._looked_up(x, y, half, 3 if derivatives else 1, straight=False)

    def _looked_up(
        self, x: ArrayLike, y: ArrayLike, half: int, count: int, *, straight: bool
    ) -> tuple[list[Floats], Integers, Integers]:
        """Return stamps, and with a count of 3 their derivatives along x and y."""
        star_x = np.atleast_1d(np.asarray(x, np.float64))
        star_y = np.atleast_1d(np.asarray(y, np.float64))
        x0 = np.floor(star_x + 0.5).astype(np.int64) - half
        y0 = np.floor(star_y + 0.5).astype(np.int64) - half
        size = 2 * half + 1
        results = [np.zeros((star_x.size, size, size)) for _ in range(count)]
        # beyond the array there is nothing to look up
        inner = min(half, self.half_pix + 1)
        edge, width = half - inner, 2 * inner + 1
        step = max(1, _BLOCK // width**2)
        inside = slice(edge, edge + width)
        for start in range(0, star_x.size, step):
            part = slice(start, start + step)
            self._fill(
                [result[part, inside, inside] for result in results],
                x0[part] + edge - star_x[part],
                y0[part] + edge - star_y[part],
                straight=straight,
            )
        return results, x0, y0

    def _fill(self, out: list[Floats], first_x: Floats, first_y: Floats, *, straight: bool) -> None:
        """Fill stamps whose first pixel has the given offsets from its star.

        All pixels of a stamp have the same phase on the oversampled grid, so the taps of the
        bicubic spline, sixteen, or of straight lines, four, have the same weights throughout,
        and each tap is one rectangle.
        """
        stars, size = out[0].shape[:2]
        windows = self._windows(size, straight=straight)
        taps_of = self._straight_taps if straight else self._taps
        tap_x, weight_x, slope_x = taps_of(first_x)
        tap_y, weight_y, slope_y = taps_of(first_y)
        column, column_phase = np.divmod(tap_x, self.oversampling)
        row, row_phase = np.divmod(tap_y, self.oversampling)
        count = tap_x.shape[0]
        # (n, taps of y, taps of x), all at one time
        at_x, at_y = np.s_[:, None, :], np.s_[:, :, None]
        taps = windows[row_phase.T[at_y], column_phase.T[at_x], row.T[at_y], column.T[at_x]]
        pairs = [(weight_y, weight_x), (weight_y, slope_x), (slope_y, weight_x)][: len(out)]
        weights = np.array([along_y[:, None] * along_x for along_y, along_x in pairs])
        # (n, results, taps) by (n, taps, pixels): one product of small matrices for each star
        sums = np.moveaxis(weights.reshape(len(out), count**2, stars), 2, 0) @ taps.reshape(
            stars, count**2, -1
        )
        for number in range(len(out)):
            out[number][...] = sums[:, number].reshape(stars, size, size)

    def _nodes(self, first: Floats) -> tuple[Integers, Floats]:
        """Return the node before each place, framed, and how far beyond it the place is."""
        place = first * self.oversampling + self.middle + self._before
        whole = np.floor(place).astype(np.int64)
        return whole, place - whole

    def _straight_taps(self, first: Floats) -> tuple[Integers, Floats, Floats]:
        """Return the taps of straight lines between nodes, as :meth:`_taps` does."""
        whole, t = self._nodes(first)
        one = np.full(t.shape, float(self.oversampling))
        return np.array([whole, whole + 1]), np.array([1.0 - t, t]), np.array([one, -one])

    def _taps(self, first: Floats) -> tuple[Integers, Floats, Floats]:
        """Return the nodes of each tap, its weights, and their slopes by star position."""
        whole, t = self._nodes(first)
        s = 1.0 - t
        # cubic B-spline and its derivative, e.g. Unser 1999, IEEE Signal Proc. Mag. 16(6), 22
        weights = np.array(
            [
                s**3 / 6,
                2 / 3 - t**2 * (2 - t) / 2,
                2 / 3 - s**2 * (2 - s) / 2,
                t**3 / 6,
            ]
        )
        slopes = np.array([-(s**2) / 2, t * (3 * t - 4) / 2, -s * (3 * s - 4) / 2, t**2 / 2])
        nodes = np.array([whole + a for a in range(-1, _TAPS - 1)])
        return nodes, weights, -slopes * self.oversampling

    def encircled_energy(self, radius_pix: ArrayLike) -> Floats:
        """Return the fraction of light within circles around the star.

        Parameters
        ----------
        radius_pix : array_like of float
            Radii in native pixels.

        Returns
        -------
        ndarray of float64
            The effective PSF integrated over the circle, in the shape of the input; this is
            what an aperture measures on average over positions within a pixel, and 1 is an
            infinite aperture. Beyond the array the fraction stays what it is at its edge.
        """
        radii = np.asarray(radius_pix, np.float64)
        nodes = (np.arange(self.data.shape[0]) - self.middle) / self.oversampling
        distance = np.hypot(nodes[:, None], nodes[None, :])
        cell = 1.0 / self.oversampling
        fractions = [
            float(np.sum(self.data * np.clip((radius - distance) / cell + 0.5, 0.0, 1.0)))
            for radius in radii.ravel()
        ]
        return np.asarray(fractions).reshape(radii.shape) * cell**2

    @cached_property
    def fwhm_pix(self) -> float:
        """Full width at half maximum in native pixels.

        The diameter of the circle with the area over which the effective PSF is above half of
        its central value, measured on a grid of 1/50 pixel.
        """
        half_value = self.central_fraction / 2
        area = np.count_nonzero(self.data > half_value) / self.oversampling**2
        reach = 1.0 + 1.5 * np.sqrt(area / np.pi)
        fine = np.arange(-reach, reach, 0.02)
        dx, dy = np.meshgrid(fine, fine)
        above = self.at(dx, dy) > half_value
        return float(2 * np.sqrt(np.count_nonzero(above) * 0.02**2 / np.pi))

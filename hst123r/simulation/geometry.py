"""Where a chip's pixels are on the sky: real distortions, re-pointed rigidly and cropped.

Distortion belongs to the detector and pointing is a rotation of the sphere, so any exposure's
WCS is a known one turned: its CRVAL moved, its CD matrix rotated, its polynomials and tables
untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.wcs import WCS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ITERATION_PIX: Final = 1e-7
_NODE_STEP: Final = 32
_SCALE_KEY: Final = "IDCSCALE"


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a chip that is kept: zero-based first column and row, and the size."""

    x0: int
    y0: int
    columns: int
    rows: int


@dataclass(frozen=True, eq=False)
class ChipTemplate:
    """A chip's WCS as some known pointing had it.

    Parameters
    ----------
    number, extver : int
        Chip number and EXTVER of its SCI extension.
    rows, columns : int
        Full size.
    header : `astropy.io.fits.Header`
        WCS cards of the full chip: CRPIX, CRVAL, CD, SIP, IDC* and, with tables, their cards.
    tables : tuple of HDU
        Lookup tables (``D2IMARR``, ``WCSDVARR``) that the header's cards name.
    """

    number: int
    extver: int
    rows: int
    columns: int
    header: fits.Header
    tables: tuple[fits.ImageHDU, ...] = ()

    @property
    def crval(self) -> Floats:
        """Sky position of the reference pixel, degrees, shape (2,)."""
        return np.array([self.header["CRVAL1"], self.header["CRVAL2"]], np.float64)

    @property
    def crpix(self) -> Floats:
        """Reference pixel, one-based, shape (2,)."""
        return np.array([self.header["CRPIX1"], self.header["CRPIX2"]], np.float64)

    @property
    def cd(self) -> Floats:
        """CD matrix in degrees per pixel, shape (2, 2)."""
        return np.array([[self.header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)], np.float64)


@dataclass(frozen=True, eq=False)
class ChipFrame:
    """A chip, or a part of it, at some pointing.

    Parameters
    ----------
    number, extver : int
        Chip number and EXTVER of its SCI extension.
    window : Window
        The part of the chip that is kept.
    header : `astropy.io.fits.Header`
        WCS cards of the kept part.
    tables : tuple of HDU
        Lookup tables the cards name, moved with the window.
    """

    number: int
    extver: int
    window: Window
    header: fits.Header
    tables: tuple[fits.ImageHDU, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.window.rows, self.window.columns

    @cached_property
    def wcs(self) -> WCS:
        """The WCS with all its distortion."""
        from astropy.io import fits
        from astropy.wcs import WCS

        files = fits.HDUList([fits.PrimaryHDU(), *self.tables]) if self.tables else None
        return WCS(self.header, fobj=files)

    def pixels(
        self, ra_deg: Floats, dec_deg: Floats, margin: float
    ) -> tuple[Integers, Floats, Floats]:
        """Return the sources on and around the frame, with their exact pixel positions.

        The inverse of the distortion is iterated to 1e-7 pixel.

        Parameters
        ----------
        ra_deg, dec_deg : (n,) ndarray of float64
            Sky positions.
        margin : float
            How many pixels outside the frame still count.

        Returns
        -------
        index : (m,) ndarray of int64
            Which of the sources.
        x, y : (m,) ndarray of float64
            Zero-based pixel positions.
        """
        rows, columns = self.shape
        # the distortion moves pixels by up to a twentieth of the chip
        near = self._linear_neighbours(ra_deg, dec_deg, margin + 0.1 * max(rows, columns) + 250)
        if near.size == 0:
            return near, np.empty(0), np.empty(0)
        x, y = self.wcs.all_world2pix(
            ra_deg[near], dec_deg[near], 0, tolerance=_ITERATION_PIX, maxiter=60
        )
        inside = (x > -0.5 - margin) & (x < columns - 0.5 + margin)
        inside &= (y > -0.5 - margin) & (y < rows - 0.5 + margin)
        return near[inside], np.asarray(x)[inside], np.asarray(y)[inside]

    def _linear_neighbours(self, ra_deg: Floats, dec_deg: Floats, margin: float) -> Integers:
        rows, columns = self.shape
        away = np.cos(np.radians(dec_deg)) * np.cos(
            np.radians(ra_deg - self.header["CRVAL1"])
        ) * np.cos(np.radians(self.header["CRVAL2"])) + np.sin(np.radians(dec_deg)) * np.sin(
            np.radians(self.header["CRVAL2"])
        )
        front = np.flatnonzero(away > np.cos(np.radians(1.0)))
        x, y = self.wcs.wcs_world2pix(ra_deg[front], dec_deg[front], 0)
        near = (x > -margin) & (x < columns + margin) & (y > -margin) & (y < rows + margin)
        return np.asarray(front[near], np.int64)

    def pixel_area(self) -> Floats:
        """Return the area of each pixel on the sky over that of a square of side IDCSCALE.

        This is the pixel area map of the distortion (Kalirai et al. 2010, WFC3 ISR 2010-08):
        a flat-fielded frame holds a star's counts *divided* by it. Taken from the WCS at every
        32nd pixel and interpolated by a bicubic spline (better than 1e-5).

        Returns
        -------
        (rows, columns) ndarray of float64
            Near 1.
        """
        from scipy.interpolate import RectBivariateSpline

        rows, columns = self.shape
        x = np.linspace(0, columns - 1, max(4, columns // _NODE_STEP + 2))
        y = np.linspace(0, rows - 1, max(4, rows // _NODE_STEP + 2))
        grid_x, grid_y = np.meshgrid(x, y)
        area = self._area_at(grid_x.ravel(), grid_y.ravel()).reshape(grid_x.shape)
        spline = RectBivariateSpline(y, x, area)
        return np.asarray(spline(np.arange(rows), np.arange(columns)), np.float64)

    def _area_at(self, x: Floats, y: Floats) -> Floats:
        """Return relative pixel areas at zero-based pixels, by central differences."""
        step = 0.5
        along_x = self._directions(x + step, y) - self._directions(x - step, y)
        along_y = self._directions(x, y + step) - self._directions(x, y - step)
        area = np.linalg.norm(np.cross(along_x, along_y), axis=1) / (2 * step) ** 2
        return np.asarray(area / np.radians(float(self.header[_SCALE_KEY]) / 3600) ** 2)

    def _directions(self, x: Floats, y: Floats) -> Floats:
        """Return unit vectors to the sky, shape (n, 3); a pole is a place like any other."""
        ra, dec = np.radians(self.wcs.all_pix2world(x, y, 0))
        return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def basis(ra_deg: float, dec_deg: float) -> Floats:
    """Return the unit vectors (outward, east, north) at a sky position, as columns."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.array(
        [
            [np.cos(dec) * np.cos(ra), -np.sin(ra), -np.sin(dec) * np.cos(ra)],
            [np.cos(dec) * np.sin(ra), np.cos(ra), -np.sin(dec) * np.sin(ra)],
            [np.sin(dec), 0.0, np.cos(dec)],
        ]
    )


def sky_position(vector: Floats) -> tuple[float, float]:
    """Return right ascension [0, 360) and declination of a unit vector, in degrees."""
    ra = float(np.degrees(np.arctan2(vector[1], vector[0]))) % 360.0
    return ra, float(np.degrees(np.arctan2(vector[2], np.hypot(vector[0], vector[1]))))


def rotation(
    start: Sequence[float] | Floats, end: Sequence[float] | Floats, turn_deg: float
) -> Floats:
    """Return the rotation of the sphere that takes one position to another.

    Parameters
    ----------
    start, end : (ra, dec)
        Sky positions in degrees.
    turn_deg : float
        Added to position angles (east of north) at the position.

    Returns
    -------
    (3, 3) ndarray of float64
        An orthogonal matrix for unit vectors.
    """
    turn = np.radians(turn_deg)
    # north goes to cos(turn) north + sin(turn) east
    about = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, np.cos(turn), np.sin(turn)],
            [0.0, -np.sin(turn), np.cos(turn)],
        ]
    )
    return np.asarray(
        basis(float(end[0]), float(end[1])) @ about @ basis(float(start[0]), float(start[1])).T
    )


def turned(header: fits.Header, turn: Floats) -> fits.Header:
    """Return a copy of a chip's WCS cards after a rotation of the sphere.

    Parameters
    ----------
    header : `astropy.io.fits.Header`
        With CRVAL and CD.
    turn : (3, 3) ndarray of float64
        The rotation.

    Returns
    -------
    `astropy.io.fits.Header`
        CRVAL, CD, ORIENTAT changed; everything that belongs to the detector as it was.
    """
    old = basis(header["CRVAL1"], header["CRVAL2"])
    ra, dec = sky_position(turn @ old[:, 0])
    new = basis(ra, dec)
    cd = np.array([[header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
    cd = new[:, 1:].T @ turn @ old[:, 1:] @ cd
    result = header.copy()
    result["CRVAL1"], result["CRVAL2"] = ra, dec
    for i in (1, 2):
        for j in (1, 2):
            result[f"CD{i}_{j}"] = float(cd[i - 1, j - 1])
    result["ORIENTAT"] = float(np.degrees(np.arctan2(cd[0, 1], cd[1, 1])))
    return result


def error_rotation(ra_deg: float, dec_deg: float, east: float, north: float, roll: float) -> Floats:
    """Return the rotation that a pointing error makes of the true sky.

    Parameters
    ----------
    ra_deg, dec_deg : float
        The target, about which the error turns.
    east, north : float
        Where the header puts the target, in arcseconds from its true position.
    roll : float
        Added to position angles, degrees.

    Returns
    -------
    (3, 3) ndarray of float64
        The rotation.
    """
    axes = basis(ra_deg, dec_deg)
    moved = axes @ np.array([1.0, np.radians(east / 3600), np.radians(north / 3600)])
    return rotation((ra_deg, dec_deg), sky_position(moved), roll)


def crop(template: ChipTemplate, window: Window) -> tuple[fits.Header, tuple[Any, ...]]:
    """Return WCS cards and tables of a part of a chip.

    SIP polynomials are relative to CRPIX, so moving it keeps them exact; lookup tables are
    moved by their own CRVAL, which is in pixels.

    Parameters
    ----------
    template : ChipTemplate
        The full chip.
    window : Window
        The part to keep.

    Returns
    -------
    header : `astropy.io.fits.Header`
        With CRPIX and LTV moved.
    tables : tuple of `astropy.io.fits.ImageHDU`
        Copies of the tables.
    """
    header = template.header.copy()
    header["CRPIX1"] -= window.x0
    header["CRPIX2"] -= window.y0
    header["LTV1"], header["LTV2"] = float(-window.x0), float(-window.y0)
    header["LTM1_1"] = header["LTM2_2"] = 1.0
    tables = []
    for table in template.tables:
        moved = table.copy()
        moved.header["CRVAL1"] = float(table.header.get("CRVAL1", 0.0)) - window.x0
        moved.header["CRVAL2"] = float(table.header.get("CRVAL2", 0.0)) - window.y0
        tables.append(moved)
    return header, tuple(tables)

"""Limits from artificial stars: put into the exposures around a target, and measured like all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.cutout import Cutout, cut_out
from hst123r.photometry.forced import Fluxes, fluxes_of
from hst123r.photometry.frame import Frame
from hst123r.photometry.hits import Elsewhere, elsewhere, kept, leave_out_hits
from hst123r.photometry.joint import Joint
from hst123r.photometry.limits import limiting_flux
from hst123r.photometry.paint import paint
from hst123r.photometry.relation import fit_relation
from hst123r.photometry.solve import star_covariances
from hst123r.sources.measured import FrameNote, Loss, Measurements, collect

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

METHOD: Final = "artificial stars"
"""Name of the method, for tables."""
SEED: Final = 20190401
"""Every run draws the same places, magnitudes and photons."""
FAINTER: Final = 0.4
BRIGHTER: Final = 4.0
"""Stars have from this many times the deepest limit to this many times the shallowest."""
FEWEST: Final = 20
"""Fewer measured stars than this say nothing."""
_APART: Final = 4.0
"""Stars of one turn are this many fit radii apart, so that they do not touch one another."""
_HUBER: Final = 1.345
"""Huber's constant: 95 % efficient for Gaussian errors."""
_TURNS: Final = 30


@dataclass(frozen=True, eq=False)
class Artificial:
    """Artificial stars around a place.

    Parameters
    ----------
    flux_njy : (n,) ndarray of float64
        Their true fluxes, AB, nanojansky.
    found : Measurements
        What they were measured with, arrays of shape (exposures, n).
    """

    flux_njy: Floats
    found: Measurements


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where half of the artificial stars are measured with a given S/N.

    Parameters
    ----------
    flux_njy : float
        Flux of such stars; NaN where there are too few.
    error : float
        Its relative standard error.
    recovered : float
        Fraction with at least the S/N among stars from 0.8 to 1.25 times that flux; about a half.
    stars : int
        How many stars were measured.
    """

    flux_njy: float
    error: float
    recovered: float
    stars: int


def scatter(
    ra_deg: float, dec_deg: float, radius_arcsec: float, apart_arcsec: float, number: int, seed: int
) -> list[tuple[Floats, Floats]]:
    """Return places of artificial stars around a place, in turns whose stars stay apart.

    Parameters
    ----------
    ra_deg, dec_deg : float
        The place.
    radius_arcsec : float
        Stars are nearer than this.
    apart_arcsec : float
        Stars of one turn are at least this far from one another.
    number : int
        How many stars there are in all.
    seed : int
        Of the random numbers.

    Returns
    -------
    list of (ndarray, ndarray)
        Right ascensions and declinations of each turn: a triangular lattice, turned and moved at
        random; one star at a random place where the lattice has room for none within the radius.
    """
    rng = np.random.default_rng(seed)
    if radius_arcsec < apart_arcsec / np.sqrt(3.0):
        # no place is farther than this from a triangular lattice: from here on turns may be empty
        return _one_by_one(ra_deg, dec_deg, radius_arcsec, number, rng)
    turns = []
    left = number
    steps = np.arange(-int(radius_arcsec / apart_arcsec) - 2, int(radius_arcsec / apart_arcsec) + 3)
    i, j = (a.ravel() for a in np.meshgrid(steps, steps))
    while left > 0:
        angle, (u, v) = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5, 2)
        a = apart_arcsec * (i + u + 0.5 * (j + v))
        b = apart_arcsec * np.sqrt(0.75) * (j + v)
        east = a * np.cos(angle) - b * np.sin(angle)
        north = a * np.sin(angle) + b * np.cos(angle)
        inside = np.flatnonzero(np.hypot(east, north) <= radius_arcsec)
        inside = rng.permutation(inside)[:left]
        left -= inside.size
        ra = ra_deg + east[inside] / 3600 / np.cos(np.radians(dec_deg))
        turns.append((np.asarray(ra % 360.0), np.asarray(dec_deg + north[inside] / 3600)))
    return turns


def _one_by_one(
    ra_deg: float, dec_deg: float, radius_arcsec: float, number: int, rng: np.random.Generator
) -> list[tuple[Floats, Floats]]:
    """Return one place in each turn, spread evenly over the circle."""
    distance = radius_arcsec * np.sqrt(rng.uniform(0, 1, number))
    angle = rng.uniform(0, 2 * np.pi, number)
    ra = ra_deg + distance * np.sin(angle) / 3600 / np.cos(np.radians(dec_deg))
    dec = dec_deg + distance * np.cos(angle) / 3600
    return [(ra[k : k + 1] % 360.0, dec[k : k + 1]) for k in range(number)]


def artificial_stars(
    frames: Iterable[Frame],
    joint: Joint,
    notes: Sequence[FrameNote],
    exposures: int,
    place: tuple[float, float],
    limits_njy: Floats,
    options: FitOptions,
    *,
    number: int,
    radius_arcsec: float,
    seed: int = SEED,
    loss: Loss | None = None,
    scales: Sequence[float] | None = None,
    epochs: Sequence[int] | None = None,
) -> Artificial:
    """Put stars into the frames around a place, and measure them with the fit of the others.

    Their photons are drawn at random; the noise of the sky is that of the pixels. Known sources
    of the piece are fitted with them. Fluxes are spread evenly in magnitude.

    Parameters
    ----------
    frames : iterable of Frame
        The frames that `joint` is of, in the same order; gone through twice to compare them.
    joint : Joint
        The known sources.
    notes : sequence of FrameNote
        One for each frame.
    exposures : int
        Number of exposures.
    place : (float, float)
        Right ascension and declination in degrees.
    limits_njy : ndarray of float64
        Limits of single exposures and of means, which tell how bright the stars should be.
    options : FitOptions
        How known sources were fitted.
    number : int
        How many stars.
    radius_arcsec : float
        How far from the place they may be.
    seed : int
        Of the random numbers.
    loss : Loss or None
        Light that the detector does not count: the stars lose light as real ones do, and it is
        made good in what is measured of them as it is in the known sources.
    scales, epochs : sequence, optional
        As for :func:`~hst123r.photometry.joint.common_positions`: with them the stars of each
        frame are compared with those of the others for cosmic rays, as known sources are.

    Returns
    -------
    Artificial
        Stars and measurements; none where no limit is finite.
    """
    finite = limits_njy[np.isfinite(limits_njy) & (limits_njy > 0)]
    scale = max(float(joint_scale(frame)) for frame in frames)
    apart = _APART * options.fit_radius_pix * scale
    turns = scatter(*place, radius_arcsec, apart, number if finite.size else 0, seed)
    low, high = (FAINTER * finite.min(), BRIGHTER * finite.max()) if finite.size else (1.0, 1.0)
    rng = np.random.default_rng(seed + 1)
    true = [np.exp(rng.uniform(np.log(low), np.log(high), ra.size)) for ra, _ in turns]
    size = sum(ra.size for ra, _ in turns)
    scene = _Scene(joint, notes, place, radius_arcsec, turns, true, options, seed, loss)
    fluxes = [scene.measured(index, frame) for index, frame in enumerate(frames)]
    if scales is not None and size:
        added, known = (
            elsewhere(each, np.asarray(scales, np.float64), epochs)
            for each in (fluxes, joint.fluxes)
        )
        fluxes = [
            scene.measured(index, frame, (added[index], known[index]))
            for index, frame in enumerate(frames)
        ]
    sky = tuple(joint.backgrounds)
    ra, dec = (np.concatenate([np.zeros(0), *(turn[k] for turn in turns)]) for k in (0, 1))
    zero = np.zeros((size, 2))
    made = Joint(ra, dec, np.zeros((size, 2, 2)), zero, tuple(fluxes), sky, joint.shift_pix)
    found = collect(made, notes, exposures)
    if loss is not None:
        found = loss.made_good(found)
    return Artificial(np.concatenate([np.zeros(0), *true]), found)


@dataclass(frozen=True, eq=False)
class _Scene:
    """Artificial stars of all turns, and the frames they are put into; arguments as above."""

    joint: Joint
    notes: Sequence[FrameNote]
    place: tuple[float, float]
    radius_arcsec: float
    turns: list[tuple[Floats, Floats]]
    true: list[Floats]
    options: FitOptions
    seed: int
    loss: Loss | None

    def measured(
        self, index: int, frame: Frame, others: tuple[Elsewhere, Elsewhere] | None = None
    ) -> Fluxes:
        """Return all stars in a frame; `others` has them, and the known ones, in other frames."""
        note, stars = self.notes[index], self.joint.fluxes[index]
        unit = note.flux_unit / note.aperture_factor
        half = (self.radius_arcsec / joint_scale(frame)) + 3 * self.options.fit_radius_pix
        (middle_x,), (middle_y,) = frame.pixels([self.place[0]], [self.place[1]])
        shift, background = self.joint.shift_pix[index], self.joint.backgrounds[index]
        centre = (float(middle_x + shift[0]), float(middle_y + shift[1]))
        piece = cut_out(frame, background, stars, centre, half, self.options.fit_radius_pix)
        parts = []
        start = 0
        for turn, (ra, dec) in enumerate(self.turns):
            rows = np.arange(start, start + ra.size)
            start += ra.size
            if piece is None or not np.isfinite(unit):
                continue
            px, py = frame.pixels(ra, dec)
            x, y = px + shift[0], py + shift[1]
            # the same photons whenever a frame is measured
            photons = np.random.default_rng((self.seed, index, turn))
            light = self.true[turn] / unit
            if self.loss is not None:
                level = background.at(x, y)
                light = self.loss.dimmed(note.exposure, note.extver, light, level, x, y)
            # a star of the fit has as much light near its middle as a real one of this flux
            light = light / note.aperture_factor
            own = replace(self.options, model_error=stars.model_error)
            other = others and others[0].of(rows).before(others[1].of(piece.inside))
            parts.append((rows, _measured(piece, stars, (x, y), light, own, photons, other)))
        return _together(parts, start, stars)


def joint_scale(frame: Frame) -> float:
    """Return the side of a pixel in the middle of a frame, arcsec."""
    ny, nx = frame.shape
    matrix = frame.jacobian(np.array([nx / 2]), np.array([ny / 2]))[0]
    return float(np.sqrt(abs(np.linalg.det(matrix))))


def _measured(
    piece: Cutout,
    stars: Fluxes,
    spot: tuple[Floats, Floats],
    light: Floats,
    options: FitOptions,
    rng: np.random.Generator,
    other: Elsewhere | None,
) -> Fluxes:
    """Put some stars on a piece, and return their fluxes; places are those of the whole frame."""
    frame = piece.frame
    x, y = piece.local(*spot)
    area = frame.area_at(x, y)
    noise = frame.read_noise_e
    # electrons are drawn before the flat field makes up for the area of the pixels
    image = np.maximum(paint(frame.shape, frame.psf, x, y, light, noise, lost_sigma=0.001), 0.0)
    mean_area = float(np.median(area)) if area.size else 1.0
    added = rng.poisson(image.astype(np.float64)) / mean_area
    full = replace(frame, data=frame.data + added)
    known_x, known_y = piece.local(stars.x[piece.inside], stars.y[piece.inside])
    where = np.concatenate([x, known_x]), np.concatenate([y, known_y])
    fit = ChipFit(full, piece.background, options, *where)
    fit.settle()
    both = _told(fit)
    if other is not None:
        found = leave_out_hits(fit, other)
        both = kept(both, _told(fit), found.suspect)
    return replace(_of(both, slice(0, x.size)), x=spot[0], y=spot[1])


def _told(fit: ChipFit) -> Fluxes:
    """Return the fluxes of a settled fit at given places."""
    return fluxes_of(fit, star_covariances(fit.normal(), 1)[:, 0, 0])


def _of(fluxes: Fluxes, rows: slice) -> Fluxes:
    arrays = {
        name: getattr(fluxes, name)[rows]
        for name in Fluxes.__dataclass_fields__
        if name != "model_error"
    }
    return Fluxes(**arrays, model_error=fluxes.model_error)


def _together(parts: list[tuple[Integers, Fluxes]], size: int, stars: Fluxes) -> Fluxes:
    """Return the stars of all turns as one list; those of none are off the frame."""
    whole = _of(stars, slice(0, 0)).scattered(np.zeros(0, np.int64), size)
    for rows, fluxes in parts:
        for name in Fluxes.__dataclass_fields__:
            if name != "model_error":
                getattr(whole, name)[rows] = getattr(fluxes, name)
    return whole


def crossing(true_njy: Floats, flux: Floats, error: Floats, nsigma: float) -> Crossing:
    """Return the flux at which half of the stars are measured with a given S/N.

    The errors tell what S/N a star of each flux should have, ``x = F / sqrt(a + s F)``; the
    measured S/N is fitted against that with a straight line by Huber's method, so that faults of
    single stars do not count, and the line is solved for the S/N. It uses all stars up to S/N 20,
    and so is more precise than counting those near the limit, which `Crossing.recovered` does.

    Parameters
    ----------
    true_njy, flux, error : (n,) ndarray of float64
        True and measured fluxes and standard errors of the latter; NaN where not measured.
    nsigma : float
        The S/N.

    Returns
    -------
    Crossing
        The flux, and how well it is known.
    """
    known = np.isfinite(flux) & (error > 0)
    true, snr = true_njy[known], flux[known] / error[known]
    line = fit_relation(flux[known], error[known], nsigma)
    if known.sum() < FEWEST or not line.background > 0:
        return Crossing(float("nan"), float("nan"), float("nan"), int(known.sum()))
    expected = true / np.sqrt(line.background + line.slope * true)
    chosen = expected < 20.0
    design = np.stack([np.ones(chosen.sum()), expected[chosen]], axis=1)
    weight = np.ones(chosen.sum())
    for _ in range(_TURNS):
        matrix = design.T @ (weight[:, None] * design)
        start, slope = np.linalg.solve(matrix, design.T @ (weight * snr[chosen]))
        off = snr[chosen] - start - slope * expected[chosen]
        width = max(1.4826 * float(np.median(np.abs(off))), 1e-9)
        weight = np.minimum(1.0, _HUBER * width / np.maximum(np.abs(off), 1e-12))
    wanted = float((nsigma - start) / slope) if slope > 0 else float("nan")
    if not wanted > 0:
        return Crossing(float("nan"), float("nan"), float("nan"), int(known.sum()))
    limit = float(limiting_flux(0.0, np.sqrt(line.background), line.slope, wanted))
    point = np.array([1.0, wanted])
    spread = width * np.sqrt(float(point @ np.linalg.inv(matrix) @ point)) / float(slope)
    near = (true > 0.8 * limit) & (true < 1.25 * limit)
    half = float(np.mean(snr[near] >= nsigma)) if near.any() else float("nan")
    return Crossing(limit, float(spread) / wanted, half, int(known.sum()))

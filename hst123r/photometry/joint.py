"""One place for each star in many frames, and its flux in every one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.forced import DEFAULTS, Fluxes, fluxes_of
from hst123r.photometry.frame import Frame
from hst123r.photometry.hits import Elsewhere, elsewhere, kept, leave_out_hits
from hst123r.photometry.measure import BOX_PIX, first_sky, sky_without_stars
from hst123r.photometry.sky import Background
from hst123r.photometry.solve import star_covariances

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_TRUST_PIX: Final = 0.3
"""A frame's say about a place is taken from a step damped by this; the damping is undone."""
_FAR_SIGMA: Final = 5.0
_REGISTER_SNR: Final = 20.0
_REGISTER_STARS: Final = 5
_MISPLACED: Final = (0.5, 0.1)
"""Relative error of the model in the first rounds: bright stars that are not in their places yet
must not be taken for cosmic rays."""
_SETTLED_ERRORS: Final = 0.1
_SETTLED_ARCSEC: Final = 1e-5
_UNSETTLED: Final = 0.01
"""Rounds end when fewer stars than this fraction still move by more than a tenth of their error."""


@dataclass(frozen=True, eq=False)
class Joint:
    """Stars measured in several frames.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Common positions in degrees.
    covariance : (n, 2, 2) ndarray of float64
        Covariance of the offsets to the east and north, arcsec², the prior included.
    offset_arcsec : (n, 2) ndarray of float64
        How far east and north the stars are from where they were said to be.
    fluxes : tuple of Fluxes
        For each frame, all n stars at their common positions. Where these were found, errors hold
        what a wrong place does to the flux in all frames alike; `fixed_error` does not.
    backgrounds : tuple of Background
        The sky of each frame.
    shift_pix : (frames, 2) ndarray of float64
        By how much each frame's stars are displaced from where its WCS has them, along x and
        y; 0 where it was not asked for or there were too few bright stars.
    """

    ra_deg: Floats
    dec_deg: Floats
    covariance: Floats
    offset_arcsec: Floats
    fluxes: tuple[Fluxes, ...]
    backgrounds: tuple[Background, ...]
    shift_pix: Floats


@dataclass(eq=False)
class _Memory:
    """What is kept of a frame while others are worked on; the pixels are not."""

    background: Background
    flux: Floats
    rejected: Integers
    shift: Floats = field(default_factory=lambda: np.zeros(2))


@dataclass(eq=False)
class _Sky:
    """Where the stars are taken to be."""

    start_ra: Floats
    start_dec: Floats
    offset: Floats

    @property
    def ra(self) -> Floats:
        east = self.offset[:, 0] / 3600.0
        return np.asarray((self.start_ra + east / np.cos(np.radians(self.start_dec))) % 360.0)

    @property
    def dec(self) -> Floats:
        return np.asarray(self.start_dec + self.offset[:, 1] / 3600.0)


def common_positions(
    frames: Iterable[Frame],
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    options: FitOptions = DEFAULTS,
    *,
    prior_arcsec: float | Floats = 0.05,
    rounds: int = 8,
    register: bool = False,
    scales: ArrayLike | None = None,
    epochs: Sequence[int] | None = None,
    box_pix: int = BOX_PIX,
) -> Joint:
    """Find common positions of stars in several frames, and their flux in each.

    In every round each frame says how far its stars are from the common positions (one
    Gauss-Newton step of all its fluxes and places together) and how well it knows; what the
    frames say is put together by inverse variance with the prior. In the end fluxes are
    fitted at the common positions in every frame. Frames may be of any detector and filter.

    Parameters
    ----------
    frames : iterable of Frame
        Gone through up to ``rounds + 2`` times, one frame at a time; an object whose ``__iter__``
        loads frames keeps only one in memory. An iterator that runs only once will not do.
    ra_deg, dec_deg : array_like of float, shape (n,)
        Where the stars are thought to be, degrees.
    options : FitOptions
        Fit radius and rejection.
    prior_arcsec : float or (n,) ndarray of float64
        Standard error of those positions along each axis, arcsec.
    rounds : int
        Most rounds of positions; they end when the stars have settled, after two for good
        positions. 0 leaves them as they are.
    register : bool
        Whether a shift of each frame is found from its bright stars (S/N above 20, at least
        five) and taken into account, for frames whose WCS are not aligned to a hundredth of a
        pixel. The mean of the catalogue then stays where it is.
    scales : array_like of float, shape (frames,), optional
        What makes electrons of the frames comparable, e.g. nanojansky per electron, if all are of
        one band. Stars that are brighter in one frame than in the others are then looked at for
        cosmic rays in their cores (:func:`~hst123r.photometry.hits.find_hits`); real changes
        are kept.
    epochs : sequence of int, optional
        Which epoch each frame is of, all of one if not given: fluxes change only by what other
        frames of their epoch say.
    box_pix : int
        Side of the boxes of the sky.

    Returns
    -------
    Joint
        In the order of the input.

    Raises
    ------
    InputError
        If the frames can be gone through only once, there are none, or ra and dec differ in
        length.
    """
    sky = _start(frames, ra_deg, dec_deg)
    stars = sky.start_ra.size
    prior = np.broadcast_to(np.asarray(prior_arcsec, np.float64), (stars,))
    precision = (prior**-2.0)[:, None, None] * np.eye(2)
    covariance = np.asarray(np.linalg.inv(precision), np.float64)
    memory: dict[int, _Memory] = {}
    heard = np.zeros(stars)
    for turn, misplaced in zip(range(rounds), chain(_MISPLACED, repeat(0.0)), strict=False):
        total, known = precision.copy(), precision.copy()
        heard, gradient = np.zeros(stars), -precision[:, 0, 0, None] * sky.offset
        for number, frame in enumerate(frames):
            fit, near = _prepare(frame, number, sky, memory, options, box_pix, misplaced)
            if near.size == 0:
                continue
            said = _hear(fit, memory[number], robust=turn > 0, register=register and turn > 0)
            total[near] += said.information
            heard[near] += fit.usable > 0
            known[near] += said.information * said.certainty[:, None, None]
            gradient[near] += said.gradient
        step = np.asarray(np.linalg.solve(total, gradient[:, :, None])[:, :, 0], np.float64)
        sky.offset = sky.offset + step
        covariance = np.asarray(np.linalg.inv(known), np.float64)
        if turn >= len(_MISPLACED) - 1 and _settled(step, covariance):
            break
    # given places are exact; those found leave the fluxes of blends uncertain
    places = _Found(prior**-2.0, np.maximum(heard, 1.0)) if rounds > 0 else None
    fluxes = [
        _final(frame, number, sky, memory, options, box_pix, places)
        for number, frame in enumerate(frames)
    ]
    if not fluxes:
        raise InputError("there are no frames to measure")
    if scales is not None:
        told = fluxes, elsewhere(fluxes, _scales(scales, len(fluxes)), epochs)
        fluxes = [
            _repaired(frame, number, sky, memory, options, told, places)
            for number, frame in enumerate(frames)
        ]
    return Joint(
        ra_deg=sky.ra,
        dec_deg=sky.dec,
        covariance=covariance,
        offset_arcsec=sky.offset,
        fluxes=tuple(fluxes),
        backgrounds=tuple(memory[number].background for number in range(len(fluxes))),
        shift_pix=np.stack([memory[number].shift for number in range(len(fluxes))]),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """How places were found: the prior, 1/arcsec², and by how many frames."""

    prior: Floats
    frames: Floats


def _start(frames: Iterable[Frame], ra_deg: ArrayLike, dec_deg: ArrayLike) -> _Sky:
    """Return where the stars are said to be; the input is checked."""
    if isinstance(frames, Iterator):
        raise InputError("the frames of a joint fit are gone through several times")
    start_ra, start_dec = (np.array(value, np.float64, ndmin=1) for value in (ra_deg, dec_deg))
    if start_ra.shape != start_dec.shape or start_ra.ndim != 1:
        raise InputError(f"positions of shapes {start_ra.shape} and {start_dec.shape}")
    return _Sky(start_ra, start_dec, np.zeros((start_ra.size, 2)))


def _settled(step: Floats, covariance: Floats) -> bool:
    """Return whether nearly all stars move by little more than they may be wrong by."""
    error = np.sqrt(covariance[:, [0, 1], [0, 1]])
    moving = (np.abs(step) > np.maximum(_SETTLED_ERRORS * error, _SETTLED_ARCSEC)).any(axis=1)
    return bool(np.mean(moving) <= _UNSETTLED) if moving.size else True


def _prepare(
    frame: Frame,
    number: int,
    sky: _Sky,
    memory: dict[int, _Memory],
    options: FitOptions,
    box_pix: int,
    misplaced: float = 0.0,
) -> tuple[ChipFit, Integers]:
    """Return a settled fit of the stars on a frame, and which stars these are."""
    x, y = frame.pixels(sky.ra, sky.dec)
    before = memory.get(number)
    if before is not None:
        x, y = x + before.shift[0], y + before.shift[1]
    ny, nx = frame.shape
    edge = options.fit_radius_pix
    # comparisons with NaN are false
    near = np.flatnonzero((x > -edge) & (x < nx - 1 + edge) & (y > -edge) & (y < ny - 1 + edge))
    x, y = x[near], y[near]
    if before is None:
        fit = ChipFit(frame, first_sky(frame, x, y, box_pix), options, x, y)
        fit.misplaced = misplaced
        fit.settle()
        fit.take_off(sky_without_stars(frame, fit.image(), fit.background, box_pix))
        fit.settle()
    else:
        fit = ChipFit(frame, before.background, options, x, y)
        fit.resume(before.flux[near], before.rejected)
        fit.misplaced = misplaced
        fit.settle()
    flux = np.zeros(sky.start_ra.size)
    flux[near] = fit.flux
    shift = np.zeros(2) if before is None else before.shift
    memory[number] = _Memory(fit.background, flux, fit.rejected_pixels(), shift)
    return fit, near


@dataclass(frozen=True, eq=False)
class _Said:
    """What a frame says about offsets of its stars to the east and north.

    `certainty` is the part of the information that is not the noise of the flux squared.
    """

    information: Floats
    gradient: Floats
    certainty: Floats


def _hear(fit: ChipFit, memory: _Memory, *, robust: bool, register: bool) -> _Said:
    """Return what a settled fit says about the places of its stars."""
    fit.place(fit.x, fit.y, derivatives=True)
    stars = fit.design.stars
    precision = np.full((stars, 2), _TRUST_PIX**-2.0)
    step, _ = fit.newton(precision)
    covariance = fit.covariances(precision)
    inverse = np.linalg.inv(covariance[:, 1:, 1:])
    places = step[:, 1:]
    # the damping is a prior at the present place: taking it off leaves the likelihood
    gradient = np.einsum("nij,nj->ni", inverse, places)
    information = _not_negative(inverse - _TRUST_PIX**-2.0 * np.eye(2))
    information[fit.usable <= 0] = 0.0
    gradient[fit.usable <= 0] = 0.0
    error = np.sqrt(np.maximum(covariance[:, 0, 0], 1e-300))
    snr = np.where(fit.usable > 0, fit.flux / error, 0.0)
    if register:
        move = _displacement(information, gradient, snr)
        gradient = gradient - np.einsum("nij,j->ni", information, move)
        memory.shift = memory.shift + move
    if robust:
        # a frame that disagrees by more than five sigma is heard with less weight
        damped = information + _TRUST_PIX**-2.0 * np.eye(2)
        best = np.linalg.solve(damped, gradient[:, :, None])[:, :, 0]
        far = np.sqrt(np.maximum(np.einsum("ni,ni->n", gradient, best), 0.0))
        share = np.minimum(1.0, _FAR_SIGMA / np.maximum(far, 1e-9))
        information, gradient = information * share[:, None, None], gradient * share[:, None]
    certainty = np.clip(1.0 - 1.0 / np.maximum(snr**2, 1e-9), 0.0, 1.0)
    back = np.linalg.inv(fit.frame.jacobian(fit.x, fit.y))
    return _Said(
        np.einsum("nia,nij,njb->nab", back, information, back),
        np.einsum("nia,ni->na", back, gradient),
        certainty,
    )


def _not_negative(matrices: Floats) -> Floats:
    """Return symmetric 2 x 2 matrices with eigenvalues below zero raised to zero."""
    values, vectors = np.linalg.eigh((matrices + matrices.transpose(0, 2, 1)) / 2)
    return np.asarray(np.einsum("nij,nj,nkj->nik", vectors, np.maximum(values, 0.0), vectors))


def _displacement(information: Floats, gradient: Floats, snr: Floats) -> Floats:
    """Return the shift in pixels that most bright stars of a frame share."""
    chosen = (snr > _REGISTER_SNR) & (np.linalg.det(information) > 0)
    if np.count_nonzero(chosen) < _REGISTER_STARS:
        return np.zeros(2)
    places = np.linalg.solve(information[chosen], gradient[chosen][:, :, None])[:, :, 0]
    return np.asarray(np.median(places, axis=0), np.float64)


def _final(
    frame: Frame,
    number: int,
    sky: _Sky,
    memory: dict[int, _Memory],
    options: FitOptions,
    box_pix: int,
    places: _Found | None,
) -> Fluxes:
    """Return the fluxes of all stars in a frame at their common positions."""
    fit, near = _prepare(frame, number, sky, memory, options, box_pix)
    fit.take_off(sky_without_stars(frame, fit.image(), fit.background, box_pix))
    fit.settle()
    memory[number].background = fit.background
    return _told(fit, near, places).scattered(near, sky.start_ra.size)


def _told(fit: ChipFit, near: Integers, places: _Found | None) -> Fluxes:
    """Return the fluxes of a settled fit; their errors know that places were found.

    The error of a common place moves light between neighbours in all frames alike. N equal frames
    know places N times better than one with an N-th of the prior; so what free places add to the
    variance of a flux there is N times what common ones add. `places` is None for exact ones.
    """
    fixed = star_covariances(fit.normal(), 1)[:, 0, 0]
    if places is None or fit.design.pixels.size == 0:
        return fluxes_of(fit, fixed)
    fit.place(fit.x, fit.y, derivatives=True)
    scale = np.sqrt(np.abs(np.linalg.det(fit.frame.jacobian(fit.x, fit.y))))
    frames = places.frames[near]
    precision = np.tile(places.prior[near] / frames * scale**2, (2, 1)).T
    common = np.maximum(fit.covariances(precision)[:, 0, 0] - fixed, 0.0) / frames
    return fluxes_of(fit, fixed + common, fixed)


def _scales(given: ArrayLike, count: int) -> Floats:
    """Return the scales of frames, checked."""
    scales = np.asarray(given, np.float64)
    if scales.shape != (count,) or not (np.isfinite(scales) & (scales > 0)).all():
        raise InputError(f"scales of shape {scales.shape} for {count} frames, or not above zero")
    return scales


def _repaired(
    frame: Frame,
    number: int,
    sky: _Sky,
    memory: dict[int, _Memory],
    options: FitOptions,
    told: tuple[list[Fluxes], list[Elsewhere]],
    places: _Found | None,
) -> Fluxes:
    """Return the fluxes of a frame once more, without hits that the other frames betray."""
    before, other = told[0][number], told[1][number]
    fit, near = _prepare(frame, number, sky, memory, options, BOX_PIX)
    found = leave_out_hits(fit, other.of(near))
    after = before
    if found.pixels.any():
        after = _told(fit, near, places).scattered(near, sky.start_ra.size)
    suspect = np.zeros(sky.start_ra.size, np.bool_)
    suspect[near] = found.suspect
    return kept(before, after, suspect)

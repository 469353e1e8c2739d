"""Simulated frames of stars whose places and fluxes are known, for tests of the photometry room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tiers import these

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.over_chip import psf_over_chip
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.geometry import AreaMap
from hst123r.simulation.exposure import expose
from hst123r.simulation.model import Observation, Programme, Sky, Star, StarField
from hst123r.simulation.pointing import place, template_of
from hst123r.simulation.render import conversion, sky_electrons
from hst123r.simulation.scene import build
from hst123r.simulation.schedule import plan

RA, DEC = 150.0, 2.0
TIME = 500.0
SETUPS = {
    # detector, filter, range of magnitudes, arcsec between stars
    "ACS/WFC": ("F606W", 18.5, 26.5, 2.4),
    "WFC3/IR": ("F160W", 18.5, 25.0, 6.0),
    "ACS/HRC": ("F555W", 17.5, 25.5, 1.3),
    "WFC3/UVIS": ("F555W", 18.5, 26.5, 2.0),
    "WFPC2": ("F606W", 18.5, 25.5, 4.2),
}
LIGHT = ("ACS/WFC", "WFC3/IR")
PARAMS = these(SETUPS, *LIGHT)
OUTLIER = Flag.OUTLIERS


@dataclass
class Field:
    """Frames of one field, with true positions and fluxes of its stars in each."""

    frames: list[Frame]
    x: np.ndarray  # (exposures, stars), NaN off the frame
    y: np.ndarray
    # (stars,) true electrons of an exposure, as the computed PSF finds them before the correction
    # to the published light
    flux: np.ndarray
    magnitude: np.ndarray
    ra: np.ndarray  # (stars,) degrees
    dec: np.ndarray
    cosmic_rays: list[np.ndarray]
    zeropoint: float


def lattice(spacing, radius, seed=1):
    """Return offsets in arcsec, moved at random by a third of their spacing."""
    steps = np.arange(-radius, radius + spacing, spacing)
    east, north = (a.ravel() for a in np.meshgrid(steps, steps))
    inside = np.hypot(east, north) < radius
    east, north = east[inside], north[inside]
    rng = np.random.default_rng(seed)
    return (
        east + rng.uniform(-spacing / 6, spacing / 6, east.size),
        north + rng.uniform(-spacing / 6, spacing / 6, north.size),
    )


def observe(
    detector_name,
    filter_name,
    east,
    north,
    magnitudes,
    exposures,
    size=1024,
    seed=1,
    focus_nm=0.0,
    only=None,
    **sky,
):
    """Simulate stars and return the chip they are on in every exposure, or in one of them only.

    The PSF that the frames are said to have is out of focus by `focus_nm`, the stars are not.
    """
    detector = instruments.get(detector_name)
    stars = [
        Star(ra_deg=RA + e / 3600 / np.cos(np.radians(DEC)), dec_deg=DEC + n / 3600, magnitude_ab=m)
        for e, n, m in zip(east, north, magnitudes, strict=True)
    ]
    programme = Programme(
        ra_deg=RA,
        dec_deg=DEC,
        observations=[
            Observation(
                detector=detector_name,
                filter=filter_name,
                dates_mjd=[59000.0],
                exposures=exposures,
                exposure_time_s=TIME,
                size_pix=size,
            )
        ],
        seed=seed,
        field=StarField(stars=0),
        stars=stars,
        sky=Sky(**sky),
    )
    scene, change = build(programme), conversion(detector, filter_name, TIME)
    frames, places, rays = [], [], []
    planning = list(plan(programme, instruments.get))
    for planned in planning if only is None else [planning[only]]:
        made = expose(planned, programme, scene, detector)
        science, *companion = made.files.values()
        placed = place(
            template_of(detector), (RA, DEC), planned.pa_v3_deg,
            dither_arcsec=planned.dither_arcsec, size_pix=size,
        ).true  # fmt: skip
        counts = [np.count_nonzero(made.truth["extver"] == chip.extver) for chip in placed]
        chip = placed[int(np.argmax(counts))]
        quality = (
            companion[0]["SCI", chip.extver] if companion else science["DQ", chip.extver]
        ).data
        frames.append(
            Frame(
                data=science["SCI", chip.extver].data / change.units_per_electron,
                mask=(quality & detector.bad_bits) > 0,
                saturated=(quality & detector.saturated_bits) > 0,
                # that of rounding to whole counts is in it
                read_noise_e=detector.noise.read_noise.value,
                exposure_time_s=TIME,
                wcs=chip.wcs,
                psf=_psf(detector, filter_name, chip, focus_nm),
                area=AreaMap(chip.wcs, chip.shape, float(chip.header["IDCSCALE"])),
                label=planned.root,
                dark_e=detector.noise.dark.value * TIME,
            )
        )
        truth = made.truth[made.truth["extver"] == chip.extver]
        xy = np.full((2, len(stars)), np.nan)
        xy[:, truth["star"] - 1] = truth["x"], truth["y"]
        places.append(xy)
        rays.append(made.cosmic_rays[chip.extver])
    magnitude = np.asarray(magnitudes)
    return Field(
        frames,
        np.array([xy[0] for xy in places]),
        np.array([xy[1] for xy in places]),
        change.electrons(magnitude)
        / aperture_correction(detector, filter_name, chip.number).factor,
        magnitude,
        np.array([star.ra_deg for star in stars]),
        np.array([star.dec_deg for star in stars]),
        rays,
        change.zeropoint_ab,
    )


def _psf(detector, filter_name, chip, focus_nm):
    """Return the PSF that the stage `photometry` would fit on a part of a chip."""
    if focus_nm:
        return effective_psf(detector, filter_name, chip=chip.number, focus_nm=focus_nm)
    left, low = chip.window.x0, chip.window.y0
    part = left, low, left + chip.window.columns - 1, low + chip.window.rows - 1
    return psf_over_chip(detector, filter_name, chip.number, part).moved(left, low)


def empty_variance(frame, sky):
    return sky + frame.dark_e + frame.read_noise_e**2


def sky_of(detector_name, filter_name, frame):
    """Return the electrons of the sky in a pixel of a frame."""
    change = conversion(instruments.get(detector_name), filter_name, TIME)
    scale = 3600 * np.sqrt(abs(np.linalg.det(frame.wcs.pixel_scale_matrix)))
    return sky_electrons(Sky(), change, scale)


def cramer_rao(frame, x, y, flux, sky, *, places_known=False, radius=5.0):
    """Return the smallest possible errors of flux, x and y of isolated stars."""
    half = int(np.ceil(radius))
    values, along_x, along_y, x0, y0 = frame.psf.stamps_with_derivatives(x, y, half)
    steps = np.arange(2 * half + 1)
    away = (x0 - x)[:, None, None] + steps[None, None, :], (y0 - y)[:, None, None] + steps[:, None]
    inside = away[0] ** 2 + away[1] ** 2 <= radius**2
    light = flux[:, None, None] * values
    weight = inside / (np.maximum(light, 0) + empty_variance(frame, sky))
    slopes = np.stack([values, flux[:, None, None] * along_x, flux[:, None, None] * along_y])
    fisher = np.einsum("anij,bnij,nij->nab", slopes, slopes, weight)
    if places_known:
        return fisher[:, [0, 1, 2], [0, 1, 2]].T ** -0.5
    return np.sqrt(np.linalg.inv(fisher)[:, [0, 1, 2], [0, 1, 2]]).T

"""One planned exposure made into files and truth."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.instruments.detector import Detector
from hst123r.simulation import render
from hst123r.simulation.defects import bad_pixels
from hst123r.simulation.frame import assemble
from hst123r.simulation.geometry import ChipFrame
from hst123r.simulation.model import Programme
from hst123r.simulation.pointing import Template, place, template_of
from hst123r.simulation.scene import Scene
from hst123r.simulation.schedule import PlannedExposure
from hst123r.simulation.starlight import Starlight, starlight, starlight_of_grid
from hst123r.simulation.truth import ChipStars, exposure_truth

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

    from hst123r.optics.varying import VaryingPSF

_NOISE_SEED: Final = 14


@dataclass(frozen=True, eq=False)
class SimulatedExposure:
    """An exposure and its answers.

    Parameters
    ----------
    files : dict of str to `astropy.io.fits.HDUList`
        By file name, the science file first.
    truth : `astropy.table.Table`
        What is in it; see :func:`~hst123r.simulation.truth.exposure_truth`.
    cosmic_rays : dict of int to (rows, columns) ndarray of bool
        Pixels hit by cosmic rays, by EXTVER.
    """

    files: dict[str, fits.HDUList]
    truth: Table
    cosmic_rays: dict[int, NDArray[np.bool_]]


def expose(
    planned: PlannedExposure,
    programme: Programme,
    scene: Scene,
    detector: Detector,
    template: Template | None = None,
    psfs: Mapping[int, VaryingPSF] | None = None,
) -> SimulatedExposure:
    """Make one exposure.

    Parameters
    ----------
    planned : PlannedExposure
        The exposure, from :func:`~hst123r.simulation.schedule.plan`.
    programme : Programme
        The programme it belongs to.
    scene : Scene
        The sources, from :func:`~hst123r.simulation.scene.build`.
    detector : Detector
        Facts of its detector.
    template : Template, optional
        WCS of a real exposure with its lookup tables; the detector's own when not given.
    psfs : mapping of int to VaryingPSF, optional
        PSF of the full chip by its number; computed when not given.

    Returns
    -------
    SimulatedExposure
        The same bytes for the same arguments: noise is seeded by the programme's seed, the
        root name and the chip.

    Raises
    ------
    InputError
        If the filter does not exist or has no known sensitivity.
    """
    change = render.conversion(detector, planned.filter, planned.exposure_time_s)
    placed = place(
        template or template_of(detector),
        (programme.ra_deg, programme.dec_deg),
        planned.pa_v3_deg,
        dither_arcsec=planned.dither_arcsec,
        size_pix=planned.size_pix,
        aim=planned.aim,
        error=planned.error,
    )
    middle = (planned.start_mjd + planned.end_mjd) / 2
    magnitudes = scene.magnitudes(planned.filter, change.pivot_angstrom, middle)
    pixels, stars = [], []
    for frame in placed.true:
        part = detector, planned.filter, frame.number, frame.window
        seen = starlight(*part) if psfs is None else starlight_of_grid(*part, psfs[frame.number])
        found = ChipStars(*frame.pixels(scene.ra_deg, scene.dec_deg, float(seen.half_pix)))
        flux = change.electrons(magnitudes[found.index])
        seed = [_NOISE_SEED, programme.seed, zlib.crc32(planned.root.encode()), frame.extver]
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        pixels.append(_chip(frame, seen, found, flux, detector, change, programme, rng))
        stars.append(found)
    return SimulatedExposure(
        files=assemble(detector, programme, planned, placed, pixels, change),
        truth=exposure_truth(planned, scene, magnitudes, change, placed.true, stars, pixels),
        cosmic_rays={
            frame.extver: chip.cosmic_rays for frame, chip in zip(placed.true, pixels, strict=True)
        },
    )


def _chip(
    frame: ChipFrame,
    seen: Starlight,
    stars: ChipStars,
    flux: NDArray[np.float64],
    detector: Detector,
    change: render.Conversion,
    programme: Programme,
    rng: np.random.Generator,
) -> render.Pixels:
    """Make the pixels of one chip."""
    scale = float(frame.header["IDCSCALE"])
    sky_e = render.sky_electrons(programme.sky, change, scale)
    empty = np.sqrt(sky_e + detector.noise.read_noise.value**2)
    light = np.zeros(frame.shape)
    for term, share in seen.shares(stars.x, stars.y):
        light += render.paint(frame.shape, term, stars.x, stars.y, flux * share, float(empty))
    return render.expose(
        light,
        frame.pixel_area(),
        detector,
        change,
        programme.sky,
        sky_e,
        bad_pixels(detector, frame) if programme.sky.bad_pixels else None,
        rng,
    )

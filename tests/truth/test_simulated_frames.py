"""The real AstroDrizzle and TweakReg take simulated exposures, and give the truth back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table, unique, vstack
from astropy.wcs import WCS, FITSFixedWarning
from tiers import these

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.telescope import effective_psf
from hst123r.simulation.exposure import expose
from hst123r.simulation.model import Observation, PointingError, Programme, StarField
from hst123r.simulation.pointing import template_from
from hst123r.simulation.scene import build
from hst123r.simulation.schedule import plan

pytestmark = [pytest.mark.truth, pytest.mark.heavy]

RUNNER = """
import json, sys
tool, arguments, options = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
if tool == "drizzle":
    from drizzlepac.astrodrizzle import AstroDrizzle as run
else:
    from drizzlepac.tweakreg import TweakReg as run
run(arguments, **options)
"""
DRIZZLE = {
    "output": "out",
    "in_memory": True,
    "num_cores": 1,
    "clean": True,
    "preserve": False,
    "build": False,
    "context": False,
    "updatewcs": False,
    "combine_type": "minmed",
    "final_wcs": True,
    "final_pixfrac": 1.0,
    "final_fillval": 0.0,
}


@dataclass
class Run:
    """Simulated files on disk and their truth."""

    folder: Path
    names: list[str]
    truths: list[Any]
    detector: Any
    filter: str

    def call(self, tool, **options):
        """Run a tool of drizzlepac in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", RUNNER, tool, json.dumps(self.names), json.dumps(options)],
            cwd=self.folder,
            env={**os.environ, "ASTROMETRY_STEP_CONTROL": "OFF"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def drizzle(self, scale, bits):
        """Drizzle all exposures; return image, weight and WCS."""
        both: dict[str, Any] = {"driz_sep_bits": bits, "final_bits": bits}
        # ramps bring no cosmic rays, and the cores of undersampled stars look like some
        steps = ["driz_separate", "median", "blot", "driz_cr"]
        kept = self.detector.noise.cosmic_rays is not None
        both |= dict.fromkeys(steps, kept)
        self.call("drizzle", **DRIZZLE, **both, final_scale=scale)
        (science,) = self.folder.glob("out_dr*_sci.fits")
        weight = science.with_name(science.name.replace("_sci", "_wht"))
        with warnings.catch_warnings():
            # DATE-OBS without MJD-OBS
            warnings.simplefilter("ignore", FITSFixedWarning)
            return fits.getdata(science), fits.getdata(weight), WCS(fits.getheader(science))

    def stars(self):
        """Return the stars that are on every exposure, brightest first."""
        tables = [truth["star", "ra", "dec", "magnitude", "rate"] for truth in self.truths]
        for table in tables:
            table.meta = {}
        everything = vstack(tables)
        numbers, counts = np.unique(everything["star"], return_counts=True)
        stars = unique(everything, keys="star")
        stars = stars[np.isin(stars["star"], numbers[counts >= len(tables)])]
        stars.sort("magnitude")
        return stars


def simulate(
    folder,
    name,
    filter_name,
    *,
    size,
    radius,
    dates=(55000.0,),
    exposures=3,
    template=None,
    **changes,
):
    field = {
        "stars": 300,
        "radius_arcsec": radius,
        "brightest_ab": 19.5,
        "faintest_ab": 22.5,
        "slope": 0.0,
        "separation_arcsec": 1.5,
        **changes.pop("field", {}),
    }
    programme = Programme(
        ra_deg=150.1,
        dec_deg=2.2,
        observations=[
            Observation(
                detector=name,
                filter=filter_name,
                dates_mjd=list(dates),
                exposures=exposures,
                exposure_time_s=400.0,
                size_pix=size,
            )
        ],
        field=StarField(**field),
        **changes,
    )
    detector, scene = instruments.get(name), build(programme)
    run = Run(folder, [], [], detector, filter_name)
    for planned in plan(programme, instruments.get):
        exposure = expose(planned, programme, scene, detector, template)
        for file_name, hdus in exposure.files.items():
            hdus.writeto(folder / file_name)
        run.names.append(next(iter(exposure.files)))
        run.truths.append(exposure.truth)
    return run


def measure(image, weight, wcs, stars, radius_pix, limit=80):
    """Fit a Gaussian to each star; return offsets in arcsec and flux in an aperture over truth."""
    from scipy.optimize import least_squares

    x, y = wcs.all_world2pix(stars["ra"], stars["dec"], 0)
    scale = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600
    grid = np.arange(-2, 3)
    covered = weight > 0.5 * np.median(weight[weight > 0])
    background = np.median(image[covered])
    rows = []
    for star_x, star_y, rate in zip(x, y, stars["rate"], strict=True):
        column, row = round(float(star_x)), round(float(star_y))
        reach = int(radius_pix) + 2
        around = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
        if len(rows) >= limit or min(column, row) < reach:
            continue
        if image[around].shape != (2 * reach + 1,) * 2 or not covered[around].all():
            continue
        core = image[row - 2 : row + 3, column - 2 : column + 3] - background

        def miss(p, core=core):
            shape = np.exp(-((grid - p[1]) ** 2 + (grid[:, None] - p[2]) ** 2) / (2 * p[3] ** 2))
            return ((p[0] * shape + p[4] - core) / core.max()).ravel()

        fit = least_squares(miss, [core.max(), 0.0, 0.0, 1.0, 0.0]).x
        side = np.arange(-reach, reach + 1)
        distance = np.hypot(side + column - star_x, side[:, None] + row - star_y)
        inside = np.clip(radius_pix + 0.5 - distance, 0, 1)
        flux = np.sum(inside * (image[around] - background))
        rows.append(
            (
                (column + fit[1] - star_x) * scale,
                (row + fit[2] - star_y) * scale,
                flux / rate,
            )
        )
    return np.array(rows), scale


def test_drizzled_stars_are_where_they_are_and_as_bright_as_they_are(tmp_path):
    run = simulate(tmp_path, "ACS/WFC", "F606W", size=512, radius=30.0)
    image, weight, wcs = run.drizzle(0.05, "64,32")
    rows, scale = measure(image, weight, wcs, run.stars(), radius_pix=6.0)
    assert len(rows) >= 40
    milliarcsec = 1000 * np.median(rows[:, :2], axis=0)
    assert np.abs(milliarcsec).max() < 1.0
    assert 1000 * np.median(np.hypot(rows[:, 0], rows[:, 1])) < 2.5
    # magnitudes: the aperture holds what the PSF says, to a hundredth
    psf = effective_psf(run.detector, run.filter)
    expected = psf.encircled_energy(6.0 * scale / 0.05)
    # stars have the published light
    expected /= aperture_correction(run.detector, run.filter, 1).factor
    magnitudes = -2.5 * np.log10(rows[:, 2] / expected)
    assert abs(np.median(magnitudes)) < 0.01
    assert 1.4826 * np.median(np.abs(magnitudes - np.median(magnitudes))) < 0.02


@pytest.mark.real
def test_lookup_tables_of_a_real_header_are_in_the_light_and_in_the_file(tmp_path, shared_data):
    path = shared_data / "acs_wfc" / "jbt122x8q_flc_header.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        with fits.open(path) as hdus:
            template = template_from(instruments.get("ACS/WFC"), hdus)
    run = simulate(tmp_path, "ACS/WFC", "F814W", size=512, radius=30.0, template=template)
    image, weight, wcs = run.drizzle(0.05, "64,32")
    rows, _ = measure(image, weight, wcs, run.stars(), radius_pix=6.0)
    assert len(rows) >= 40
    assert 1000 * np.abs(np.median(rows[:, :2], axis=0)).max() < 1.0


OTHERS = [
    ("ACS/HRC", "F606W", 400, 8.0, 0.025, "", 0.03),
    ("WFC3/UVIS", "F555W", 400, 16.0, 0.04, "64,32", 0.02),
    ("WFC3/IR", "F160W", 300, 30.0, 0.128, "64,512", 0.02),
    ("WFPC2", "F555W", 300, 35.0, 0.0996, "1024", 0.02),
]


@pytest.mark.parametrize(
    ("name", "filter_name", "size", "radius", "scale", "bits", "tolerance"),
    these(OTHERS, "ACS/HRC"),
)
def test_every_detector_drizzles(tmp_path, name, filter_name, size, radius, scale, bits, tolerance):
    field = {"stars": 150, "brightest_ab": 20.5}
    run = simulate(tmp_path, name, filter_name, size=size, radius=radius, field=field)
    image, weight, wcs = run.drizzle(scale, bits)
    assert np.isfinite(image).all()
    assert np.count_nonzero(weight) > 0.3 * size**2
    rows, found = measure(image, weight, wcs, run.stars(), radius_pix=5.0)
    assert found == pytest.approx(scale, rel=1e-3)
    assert len(rows) >= 8
    assert np.abs(np.median(rows[:, :2], axis=0)).max() < 0.05 * scale
    # the chip most stars are on
    chips, counts = np.unique(run.truths[0]["chip"], return_counts=True)
    chip = int(chips[counts.argmax()])
    facts = next(item for item in run.detector.chips if item.number == chip)
    psf = effective_psf(run.detector, filter_name, chip=chip)
    expected = psf.encircled_energy(5.0 * scale / facts.geometry.idc["IDCSCALE"])
    expected /= aperture_correction(run.detector, filter_name, chip).factor
    assert np.median(rows[:, 2]) / expected == pytest.approx(1.0, abs=tolerance)


def test_cosmic_rays_are_found_by_astrodrizzle(tmp_path):
    run = simulate(tmp_path, "ACS/WFC", "F606W", size=400, radius=25.0, exposures=4)
    run.drizzle(0.05, "64,32")
    hit = [truth.meta["cosmic_ray_pixels"][1] for truth in run.truths]
    for name, count in zip(run.names, hit, strict=True):
        flagged = fits.getdata(tmp_path / name, ("DQ", 1)) & 4096 > 0
        assert 0.7 * count < flagged.sum() < 1.6 * count


def test_tweakreg_takes_out_an_injected_error(tmp_path):
    error = PointingError(east_arcsec=0.25, north_arcsec=-0.17, roll_deg=0.01)
    run = simulate(
        tmp_path,
        "ACS/WFC",
        "F606W",
        size=512,
        radius=30.0,
        exposures=1,
        errors=[error],
        field={"faintest_ab": 24.0},
    )
    catalogue = run.truths[0]
    reference = Table([catalogue["ra"], catalogue["dec"], catalogue["rate"]])
    reference.write(tmp_path / "ref.cat", format="ascii.no_header")
    before = residual(tmp_path / run.names[0], catalogue)
    assert before == pytest.approx(np.hypot(0.25, 0.17), abs=0.02)
    run.call(
        "align",
        refcat="ref.cat",
        refxcol=1,
        refycol=2,
        refxyunits="degrees",
        imagefindcfg={"threshold": 50, "conv_width": 3.5},
        searchrad=10,
        searchunits="pixels",
        tolerance=1.0,
        separation=0.5,
        minobj=10,
        fitgeometry="rscale",
        updatehdr=True,
        updatewcs=False,
        wcsname="TWEAK",
        reusename=True,
        interactive=False,
        clean=True,
        writecat=False,
        residplot="No plot",
        see2dplot=False,
    )
    assert residual(tmp_path / run.names[0], catalogue) < 0.002


def residual(path, catalogue):
    """Return the rms distance in arcsec between header and truth over the stars."""
    total = []
    with fits.open(path) as hdus:
        for extver in (1, 2):
            rows = catalogue[catalogue["extver"] == extver]
            ra, dec = WCS(hdus["SCI", extver].header).all_pix2world(rows["x"], rows["y"], 0)
            east = (ra - np.array(rows["ra"])) * np.cos(np.radians(dec))
            total.append(east**2 + (dec - np.array(rows["dec"])) ** 2)
    return 3600 * np.sqrt(np.concatenate(total).mean())

"""Stacks against the truth: light, width, weight, cosmic rays, noise, and the exposures' own.

One field of isolated stars, four exposures of ACS/WFC at the native scale.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table, unique, vstack

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.telescope import effective_psf
from hst123r.products.stacks import read_stack

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC = 150.1, 2.2
TIME, EXPOSURES = 400.0, 4
RECIPE = f"""\
hst123r: 1
name: stack
targets: [{{name: SN, position: "{RA} {DEC}"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 4
        observations:
          - {{detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: {EXPOSURES},
             exposure_time: {TIME} s, size: 800 pix}}
        stars: {{number: 860, radius: 36 arcsec, separation: 1.5 arcsec, brightest: 19 mag,
                faintest: 23.5 mag}}
        pointing_error: 0 arcsec
        roll_error: 0 deg
  - align: {{method: none}}
  - drizzle: {{name: stacks, rms: true}}
  - detect: {{}}
  - photometry: {{}}
"""
RADIUS_PIX = 10
FIELD_ARCSEC = 36


@pytest.fixture(scope="module")
def folder(module_folder):
    folder = module_folder("stack")
    (folder / "recipe.yaml").write_text(RECIPE)
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    return folder / "stack"


@pytest.fixture(scope="module")
def path(folder):
    (found,) = folder.glob("products/stacks/*/*_drz.fits")
    return found


@pytest.fixture(scope="module")
def stack(path):
    return read_stack(path)


@pytest.fixture(scope="module")
def truths(folder):
    return {p.name[:9]: Table.read(p) for p in sorted((folder / "raw").glob("*_truth.ecsv"))}


@pytest.fixture(scope="module")
def full(stack):
    """Pixels on all exposures, whatever is flagged there."""
    from scipy.ndimage import binary_closing, binary_erosion

    deep = stack.weight > 0.8 * TIME * EXPOSURES
    return binary_erosion(binary_closing(deep, iterations=3), iterations=4)


@pytest.fixture(scope="module")
def blank(stack, full):
    """Likewise outside the field of stars."""
    x, y = stack.wcs.all_world2pix([[RA, DEC]], 0)[0]
    rows, columns = np.indices(full.shape)
    return full & (np.hypot(columns - x, rows - y) > (FIELD_ARCSEC + 3) / 0.05)


@pytest.fixture(scope="module")
def stars(truths, stack):
    """Stars whose aperture lies in all exposures: table with x, y of the stack."""
    tables = [table["star", "ra", "dec", "rate", "magnitude"] for table in truths.values()]
    for table in tables:
        table.meta = {}
    everything = vstack(tables)
    numbers, counts = np.unique(everything["star"], return_counts=True)
    found = unique(everything, keys="star")
    found = found[np.isin(found["star"], numbers[counts == EXPOSURES])]
    x, y = stack.wcs.all_world2pix(found["ra"], found["dec"], 0)
    found["x"], found["y"] = x, y
    reach = RADIUS_PIX + 6
    inside = [
        bool((cut := around(stack.weight, a, b, reach)).shape == (2 * reach + 1,) * 2)
        and bool((cut > 0.2 * TIME * EXPOSURES).all())
        for a, b in zip(x, y, strict=True)
    ]
    return found[inside]


def around(image, x, y, reach):
    row, column = round(float(y)), round(float(x))
    if min(row, column) < reach:
        return image[:0, :0]
    return image[row - reach : row + reach + 1, column - reach : column + reach + 1]


def aperture(image, x, y, radius=RADIUS_PIX):
    """Light within a radius, less the median of a ring around."""
    reach = radius + 6
    cut = around(image, x, y, reach)
    side = np.arange(-reach, reach + 1)
    column, row = round(float(x)), round(float(y))
    distance = np.hypot(side + column - x, side[:, None] + row - y)
    sky = np.nanmedian(cut[(distance > radius + 1) & (distance < reach)])
    return float(np.sum(np.clip(radius + 0.5 - distance, 0, 1) * (cut - sky)))


def width(image, x, y):
    """Sigma of a Gaussian fitted to the core, pixels."""
    from scipy.optimize import least_squares

    grid = np.arange(-2, 3)
    core = around(image, x, y, 2)
    core = core - np.median(around(image, x, y, 12))
    dx, dy = x - round(float(x)), y - round(float(y))

    def miss(p):
        shape = np.exp(-((grid - p[1]) ** 2 + (grid[:, None] - p[2]) ** 2) / (2 * p[3] ** 2))
        return ((p[0] * shape + p[4] - core) / core.max()).ravel()

    return float(least_squares(miss, [core.max(), dx, dy, 1.0, 0.0]).x[3])


def test_stars_are_as_bright_as_they_are(stack, stars):
    expected = expected_light()
    assert len(stars) >= 200
    ratio = [aperture(stack.science, s["x"], s["y"]) / s["rate"] / expected for s in stars]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.005)


def expected_light():
    """Return what the aperture holds of a star, with as much light near it as was published."""
    detector = instruments.get("ACS/WFC")
    psf = effective_psf(detector, "F606W")
    light = psf.encircled_energy(RADIUS_PIX) - sky_ring(psf)
    return light / aperture_correction(detector, "F606W", 1).factor


def sky_ring(psf):
    """Part of a star's light that its own ring of sky takes out of the aperture."""
    inner, outer = RADIUS_PIX + 1, RADIUS_PIX + 6
    light = psf.encircled_energy(outer) - psf.encircled_energy(inner)
    return light * RADIUS_PIX**2 / (outer**2 - inner**2)


def test_stars_are_wider_than_on_the_exposures_by_drop_and_pixel_alone(
    folder, stack, stars, truths
):
    bright = stars[stars["magnitude"] < 21.0]
    drizzled = np.median([width(stack.science, s["x"], s["y"]) for s in bright])
    single = []
    for root, truth in truths.items():
        mine = truth[np.isin(truth["star"], bright["star"])]
        with fits.open(folder / "raw" / f"{root}_flc.fits") as hdus:
            for version in (1, 2):
                data = hdus["SCI", version].data
                chip = mine[mine["extver"] == version]
                single += [
                    width(data, s["x"], s["y"])
                    for s in chip
                    if around(data, s["x"], s["y"], 12).shape == (25, 25)
                ]
    # the drop (0.8) and the pixel of the stack (1) add their own variance, a twelfth of the square
    expected = np.sqrt(np.median(single) ** 2 + (0.8**2 + 1.0) / 12)
    assert drizzled == pytest.approx(expected, rel=0.05)


def test_weights_are_exposure_times(path, stack, truths, full):
    """In the deepest part: the time of all exposures, less what was flagged, seldom 4 %."""
    deep = stack.weight[full]
    assert np.median(deep) == pytest.approx(TIME * EXPOSURES, rel=0.05)
    assert fits.getheader(path)["EXPTIME"] == TIME * EXPOSURES
    total = float(stack.weight.sum())
    with_data = sum(2 * 800 * 800 * TIME for _ in truths)
    # nothing is lost but what is flagged: bad pixels and cosmic rays
    flagged = sum(sum(t.meta["cosmic_ray_pixels"].values()) for t in truths.values()) * TIME
    assert total + flagged == pytest.approx(with_data, rel=0.01)


def test_no_cosmic_ray_is_left(folder, path, stack, stars, truths, full):
    noise = fits.getdata(path, "RMS") / fits.getheader(path, "RMS")["RMSCORR"]
    everything = unique(vstack([t["star", "ra", "dec"] for t in truths.values()],
                               metadata_conflicts="silent"), keys="star")  # fmt: skip
    x, y = stack.wcs.all_world2pix(everything["ra"], everything["dec"], 0)
    empty = full.copy()
    rows, columns = np.indices(full.shape)
    for a, b in zip(x, y, strict=True):
        box = np.s_[max(0, int(b) - 25) : int(b) + 26, max(0, int(a) - 25) : int(a) + 26]
        empty[box] &= np.hypot(columns[box] - a, rows[box] - b) > 20
    sky = np.median(stack.science[empty])
    high = (stack.science - sky) / noise > 8
    assert empty.sum() > 100_000
    assert (high & empty).sum() <= 1e-6 * max(empty.sum(), 1e6)


def test_noise_is_that_of_err_and_of_the_correlation_factor(folder, path, stack, truths, blank):
    from scipy.ndimage import uniform_filter

    factor = fits.getheader(path, "RMS")["RMSCORR"]
    rms = fits.getdata(path, "RMS")
    errors = []
    for root in truths:
        with fits.open(folder / "raw" / f"{root}_flc.fits") as hdus:
            errors += [np.median(hdus["ERR", version].data) for version in (1, 2)]
    # exposures of equal times; pixels of the exposures and the stack are of nearly one size
    expected = np.median(errors) / TIME / np.sqrt(EXPOSURES)
    flat = blank & np.isfinite(stack.science)
    middle = np.median(stack.science[flat])
    scatter = 1.4826 * np.median(np.abs(stack.science[flat] - middle))
    assert scatter * factor == pytest.approx(expected, rel=0.08)
    assert np.median(rms[flat]) == pytest.approx(expected, rel=0.08)
    # squares of 8 by 8 pixels, in which the correlation has worn off
    side = 8
    whole = uniform_filter(flat.astype("f4"), side) > 0.999
    means = uniform_filter(np.where(flat, stack.science, 0.0), side)[whole]
    block = 1.4826 * np.median(np.abs(means - np.median(means))) * side
    assert block == pytest.approx(expected, rel=0.12)


def test_photometry_on_the_stack_and_on_the_exposures_agree(folder, stack, stars):
    (found,) = folder.glob("products/photometry/*/*_catalog.ecsv")
    catalogue = Table.read(found)
    catalogue = catalogue[np.isfinite(catalogue["mag_ab"])]
    expected = expected_light()
    differences = []
    for star in stars[stars["magnitude"] < 22.0]:
        near = np.hypot(
            (catalogue["ra"] - star["ra"]) * np.cos(np.radians(DEC)), catalogue["dec"] - star["dec"]
        )
        if near.min() * 3600 > 0.05:
            continue
        light = aperture(stack.science, star["x"], star["y"]) / expected
        mine = stack.header["ZP_AB"] - 2.5 * np.log10(light)
        differences.append(mine - catalogue["mag_ab"][near.argmin()])
    assert len(differences) >= 60
    assert abs(np.median(differences)) < 0.006

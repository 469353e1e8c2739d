"""A WFPC2 exposure of omega Centauri: two files, four chips, counts."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.products.stacks import read_stack

pytestmark = [pytest.mark.real, pytest.mark.heavy, pytest.mark.release]


@pytest.fixture(scope="module")
def done(omega_cen, run_on):
    stages = (
        "align: {method: none}", "drizzle: {name: kernels, scale: 0.1 arcsec, engine: drizzle}",
        "drizzle: {name: stacks, scale: 0.1 arcsec}",
        "detect: {threshold: 10}", "photometry: {}",
    )  # fmt: skip
    return run_on("ocen", omega_cen, "13:27:17.4 -47:30:23", stages)


def test_the_pair_is_one_exposure_with_four_chips(done):
    table = Table.read(done.product("exposures/*/exposures.ecsv"))
    assert len(table) == 1
    assert list(table["chips"][0]) == [1, 2, 3, 4]
    assert table["filter"][0] == "F555W"
    # PC1 and the three wide-field chips differ in sensitivity by some per cent
    zeropoints = np.asarray(table["zeropoints_ab"][0], float)
    assert zeropoints == pytest.approx(22.55, abs=0.06)
    assert np.ptp(zeropoints) > 0.001


def test_the_stack_is_in_counts_per_second(done, omega_cen):
    with (
        fits.open(done.product("stacks/*/*_drz.fits")) as stack,
        fits.open(omega_cen / "u40x010hm_c0m.fits") as exposure,
    ):
        header = stack["SCI"].header
        assert header["BUNIT"] == "COUNTS/S"
        light = np.median(exposure["SCI", 3].data) / exposure[0].header["EXPTIME"]
        # pixels of 0.1 arcsec are as large as those of the wide-field chips; most have the light of
        # stars, and with the sky of the emptiest chip left in it would be 0.91 of it; the median
        # that is taken off has some of their light in it
        assert 0.2 * light < np.nanmedian(stack["SCI"].data) < 0.85 * light
        assert header["ZP_AB"] == pytest.approx(22.56, abs=0.05)


def test_stars_of_all_chips_are_measured(done):
    table = Table.read(done.product("photometry/*/*_measurements.fits"))
    good = table[(table["flags"] == 0) & (table["flux"] > 20 * table["flux_err"])]
    for extver in (1, 2, 3, 4):
        assert np.count_nonzero(good["extver"] == extver) > 200


def test_stars_of_all_chips_are_as_bright_on_the_stack(done):
    """Chips differ in PHOTFLAM by 2 %, and AstroDrizzle has a gain for each: both are settled."""
    stack = read_stack(done.product("stacks/*/*_drz.fits"))
    table = Table.read(done.product("photometry/*/*_measurements.fits"))
    catalogue = Table.read(done.product("photometry/*/*_catalog.ecsv"))
    places = {row["source"]: (row["ra"], row["dec"]) for row in catalogue}
    good = table[(table["flags"] == 0) & (table["flux"] > 50 * table["flux_err"])]
    y, x = np.indices((21, 21)) - 10
    medians = []
    for extver in (2, 3, 4):
        ratios = []
        for row in good[good["extver"] == extver]:
            column, line = stack.wcs.all_world2pix([places[row["source"]]], 0)[0]
            i, j = round(float(line)), round(float(column))
            cut = stack.science[i - 10 : i + 11, j - 10 : j + 11]
            if min(i, j) < 10 or cut.shape != (21, 21) or not np.isfinite(cut).all():
                continue
            distance = np.hypot(x + j - column, y + i - line)
            light = np.sum(np.clip(2.5 - distance, 0, 1) * (cut - np.median(cut)))
            ratios.append(10 ** (-0.4 * (stack.header["ZP_AB"] - 31.4)) * light / row["flux"])
        medians.append(float(np.median(ratios)))
        assert len(ratios) > 100
    assert np.ptp(medians) / np.mean(medians) < 0.02, medians


def test_the_engine_drizzle_makes_the_same_stack(done):
    """DGEOFILE has become a table of one row for PC1, which its map has to follow."""
    theirs, ours = (read_stack(done.product(f"{name}/*/*_drz.fits")) for name in
                    ("stacks", "kernels"))  # fmt: skip
    covered = (theirs.weight > 0.01 * theirs.weight.max()) & (ours.weight > 0)
    assert covered.mean() > 0.3
    values = theirs.science[covered]
    noise = 1.4826 * np.median(np.abs(values - np.median(values)))
    away = np.abs(ours.science - theirs.science)[covered] / noise
    # AstroDrizzle places pixels less exactly, which shows beside bright stars
    assert np.median(away) < 1e-3
    assert np.percentile(away, 99) < 0.1
    assert np.median(ours.weight[covered] / theirs.weight[covered]) == pytest.approx(1, abs=1e-4)

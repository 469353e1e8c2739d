"""Limits from the sources around, in light curves."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.photometry.flags import Flag
from hst123r.photometry.magnitudes import flux_njy
from hst123r.products.local_limits import Neighbours, members_of, with_local_limits
from hst123r.records.outcome import Product

RA, DEC = 150.0, 2.0
WANTED = float(flux_njy(27.0))
"""S/N 3 in the mean of four exposures, by construction; twice that in one."""
ROOTS = ("jaaa00001", "jaaa00002", "jaaa00003", "jaaa00004")
ROW = {"detector": "ACS/WFC", "filter": "F606W", "visit": "", "epoch": "", "exposure": "",
       "source": 1, "limit_ab": 20.0}  # fmt: skip
EXPOSURES = [
    {**ROW, "level": "exposure", "visit": "v", "epoch": str(n // 2), "exposure": root}
    for n, root in enumerate(ROOTS)
]
ROWS = [*EXPOSURES, {**ROW, "level": "visit", "visit": "v"},
        {**ROW, "level": "epoch", "epoch": "0"}, {**ROW, "level": "filter"}]  # fmt: skip


@pytest.fixture
def around(tmp_path):
    """Return a maker of photometry with sources of known depth around the place."""

    def make(number=300, reach=10.0, seed=6, flags=0):
        rng = np.random.default_rng(seed)
        truth = flux_njy(rng.uniform(24.0, 27.5, number))
        error = 2 * WANTED / 3
        east, north = rng.uniform(-reach, reach, (2, number)) / np.sqrt(2) / 3600
        catalogue = Table(
            {
                "source": np.arange(1, number + 1), "ra": RA + east, "dec": DEC + north,
                "target": ["SN", *[""] * (number - 1)],
            }
        )  # fmt: skip
        flux = truth + rng.normal(0, error, (4, number))
        singles = Table(
            {
                "source": np.tile(np.arange(1, number + 1), 4),
                "exposure": np.repeat(ROOTS, number), "flux": flux.ravel(),
                "flux_err": np.full(4 * number, error), "photon_slope": np.zeros(4 * number),
                "flags": np.broadcast_to(flags, (4, number)).ravel(),
                "used": np.ones(4 * number, bool),
            }
        )  # fmt: skip
        catalogue.write(tmp_path / f"{number}{reach}.ecsv")
        singles.write(tmp_path / f"{number}{reach}.fits")
        files = {"catalog": str(tmp_path / f"{number}{reach}.ecsv"),
                 "measurements": str(tmp_path / f"{number}{reach}.fits")}  # fmt: skip
        return Product("photometry", "p", {"detector": "ACS/WFC", "filter": "F606W"}, files)

    return make


def test_signal_to_noise_three_at_27_by_construction(around):
    found = with_local_limits(ROWS, [around()], (RA, DEC), 3.0)
    step = 2.5 * np.log10(2)
    wanted = [27 - step] * 4 + [27.0, 27 - step / 2, 27.0]
    assert [row["limit_ab"] for row in found] == pytest.approx(wanted, abs=0.01)
    assert {row["limit_method"] for row in found} == {"local S/N relation"}
    again = with_local_limits(ROWS, [around(301)], (RA, DEC), 3.0)
    assert [row["limit_ab"] for row in again] == pytest.approx(wanted, abs=0.01)


def test_the_radius_grows_until_the_sources_tell(around):
    near = Neighbours(around(300, 8.0), RA, DEC, [1]).limit(ROOTS, 3.0)
    wide = Neighbours(around(60, 60.0), RA, DEC, [1]).limit(ROOTS, 3.0)
    assert near.radius_arcsec == 10.0
    assert wide.radius_arcsec > 10.0
    assert wide.magnitude == pytest.approx(27.0, abs=0.01)
    few = Neighbours(around(9), RA, DEC, [1]).limit(ROOTS, 3.0)
    assert np.isnan(few.magnitude)
    assert few.radius_arcsec == 80.0


def test_a_source_that_one_exposure_has_lost_speaks_of_the_others(around):
    # as cosmic rays do it: no source is whole in all four exposures, each exposure has enough
    lost = np.where(np.arange(40) % 4 == np.arange(4)[:, None], Flag.PARTLY_MASKED, 0)
    found = Neighbours(around(40, flags=lost), RA, DEC, [1]).limit(ROOTS, 3.0)
    assert found.magnitude == pytest.approx(27.0, abs=0.01)
    # a hit further out leaves the error of the flux as it is
    hit = Neighbours(around(41, flags=int(Flag.OUTLIERS)), RA, DEC, [1]).limit(ROOTS, 3.0)
    assert hit.magnitude == pytest.approx(27.0, abs=0.01)
    for flag in (Flag.PARTLY_MASKED, Flag.POOR_FIT, Flag.BLENDED):
        none = Neighbours(around(42 + flag, flags=int(flag)), RA, DEC, [1]).limit(ROOTS, 3.0)
        assert np.isnan(none.magnitude)


def test_too_few_sources_are_told_as_no_limit(around):
    found = with_local_limits(ROWS, [around(5)], (RA, DEC), 3.0)
    assert {row["limit_ab"] for row in found} == {None}


def test_which_exposures_a_row_is_about():
    assert members_of(ROWS[0], ROWS) == [ROOTS[0]]
    assert members_of(ROWS[4], ROWS) == list(ROOTS)
    assert members_of(ROWS[5], ROWS) == list(ROOTS[:2])
    assert members_of(ROWS[6], ROWS) == list(ROOTS)

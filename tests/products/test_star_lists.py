"""The stars of an exposure against the truth."""

import numpy as np
import pytest

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.products.exposures import read_exposure
from hst123r.products.star_lists import read_chip_stars, read_star_list

OPTIONS = {"threshold_sigma": 5.0, "min_snr": 10.0, "brightest": 200, "fit_radius_pix": 3.0}
RA, DEC = 150.1, 2.2


@pytest.fixture(scope="module")
def given(finished):
    path = finished / "raw" / "jsi00102q_flc.fits"
    return {"science": str(path)}, read_exposure(str(path), {"SN": (RA, DEC)})


def test_stars_are_where_and_as_bright_as_the_truth_says(given, small):
    """Places in units of their errors, rates likewise; this visit's header is right."""
    found = read_star_list(*given, **OPTIONS)
    truth = small.truth("jsi00102q")
    here = np.stack(to_tangent_plane(found.ra_deg, found.dec_deg, RA, DEC), axis=1)
    there = np.stack(
        to_tangent_plane(np.asarray(truth["ra"]), np.asarray(truth["dec"]), RA, DEC), axis=1
    )
    apart = np.hypot(*(here[:, None] - there).transpose(2, 0, 1))
    nearest = apart.argmin(axis=1)
    stars = apart.min(axis=1) < 0.05
    assert stars.sum() >= 28
    # about one cosmic ray in ten remains, which only a comparison of exposures can tell
    assert (~stars).sum() <= 8
    pull = (here - there[nearest])[stars] / found.position_error_arcsec[stars, None]
    assert 0.6 < np.sqrt(np.mean(pull**2)) < 1.5
    rate = np.asarray(truth["rate"])[nearest][stars]
    assert 0.6 < np.std((found.flux[stars] - rate) / found.flux_error[stars]) < 1.6
    assert np.median(found.flux[stars] / rate) == pytest.approx(1.0, abs=0.01)


def test_every_chip_has_its_own_list_the_brightest_first(given):
    chips = read_chip_stars(*given, **{**OPTIONS, "brightest": 5})
    assert sorted(chips) == [1, 2]
    for chip in chips.values():
        assert chip.x.size <= 5
        assert np.all(np.diff(chip.rate) <= 0)
        assert np.all(chip.rate / chip.rate_error >= 10)


def test_the_label_is_the_root_name_and_each_chip_has_a_footprint(given):
    found = read_star_list(*given, **OPTIONS)
    assert found.label == "jsi00102q"
    assert [len(corners) for corners in found.footprints] == [4, 4]

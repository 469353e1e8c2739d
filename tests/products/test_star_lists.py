"""The stars of an exposure against the truth."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.errors import InputError
from hst123r.products.exposures import read_exposure
from hst123r.products.star_lists import measure_stars, read_stars, select_stars, write_stars
from hst123r.sources.stars import star_list

OPTIONS = {"threshold_sigma": 5.0, "min_snr": 10.0, "brightest": 200, "fit_radius_pix": 3.0}
RA, DEC = 150.1, 2.2


@pytest.fixture(scope="module")
def given(finished):
    path = finished / "raw" / "jsi00102q_flc.fits"
    return {"science": str(path)}, read_exposure(str(path), {"SN": (RA, DEC)})


@pytest.fixture(scope="module")
def measured(given):
    return measure_stars(*given, **OPTIONS)


def listed(chips):
    return star_list(chips.values(), "jsi00102q")


def test_stars_are_where_and_as_bright_as_the_truth_says(measured, small):
    """Places in units of their errors, rates likewise; this visit's header is right."""
    found = listed(measured)
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
    chips = measure_stars(*given, **{**OPTIONS, "brightest": 5})
    assert sorted(chips) == [1, 2]
    for chip in chips.values():
        assert len(chip) <= 5
        assert np.all(np.diff(chip.rate) <= 0)
        assert np.all(chip.rate / chip.rate_error >= 10)


def test_the_label_is_the_root_name_and_each_chip_has_a_footprint(measured):
    found = listed(measured)
    assert found.label == "jsi00102q"
    assert [len(corners) for corners in found.footprints] == [4, 4]


def test_what_is_written_is_read_again_to_the_last_bit(measured, tmp_path):
    path = tmp_path / "x_stars.fits"
    write_stars(measured, path, "jsi00102q")
    again = read_stars(path)
    assert list(again) == list(measured)
    for version, chip in measured.items():
        for name, value in vars(chip).items():
            assert np.array_equal(getattr(again[version], name), value), name
    with fits.open(path) as hdus:
        assert hdus[0].header["ROOTNAME"] == "jsi00102q"
        assert hdus["STARS", 2].columns["rate"].unit == "electron / s"
        assert "zero-based" in hdus["STARS", 1].header["TCOMM1"]


def test_a_chip_without_stars_is_an_empty_table(measured, tmp_path):
    none = {version: chip.where(slice(0)) for version, chip in measured.items()}
    write_stars(none, tmp_path / "none.fits", "x")
    again = read_stars(tmp_path / "none.fits")
    assert [len(chip) for chip in again.values()] == [0, 0]
    assert np.array_equal(again[1].corners, measured[1].corners)


def test_stars_are_chosen_by_number_and_magnitude(measured, given):
    _, exposure = given
    few = select_stars(measured, exposure, brightest=3)
    assert [len(chip) for chip in few.values()] == [3, 3]
    assert np.array_equal(few[1].x, measured[1].x[:3])
    zeropoint = exposure.chips[0].zeropoint_ab
    limited = select_stars(measured, exposure, magnitudes=(21.0, 24.0))
    for version, chip in limited.items():
        magnitude = zeropoint - 2.5 * np.log10(measured[version].rate)
        assert len(chip) == np.sum((magnitude >= 21) & (magnitude <= 24))
    numbers = [sum(len(chip) for chip in chips.values()) for chips in (limited, measured)]
    assert 5 < numbers[0] < numbers[1]
    blind = replace(exposure, chips=tuple(replace(c, zeropoint_ab=None) for c in exposure.chips))
    with pytest.raises(InputError, match="no zeropoint in chip"):
        select_stars(measured, blind, magnitudes=(None, 23.0))

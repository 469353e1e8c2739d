"""TweakReg, against the truth and against its traps.

The stars that it gets are the true ones, at their true pixels, so all that is left is its own.
"""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.external.tweakreg import Settings
from hst123r.products.exposures import open_wcs

RA, DEC = 150.1, 2.2
ROOT = "jsi00201q"
NAME = f"{ROOT}_flc.fits"
SETTINGS = {
    "search_radius_pix": 20, "tolerance_pix": 1.0, "separation_pix": 0.5, "min_matches": 10,
    "geometry": "rscale", "clip": 3, "sigma": 3.0,
}  # fmt: skip


@pytest.fixture
def truth(finished):
    return Table.read(finished / "raw" / f"{ROOT}_truth.ecsv")


def star_lists(truth):
    return {
        int(version): [
            (row["x"] + 1, row["y"] + 1, row["rate"]) for row in truth[truth["extver"] == version]
        ]
        for version in sorted(set(truth["extver"]))
    }


def catalogue(truth):
    return [(row["ra"], row["dec"], row["rate"]) for row in truth]


def errors(path, truth):
    """Where the WCS puts the true pixels less where they are, mas."""
    found = []
    with fits.open(path) as hdus:
        for row in truth:
            wcs = open_wcs(hdus["SCI", row["extver"]].header, hdus, path.name)
            ra, dec = wcs.all_pix2world([[row["x"], row["y"]]], 0)[0]
            there, here = (
                np.array(to_tangent_plane(*place, RA, DEC))
                for place in ((ra, dec), (row["ra"], row["dec"]))
            )
            found.append(1000 * (there - here))
    return np.array(found)


@pytest.fixture
def tweak(outside, exposures, truth):
    """Align the exposure whose header is wrong; keywords change what TweakReg is given."""

    def call(stars=None, reference=None, **settings):
        folder = exposures(ROOT)
        said = outside(
            "tweak", folder,
            stars={NAME: star_lists(truth) if stars is None else stars},
            reference=catalogue(truth) if reference is None else reference,
            settings={**SETTINGS, **settings},
        )  # fmt: skip
        return said, folder / NAME

    return call


def test_an_offset_of_six_pixels_and_a_roll_are_taken_out(tweak, truth, exposures):
    before = errors(exposures(ROOT) / NAME, truth)
    assert np.hypot(*before.mean(axis=0)) == pytest.approx(300, abs=2)
    said, path = tweak()
    assert np.hypot(*said[NAME][:2]) == pytest.approx(6.0, abs=0.1)
    assert said[NAME][2] % 360 == pytest.approx(0.01, abs=2e-3) or (
        said[NAME][2] % 360 == pytest.approx(359.99, abs=2e-3)
    )
    left = errors(path, truth)
    assert np.abs(left).max() < 0.5
    assert fits.getval(path, "WCSNAME", extname="SCI", extver=1) == "TWEAK"


def test_aligned_stars_are_left_where_they_are(tweak, truth):
    """An exposure that is moved first and aligned again stands still to a hundredth of a mas."""
    _, path = tweak()
    once = errors(path, truth)
    said, again = tweak()
    assert np.abs(errors(again, truth) - once).max() < 0.01
    assert said[NAME] is not None


def random_catalogue():
    rng = np.random.default_rng(3)
    east, north = rng.uniform(-20, 20, (2, 60)) / 3600
    return [(RA + e, DEC + n, 10.0) for e, n in zip(east, north, strict=True)]


def test_a_failed_fit_is_none_although_it_stamps_its_name(tweak, truth, exposures):
    before = errors(exposures(ROOT) / NAME, truth)
    said, path = tweak(reference=random_catalogue(), min_matches=25)
    assert said == {NAME: None}
    # the trap: by its header alone the exposure looks aligned
    assert fits.getval(path, "WCSNAME", extname="SCI", extver=1) == "TWEAK"
    assert np.abs(errors(path, truth) - before).max() < 0.1


def test_too_few_stars_are_no_fit_or_an_error_but_never_a_shift(tweak, truth):
    few = truth[:4]
    said, _ = tweak(stars=star_lists(few), reference=catalogue(few))
    assert said == {NAME: None} or "TweakReg failed" in said["error"]


def test_a_chip_without_stars_does_not_matter(tweak, truth):
    """TweakReg dies of an empty catalogue; the small chip of a camera often has no star."""
    said, path = tweak(stars={**star_lists(truth), 2: []})
    assert np.hypot(*said[NAME][:2]) == pytest.approx(6.0, abs=0.1)
    # the chip follows the other one by its distortion model
    assert np.abs(errors(path, truth)).max() < 1.0


def test_no_star_at_all_is_no_fit(tweak):
    said, _ = tweak(stars={1: [], 2: []})
    assert said == {NAME: None} or said["error"].startswith("TweakReg failed: ")


def test_a_failure_of_tweakreg_itself_is_a_sentence(outside, tmp_path, truth):
    said = outside(
        "tweak", tmp_path, stars={NAME: star_lists(truth)}, reference=catalogue(truth),
        settings=SETTINGS,
    )  # fmt: skip
    assert "TweakReg" in said["error"]


@pytest.mark.parametrize("radius", [20.5, 0.4, 0, -3])
def test_a_search_radius_that_is_not_whole_is_refused(radius):
    """With any other TweakReg can return a wrong WCS with success."""
    with pytest.raises(ValueError, match="not whole"):
        Settings(**{**SETTINGS, "search_radius_pix": radius})


def test_a_tolerance_below_a_pixel_is_refused():
    with pytest.raises(ValueError, match="below 1"):
        Settings(**{**SETTINGS, "tolerance_pix": 0.9})

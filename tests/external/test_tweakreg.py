"""TweakReg, against the truth and against its traps.

The stars that it gets are the true ones, at their true pixels, so all that is left is its own. What
was found to go wrong with it, by itself or as hst123 calls it, and what holds here:

* a radius in arcsec, or one that is not whole, starts from a shift that is wrong by the fraction
  and can end with success: whole pixels only, and any whole number of them is right;
* a radius below half a pixel is rounded to none: refused;
* a tolerance below a pixel loses most matches: refused;
* a failed fit ends normally, has no numbers in the file of shifts, and stamps its name on the WCS:
  it is None;
* a file of shifts of an earlier call says that this one worked: it is taken away first;
* a name that is used again, or CRPIX moved by half a pixel with every call: a second call on the
  same file leaves it where it is;
* its own finder misjudges the noise, counts what it likes and needs memory for it: it never sees
  the pixels;
* exposures are matched to one another, or to a catalogue that has grown by those before: each ends
  where it does alone;
* it dies of a catalogue with no star or with two: a chip with so few gets some that match nothing;
* it dies, in C, of stars that crowd within the tolerance: a sentence, and no wrong shift;
* it writes where the process stands, changes directory or logging, and leaves them so: nothing is
  left behind, be it after an error;
* a geometry that it does not know is an AssertionError: `stages/test_align.py`, where recipes are
  refused, and where a header with its name and without a fit is restored.
"""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.external.tweakreg import SHIFTS, Settings, _shift
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


def test_a_second_call_on_the_same_file_leaves_it_where_it_is(tweak, outside, truth):
    """Under the name that it gave before, and to a hundredth of a mas; CRPIX is as it was."""
    _, path = tweak()
    once, pixel = errors(path, truth), fits.getval(path, "CRPIX1", extname="SCI", extver=1)
    said = outside(
        "tweak", path.parent, stars={NAME: star_lists(truth)}, reference=catalogue(truth),
        settings=SETTINGS,
    )  # fmt: skip
    assert np.hypot(*said[NAME][:2]) < 1e-3
    assert np.abs(errors(path, truth) - once).max() < 0.01
    assert fits.getval(path, "CRPIX1", extname="SCI", extver=1) == pixel
    assert fits.getval(path, "WCSNAME", extname="SCI", extver=1) == "TWEAK"


@pytest.mark.parametrize("radius", [13, 20, 21, 33])
def test_every_whole_radius_that_reaches_is_right(tweak, truth, radius):
    said, path = tweak(search_radius_pix=radius)
    assert said[NAME] is not None
    assert np.abs(errors(path, truth)).max() < 0.5


def test_the_trap_of_a_radius_that_is_not_whole_is_still_there(outside, exposures, truth):
    """A hundredth of a pixel more, and nothing matches any more; 20 and 21 are right."""
    said = outside(
        "tweak", exposures(ROOT), stars={NAME: star_lists(truth)}, reference=catalogue(truth),
        settings=SETTINGS, radius=20.01,
    )  # fmt: skip
    assert said == {NAME: None}


def test_a_radius_that_does_not_reach_is_no_fit(tweak):
    said, _ = tweak(search_radius_pix=3, min_matches=20)
    assert said == {NAME: None}


def test_it_never_sees_the_pixels(outside, exposures, truth):
    folder = exposures(ROOT)
    with fits.open(folder / NAME, mode="update") as hdus:
        for version in (1, 2):
            hdus["SCI", version].data[:] = 0
    said = outside(
        "tweak", folder, stars={NAME: star_lists(truth)}, reference=catalogue(truth),
        settings=SETTINGS,
    )  # fmt: skip
    assert said[NAME] is not None
    assert np.abs(errors(folder / NAME, truth)).max() < 0.5


def test_an_exposure_ends_where_it_does_alone(outside, exposures, truth, finished, tweak):
    _, alone = tweak()
    wanted = errors(alone, truth)
    other = "jsi00202q"
    more = Table.read(finished / "raw" / f"{other}_truth.ecsv")
    folder = exposures(ROOT, other)
    # a tenth of a pixel off, by which they would draw each other if they were matched
    shifted = {
        version: [(x + 0.1, y, rate) for x, y, rate in listed]
        for version, listed in star_lists(more).items()
    }
    said = outside(
        "tweak", folder, stars={f"{other}_flc.fits": shifted, NAME: star_lists(truth)},
        reference=catalogue(truth), settings=SETTINGS,
    )  # fmt: skip
    assert [said[name] is None for name in (f"{other}_flc.fits", NAME)] == [False, False]
    assert np.abs(errors(folder / NAME, truth) - wanted).max() < 0.01


def test_what_an_earlier_call_wrote_says_nothing_about_this_one(outside, exposures, truth):
    folder = exposures(ROOT)
    (folder / SHIFTS).write_text(f"{NAME} 1.0 2.0 0.0 1.0 0.0 0.0\n")
    said = outside(
        "tweak", folder, stars={NAME: {1: [], 2: []}}, reference=catalogue(truth),
        settings=SETTINGS,
    )  # fmt: skip
    assert said == {NAME: None} or said["error"].startswith("TweakReg failed: ")
    assert _shift(folder / SHIFTS, NAME) is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"{NAME} 1.5 -2.5 0.01 1.0 0.02 0.1", (1.5, -2.5, 0.01, 1.0)),
        (f"{NAME} nan nan nan nan nan nan", None),
        (f"{NAME} 1.5 nan 0.0 1.0 0.0 0.0", None),
        (f"{NAME} 1.5", None),
        (f"x{NAME} 1.5 -2.5 0.01 1.0 0.02 0.1", None),
        ("# frame: output", None),
        (None, None),
    ],
)
def test_the_shifts_are_read_as_they_are_written(tmp_path, line, found):
    if line is not None:
        (tmp_path / SHIFTS).write_text(f"# refimage: x\n{line}\n")
    shift = _shift(tmp_path / SHIFTS, NAME)
    assert (shift and (shift.x_pix, shift.y_pix, shift.rotation_deg, shift.scale)) == found


@pytest.mark.parametrize("good", [True, False])
def test_nothing_is_left_behind_in_the_process(outside, exposures, tmp_path, truth, good):
    folder, here = exposures(ROOT), tmp_path / "here"
    here.mkdir()
    if not good:
        (folder / NAME).unlink()
    said = outside(
        "tweak_there", here, there=str(folder), stars={NAME: star_lists(truth)},
        reference=catalogue(truth), settings=SETTINGS,
    )  # fmt: skip
    assert ("shifts" in said) == good
    assert said["changed"] == []


def test_stars_that_crowd_within_the_tolerance_are_no_wrong_shift(tweak, truth, exposures):
    rng = np.random.default_rng(5)
    crowd = {
        version: [
            (x + dx, y + dy, rate)
            for x, y, rate in listed
            for dx, dy in rng.uniform(-0.7, 0.7, (12, 2))
        ]
        for version, listed in star_lists(truth).items()
    }
    before = errors(exposures(ROOT) / NAME, truth)
    said, path = tweak(stars=crowd, separation_pix=0.05)
    if said.get(NAME) is None:
        assert said == {NAME: None} or said["error"].startswith("TweakReg failed: ")
        assert np.abs(errors(path, truth) - before).max() < 0.1
    else:
        assert np.abs(errors(path, truth)).max() < 20


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


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_chip_with_hardly_a_star_does_not_matter(tweak, truth, left):
    """TweakReg dies of two stars, or of none; the small chip of a camera often has no more."""
    given = star_lists(truth)
    said, path = tweak(stars={**given, 2: given[2][:left]})
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

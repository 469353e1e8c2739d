"""The reference: which visit is chosen, and its catalogue."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pydantic import ValidationError
from scipy.spatial import cKDTree

from hst123r.algorithms.proper_motion import julian_year
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.errors import InputError
from hst123r.products.reference_table import read_reference
from hst123r.stages.reference import ReferenceParams


def test_the_reference_of_a_run_says_how_it_was_chosen(small):
    facts = small.facts("reference")["SN"]
    assert (facts["visit"], facts["filter"]) == ("99900_01", "F606W")
    assert facts["exposures"] == ["jsi00101q", "jsi00102q"]
    assert [entry["score"] for entry in facts["scores"]] == sorted(
        (entry["score"] for entry in facts["scores"]), reverse=True
    )
    table = small.table("reference/SN/SN_choice.ecsv")
    assert table["score"][0] == max(table["score"])
    assert (table["filter"][0], table["visit"][0]) == ("F606W", "99900_01")
    assert facts["why"] == table.meta["why"]
    assert facts["why"].startswith("ACS/WFC F606W of visit 99900_01")
    assert small.measured("reference", "stars")[""] == facts["stars"] >= 30


SECOND = "SN-99900_02-acs_wfc"
SHIFT, TURN_DEG, ERROR_MAS = (1.3, -0.8), 0.03, 0.5


@pytest.fixture
def make_catalogue(small, tmp_path):
    """Write a Gaia of the true stars in a frame that is off the headers' by a known amount."""
    truth = small.truth("jsi00101q")

    def make(name, shift=SHIFT, turn_deg=TURN_DEG, another=False):
        rng = np.random.default_rng(4)
        x, y = to_tangent_plane(truth["ra"], truth["dec"], 150.1, 2.2)
        if another:
            x, y = rng.permutation(x), rng.permutation(y)
        c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        # at the catalogue's epoch, and with the errors it says
        motion = rng.normal(0, 6, (2, len(x)))
        years = 2016.0 - julian_year(58574.0)
        east = (
            c * x - s * y + shift[0] + (motion[0] * years + rng.normal(0, ERROR_MAS, len(x))) / 1e3
        )
        north = (
            s * x + c * y + shift[1] + (motion[1] * years + rng.normal(0, ERROR_MAS, len(x))) / 1e3
        )
        ra, dec = from_tangent_plane(east, north, 150.1, 2.2)
        ones = np.ones(len(x))
        Table(
            {"ra": ra, "dec": dec, "ra_error": ERROR_MAS * ones, "dec_error": ERROR_MAS * ones,
             "pmra": motion[0], "pmdec": motion[1], "pmra_error": 0.02 * ones,
             "pmdec_error": 0.02 * ones, "mag": np.asarray(truth["magnitude"])}
        ).write(tmp_path / name)  # fmt: skip
        return {
            "filter": "F606W",
            "absolute": {"catalog": "gaia-dr3", "file": str(tmp_path / name)},
        }

    return make


def offset(catalogue, truth, shift, turn_deg):
    """Mean and largest distance of catalogue stars from the truth in the moved frame, mas."""
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x, y = to_tangent_plane(truth["ra"], truth["dec"], 150.1, 2.2)
    there = np.stack([c * x - s * y + shift[0], s * x + c * y + shift[1]], axis=1)
    here = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, 150.1, 2.2), axis=1)
    away, row = cKDTree(there).query(here)
    return 1000 * np.mean((here - there[row])[away < 0.01], axis=0)


@pytest.mark.heavy
def test_the_frame_is_moved_once_and_the_exposures_follow(small, divide, do, make_catalogue):
    params = make_catalogue("gaia.csv")
    exposures = small.products("exposures", "exposure")
    outcome = do("reference", divide("reference", {"exposure": exposures}, params)["SN"], params)
    assert outcome.quality.value == "good", outcome
    reference, _ = outcome.products
    assert reference.facts["frame"] == "gaia-dr3"
    measured = {m.name: m.value for m in outcome.measurements}
    assert (measured["absolute_moved_east"], measured["absolute_moved_north"]) == pytest.approx(
        SHIFT, abs=0.02
    )
    assert measured["absolute_rotation"] == pytest.approx(TURN_DEG, abs=0.01)
    left = offset(
        read_reference(reference.files["catalog"]), small.truth("jsi00101q"), SHIFT, TURN_DEG
    )
    assert np.hypot(*left) < 2 * ERROR_MAS
    # 1.5 arcsec are 30 pixels: more than align.search_radius, and found all the same
    given = {"exposure": exposures, "reference": [reference]}
    for method in ("tweakwcs", "tweakreg"):
        settings = {"method": method}
        aligned = do("align", divide("align", given, settings)[SECOND], settings)
        assert aligned.quality.value == "good", method
        moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
        assert moved["jsi00201q"] == pytest.approx(SHIFT[0] - 0.2, abs=0.03)


def test_a_wrong_catalogue_moves_nothing_and_is_said(small, divide, do, make_catalogue):
    params = make_catalogue("gaia.ecsv", shift=(3.0, 4.0))
    exposures = small.products("exposures", "exposure")
    outcome = do("reference", divide("reference", {"exposure": exposures}, params)["SN"], params)
    assert outcome.quality.value == "caveat"
    assert [c.code for c in outcome.caveats] == ["not_absolute"]
    reference, _ = outcome.products
    assert reference.facts["frame"] == "header"
    found = read_reference(reference.files["catalog"])
    assert found.moved_arcsec == 0
    assert np.hypot(*offset(found, small.truth("jsi00101q"), (0, 0), 0)) < 1


def test_gaia_without_a_file_and_a_file_that_is_not_there(small, divide):
    with pytest.raises(ValidationError, match="does not ask the archive for them yet"):
        ReferenceParams.model_validate({"absolute": {"catalog": "gaia-dr3"}})
    with pytest.raises(ValidationError, match="needs `file`"):
        ReferenceParams.model_validate({"absolute": {}})
    exposures = small.products("exposures", "exposure")
    with pytest.raises(InputError, match=r"there is no catalogue gone\.csv"):
        divide("reference", {"exposure": exposures}, {"absolute": {"file": "gone.csv"}})


@pytest.fixture
def image(small, tmp_path):
    """Copy a stack, which is laid out as MAST's drc are, to a place of the user's."""
    path = tmp_path / "mine_drc.fits"
    path.write_bytes(small.path("stacks/*f606w/*_drz.fits").read_bytes())
    path.chmod(0o444)
    return path


def test_an_image_of_the_users_is_the_reference_and_stays_as_it_is(small, divide, do, image):
    before = image.read_bytes()
    params = {"file": str(image)}
    exposures = small.products("exposures", "exposure")
    outcome = do("reference", divide("reference", {"exposure": exposures}, params)["SN"], params)
    assert outcome.quality.value == "good", outcome
    (reference,) = outcome.products
    assert reference.facts["frame"] == "mine_drc.fits"
    found = read_reference(reference.files["catalog"])
    assert np.hypot(*offset(found, small.truth("jsi00101q"), (0, 0), 0)) < 2.5
    aligned = do(
        "align", divide("align", {"exposure": exposures, "reference": [reference]})[SECOND]
    )
    assert aligned.quality.value == "good", [str(m) for m in aligned.measurements]
    moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
    assert moved["jsi00201q"] == pytest.approx(-0.2, abs=0.005)
    assert image.read_bytes() == before


def test_an_image_of_elsewhere_is_refused(small, divide, do, image):
    image.chmod(0o644)
    with fits.open(image, mode="update") as hdus:
        hdus["SCI"].header["CRVAL1"] += 1.0
    params = {"file": str(image)}
    exposures = small.products("exposures", "exposure")
    said = do("reference", divide("reference", {"exposure": exposures}, params)["SN"], params)
    assert "none on an exposure of SN" in said


def test_a_file_that_is_not_there_or_may_be_made_again(small, divide, tmp_path):
    exposures = small.products("exposures", "exposure")
    with pytest.raises(InputError, match="there is no reference gone"):
        divide("reference", {"exposure": exposures}, {"file": "gone_drc.fits"})
    # the recipe of the fixture is called r
    path = tmp_path / "r" / "products" / "x_drc.fits"
    path.parent.mkdir(parents=True)
    path.touch()
    (tmp_path / "r" / "hst123r.sqlite").touch()
    with pytest.raises(InputError, match="is a product of this recipe"):
        divide("reference", {"exposure": exposures}, {"file": str(path)})
    with pytest.raises(ValidationError, match="`filter` has no effect with `file`"):
        ReferenceParams.model_validate({"file": "x.fits", "filter": "F606W"})
    with pytest.raises(ValidationError, match="`chain` has no effect with `file`"):
        ReferenceParams.model_validate({"file": "x.fits", "chain": {"cover": 1.0}})
    assert ReferenceParams.model_validate({"file": "x.fits"}).chain.options().min_matches == 8


def test_an_exposure_that_does_not_overlap_is_said(small, divide, do):
    exposures = small.products("exposures", "exposure")
    (away,) = [product for product in exposures if product.name == "jsi00202q"]
    for chip in away.facts["chips"]:
        chip["corners"] = [[ra, dec + 0.1] for ra, dec in chip["corners"]]
    params = {"filter": "F814W"}
    job = divide("reference", {"exposure": exposures}, params)["SN"]
    assert job.arguments["apart"] == ["jsi00202q"]
    outcome = do("reference", job, params)
    assert [(c.code, c.subject) for c in outcome.caveats] == [("no_overlap", "jsi00202q")]

"""The reference: which visit is chosen, and its catalogue."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from loopback.server import Archive
from loopback.tap import gaia_table
from pydantic import ValidationError
from scipy.spatial import cKDTree

from hst123r.algorithms.proper_motion import julian_year
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.alignment.absolute_stars import CATALOGUE, to_ask
from hst123r.archives.partial import Digests
from hst123r.errors import ArchiveError, InputError
from hst123r.products.reference_table import read_reference
from hst123r.products.working_copy import working_copy
from hst123r.records.position import parse
from hst123r.records.target import Target
from hst123r.sources.reference_params import ReferenceParams


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


def inputs_of(small, exposures):
    """Return exposures with the stars that were measured on them."""
    return {
        "exposure": exposures, "stars": small.products("stars", "stars"), "cosmic rays": [],
    }  # fmt: skip


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
    outcome = do(
        "reference", divide("reference", inputs_of(small, exposures), params)["SN"], params
    )
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
    given = {**inputs_of(small, exposures), "reference": [reference]}
    for method in ("tweakwcs", "tweakreg"):
        settings = {"method": method}
        aligned = do("align", divide("align", given, settings)[SECOND], settings)
        assert aligned.quality.value == "good", method
        moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
        assert moved["jsi00201q"] == pytest.approx(SHIFT[0] - 0.2, abs=0.03)


def test_a_wrong_catalogue_moves_nothing_and_is_said(small, divide, do, make_catalogue):
    params = make_catalogue("gaia.ecsv", shift=(3.0, 4.0))
    exposures = small.products("exposures", "exposure")
    outcome = do(
        "reference", divide("reference", inputs_of(small, exposures), params)["SN"], params
    )
    assert outcome.quality.value == "caveat"
    assert [c.code for c in outcome.caveats] == ["not_absolute"]
    reference, _ = outcome.products
    assert reference.facts["frame"] == "header"
    found = read_reference(reference.files["catalog"])
    assert found.moved_arcsec == 0
    assert np.hypot(*offset(found, small.truth("jsi00101q"), (0, 0), 0)) < 1


def test_gaia_is_asked_about_the_reference_alone_and_only_by_a_run(small, monkeypatch, tmp_path):
    from hst123r.archives import endpoints
    from hst123r.stage import registry
    from hst123r.stage.contract import Scope

    exposures = small.products("exposures", "exposure")
    given = inputs_of(small, exposures)
    params = ReferenceParams.model_validate(
        {"filter": "F606W", "absolute": {"catalog": "gaia-dr3"}}
    )
    targets = (Target("SN", parse("10:00:24.0 +02:12:00")),)

    def divide(inputs, **how):
        scope = Scope("r", "", "/", targets, "reference", work_folder=str(tmp_path), **how)
        (job,) = registry.get("reference").divide(inputs, params, scope)
        (catalogue,) = job.inputs[CATALOGUE]
        return catalogue

    with Archive() as archive:
        monkeypatch.setenv(endpoints.GAIA_VARIABLE, archive.tap_url)
        truth = small.truth("jsi00101q")
        archive.tap.stars = gaia_table(truth["ra"], truth["dec"], truth["magnitude"])
        planned = divide(given, dry=True)
        assert archive.log == []
        (row,) = to_ask([planned])
        assert (row["archive"], row["server"]) == ("Gaia DR3", endpoints.gaia())
        assert row["what"].startswith("stars for ")
        with pytest.raises(ArchiveError, match=r"Gaia DR3 was not asked yet for .* --offline"):
            divide(given, offline=True)
        asked = divide(given)
        assert asked.files == planned.files
        assert asked.facts["rows"] == len(truth)
        assert to_ask([asked]) == []
        number = len(archive.log)
        assert number > 4
        # an exposure that the reference is not made of
        others = [p for p in exposures if p.labels["filter"] != "F814W"]
        assert len(others) == len(exposures) - 2
        assert divide(inputs_of(small, others)).files == asked.files
        assert divide(given, offline=True) == asked
        assert len(archive.log) == number


@pytest.mark.heavy
def test_the_answer_of_gaia_is_locked(copy_of_finished, run_recipe, monkeypatch, tmp_path):
    """A run that asks leaves it in the lock; another answer is said, and `--locked` refuses it."""
    from hst123r.archives import endpoints
    from hst123r.recipe import lock as lock_file

    path = tmp_path / "small.yaml"
    head, _, _ = path.read_text().partition("  - reference:")
    path.write_text(head + "  - reference: {filter: F606W, absolute: {catalog: gaia-dr3}}\n")
    kept = copy_of_finished / "raw" / "gaia"

    def locked():
        found = lock_file.read(tmp_path / "small.lock.yaml").queries
        return [(row.service, row.digest) for row in found]

    with Archive() as archive:
        monkeypatch.setenv(endpoints.GAIA_VARIABLE, archive.tap_url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        truth = Table.read(copy_of_finished / "raw" / "jsi00101q_truth.ecsv")
        archive.tap.stars = gaia_table(truth["ra"], truth["dec"], truth["magnitude"])
        (tmp_path / "small.lock.yaml").unlink(missing_ok=True)
        answer = run_recipe(path)
        assert answer.code == 0, answer.err
        (table,) = kept.glob("*.ecsv")
        assert locked() == [("gaia", f"sha256:{Digests.of(table).sha256}")]
        assert run_recipe(path, "--locked").code == 0
        before = (tmp_path / "small.lock.yaml").read_bytes()
        for file in kept.iterdir():
            file.unlink()
        archive.tap.stars = archive.tap.stars[1:]
        # nobody can know before it is asked, and from then on before anything runs
        for said in ("not as locked: queries: gaia", "not everything is as it was locked"):
            answer = run_recipe(path, "--locked")
            assert answer.code == 2, answer.err
            assert said in answer.err
            assert "gaia gaia-dr3 FROM gaiadr3.gaia_source" in answer.err
            assert "digest sha256:" in answer.err
        answer = run_recipe(path)
        assert answer.code == 0, answer.err
        assert "not as locked: queries: gaia" in answer.err
        assert (tmp_path / "small.lock.yaml").read_bytes() == before


def test_what_a_catalogue_needs(small, divide):
    with pytest.raises(ValidationError, match="`epoch` is about `file`, and there is none"):
        ReferenceParams.model_validate({"absolute": {"catalog": "gaia-dr3", "epoch": 2016.0}})
    with pytest.raises(ValidationError, match="needs `file`"):
        ReferenceParams.model_validate({"absolute": {}})
    exposures = small.products("exposures", "exposure")
    with pytest.raises(InputError, match=r"there is no catalogue gone\.csv"):
        divide("reference", inputs_of(small, exposures), {"absolute": {"file": "gone.csv"}})


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
    outcome = do(
        "reference", divide("reference", inputs_of(small, exposures), params)["SN"], params
    )
    assert outcome.quality.value == "good", outcome
    (reference,) = outcome.products
    assert reference.facts["frame"] == "mine_drc.fits"
    found = read_reference(reference.files["catalog"])
    assert np.hypot(*offset(found, small.truth("jsi00101q"), (0, 0), 0)) < 2.5
    aligned = do(
        "align", divide("align", {**inputs_of(small, exposures), "reference": [reference]})[SECOND]
    )
    assert aligned.quality.value == "good", [str(m) for m in aligned.measurements]
    moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
    assert moved["jsi00201q"] == pytest.approx(-0.2, abs=0.005)
    assert image.read_bytes() == before


@pytest.fixture
def plain(small, tmp_path):
    """Write the true stars as a table with nothing but positions and what a test adds."""

    def write(**columns):
        truth = small.truth("jsi00101q")
        table = Table({"ra": truth["ra"], "dec": truth["dec"]})
        for name, value in columns.items():
            table[name] = np.full(len(table), value)
        table.write(tmp_path / "mine.csv", overwrite=True)
        return {"file": str(tmp_path / "mine.csv"), "file_error": "1 mas"}

    return write


def test_a_catalogue_is_taken_to_the_time_of_each_visit(small, divide, do, plain):
    """Stars that all move by half an arcsec a year, measured at the time of the first visit."""
    exposures = small.products("exposures", "exposure")
    middle = {p.name: (p.facts["start_mjd"] + p.facts["end_mjd"]) / 2 for p in exposures}
    params = plain(pmra=500.0, pmdec=0.0) | {"file_epoch": julian_year(middle["jsi00101q"])}
    outcome = do(
        "reference", divide("reference", inputs_of(small, exposures), params)["SN"], params
    )
    assert outcome.quality.value == "good", outcome
    given = {**inputs_of(small, exposures), "reference": outcome.products}
    aligned = do("align", divide("align", given)[SECOND])
    moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
    years = (middle["jsi00201q"] - middle["jsi00101q"]) / 365.25
    assert moved["jsi00201q"] == pytest.approx(0.5 * years - 0.2, abs=0.005)


def test_another_exposure_changes_nothing_in_the_table_of_a_file(small, divide, do, plain):
    """Or every exposure would be aligned again with each that is fetched."""
    exposures = small.products("exposures", "exposure")
    still, moving = {}, {"pmra": 5.0, "pmdec": 0.0, "pmra_error": 0.1, "pmdec_error": 0.1}
    for columns, epoch in ((still, {}), (moving, {"file_epoch": 2015.0})):
        params = plain(**columns) | epoch
        tables = []
        for members in (exposures, exposures[:2]):
            job = divide("reference", inputs_of(small, members), params)["SN"]
            outcome = do("reference", job, params)
            tables.append(Path(outcome.products[0].files["catalog"]).read_bytes())
        assert tables[0] == tables[1]


def test_an_exposure_whose_stars_were_not_measured_is_named(small, divide, do):
    given = inputs_of(small, small.products("exposures", "exposure"))
    given["stars"] = [p for p in given["stars"] if p.name != "jsi00102q"]
    params = {"filter": "F606W"}
    assert "the stars of jsi00102q were not measured" in do(
        "reference", divide("reference", given, params)["SN"], params
    )
    given["reference"] = small.products("reference", "reference")
    said = do("align", divide("align", given)["SN-99900_01-acs_wfc"])
    assert "the stars of jsi00102q were not measured" in said


def test_an_exposure_is_no_drizzled_image(small, divide, do, tmp_path):
    path = tmp_path / "mine.fits"
    path.write_bytes((small.folder / "raw" / "jsi00101q_flc.fits").read_bytes())
    params = {"file": str(path)}
    given = inputs_of(small, small.products("exposures", "exposure"))
    said = do("reference", divide("reference", given, params)["SN"], params)
    assert "it has 2 images SCI" in said


def test_a_file_of_the_users_inside_a_work_directory_is_theirs(small, divide, copy_of_finished):
    (path,) = copy_of_finished.glob("products/stacks/*f606w/*_drz.fits")
    mine = copy_of_finished / "mine_drc.fits"
    mine.write_bytes(path.read_bytes())
    given = inputs_of(small, small.products("exposures", "exposure"))
    assert divide("reference", given, {"file": str(mine)}, recipe="small")
    with pytest.raises(InputError, match="is a product of this recipe"):
        divide("reference", given, {"file": str(path)}, recipe="small")


def test_stars_that_stand_still_for_want_of_an_epoch_are_said(small, divide, do, plain):
    params = plain()
    exposures = small.products("exposures", "exposure")
    job = divide("reference", inputs_of(small, exposures), params)["SN"]
    assert job.arguments["years"] == pytest.approx(70 / 365.25, abs=0.002)
    assert do("reference", job, params).caveats == []
    job.arguments["years"] = 4.0
    (caveat,) = do("reference", job, params).caveats
    assert caveat.code == "no_epoch"
    assert "moves by 20 mas" in caveat.text
    params["file_epoch"] = 2015.0
    assert do("reference", job, params).caveats == []


@pytest.mark.heavy
def test_stars_in_boxes_are_in_no_catalogue(small, divide, do, plain):
    """Of the reference visit and of a file, and of the exposures that are aligned to it."""
    box = {"position": "150.1 2.2", "half_size": "4 arcsec"}
    exposures = small.products("exposures", "exposure")

    def inside(ra, dec):
        x, y = to_tangent_plane(np.asarray(ra), np.asarray(dec), 150.1, 2.2)
        return np.maximum(np.abs(x), np.abs(y)) < 4.0

    whole = read_reference(small.path("reference/SN/SN_reference.ecsv"))
    held = inside(whole.ra_deg, whole.dec_deg)
    assert held.sum() > 5
    for given in ({"filter": "F606W"}, plain()):
        params = given | {"mask": [box]}
        job = divide("reference", inputs_of(small, exposures), params)["SN"]
        outcome = do("reference", job, params)
        found = read_reference(outcome.products[0].files["catalog"])
        assert not inside(found.ra_deg, found.dec_deg).any()
        assert found.ra_deg.size > 0.6 * (~held).sum()
    # the numbers in the table of matches are rows of the catalogue, which stays whole
    given = {
        **inputs_of(small, exposures), "reference": small.products("reference", "reference"),
    }  # fmt: skip
    params = {"mask": [box]}
    aligned = do("align", divide("align", given, params)[SECOND], params)
    (table,) = [product for product in aligned.products if product.kind == "alignment"]
    rows = {
        name: np.asarray(Table.read(path)["reference"]) - 1
        for name, path in (
            ("with", table.files["matches"]),
            ("without", small.path("align/*02-acs_wfc/*_matches.ecsv")),
        )
    }
    # by the headers, which are 0.3 arcsec off, stars near the sides may be in or out
    x, y = to_tangent_plane(whole.ra_deg, whole.dec_deg, 150.1, 2.2)
    depth = 4.0 - np.maximum(np.abs(x), np.abs(y))
    assert depth[rows["without"]].max() > 2
    assert depth[rows["with"]].max() < 0.4
    kept = (depth[rows["without"]] < -0.4).sum()
    assert (depth[rows["with"]] < -0.4).sum() == pytest.approx(kept, abs=2)
    assert kept > 10


def test_an_image_of_elsewhere_is_refused(small, divide, do, image):
    image.chmod(0o644)
    with fits.open(image, mode="update") as hdus:
        hdus["SCI"].header["CRVAL1"] += 1.0
    params = {"file": str(image)}
    exposures = small.products("exposures", "exposure")
    said = do("reference", divide("reference", inputs_of(small, exposures), params)["SN"], params)
    assert "none on an exposure of SN" in said


def test_a_file_that_is_not_there_or_may_be_made_again(small, divide, tmp_path, copy_of_finished):
    exposures = small.products("exposures", "exposure")
    with pytest.raises(InputError, match="there is no reference gone"):
        divide("reference", inputs_of(small, exposures), {"file": "gone_drc.fits"})
    own = copy_of_finished.rename(tmp_path / "elsewhere")
    (path,) = own.glob("products/stacks/*f606w/*_drz.fits")
    (tmp_path / "link.fits").symlink_to(path)
    # by the store, whatever the folder is called; the recipe of the fixture is called r
    assert divide("reference", inputs_of(small, exposures), {"file": str(path)})
    for name in (path, tmp_path / "link.fits"):
        with pytest.raises(InputError, match="is a product of this recipe"):
            divide("reference", inputs_of(small, exposures), {"file": str(name)}, recipe="small")
    (own / "hst123r.sqlite").write_bytes(b"no store")
    with pytest.raises(InputError, match=r"whose product .* cannot be told"):
        divide("reference", inputs_of(small, exposures), {"file": str(path)})
    with pytest.raises(ValidationError, match="`filter` has no effect with `file`"):
        ReferenceParams.model_validate({"file": "x.fits", "filter": "F606W"})
    with pytest.raises(ValidationError, match="`file_epoch` is about `file`, and there is none"):
        ReferenceParams.model_validate({"file_epoch": 2016.0})
    with pytest.raises(ValidationError, match="`chain` has no effect with `file`"):
        ReferenceParams.model_validate({"file": "x.fits", "chain": {"cover": 1.0}})
    assert ReferenceParams.model_validate({"file": "x.fits"}).chain.options().min_matches == 8


def test_a_wcs_that_came_after_the_stars_counts(small, divide, do, tmp_path):
    """The catalogue moves with the headers, though the stars were measured before."""
    moved = []
    for product in small.products("exposures", "exposure"):
        files = working_copy(product.files, tmp_path)
        with fits.open(files["science"], mode="update") as hdus:
            for hdu in (hdu for hdu in hdus if hdu.name == "SCI"):
                hdu.header["CRVAL2"] += 0.05 / 3600
        moved.append(replace(product, files=files))
    params = {"filter": "F606W"}
    outcome = do("reference", divide("reference", inputs_of(small, moved), params)["SN"], params)
    found = read_reference(outcome.products[0].files["catalog"])
    off = offset(found, small.truth("jsi00101q"), (0, 0.05), 0)
    assert np.hypot(*off) < 1


def test_an_exposure_that_does_not_overlap_is_said(small, divide, do):
    exposures = small.products("exposures", "exposure")
    (away,) = [product for product in exposures if product.name == "jsi00202q"]
    for chip in away.facts["chips"]:
        chip["corners"] = [[ra, dec + 0.1] for ra, dec in chip["corners"]]
    params = {"filter": "F814W", "chain": {"cover": 0.0}}
    job = divide("reference", inputs_of(small, exposures), params)["SN"]
    assert job.arguments["groups"] == []
    assert job.arguments["apart"] == ["jsi00202q"]
    outcome = do("reference", job, params)
    assert [(c.code, c.subject) for c in outcome.caveats] == [("no_overlap", "jsi00202q")]


@pytest.fixture
def split(small, tmp_path):
    """Move the second visit six arcmin to the north, where nothing connects it with the first."""
    exposures = []
    for product in small.products("exposures", "exposure"):
        files = product.files
        if product.labels["visit"].endswith("02"):
            files = working_copy(files, tmp_path)
            with fits.open(files["science"], mode="update") as hdus:
                for hdu in (hdu for hdu in hdus if hdu.name == "SCI"):
                    hdu.header["CRVAL2"] += 0.1
            for chip in product.facts["chips"]:
                chip["corners"] = [[ra, dec + 0.1] for ra, dec in chip["corners"]]
        exposures.append(replace(product, files=files))
    return exposures


@pytest.mark.heavy
def test_a_visit_apart_is_a_group_that_is_moved_and_aligned_by_itself(
    small, divide, do, make_catalogue, split
):
    params = make_catalogue("gaia.ecsv")
    path = params["absolute"]["file"]
    known = Table.read(path)
    north = known.copy()
    north["dec"] += 0.1
    Table(np.concatenate([known.as_array(), north.as_array()])).write(path, overwrite=True)
    given = inputs_of(small, split)
    for wanted, code in ((params, "absolute_only"), ({"filter": "F606W"}, "not_connected")):
        job = divide("reference", given, wanted)["SN"]
        (group,) = job.arguments["groups"]
        away = [p.name for p in split if p.labels["visit"].endswith("02")]
        assert group["members"] == sorted(away)
        outcome = do("reference", job, wanted)
        assert {c.subject for c in outcome.caveats if c.code == code} == set(away)
        reference = outcome.products[0]
        stars = read_reference(reference.files["catalog"])
        assert set(stars.group) == {0, 1}
        assert np.all(stars.dec_deg[stars.group == 1] > 2.25)
        measured = {(m.subject, m.name): m.value for m in outcome.measurements}
        assert measured["group 1", "group_stars"] > 20
        if code == "absolute_only":
            # the header of the second visit is off by 0.2 arcsec to the east
            assert measured["group 1", "absolute_moved_east"] == pytest.approx(
                SHIFT[0] - 0.2, abs=0.03
            )
            assert measured["", "absolute_moved_east"] == pytest.approx(SHIFT[0], abs=0.03)
        aligned = do("align", divide("align", {**given, "reference": [reference]})[SECOND])
        said = {c.code for c in aligned.caveats if c.subject in away}
        assert said == (set() if code == "absolute_only" else {"not_connected"})
        assert {m.value for m in aligned.measurements if m.name == "group"} == {1}
        moved = {m.subject: m.value for m in aligned.measurements if m.name == "moved_east"}
        expected = SHIFT[0] - 0.2 if code == "absolute_only" else 0.0
        assert moved["jsi00201q"] == pytest.approx(expected, abs=0.03)


def test_a_visit_that_cannot_be_fitted_makes_a_group_and_is_said_so(small, divide, do):
    """Its header is off by 0.3 arcsec, which is beyond what is searched."""
    exposures = small.products("exposures", "exposure")
    params = {"filter": "F606W", "chain": {"search_radius": "50 mas", "tolerance": "50 mas"}}
    (job,) = divide("reference", inputs_of(small, exposures), params).values()
    chosen = {p.name for p in job.inputs["exposure"]}
    later = [p for p in exposures if p.name not in chosen and p.labels["filter"] == "F606W"]
    roots = [p.name for p in later]
    stars = {p.name: p for p in small.products("stars", "stars")}
    job.inputs["exposure"] += later
    job.inputs["stars"] += [stars[root] for root in roots]
    job.arguments["links"] = [
        {"label": "the later visit", "exposures": roots, "reaches": [*roots, "beyond"],
         "spares": []}
    ]  # fmt: skip
    outcome = do("reference", job, params)
    told = {(c.code, c.subject): c.text for c in outcome.caveats}
    assert "its exposures make group 1" in told["not_linked", "the later visit"]
    why = "belongs to group 1, as the later visit could not be fitted to the reference: "
    for root in (*roots, "beyond"):
        assert why in told["not_connected", root]
    (product,) = [p for p in outcome.products if p.kind == "reference"]
    (group,) = product.facts["groups"]
    assert group["members"] == sorted([*roots, "beyond"])
    reference = read_reference(product.files["catalog"])
    # both visits look at one place, so that the reference has all the stars there are
    assert len(reference.groups) == 1

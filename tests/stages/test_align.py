"""Alignment: what it moves, what it leaves, and what it says when there is no fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from pydantic import ValidationError

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.alignment import tweakreg
from hst123r.alignment.visit import Visit
from hst123r.cli.main import invoke
from hst123r.errors import ENVIRONMENT
from hst123r.external import jhat
from hst123r.files.content import look
from hst123r.products.exposures import open_wcs
from hst123r.stages.align import AlignParams

RA, DEC = 150.1, 2.2
SECOND_VISIT = "SN-99900_02-acs_wfc"
FIRST, SECOND = ("jsi00101q", "jsi00102q", "jsi00103q", "jsi00104q"), ("jsi00201q", "jsi00202q")


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


@pytest.mark.parametrize("root", SECOND)
def test_a_visit_that_is_off_is_brought_onto_the_reference(small, root):
    before = errors(small.folder / "raw" / f"{root}_flc.fits", small.truth(root))
    assert np.hypot(*before.mean(axis=0)) == pytest.approx(300, abs=2)
    after = errors(small.path(f"align/*/{root}_flc.fits"), small.truth(root))
    assert np.hypot(*after.mean(axis=0)) < 2.0
    assert np.sqrt(np.mean(after**2)) < 1.5


@pytest.mark.parametrize("root", SECOND)
def test_how_far_it_was_moved_is_said(small, root):
    assert small.measured("align", "moved_east")[root] == pytest.approx(-0.2, abs=0.005)
    assert small.measured("align", "moved_north")[root] == pytest.approx(-0.2236, abs=0.005)
    assert small.facts("exposure")[root]["alignment"]["state"] == "tweakwcs"


@pytest.mark.parametrize("root", FIRST)
def test_a_visit_that_is_right_is_not_touched(small, root):
    raw = look(small.folder / "raw" / f"{root}_flc.fits").facets
    aligned = look(small.path(f"align/*/{root}_flc.fits")).facets
    assert {name for name in raw if raw[name] != aligned[name]} <= {"volatile"}
    assert small.facts("exposure")[root]["alignment"]["state"] == "kept"
    assert small.measured("align", "moved_east")[root] == 0


@pytest.mark.parametrize("root", SECOND)
def test_only_the_wcs_changes(small, root):
    raw = look(small.folder / "raw" / f"{root}_flc.fits").facets
    aligned = look(small.path(f"align/*/{root}_flc.fits")).facets
    changed = {name for name in raw if raw[name] != aligned[name]}
    assert "wcs" in changed
    assert not changed & {"pixels", "dq", "science"}


def test_the_residuals_are_measured_and_within_their_limits(small):
    for name, limit in (("residual_rms_east", 2.0), ("residual_rms_north", 2.0),
                        ("solution_error", 2.0), ("offset_left", 1.0)):  # fmt: skip
        found = small.measured("align", name)
        assert set(found) == {*FIRST, *SECOND}
        assert max(found.values()) < limit, name
    assert min(small.measured("align", "matches").values()) > 20


def test_stars_that_were_not_fitted_check_the_fit(small):
    check = small.measured("align", "check_rms")
    # exposures that were right were not fitted
    assert set(check) <= set(SECOND)
    assert check
    assert max(check.values()) < 2.5


def test_the_residual_is_said_in_pixels_too(small):
    pixels, east = (small.measured("align", f"residual_rms{name}") for name in ("", "_east"))
    assert set(pixels) == {*FIRST, *SECOND}
    assert max(pixels.values()) < 0.04
    assert all(0.5 < pixels[root] * 50 / east[root] < 2 for root in pixels)


def test_the_solution_is_a_headerlet_and_the_matches_are_regions(small):
    for root in (*FIRST, *SECOND):
        path = small.path(f"align/*/{root}_hlet.fits")
        with fits.open(path) as hdus:
            assert hdus[0].header["DESTIM"] == root
            values = [hdus["SIPWCS", version].header["CRVAL2"] for version in (1, 2)]
        science = small.path(f"align/*/{root}_flc.fits")
        wanted = [fits.getval(science, "CRVAL2", "SCI", version) for version in (1, 2)]
        assert values == pytest.approx(wanted, rel=1e-12)
    (path,) = small.folder.glob(f"products/align/{SECOND_VISIT}/*_matches.reg")
    assert path.read_text().count("circle(") > 20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"search_radius": "20.5 pix"}, "no whole number of pixels"),
        ({"search_radius": "0 pix"}, "no whole number of pixels"),
        ({"tolerance": "0.5 pix"}, "below 1 pix"),
        ({"min_matches": 2}, "greater than or equal to 3"),
        ({"method": "tweakreg", "geometry": "rshift"}, "TweakReg knows shift, rscale and general"),
    ],
)
def test_what_tweakreg_cannot_be_trusted_with_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        AlignParams.model_validate(given)


@pytest.mark.parametrize(
    "geometry",
    [
        "rshift",
        pytest.param("rscale", marks=pytest.mark.heavy),
        pytest.param("general", marks=pytest.mark.heavy),
    ],
)
def test_the_fit_of_our_own_knows_more_geometries(small, divide, do, geometry):
    inputs = {
        "exposure": small.products("exposures", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": small.products("reference", "reference"),
    }
    params = {"method": "tweakwcs", "geometry": geometry}
    outcome = do("align", divide("align", inputs, params)[SECOND_VISIT], params)
    assert outcome.quality.value == "good"
    for product in outcome.products:
        if product.kind == "exposure":
            assert product.facts["alignment"]["state"] == "tweakwcs"
            path = Path(product.files["science"])
            assert np.sqrt(np.mean(errors(path, small.truth(product.name)) ** 2)) < 1.5
            raw = look(small.folder / "raw" / path.name).facets
            changed = {name for name in raw if raw[name] != look(path).facets[name]}
            assert changed - {"volatile"} == {"wcs", "alternates"}


@pytest.fixture(scope="module")
def kept(module_folder):
    return {"folder": module_folder("failed")}


@pytest.fixture
def failed(small, divide, do, kept):
    """Align the second visit and demand more matches than there are stars."""
    if "outcome" not in kept:
        inputs = {
            "exposure": small.products("exposures", "exposure"),
            "stars": small.products("stars", "stars"),
            "cosmic rays": [],
            "reference": small.products("reference", "reference"),
        }
        params = {"min_matches": 48, "method": "tweakreg"}
        kept["outcome"] = do("align", divide("align", inputs, params)[SECOND_VISIT], params)
        # the folder of the test that comes first goes with it
        for product in kept["outcome"].products:
            for role, path in product.files.items():
                product.files[role] = str(shutil.copy2(path, kept["folder"]))
    return kept["outcome"]


def test_too_few_matches_are_bad_and_said_of_the_exposure(failed):
    bad = {(m.name, m.subject) for m in failed.measurements if m.quality.value == "bad"}
    # nothing was moved, so the offset of the header is in the residuals too
    assert bad >= {("matches", root) for root in SECOND}
    assert {subject for _, subject in bad} == set(SECOND)
    states = {p.name: p.facts["alignment"]["state"] for p in failed.products if p.name in SECOND}
    assert states == dict.fromkeys(SECOND, "failed")


def test_a_failed_fit_leaves_the_wcs_of_the_archive_and_no_name_of_tweakreg(failed, small):
    """TweakReg stamps its name on the header although it found no fit."""
    for product in failed.products:
        if product.kind == "exposure":
            path = Path(product.files["science"])
            raw = look(small.folder / "raw" / path.name).facets
            assert look(path).facets["wcs"] == raw["wcs"]
            assert fits.getval(path, "WCSNAME", extname="SCI", extver=1) != "TWEAK"


def test_nothing_is_fitted_when_the_recipe_says_so(small, divide, do):
    inputs = {
        "exposure": small.products("exposures", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": small.products("reference", "reference"),
    }
    params = {"method": "none"}
    outcome = do("align", divide("align", inputs, params)[SECOND_VISIT], params)
    assert [caveat.code for caveat in outcome.caveats] == ["not_aligned"]
    assert outcome.quality.value == "caveat"
    offsets = {m.subject: m.value for m in outcome.measurements if m.name == "offset_left"}
    # it is measured all the same: 0.3 arcsec are left
    assert offsets == {root: pytest.approx(300, abs=3) for root in SECOND}


def test_visits_and_detectors_are_aligned_apart(small, divide):
    inputs = {
        "exposure": small.products("exposures", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": small.products("reference", "reference"),
    }
    jobs = divide("align", inputs)
    assert {label: len(job.inputs["exposure"]) for label, job in jobs.items()} == {
        "SN-99900_01-acs_wfc": 4, SECOND_VISIT: 2,
    }  # fmt: skip
    assert divide("align", {**inputs, "reference": []}) == {}


def test_without_jhat_the_method_ends_with_a_sentence_and_the_code_of_a_missing_tool(
    copy_of_finished, capfd, monkeypatch
):
    """Before anything runs: the recipe is planned, and another method is one word away."""
    monkeypatch.delenv(jhat.VARIABLE, raising=False)
    if jhat.find() is not None:
        pytest.skip("JHAT is installed beside hst123r itself")
    monkeypatch.chdir(copy_of_finished.parent)
    recipe = Path("small.yaml")
    recipe.write_text(recipe.read_text().replace("align: {}", "align: {method: jhat}"))
    for command in ("plan", "run"):
        assert invoke([command, "small.yaml"]) == ENVIRONMENT
        said = capfd.readouterr().err
        assert "JHAT is not installed" in said
        assert "pip install jhat" in said
        assert "Traceback" not in said


def as_visit(**given):
    """Return as much of a visit as decides what TweakReg is told."""
    from types import SimpleNamespace

    return SimpleNamespace(**{"params": AlignParams(), "scale_arcsec": 0.05, **given})


def test_tweakreg_counts_pixels_from_one():
    """Half a pixel, or one, is what programs that count otherwise are wrong by."""
    from types import SimpleNamespace

    chip = SimpleNamespace(x=np.array([0.0, 10.25]), y=np.array([5.5, 7.0]), rate=np.ones(2))
    found = tweakreg._star_lists(as_visit(stars=[{2: chip}]), 0)
    assert found == {2: [(1.0, 6.5, 1.0), (11.25, 8.0, 1.0)]}


@pytest.mark.parametrize(("moved_arcsec", "radius_pix"), [(0.0, 20), (1.697, 54), (0.001, 21)])
def test_tweakreg_searches_as_far_as_the_reference_was_moved_in_whole_pixels(
    moved_arcsec, radius_pix
):
    from types import SimpleNamespace

    moved = [0.0, moved_arcsec]
    visit = as_visit(reference_of=lambda number: SimpleNamespace(moved_arcsec=moved[number]))
    assert tweakreg._settings(visit, [0]).search_radius_pix == 20
    found = tweakreg._settings(visit, [0, 1]).search_radius_pix
    assert (found, type(found)) == (radius_pix, int)


def test_an_exposure_of_a_group_is_searched_as_far_as_that_was_moved_and_says_so(
    small, divide, do, tmp_path
):
    """All stars make a group that was moved by 2.5 arcsec, beyond what is searched without it."""
    from dataclasses import replace

    from astropy.table import Table

    (reference,) = small.products("reference", "reference")
    table = Table.read(reference.files["catalog"])
    table["dec"] += 2.5 / 3600
    table["group"] = 1
    why_not = "it stands by the headers of visit c"
    table.meta["groups"] = [
        {"group": 1, "label": "visit c", "frame": "header", "why_not": why_not, "moved_arcsec": 2.5}
    ]
    table.write(tmp_path / "r.ecsv")
    given = {
        "exposure": small.products("exposures", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": [replace(reference, files={"catalog": str(tmp_path / "r.ecsv")})],
    }
    outcome = do("align", divide("align", given)["SN-99900_02-acs_wfc"])
    assert outcome.quality.value == "caveat", outcome
    assert {m.value for m in outcome.measurements if m.name == "group"} == {1}
    roots = {m.subject for m in outcome.measurements if m.name == "group"}
    assert {(c.code, c.subject) for c in outcome.caveats} == {("not_connected", r) for r in roots}
    assert all(why_not in c.text for c in outcome.caveats)


def test_stars_are_where_the_wcs_puts_them_now(small, divide, tmp_path):
    """The stars were measured before the exposures were aligned: 0.3 arcsec from here."""
    from types import SimpleNamespace

    inputs = {
        "exposure": small.products("align", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": small.products("reference", "reference"),
    }
    context = SimpleNamespace(folder=lambda _: tmp_path)

    def open_visit(**given):
        job = divide("align", inputs, given)[SECOND_VISIT]
        return Visit(job, AlignParams.model_validate(given), context)

    visit = open_visit()
    for number, chips in enumerate(visit.stars):
        there = visit.catalogue(number)
        ra = np.concatenate([chip.ra_deg for _, chip in sorted(chips.items())])
        rate = np.concatenate([chip.rate for _, chip in sorted(chips.items())])
        assert np.array_equal(ra[np.argsort(-rate, kind="stable")], there.ra_deg)
    # so does what takes stars out: a box of 0.1 arcsec has the star that it is drawn round
    (version, chip), *_ = visit.stars[0].items()
    place = f"{chip.ra_deg[0]:.7f} {chip.dec_deg[0]:.7f}"
    masked = open_visit(mask=[{"position": place, "half_size": "0.05 arcsec"}])
    assert chip.x[0] not in masked.stars[0][version].x


@pytest.mark.parametrize(
    ("chips", "min_matches", "asked"),
    [(1, None, ("rshift", 8)), (2, None, ("general", 15)), (2, 13, ("general", 13))],
)
def test_jhat_is_recorded_and_judged_with_what_it_fits(chips, min_matches, asked):
    """It takes no geometry of ours; the visit stands for one whose exposures are right already."""
    from types import SimpleNamespace

    from hst123r.alignment import solve
    from hst123r.sources.alignment import Frame

    class Standing(Visit):
        def __init__(self, params):
            self.params = params
            self.frame = Frame(0.05, 20.0, 1.0, params.geometry)
            self.exposures = [SimpleNamespace(root="a", chips=[None] * chips)]

        def residual(self, number, catalogue=None, frame=None):
            del number, catalogue, frame
            return SimpleNamespace(
                is_aligned=True, pairs=20, why_not="", geometry=self.frame.geometry
            )

    params = AlignParams.model_validate({"method": "jhat", "min_matches": min_matches})
    found = solve._attempt(Standing(params), [0])[0]
    assert found.attempts[0].asked == asked
    assert found.residual.geometry == asked[0]


@pytest.mark.heavy
@pytest.mark.parametrize("root", SECOND)
def test_jhat_brings_a_visit_onto_the_reference(by_jhat, small, root):
    (product,) = (p for p in by_jhat.products if p.name == root)
    assert product.facts["alignment"]["state"] == "jhat"
    path = Path(product.files["science"])
    after = errors(path, small.truth(root))
    # 300 mas before
    assert np.hypot(*after.mean(axis=0)) < 5.0
    assert fits.getval(path, "WCSNAME", extname="SCI", extver=1) == "JHAT"
    raw = look(small.folder / "raw" / path.name).facets
    changed = {name for name in raw if raw[name] != look(path).facets[name]}
    assert changed - {"volatile"} == {"wcs", "alternates"}


@pytest.mark.heavy
def test_what_jhat_did_is_judged_as_all_others_are(by_jhat):
    measured = {m.name for m in by_jhat.measurements if m.subject in SECOND}
    assert {"matches", "residual_rms_east", "solution_error", "sibling_offset"} <= measured
    assert by_jhat.quality.value == "good"


@pytest.fixture
def by_jhat(small, divide, do, kept):
    """Align the second visit with the real JHAT."""
    if jhat.find() is None:
        pytest.skip(f"JHAT is not installed; {jhat.VARIABLE} names its Python")
    if "jhat" not in kept:
        inputs = {
            "exposure": small.products("exposures", "exposure"),
            "stars": small.products("stars", "stars"),
            "cosmic rays": [],
            "reference": small.products("reference", "reference"),
        }
        job = divide("align", inputs, {"method": "jhat"})[SECOND_VISIT]
        assert job.arguments["jhat"].startswith("jhat ")
        kept["jhat"] = do("align", job, {"method": "jhat"})
    return kept["jhat"]

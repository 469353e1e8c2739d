"""A visit whose blue filter has eight stars: tied by its siblings, or said not to be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pydantic import ValidationError

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.cli.main import invoke
from hst123r.files.content import look
from hst123r.products.exposures import open_wcs
from hst123r.stages.align import AlignParams

RA, DEC = 150.1, 2.2
RED, BLUE, ALONE = "jsi00201q", "jsi00203q", "jsi00204q"
"""Of the second visit: the first of two in F606W, and the only ones in F435W and F814W."""
VISIT = "SN-99900_02-acs_wfc"
RECIPE = """\
hst123r: 1
name: blue
targets: [{name: SN, position: "150.1 2.2"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 4
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 2,
             exposure_time: 600 s, size: 320 pix}
          - {detector: ACS/WFC, filter: F606W, dates: [2019-06-10], exposures: 2,
             exposure_time: 400 s, size: 320 pix}
          - {detector: ACS/WFC, filter: F435W, dates: [2019-06-10], exposures: 1,
             exposure_time: 400 s, size: 320 pix}
          - {detector: ACS/WFC, filter: F814W, dates: [2019-06-10], exposures: 1,
             exposure_time: 300 s, size: 320 pix}
        stars: {catalog: stars.ecsv}
        errors:
          - {}
          - {east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.05 deg}
  - reference: {filter: F606W}
  - align: {}
"""


def field():
    """Return stars, all of them red but eight."""
    rng = np.random.default_rng(12)
    places = []
    while len(places) < 80:
        new = rng.uniform(-13, 13, 2)
        if all(np.hypot(*(new - old)) > 0.9 for old in places):
            places.append(new)
    east, north = np.array(places).T
    table = Table()
    table["ra"] = RA + east / 3600 / np.cos(np.radians(DEC))
    table["dec"] = DEC + north / 3600
    table["mag_F606W"] = table["mag_F814W"] = rng.uniform(20, 23.5, len(east))
    # in the middle, where every dither sees them
    blue = np.argsort(np.hypot(east, north))[:8]
    table["mag_F435W"] = np.where(np.isin(np.arange(len(east)), blue), 21.0, 31.0)
    return table


@pytest.fixture(scope="module")
def folder(module_folder):
    """Run the recipe once; tests only look at it."""
    folder = module_folder("blue")
    (folder / "recipe.yaml").write_text(RECIPE)
    field().write(folder / "stars.ecsv")
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "blue"


@pytest.fixture
def blue(folder, finished_in):
    return finished_in(folder)


def errors(path, truth):
    """Where the WCS puts the true pixels less where they are, mas, (n, 2)."""
    found = []
    with fits.open(path) as hdus:
        for version in sorted(set(truth["extver"])):
            stars = truth[truth["extver"] == version]
            wcs = open_wcs(hdus["SCI", version].header, hdus, Path(path).name)
            sky = wcs.all_pix2world(stars["x"], stars["y"], 0)
            there = np.stack(to_tangent_plane(*sky, RA, DEC), axis=1)
            here = np.stack(to_tangent_plane(stars["ra"], stars["dec"], RA, DEC), axis=1)
            found.append(1000 * (there - here))
    return np.concatenate(found)


@pytest.mark.heavy
def test_a_blue_filter_with_eight_stars_moves_as_the_visit_did(blue):
    facts = blue.facts("exposure")[BLUE]["alignment"]
    assert facts["state"] == "inherited"
    assert facts["donor"].startswith("jsi002")
    before = errors(blue.folder / "raw" / f"{BLUE}_flc.fits", blue.truth(BLUE))
    assert np.hypot(*before.mean(axis=0)) == pytest.approx(300, abs=20)
    after = errors(blue.path(f"align/{VISIT}/{BLUE}_flc.fits"), blue.truth(BLUE))
    # a twentieth of a pixel
    assert np.sqrt(np.mean(after**2)) < 2.5
    assert blue.measured("align", "matches")[BLUE] < 10


@pytest.mark.heavy
def test_what_inherits_says_so_and_is_no_better_than_a_caveat(blue):
    told = {(row["code"], row["subject"]): row["text"] for row in blue.caveats("align")}
    assert {subject for code, subject in told if code == "inherited"} == {BLUE}
    assert "of the same visit" in told["inherited", BLUE]
    assert not any(code == "not_tied" for code, _ in told)


@pytest.mark.heavy
def test_a_single_exposure_of_a_filter_is_tied_by_its_own_stars(blue):
    assert blue.facts("exposure")[ALONE]["alignment"]["state"] == "tweakwcs"
    after = errors(blue.path(f"align/{VISIT}/{ALONE}_flc.fits"), blue.truth(ALONE))
    assert np.sqrt(np.mean(after**2)) < 2.5


@pytest.mark.heavy
def test_siblings_are_measured_against_each_other(blue):
    offset, turn = (blue.measured("align", f"sibling_{name}") for name in ("offset", "rotation"))
    assert {RED, BLUE, ALONE} <= set(offset) == set(turn)
    assert max(offset.values()) < 3.0
    assert max(turn.values()) < 0.02


@pytest.fixture
def visit(blue):
    return {
        "exposure": blue.products("exposures", "exposure"),
        "stars": blue.products("stars", "stars"),
        "cosmic rays": [],
        "reference": blue.products("reference", "reference"),
    }


def turned(product, folder, north_arcsec):
    """Copy an exposure with a WCS that is off by more than those of its visit."""
    from dataclasses import replace

    from hst123r.products.working_copy import working_copy

    files = working_copy(product.files, folder)
    with fits.open(files["science"], mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header["CRVAL2"] += north_arcsec / 3600
    return replace(product, files=files)


@pytest.mark.heavy
def test_what_inherits_and_is_off_its_siblings_is_bad(visit, divide, do, tmp_path):
    """By 0.4 pix: within the limit of the residuals, and only the siblings can tell."""
    visit["exposure"] = [
        turned(p, tmp_path, 0.02) if p.name == BLUE else p for p in visit["exposure"]
    ]
    outcome = do("align", divide("align", visit)[VISIT])
    bad = {(m.name, m.subject) for m in outcome.measurements if m.quality.value == "bad"}
    assert bad == {("sibling_offset", BLUE)}
    (found,) = (m for m in outcome.measurements if (m.name, m.subject) == ("sibling_offset", BLUE))
    assert found.value == pytest.approx(20, abs=3)


@pytest.mark.heavy
def test_without_a_sibling_that_is_tied_it_is_bad_and_not_moved(visit, divide, do):
    visit["exposure"] = [p for p in visit["exposure"] if p.labels["filter"] == "F435W"]
    outcome = do("align", divide("align", visit)[VISIT])
    (caveat,) = outcome.caveats
    assert (caveat.code, caveat.subject) == ("not_tied", BLUE)
    assert "of the 10 matches it needs" in caveat.text
    assert outcome.quality.value == "bad"
    moved = [m.value for m in outcome.measurements if m.name.startswith("moved_")]
    assert moved == [0.0, 0.0]


@pytest.mark.heavy
def test_a_sibling_that_is_bad_itself_gives_nothing_away(visit, divide, do):
    """The fits of the visit end with 0.003 to 0.01 pixel."""
    outcome = do("align", divide("align", visit)[VISIT], {"max_rms": "0.001 pix"})
    states = {p.name: p.facts["alignment"]["state"] for p in outcome.products if p.name == BLUE}
    assert states == {BLUE: "failed"}
    assert ("not_tied", BLUE) in {(c.code, c.subject) for c in outcome.caveats}


@pytest.mark.heavy
def test_a_sibling_that_failed_takes_nobody_with_it(visit, divide, do, tmp_path):
    """Its header is 0.4 arcsec off, and nothing can be inherited."""
    kept = []
    for product in visit["exposure"]:
        if product.name == BLUE:
            mine = turned(product, tmp_path, 0.4)
            with fits.open(mine.files["science"], mode="update") as hdus:
                for hdu in hdus:
                    if hdu.name == "SCI":
                        hdu.header["WCSNAME"] = "IDC_x-FIT_REL_GAIAeDR3"
            kept.append(mine)
        elif product.name in (RED, ALONE):
            kept.append(product)
    visit["exposure"] = kept
    outcome = do("align", divide("align", visit)[VISIT])
    bad = {m.subject for m in outcome.measurements if m.quality.value == "bad"}
    assert bad == {BLUE}


@pytest.mark.heavy
def test_a_sibling_of_another_kind_of_wcs_gives_nothing_away(visit, divide, do, tmp_path):
    """A header that the archive fitted is not wrong by what the guide stars are wrong by."""
    named = []
    for product in visit["exposure"]:
        if product.labels["filter"] == "F435W":
            mine = turned(product, tmp_path, 0.0)
            with fits.open(mine.files["science"], mode="update") as hdus:
                for hdu in hdus:
                    if hdu.name == "SCI":
                        hdu.header["WCSNAME"] = "IDC_x-FIT_REL_GAIAeDR3"
            named.append(mine)
        else:
            named.append(product)
    visit["exposure"] = named
    outcome = do("align", divide("align", visit)[VISIT])
    states = {p.name: p.facts["alignment"]["state"] for p in outcome.products if p.name == BLUE}
    assert states == {BLUE: "failed"}


@pytest.mark.heavy
@pytest.mark.parametrize(("least", "needs"), [({"min_matches": 5}, 5), ({}, 6)])
def test_a_simpler_fit_is_tried_when_the_recipe_says_so_and_recorded(
    visit, divide, do, blue, least, needs
):
    given = {"retry": [{"geometry": "shift", **least}], "bright_limit": "20.5 mag"}
    visit["exposure"] = [p for p in visit["exposure"] if p.labels["filter"] == "F435W"]
    outcome = do("align", divide("align", visit, given)[VISIT], given)
    (told,) = (p.facts["alignment"] for p in outcome.products if p.name == BLUE)
    assert told["state"] == "tweakwcs"
    assert [(a["geometry"], a["min_matches"]) for a in told["attempts"]] == [
        ("rscale", 10), ("shift", needs),
    ]  # fmt: skip
    assert told["attempts"][0]["matches"] < 10
    assert needs <= told["attempts"][1]["matches"] <= 8
    (caveat,) = outcome.caveats
    assert (caveat.code, caveat.subject) == ("simpler_fit", BLUE)
    assert "only shift was fitted" in caveat.text
    (path,) = (p.files["science"] for p in outcome.products if p.name == BLUE)
    # 0.05 degree over the eight stars in the middle is not in a shift
    assert np.hypot(*errors(path, blue.truth(BLUE)).mean(axis=0)) < 10


@pytest.mark.heavy
def test_stars_outside_the_limits_are_not_used(visit, divide, do):
    """The eight of the blue filter are of magnitude 21."""
    visit["exposure"] = [p for p in visit["exposure"] if p.labels["filter"] == "F435W"]
    found = {}
    for name, limits in {"all": {}, "faint": {"bright_limit": "22 mag"}}.items():
        given = {"method": "none", **limits}
        outcome = do("align", divide("align", visit, given)[VISIT], given)
        (found[name],) = (m.value for m in outcome.measurements if m.name == "detected_stars")
    assert found["all"] - found["faint"] >= 8


@pytest.mark.heavy
def test_aligning_again_is_the_identity_for_what_is_tied_and_what_inherits(visit, blue, divide, do):
    visit["exposure"] = blue.products("align", "exposure")
    outcome = do("align", divide("align", visit)[VISIT])
    states = {p.name: p.facts["alignment"]["state"] for p in outcome.products if p.name != VISIT}
    assert states == {RED: "kept", "jsi00202q": "kept", ALONE: "kept", BLUE: "inherited"}
    for product in outcome.products:
        if product.kind != "exposure":
            continue
        (before,) = (p for p in visit["exposure"] if p.name == product.name)
        with fits.open(before.files["science"]) as one, fits.open(product.files["science"]) as two:
            for version in (1, 2):
                wcs = [open_wcs(f["SCI", version].header, f, "x") for f in (one, two)]
                corners = np.array([[0, 0], [320, 0], [320, 320], [0, 320]], float)
                back = wcs[1].all_world2pix(wcs[0].all_pix2world(corners, 0), 0, tolerance=1e-8)
                assert np.abs(back - corners).max() < 1e-6


@pytest.mark.heavy
def test_cosmic_rays_are_kept_out_of_the_catalogue_and_flagged_in_the_copy(visit, blue, divide, do):
    visit["exposure"] = [p for p in visit["exposure"] if p.name == ALONE]
    found, files = {}, {}
    for name, find in {"kept": False, "left out": True}.items():
        given = {"sources": "all", "find_cosmic_rays": find}
        stars = do("stars", divide("stars", visit, given)[ALONE], given)
        measured = {m.name: m.value for m in stars.measurements}
        for kind in ("stars", "cosmic rays"):
            visit[kind] = [p for p in stars.products if p.kind == kind]
        used = {"write_dq": find}
        outcome = do("align", divide("align", visit, used)[VISIT], used)
        found[name] = measured | {m.name: m.value for m in outcome.measurements}
        (files[name],) = (p.files["science"] for p in outcome.products if p.name == ALONE)
    kept, left = found["kept"], found["left out"]
    assert left["stars"] < kept["stars"]
    # stars are not taken for cosmic rays, but one whose core is at the edge of the chip; two more
    # are clipped in one fit and not in the other
    assert left["matches"] >= kept["matches"] - 3
    assert 0.001 < left["cosmic_rays"] < 0.03
    assert "cosmic_rays" not in kept
    raw = blue.folder / "raw" / f"{ALONE}_flc.fits"
    with fits.open(raw) as one, fits.open(files["left out"]) as two:
        for version in (1, 2):
            new = two["DQ", version].data & ~one["DQ", version].data
            assert set(np.unique(new)) == {0, 4096}
            assert np.array_equal(one["SCI", version].data, two["SCI", version].data)
    assert "dq" not in {
        name for name, facet in look(raw).facets.items()
        if look(Path(files["kept"])).facets[name] != facet
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"retry": [{"geometry": "rscale", "min_matches": 6}]}, "needs at least 8"),
        ({"method": "tweakreg", "retry": [{"geometry": "rshift", "min_matches": 8}]}, "knows"),
        ({"method": "jhat", "retry": [{"geometry": "shift"}]}, "JHAT has one fit"),
        ({"method": "jhat", "geometry": "shift"}, "JHAT fits rshift on a detector of one chip"),
        ({"bright_limit": "22 mag", "faint_limit": "20 mag"}, "not fainter"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        AlignParams.model_validate(given, context={"targets": ["SN"]})


def test_a_geometry_that_a_recipe_gives_to_jhat_is_refused_even_if_it_is_the_default():
    """What the engine hands on has a value for everything."""
    params = AlignParams.model_validate({"method": "jhat"}, context={"targets": ["SN"]})
    assert AlignParams.model_validate(params.as_json()) == params
    given = {"method": "jhat", "geometry": "rscale"}
    with pytest.raises(ValidationError, match="JHAT fits rshift on a detector of one chip"):
        AlignParams.model_validate(given, context={"targets": ["SN"]})


def test_a_geometry_for_the_others_is_none_of_a_block_with_jhat(write_recipe, capfd):
    """In the stage it is for the other detectors; in the block itself it is refused."""
    stage = (
        "{{geometry: shift, retry: [{{geometry: shift}}], for: {{ACS/WFC: {{method: jhat{}}}}}}}"
    )
    good = write_recipe(f"align: {stage.format('')}")
    assert invoke(["check", str(good)]) == 0
    assert "geometry" not in capfd.readouterr().err
    wrong = write_recipe(f"align: {stage.format(', geometry: shift')}")
    assert invoke(["check", str(wrong)]) == 2
    assert "JHAT fits rshift on a detector of one chip" in capfd.readouterr().err
    # what the engine makes of both is what the stage gets
    both = {"geometry": "shift", "retry": [{"geometry": "shift"}], "method": "jhat"}
    assert AlignParams.model_validate(AlignParams(**both).as_json()).method == "jhat"


def test_flags_need_a_mask(small, divide, do):
    inputs = {
        "exposure": small.products("exposures", "exposure"),
        "stars": small.products("stars", "stars"),
        "cosmic rays": [],
        "reference": small.products("reference", "reference"),
    }
    given = {"write_dq": True}
    said = do("align", divide("align", inputs, given)["SN-99900_02-acs_wfc"], given)
    assert said.startswith("jsi00201q, jsi00202q: there are no cosmic rays to flag")

"""Four short blue exposures with few stars each, tied to a red reference by what all have."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pydantic import ValidationError

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.products.exposures import open_wcs
from hst123r.products.working_copy import working_copy
from hst123r.stages.align import AlignParams

RA, DEC = 150.1, 2.2
VISIT = "SN-99900_02-acs_wfc"
BLUE = ("jsi00201q", "jsi00202q", "jsi00203q", "jsi00204q")
TOGETHER = {"hierarchical": True}
LIMIT_MAS = 5.0
"""A tenth of a pixel."""
ARE_BLUE = (6, 9, 19, 29, 33, 43, 47, 48, 49, 52, 60, 73, 77)
"""Nine of these thirteen are on each exposure, and five or more on each two."""
RECIPE = """\
hst123r: 1
name: blue
targets: [{name: SN, position: "150.1 2.2"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 4
        dither: 4 arcsec
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 4,
             exposure_time: 400 s, size: 320 pix}
          - {detector: ACS/WFC, filter: F435W, dates: [2019-06-10], exposures: 4,
             exposure_time: 300 s, size: 320 pix}
        stars: {catalog: stars.ecsv}
        errors:
          - {}
          - {east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.03 deg}
  - reference: {filter: F606W}
"""


def field():
    """Return stars, all of them red but thirteen."""
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
    table["mag_F606W"] = rng.uniform(20, 23.5, len(east))
    table["mag_F435W"] = np.where(np.isin(np.arange(80), ARE_BLUE), 21.5, 31.0)
    return table


@pytest.fixture(scope="module")
def folder(module_folder):
    """Run the recipe once; tests only look at it."""
    folder = module_folder("together")
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


@pytest.fixture
def visit(blue):
    return {
        "exposure": blue.products("exposures", "exposure"),
        "stars": blue.products("stars", "stars"),
        "cosmic rays": [],
        "reference": blue.products("reference", "reference"),
    }


@pytest.fixture(scope="module")
def kept(module_folder):
    return {"folder": module_folder("kept")}


@pytest.fixture
def together(visit, divide, do, kept):
    """Align the visit together, once for all tests."""
    if "outcome" not in kept:
        outcome = do("align", divide("align", visit, TOGETHER)[VISIT], TOGETHER)
        # what a test leaves in its own folder may be removed when it has passed
        for product in outcome.products:
            for role, path in product.files.items():
                product.files[role] = str(shutil.copy2(path, kept["folder"]))
        kept["outcome"] = outcome
    return kept["outcome"]


def off(path, truth):
    """Root mean square of where the WCS puts the true pixels less where they are, mas."""
    found = []
    with fits.open(path) as hdus:
        for version in sorted(set(truth["extver"])):
            stars = truth[truth["extver"] == version]
            wcs = open_wcs(hdus["SCI", version].header, hdus, Path(path).name)
            sky = wcs.all_pix2world(stars["x"], stars["y"], 0)
            there = np.stack(to_tangent_plane(*sky, RA, DEC), axis=1)
            here = np.stack(to_tangent_plane(stars["ra"], stars["dec"], RA, DEC), axis=1)
            found.append(1000 * (there - here))
    return float(np.sqrt(np.mean(np.concatenate(found) ** 2)))


def told(outcome):
    """State of every exposure, and root names of those that are bad."""
    states = {
        p.name: p.facts["alignment"]["state"] for p in outcome.products if p.kind == "exposure"
    }
    bad = {m.subject for m in outcome.measurements if m.quality.value == "bad"}
    return states, bad


def moved(product, folder, north_arcsec):
    """Copy an exposure with a header that is off by more than those of its visit."""
    files = working_copy(product.files, folder)
    with fits.open(files["science"], mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header["CRVAL2"] += north_arcsec / 3600
    return replace(product, files=files)


@pytest.mark.heavy
def test_what_is_too_little_for_each_is_enough_together(visit, blue, divide, do, together):
    alone = do("align", divide("align", visit)[VISIT])
    states, bad = told(alone)
    assert states == dict.fromkeys(BLUE, "failed")
    assert bad == set(BLUE)
    states, bad = told(together)
    assert states == dict.fromkeys(BLUE, "visit")
    assert not bad
    measured = {(m.subject, m.name): m.value for m in together.measurements}
    for product in together.products:
        if product.kind == "exposure":
            assert measured[product.name, "matches"] < 10 <= measured[product.name, "visit_matches"]
            left = off(product.files["science"], blue.truth(product.name))
            assert left < min(3 * measured[product.name, "solution_error"], LIMIT_MAS)


@pytest.mark.heavy
def test_aligning_again_is_the_identity(visit, divide, do, together):
    visit["exposure"] = [p for p in together.products if p.kind == "exposure"]
    again = do("align", divide("align", visit, TOGETHER)[VISIT], TOGETHER)
    assert told(again)[0] == dict.fromkeys(BLUE, "kept")


@pytest.mark.heavy
@pytest.mark.parametrize("north", [0.3, 2.5])
def test_a_sibling_that_is_off_is_put_right_or_is_not_good(
    visit, blue, divide, do, tmp_path, north
):
    """By six pixels its own stars put it onto the others; by fifty it is beyond the search."""
    visit["exposure"] = [
        moved(p, tmp_path, north) if p.name == BLUE[1] else p for p in visit["exposure"]
    ]
    outcome = do("align", divide("align", visit, TOGETHER)[VISIT], TOGETHER)
    states, bad = told(outcome)
    good = set(BLUE) - bad - {caveat.subject for caveat in outcome.caveats}
    for product in outcome.products:
        if product.name in good:
            assert off(product.files["science"], blue.truth(product.name)) < LIMIT_MAS
    if north < 1:
        assert good == set(BLUE)
    else:
        assert BLUE[1] not in good
        assert states[BLUE[1]] != "visit"


def test_merged_stars_are_fitted_by_our_own_method_only():
    with pytest.raises(ValidationError, match="`method: tweakwcs` only"):
        AlignParams.model_validate({"hierarchical": True, "method": "tweakreg"})

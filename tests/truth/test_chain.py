"""Three visits in a row, of which only neighbours overlap, against the truth.

Each has a header that is wrong by an offset of its own. The first is the reference; the last has
no star in common with it and is tied through the one in between.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.products.exposures import open_wcs
from hst123r.sources.chain_plan import connect

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC = 150.1, 2.2
ALONG = np.array([0.472, -0.882])
"""Along one axis of the detector at the roll of the simulation."""
STEP_ARCSEC = 10.5
"""Of the 16 arcsec of a chip a third is shared with the neighbour, nothing with the next."""
ERRORS = ((0.0, 0.0, 0.0), (0.25, -0.2, 0.02), (-0.3, 0.15, -0.02))
VISITS = ("1", "2", "3")
RECIPE = """\
hst123r: 1
name: chain
targets:
  - {{name: west, position: "{west}"}}
  - {{name: east, position: "{east}"}}
stages:
  - fetch: {{from: directory, path: data}}
  - reference: {{filter: F814W, chain: {{cover: 0.5}}}}
  - align: {{}}
"""


def place(along):
    ra, dec = from_tangent_plane(*(along * ALONG), RA, DEC)
    return f"{float(ra):.7f} {float(dec):.7f}"


@pytest.fixture(scope="module")
def folder(module_folder):
    """Make the exposures and run the recipe once; tests only look at it."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder = module_folder("chain")
    (folder / "data").mkdir()
    rng = np.random.default_rng(6)
    stars = []
    while len(stars) < 420:
        new = rng.uniform((-30, -45), (35, 25))
        if all(np.hypot(*(new - old)) > 0.9 for old in stars):
            stars.append(new)
    ra, dec = from_tangent_plane(*np.array(stars).T, RA, DEC)
    Table({"ra": ra, "dec": dec, "mag": rng.uniform(19.5, 23.5, len(ra))}).write(
        folder / "stars.ecsv"
    )
    simulation = Simulation.model_validate({
        "seed": 5,
        "observations": [
            # the first has a filter of its own, by which it becomes the reference
            {"detector": "ACS/WFC", "filter": name, "dates": [date], "exposures": 2,
             "exposure_time": "400 s", "size": "320 pix"}
            for date, name in (("2019-04-01", "F814W"), ("2019-06-10", "F606W"),
                               ("2019-09-01", "F606W"))
        ],
        "stars": {"catalog": "stars.ecsv"},
        "errors": [
            {"east": f"{east} arcsec", "north": f"{north} arcsec", "roll": f"{roll} deg"}
            for east, north, roll in ERRORS
        ],
    })  # fmt: skip
    for number, visit in enumerate(VISITS):
        target = Target("T", parse(place(STEP_ARCSEC * number)))
        (programme,) = programmes(simulation, (target,), folder).values()
        for entry in planned(programme):
            if entry.visit.lstrip("0") == visit:
                make(programme, entry.root, folder / "data", None)
    west, east = place(0.5 * STEP_ARCSEC), place(1.5 * STEP_ARCSEC)
    (folder / "recipe.yaml").write_text(RECIPE.format(west=west, east=east))
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stdout + out.stderr
    return folder


@pytest.fixture
def chain(folder, finished_in):
    return finished_in(folder / "chain")


def errors(path, truth):
    """Where the WCS puts the true pixels less where they are, mas, (n, 2)."""
    found = []
    with fits.open(path) as hdus:
        for version in sorted(set(truth["extver"])):
            stars = truth[truth["extver"] == version]
            wcs = open_wcs(hdus["SCI", version].header, hdus, path.name)
            sky = wcs.all_pix2world(stars["x"], stars["y"], 0)
            there = np.stack(to_tangent_plane(*sky, RA, DEC), axis=1)
            here = np.stack(to_tangent_plane(stars["ra"], stars["dec"], RA, DEC), axis=1)
            found.append(1000 * (there - here))
    return np.concatenate(found)


def left(folder, visit):
    """What is left of the offset of a visit, mas."""
    found = []
    for path in sorted(folder.glob(f"chain/products/align/*/*si0{visit.zfill(2)}*_flc.fits")):
        truth = Table.read(folder / "data" / f"{path.name[:9]}_truth.ecsv")
        found.append(errors(path, truth))
    assert len(found) == 2
    return np.concatenate(found)


def test_the_last_lies_on_the_frame_of_the_first(folder, chain):
    facts = chain.facts("reference")
    (found,) = facts.values()
    assert [link["links"] for link in found["links"]] == [1, 2]
    frame = left(folder, "1").mean(axis=0)
    shared = chain.measured("align", "frame_error")
    for visit in VISITS[1:]:
        error = left(folder, visit) - frame
        rms = np.sqrt(np.mean(error**2))
        said = max(value for root, value in shared.items() if root[5] == visit)
        # as well as it says, and better than a hundredth of a pixel
        assert rms < min(3 * said, 0.5)


def test_how_many_visits_lie_between_is_said(chain):
    links = chain.measured("align", "links")
    assert {links[root] for root in links if root[5] == "3"} == {2}
    assert {links[root] for root in links if root[5] == "2"} == {1}
    assert not any(root[5] == "1" for root in links)
    error = chain.measured("align", "frame_error")
    assert max(error[r] for r in error if r[5] == "2") < min(error[r] for r in error if r[5] == "3")
    assert chain.measured("reference", "chain_links") == pytest.approx(
        {"ACS/WFC F606W of visit 99900_02": 1, "ACS/WFC F606W of visit 99900_03": 2}
    )


def test_visits_are_added_only_where_they_are_needed(chain):
    """A third of the last lies on the one in between, which is enough to fit its exposures to."""
    exposures = chain.products("exposures", "exposure")
    first = [product for product in exposures if product.labels["filter"] == "F814W"]
    for cover, wanted in ((0.0, []), (0.25, ["2"]), (0.5, ["2", "3"])):
        links = connect(exposures, first, "west", cover=cover)
        assert [link[0].labels["visit"][-1] for link in links] == wanted


def test_no_exposure_is_left_and_none_is_said_to_be(chain):
    assert not {row["code"] for row in chain.caveats("align")}
    assert not {row["code"] for row in chain.caveats("reference")} & {"no_overlap", "not_linked"}

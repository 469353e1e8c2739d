"""A recipe from the simulated archive to a light curve, against the truth.

Two visits, the second with a header wrong by 0.3 arcsec and 0.01 degree; isolated stars; a
transient; a target where there is nothing; and a second `align` that has nothing left to do.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table, vstack
from tiers import these

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.products.exposures import open_wcs

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC = 150.1, 2.2
RECIPE = """\
hst123r: 1
name: truth
targets:
  - {{name: SN, position: "{ra} {dec}"}}
  - {{name: nothing, position: "{ra} {empty}"}}
stages:
  - fetch:
      from: simulated
      simulation:
        seed: {seed}
        at: [SN]
        observations:
          - {{detector: {detector}, filter: {blue}, dates: [2019-04-01, 2019-06-10], exposures: 3,
             exposure_time: 400 s, {size}}}
          - {{detector: {detector}, filter: {red}, dates: [2019-04-01, 2019-06-10], exposures: 3,
             exposure_time: 400 s, {size}}}
        transient: {{dates: [2019-04-01, 2019-06-10], magnitudes: [21 mag, 23.5 mag]}}
        stars: {{number: {stars}, radius: {radius} arcsec, separation: {apart} arcsec,
                brightest: 18.5 mag, faintest: 25.5 mag}}
        errors:
          - {{}}
          - {{east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.01 deg}}
  - reference: {{filter: {blue}}}
  - align: {{}}
  - align: {{name: again}}
  - drizzle: {{name: epochs, per: [detector, filter, epoch]}}
  - drizzle: {{name: stacks}}
  - photometry: {{}}
  - scrape: {{radius: 0.1 arcsec}}
  - report: {{}}
"""
# with these seeds no epoch of the one transient is beyond two sigma, as one in twenty is by chance;
# that it is one in twenty is tested on all stars
CASES = {
    "ACS/WFC": {
        "blue": "F606W", "red": "F814W", "size": "size: 800 pix", "stars": 650, "radius": 45,
        "apart": 1.0, "seed": 8, "scale": 0.05,
    },
    "WFC3/IR": {
        "blue": "F110W", "red": "F160W", "size": "", "stars": 700, "radius": 75, "apart": 2.0,
        "seed": 5, "scale": 0.128,
    },
}  # fmt: skip


@dataclass
class Done:
    """A finished run."""

    folder: Path
    scale: float
    report: dict[str, Any]

    def products(self, pattern: str) -> list[Path]:
        found = sorted(self.folder.glob(f"products/{pattern}"))
        assert found, pattern
        return found

    def truth(self, root: str) -> Table:
        return Table.read(self.folder / "raw" / f"{root}_truth.ecsv")


@pytest.fixture(scope="module", params=these(CASES, "ACS/WFC"))
def done(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    case = CASES[request.param]
    text = RECIPE.format(detector=request.param, ra=RA, dec=DEC, empty=DEC + 4.3 / 3600, **case)
    (folder / "recipe.yaml").write_text(text)
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml", "--json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    yield Done(folder / "truth", case["scale"], json.loads(out.stdout))
    # each case needs hundreds of megabytes
    shutil.rmtree(folder)


def wcs_errors(path: Path, truth: Table) -> np.ndarray:
    """Where the file's WCS puts the true pixels of the stars, less where they are: mas, (n, 2)."""
    errors = []
    with fits.open(path) as hdus:
        for version in sorted(set(truth["extver"])):
            stars = truth[truth["extver"] == version]
            wcs = open_wcs(hdus["SCI", version].header, hdus, path.name)
            ra, dec = wcs.all_pix2world(stars["x"], stars["y"], 0)
            there = np.stack(to_tangent_plane(ra, dec, RA, DEC), axis=1)
            here = np.stack(to_tangent_plane(stars["ra"], stars["dec"], RA, DEC), axis=1)
            errors.append(1000 * (there - here))
    return np.concatenate(errors)


def test_alignment_against_truth(done):
    errors = {
        path.name[:9]: wcs_errors(path, done.truth(path.name[:9]))
        for path in done.products("align/*/*_fl?.fits")
    }
    before = {
        path.name[:9]: wcs_errors(path, done.truth(path.name[:9]))
        for path in sorted((done.folder / "raw").glob("*_fl?.fits"))
    }
    second = [root for root in errors if root[4:6] == "02"]
    assert len(errors) == 12
    assert len(second) == 6
    assert min(len(values) for values in errors.values()) >= 100
    # the header of the second visit was wrong by 0.3 arcsec
    offset = np.mean([before[root].mean(axis=0) for root in second], axis=0)
    assert math.hypot(*offset) == pytest.approx(300, abs=1)
    frame = np.mean([errors[root].mean(axis=0) for root in errors if root not in second], axis=0)
    for root, values in errors.items():
        left = values - frame
        # the offset is recovered to 2 mas, the relative residual is below 0.02 pixel rms
        assert np.hypot(*left.mean(axis=0)) < 2.0, root
        assert np.sqrt(np.mean(left**2)) < 0.02 * done.scale * 1000, root


def test_aligning_twice_changes_nothing(done):
    from hst123r.files.content import look

    for path in done.products("align/*/*_fl?.fits"):
        (other,) = done.products(f"again/*/{path.name}")
        one, two = look(path), look(other)
        assert {k for k in one.facets if one.facets[k] != two.facets[k]} <= {"volatile"}


def all_truth(done: Done, roots: list[str]) -> Table:
    tables = []
    for root in roots:
        table = done.truth(root)
        table.meta = {}
        table["root"] = root
        tables.append(table)
    return vstack(tables)


def matched(done: Done, path: Path) -> tuple[Table, Table, np.ndarray]:
    """Catalogue rows, truth rows and masks of stars that are known for sure."""
    catalogue = Table.read(path)
    truth = all_truth(done, list(catalogue.meta["exposures"]))
    numbers, first = np.unique(truth["star"], return_index=True)
    x, y = to_tangent_plane(truth["ra"][first], truth["dec"][first], RA, DEC)
    cx, cy = to_tangent_plane(catalogue["ra"], catalogue["dec"], RA, DEC)
    distance = np.hypot(cx[:, None] - x, cy[:, None] - y)
    nearest = distance.argmin(axis=1)
    transient = numbers[nearest] == numbers.max()
    close = (distance.min(axis=1) < 0.5 * done.scale) & ~transient
    return catalogue, truth[first[nearest]], close


def test_photometry_of_isolated_stars(done):
    for path in done.products("photometry/*/*_catalog.ecsv"):
        catalogue, truth, close = matched(done, path)
        clean = close & (catalogue["flags"] == 0) & np.isfinite(catalogue["mag_ab"])
        assert clean.sum() >= 200 if "f606w" in path.name or "f110w" in path.name else True
        assert clean.sum() >= 150
        difference = np.asarray(catalogue["mag_ab"] - truth["magnitude"])[clean]
        pull = difference / np.asarray(catalogue["mag_err"])[clean]
        assert abs(np.median(difference)) < 0.01
        assert 0.8 < np.mean(pull**2) < 1.3, path.name
        assert abs(np.mean(pull)) < 0.25
        # no trend with brightness
        for low, high in ((18, 22), (22, 24), (24, 25.6)):
            inside = (truth["magnitude"][clean] >= low) & (truth["magnitude"][clean] < high)
            if inside.sum() > 10:
                assert abs(np.median(difference[inside])) < 0.01


def test_every_exposure_against_its_quoted_error(done):
    for path in done.products("photometry/*/*_catalog.ecsv"):
        catalogue, truth, close = matched(done, path)
        found = Table.read(str(path).replace("_catalog.ecsv", "_measurements.fits"))
        every = all_truth(done, list(catalogue.meta["exposures"]))
        columns = (every["root"], every["star"], every["rate"])
        rate = {(r, s): v for r, s, v in zip(*columns, strict=True)}
        star = dict(zip(catalogue["source"][close], truth["star"][close], strict=True))
        pulls = [
            (row["rate"] - rate[key]) / row["rate_err"]
            for row in found
            if row["flags"] == 0
            and row["source"] in star
            and (key := (str(row["exposure"]).strip(), star[row["source"]])) in rate
        ]
        assert len(pulls) > 600
        assert abs(np.mean(pulls)) < 0.1
        assert 0.9 < np.std(pulls) < 1.15


def test_the_transient_is_within_two_sigma_in_every_epoch(done):
    (path,) = done.products("scrape/SN/SN_light_curve.ecsv")
    rows = Table.read(path)
    rows = rows[rows["level"] == "epoch"]
    assert len(rows) == 4
    for row in rows:
        true = 21.0 if str(row["epoch"]) == "20190401" else 23.5
        assert abs(row["mag_ab"] - true) < 2 * row["mag_err"], (row["filter"], row["epoch"])
        assert row["mag_err"] < 0.1


def test_epochs_are_as_far_from_the_truth_as_they_say(done):
    """What is asked of the transient above, of every star: one in twenty is beyond two sigma."""
    away = []
    for path in done.products("photometry/*/*_catalog.ecsv"):
        catalogue, truth, close = matched(done, path)
        true = dict(zip(catalogue["source"][close], truth["magnitude"][close], strict=True))
        for row in Table.read(str(path).replace("_catalog.ecsv", "_epochs.ecsv")):
            if row["source"] in true and row["flags"] == 0 and np.isfinite(row["flux"]):
                flux = 10 ** ((31.4 - true[row["source"]]) / 2.5)
                away.append((row["flux"] - flux) / row["flux_err"])
    assert len(away) > 600
    assert 0.93 < np.mean(np.abs(away) < 2) < 0.97
    assert abs(np.mean(away)) < 0.12


def test_nothing_gets_a_limit_and_not_a_nan(done):
    (path,) = done.products("scrape/nothing/nothing_light_curve.ecsv")
    rows = Table.read(path)
    assert path.read_text().count("target_unseen") == 1
    for row in rows:
        assert np.isfinite(row["flux_njy"])
        assert np.isfinite(row["limit_ab"])
        if row["snr"] < 3:
            assert np.isnan(row["mag_ab"])
    means = rows[rows["level"] != "exposure"]
    assert np.all(np.abs(means["flux_njy"]) < 4 * means["flux_err_njy"])
    # deeper data go fainter
    for name in set(rows["filter"]):
        mine = rows[rows["filter"] == name]
        one = np.median(mine[mine["level"] == "exposure"]["limit_ab"])
        every = float(mine[mine["level"] == "filter"]["limit_ab"][0])
        assert every - one == pytest.approx(1.25 * math.log10(6), abs=0.25)


def test_raw_files_are_untouched_and_everything_is_whole(done):
    from hst123r.engine.verify import verify

    assert {row["state"] for row in verify(done.folder)} == {"ok"}


def test_every_number_can_be_followed_back(done):
    from hst123r.provenance.store import Store

    store = Store(done.folder, read_only=True)
    rows = list(store.db.query("select * from photometry where target = 'SN' and level = 'epoch'"))
    assert len(rows) == 4
    inputs = store.db.execute(
        "select count(*) from job_input where job_id = ? and content_id is not null",
        [rows[0]["job_id"]],
    ).fetchone()[0]
    assert inputs >= 3

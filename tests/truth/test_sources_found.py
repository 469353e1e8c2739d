"""Sources of a whole run against the true stars: few that are none, and none lost."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from astropy.table import Table, vstack

pytestmark = [pytest.mark.truth, pytest.mark.heavy, pytest.mark.release]

NEAR_ARCSEC = 0.075
RECIPE = """\
hst123r: 1
name: found
targets: [{{name: F, position: "10:00:24.0 +02:12:00"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: {seed}
        observations:
          - {{detector: ACS/WFC, filter: F606W, dates: [2019-04-01, 2019-06-10], exposures: 2,
             exposure_time: 400 s, size: 320 pix}}
        stars: {{number: 600, radius: 14 arcsec, separation: 0.25 arcsec, brightest: 18 mag,
                faintest: 28 mag}}
        errors:
          - {{}}
          - {{east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.01 deg}}
  - reference: {{filter: F606W}}
  - align: {{}}
  - drizzle: {{name: epochs, per: [detector, filter, epoch]}}
  - drizzle: {{name: stacks}}
  - detect: {{}}
  - photometry: {{}}
"""


def run(folder, seed):
    """Return the sources, the catalogue and all true stars of a run."""
    (folder / "found.yaml").write_text(RECIPE.format(seed=seed))
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "found.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    products = folder / "found" / "products"
    (sources,), (catalogue,) = (
        [Table.read(path) for path in products.glob(pattern)]
        for pattern in ("detect/*/*_sources.ecsv", "photometry/*/*_catalog.ecsv")
    )
    truth = [Table.read(path) for path in folder.glob("found/raw/*_truth.ecsv")]
    for table in truth:
        table.meta.clear()
    return sources, catalogue, vstack(truth)


def partners(table, truth):
    """Return which rows are stars, each star only once, and magnitudes and finds of the stars."""
    star, first, exposures = np.unique(truth["star"], return_index=True, return_counts=True)
    ra, dec, magnitude = (np.asarray(truth[name])[first] for name in ("ra", "dec", "magnitude"))
    east = (np.asarray(table["ra"])[:, None] - ra) * np.cos(np.radians(dec))
    apart = 3600 * np.hypot(east, np.asarray(table["dec"])[:, None] - dec)
    real, found = np.zeros(len(table), bool), np.zeros(star.size, bool)
    for one in np.argsort(magnitude):
        near = np.flatnonzero((apart[:, one] < NEAR_ARCSEC) & ~real)
        if near.size:
            real[near[np.argmin(apart[near, one])]] = found[one] = True
    everywhere = exposures == exposures.max()
    return real, magnitude[everywhere], found[everywhere]


def test_sources_are_stars_and_stars_are_sources(tmp_path):
    """Two seeds; every fiftieth pixel of an exposure is hit, and two exposures are an epoch."""
    real, strong, seen, magnitude, found = ([] for _ in range(5))
    for seed in (31, 32):
        folder = tmp_path / str(seed)
        folder.mkdir()
        sources, catalogue, truth = run(folder, seed)
        listed = np.asarray(sources["snr"]) > 0
        right, _, _ = partners(sources[listed], truth)
        real.append(right)
        strong.append(np.asarray(sources["snr"])[listed] > 10)
        right, true, there = partners(catalogue, truth)
        seen.append(right[np.asarray(catalogue["snr"]) >= 5])
        magnitude.append(true)
        found.append(there)
    real, strong, seen, magnitude, found = (
        np.concatenate(item) for item in (real, strong, seen, magnitude, found)
    )
    # of what has S/N 5 in the catalogue, one in a hundred is no star at most
    assert seen.size > 350
    assert np.mean(~seen) < 0.01
    # in the list is what is left of hits: places to be looked at, which the fit tells from stars
    assert np.mean(~real[strong]) < 0.1
    assert np.mean(~real) < 0.15
    for faintest, least in ((24.5, 0.98), (26.5, 0.93), (27.5, 0.8)):
        part = magnitude < faintest
        assert np.mean(found[part]) >= least, (faintest, part.sum())

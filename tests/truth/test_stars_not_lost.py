"""Stars that no stack may lose, whatever the detector, the pixels of the stack and the kernel."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from astropy.table import Table
from tiers import RELEASE

pytestmark = [pytest.mark.truth, pytest.mark.heavy]

RECIPE = """\
hst123r: 1
name: lost
targets: [{{name: F, position: "10:00:24.0 +02:12:00"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 5
        cosmic_rays: false
        observations:
          - {{detector: {detector}, filter: {filter}, dates: [2019-04-01], exposures: {exposures},
             exposure_time: 400 s{size}}}
        stars: {{number: {number}, radius: {radius} arcsec, separation: {apart} arcsec,
                brightest: 18 mag, faintest: {faintest} mag}}
        errors: [{{}}]
  - reference: {{filter: {filter}}}
  - align: {{}}
  - drizzle: {{name: stacks, scale: {scale} arcsec, pixfrac: {pixfrac}, kernel: {kernel}}}
  - detect: {{}}
"""
SMALL = ", size: 300 pix"
WFC = {"detector": "ACS/WFC", "filter": "F814W", "exposures": 4, "size": SMALL, "number": 300}
WFC |= {"radius": 9, "apart": 0.1, "faintest": 24}
UVIS = {"detector": "WFC3/UVIS", "filter": "F336W", "exposures": 3, "size": SMALL, "number": 250}
UVIS |= {"radius": 7, "apart": 0.08, "faintest": 23.5}
HRC = {"detector": "ACS/HRC", "filter": "F555W", "exposures": 2, "size": SMALL, "number": 200}
HRC |= {"radius": 5, "apart": 0.05, "faintest": 23}
IR = {"detector": "WFC3/IR", "filter": "F160W", "exposures": 1, "size": ", size: 150 pix"}
IR |= {"number": 150, "radius": 11, "apart": 0.26, "faintest": 23}
WFPC2 = {"detector": "WFPC2", "filter": "F814W", "exposures": 2, "size": "", "number": 700}
WFPC2 |= {"radius": 75, "apart": 0.2, "faintest": 23}
ALWAYS = ("ACS/HRC", "WFC3/IR")
# detector, width of a star in arcsec, then scale, pixfrac and kernel of each stack
CASES = [
    (WFC, 0.1, [(0.05, 0.8, "lanczos3"), (0.03, 0.3, "square"), (0.05, 1.0, "gaussian")]),
    (UVIS, 0.08, [(0.03, 0.3, "square"), (0.04, 0.8, "gaussian")]),
    (HRC, 0.06, [(0.025, 0.6, "square")]),
    (IR, 0.17, [(0.064, 0.8, "square")]),
    (WFPC2, 0.15, [(0.05, 0.8, "square")]),
]


def sources(folder, facts, stack):
    """Return the sources of a run; only what differs from the run before is made anew."""
    given = dict(zip(("scale", "pixfrac", "kernel"), stack, strict=True))
    (folder / "lost.yaml").write_text(RECIPE.format(**facts, **given))
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "lost.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("lost/products/detect/*/*_sources.ecsv")
    table = Table.read(path)
    return table[np.asarray(table["snr"]) > 0]


def true_stars(folder, width):
    """Return places of all true stars, and which are on all exposures and the brightest around."""
    tables = [Table.read(path) for path in sorted(folder.glob("lost/raw/*_truth.ecsv"))]
    names, first, on = np.unique(
        np.concatenate([table["star"] for table in tables]), return_index=True, return_counts=True
    )
    ra, dec, magnitude = (
        np.concatenate([np.asarray(table[name]) for table in tables])[first]
        for name in ("ra", "dec", "magnitude")
    )
    near = apart_arcsec(ra, dec, ra, dec) < 2.5 * width
    brighter = magnitude[:, None] > magnitude
    assert names.size > 50
    return ra, dec, (on == len(tables)) & ~(near & brighter).any(axis=1)


def apart_arcsec(ra, dec, other_ra, other_dec):
    east = (ra[:, None] - other_ra) * np.cos(np.radians(dec))[:, None]
    return 3600 * np.hypot(east, dec[:, None] - other_dec)


@pytest.mark.parametrize(
    ("facts", "width", "stacks"),
    [
        pytest.param(*case, id=name, marks=() if name in ALWAYS else RELEASE)
        for case in CASES
        for name in [case[0]["detector"]]
    ],
)
def test_no_star_is_lost(tmp_path, facts, width, stacks):
    """Stars far above the noise, in pairs and alone, of which each is the brighter one."""
    for stack in stacks:
        found = sources(tmp_path, facts, stack)
        ra, dec, asked = true_stars(tmp_path, width)
        apart = apart_arcsec(ra, dec, np.asarray(found["ra"]), np.asarray(found["dec"]))
        lost = apart[asked].min(axis=1) > width
        false = apart.min(axis=0) > width
        assert asked.sum() > 30
        assert lost.mean() < 1 / 200, (stack, lost.sum(), asked.sum())
        assert false.mean() < (0.05 if facts is IR else 0.15), (stack, false.sum(), false.size)

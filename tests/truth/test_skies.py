"""Stacks of detectors whose pixels are whole counts: no sky is left, no noise is a cosmic ray."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from hst123r.products.stacks import read_stack

pytestmark = [pytest.mark.truth, pytest.mark.heavy, pytest.mark.release]
RECIPE = """\
hst123r: 1
name: skies
targets: [{name: SN, position: "10:00:24.00 +02:12:00.0"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 3
        observations:
          - {detector: WFPC2, filter: F606W, dates: [2001-04-01], exposures: 2,
             exposure_time: 400 s}
          - {detector: ACS/HRC, filter: F555W, dates: [2003-04-01], exposures: 2,
             exposure_time: 200 s}
        stars: {number: 100, radius: 60 arcsec}
  - drizzle: {name: stacks, engine: drizzle, scale: 0.1 arcsec, size: 500 pix}
  - drizzle: {name: larger, engine: astrodrizzle, scale: 0.1 arcsec, size: 600 pix}
"""


@pytest.fixture(scope="module")
def folder(module_folder):
    folder = module_folder("skies")
    (folder / "recipe.yaml").write_text(RECIPE)
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    return folder / "skies"


@pytest.mark.parametrize(("detector", "most"), [("wfpc2", 1.0), ("acs_hrc", 0.1)])
def test_the_median_of_a_stack_is_zero_within_its_noise(folder, detector, most):
    """By the mode it was 7 times the noise of a pixel in WFPC2, and 0.4 times in ACS/HRC."""
    (path,) = folder.glob(f"products/stacks/*{detector}*/*_drz.fits")
    pixels = read_stack(path).science
    pixels = pixels[np.isfinite(pixels)]
    middle = float(np.median(pixels))
    noise = 1.4826 * float(np.median(np.abs(pixels - middle)))
    assert abs(middle) < most * noise


@pytest.mark.parametrize("stage", ["stacks", "larger"])
def test_noise_is_not_taken_for_cosmic_rays(folder, finished_in, stage):
    """With the noise of WFPC2 divided by its gain, 5 times as many pixels were flagged as hit."""
    found = finished_in(folder).measured(stage, "cosmic_ray_fraction")
    roots = [root for root in found if root.startswith("u")]
    assert len(roots) == 2
    for root in roots:
        hits = finished_in(folder).truth(root).meta["cosmic_ray_pixels"]
        assert found[root] < 2 * sum(hits.values()) / (4 * 800 * 800)

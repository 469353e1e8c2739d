"""Stars with the measured PSFs of the library: drawn with them, and measured with them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.table import Table

pytestmark = [pytest.mark.truth, pytest.mark.real, pytest.mark.heavy]
RECIPE = """\
hst123r: 1
name: grids
targets: [{{name: T, position: "150.1 2.2"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 5
        psf_grids: "{grids}"
        observations:
          - {{detector: WFC3/UVIS, filter: F555W, dates: [2019-04-01], exposures: 2,
             exposure_time: 400 s, size: 400 pix}}
        stars: {{number: 120, radius: 14 arcsec, separation: 1 arcsec, brightest: 18.5 mag,
                faintest: 22 mag}}
        pointing_error: 0 arcsec
        roll_error: 0 deg
  - align: {{method: none}}
  - drizzle: {{name: stacks}}
  - photometry: {{name: grid, psf: grid, psf_grids: "{grids}"}}
  - photometry: {{name: computed}}
"""


@pytest.fixture(scope="module")
def done(shared_data, module_folder):
    grids = shared_data / "psf"
    if not (grids / "PSFSTD_WFC3UV_F555W.fits").is_file():
        pytest.skip("there are no files of the PSF library in the folder of real files")
    folder = module_folder("grids")
    (folder / "recipe.yaml").write_text(RECIPE.format(grids=grids))
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml", "--json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    return folder / "grids", json.loads(out.stdout)


def measured(folder, stage):
    """Return magnitude differences and chi of clean stars."""
    (path,) = folder.glob(f"products/{stage}/*/*_catalog.ecsv")
    catalogue = Table.read(path)
    (truth, *_) = (Table.read(found) for found in sorted(folder.glob("raw/*_truth.ecsv")))
    apart = np.hypot(
        (np.asarray(catalogue["ra"])[:, None] - np.asarray(truth["ra"])) * np.cos(np.radians(2.2)),
        np.asarray(catalogue["dec"])[:, None] - np.asarray(truth["dec"]),
    )
    nearest = apart.argmin(axis=1)
    good = (apart.min(axis=1) * 3600 < 0.02) & np.isfinite(catalogue["mag_ab"])
    difference = np.asarray(catalogue["mag_ab"] - truth["magnitude"][nearest])
    return difference[good], np.asarray(catalogue["chi"])[good]


def test_the_psf_that_is_right_gives_the_right_magnitudes(done):
    folder, _ = done
    difference, chi = measured(folder, "grid")
    assert len(difference) > 40
    assert abs(np.median(difference)) < 0.005
    assert np.median(chi) == pytest.approx(1.0, abs=0.1)


def test_another_psf_is_told_by_its_chi(done):
    folder, report = done
    _, chi = measured(folder, "computed")
    assert np.median(chi) > 1.3
    jobs = {item["stage"]: item["jobs"] for item in report["stages"]}
    assert [job["quality"] for job in jobs["computed"]] == ["caveat"]

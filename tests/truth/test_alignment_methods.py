"""Both methods of alignment against the truth, side by side.

Two visits, the second with a header wrong by 0.3 arcsec and 0.01 degree; the same catalogue for
both methods.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from tiers import these

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.products.exposures import open_wcs

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC = 150.1, 2.2
METHODS = ("tweakwcs", "tweakreg")
RECIPE = """\
hst123r: 1
name: methods
targets: [{{name: SN, position: "{ra} {dec}"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 8
        observations:
          - {{detector: {detector}, filter: {filter}, dates: [2019-04-01, 2019-06-10],
             exposures: 2, exposure_time: 400 s, {size}}}
        stars: {{number: {stars}, radius: {radius} arcsec, separation: {apart} arcsec,
                brightest: 18.5 mag, faintest: 25 mag}}
        errors:
          - {{}}
          - {{east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.01 deg}}
  - reference: {{}}
  - align: {{name: tweakwcs, method: tweakwcs}}
  - align: {{name: again, method: tweakwcs}}
  - align: {{name: tweakreg, method: tweakreg, uses: [exposures, reference]}}
"""
CASES = {
    "ACS/WFC": ("F606W", "size: 800 pix", 650, 45, 1.0, 50.0),
    "WFC3/UVIS": ("F606W", "size: 800 pix", 600, 35, 0.8, 39.6),
    "WFC3/IR": ("F110W", "", 700, 75, 2.0, 128.0),
    "ACS/HRC": ("F606W", "", 450, 20, 0.6, 27.0),
    "WFPC2": ("F606W", "", 900, 90, 2.0, 99.6),
}
"""Filter, size, stars, radius and separation in arcsec, mas in a pixel."""


@pytest.fixture(scope="module", params=these(CASES, "ACS/WFC"))
def done(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    name, size, stars, radius, apart, scale_mas = CASES[request.param]
    text = RECIPE.format(
        detector=request.param, ra=RA, dec=DEC, filter=name, size=size, stars=stars,
        radius=radius, apart=apart,
    )  # fmt: skip
    (folder / "recipe.yaml").write_text(text)
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "recipe.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stdout + out.stderr
    yield folder / "methods", scale_mas
    # each case needs hundreds of megabytes
    shutil.rmtree(folder)


def wcs_errors(path, truth):
    """Where the WCS puts the true pixels of the stars, less where they are: mas, (n, 2)."""
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


def left(folder, stage):
    """Return what is left of the offset of the second visit, mas by exposure."""
    errors = {}
    for path in sorted(folder.glob(f"products/{stage}/*/*_*.fits")):
        root, kind = path.name[:9], path.name[10:13]
        if kind in {"flc", "flt", "c0m"}:
            truth = Table.read(folder / "raw" / f"{root}_truth.ecsv")
            errors[root] = wcs_errors(path, truth)
    first = [values.mean(axis=0) for root, values in errors.items() if root[4:6] != "02"]
    frame = np.mean(first, axis=0)
    return {root: values - frame for root, values in errors.items() if root[4:6] == "02"}


def test_the_fit_of_our_own_is_as_good_as_tweakreg_or_better(done):
    folder, scale_mas = done
    rms = {}
    for method in METHODS:
        found = left(folder, method)
        assert len(found) == 2
        assert min(len(values) for values in found.values()) >= 100
        rms[method] = [float(np.sqrt(np.mean(values**2))) for values in found.values()]
    assert max(rms["tweakwcs"]) < 0.01 * scale_mas
    # both have the noise of the same stars; a tenth of a mas is what chance makes of it
    assert np.mean(rms["tweakwcs"]) < np.mean(rms["tweakreg"]) + 0.1


def test_aligning_again_is_the_identity(done):
    folder, _ = done
    for path in folder.glob("products/tweakwcs/*/*_*.fits"):
        (other,) = folder.glob(f"products/again/*/{path.name}")
        with fits.open(path) as one, fits.open(other) as two:
            for hdu in one:
                if hdu.name != "SCI":
                    continue
                wcs = [open_wcs(f["SCI", hdu.ver].header, f, path.name) for f in (one, two)]
                rows, columns = hdu.data.shape
                corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], float)
                back = wcs[1].all_world2pix(wcs[0].all_pix2world(corners, 0), 0, tolerance=1e-8)
                # the round trip itself is good to the tolerance
                assert np.abs(back - corners).max() < 1e-6

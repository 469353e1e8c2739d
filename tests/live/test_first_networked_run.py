"""The script that tries what is assumed of real archives, tried on the one of the tests."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from loopback.holdings import EXCLUSIVE, Held
from loopback.server import Archive
from loopback.tap import gaia_table

from hst123r.archives import endpoints

ROOT = "jsi00101q"


@pytest.fixture
def script():
    path = Path(__file__).with_name("first_networked_run.py")
    spec = importlib.util.spec_from_file_location("first_networked_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def archive(monkeypatch, made_exposures, tmp_path):
    """An archive of everything that the script asks for."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = tmp_path / f"{ROOT}_flc.fits"
    shutil.copy(made_exposures / path.name, path)
    fits.setval(path, "IDCTAB", value="jref$toy_idc.fits")
    fits.setval(path, "CRDS_CTX", value="hst_0001.pmap")
    with Archive() as running:
        monkeypatch.setenv(endpoints.VARIABLE, running.url)
        monkeypatch.setenv(endpoints.BUCKET_VARIABLE, running.url)
        running.holdings.add_name("M101", 210.802, 54.349)
        monkeypatch.setenv(endpoints.GAIA_VARIABLE, running.tap_url)
        monkeypatch.setenv(endpoints.CRDS_VARIABLE, running.crds_url)
        monkeypatch.setenv(endpoints.STDPSF_VARIABLE, f"{running.url}/psfs")
        header = fits.Header([("NXPSFS", 1), ("NYPSFS", 4), ("IPSFX01", 2048)])
        header.extend([(f"JPSFY{n:02d}", row) for n, row in enumerate((0, 2048, 2048, 4096), 1)])
        grid = tmp_path / "grid.fits"
        fits.PrimaryHDU(np.ones((4, 101, 101), "f4"), header).writeto(grid)
        running.plain["/psfs/ACSWFC/STDPSF_ACSWFC_F606W.fits"] = Held(grid.read_bytes())
        held = running.holdings
        row = held.add_exposures([path], "ACS/WFC")
        copy = f"hst_99900_01_acs_wfc_f606w_{ROOT[:8]}_flc.fits"
        held.add_product(row, copy, ROOT[:8], project="HAP-SVM")
        held.add_file("jsi00109q_flc.fits", b"secret", EXCLUSIVE)
        held.add_product(row, "jsi00109q_flc.fits", "jsi00109q", dataRights=EXCLUSIVE)
        running.crds.add("toy_idc.fits", b"table" * 100)
        running.crds.best = {"idctab": "toy_idc.fits"} | dict.fromkeys(
            ("npolfile", "d2imfile"), "N/A"
        )
        near = np.linspace(-0.01, 0.01, 30)
        running.tap.stars = gaia_table(150.1 + near, 2.2 + near, 15 + near)
        yield running


def tried(script, capfd):
    number = script.main(["--place", "150.1 2.2", "--root", ROOT])
    return number, capfd.readouterr().out


def test_what_is_assumed_is_so_in_the_archive_of_the_tests(script, archive, capfd):
    number, out = tried(script, capfd)
    assert number == 0, out
    assert out.count("as assumed") >= 30
    assert "not tried" not in out
    for part in ("the bucket has it by the rule", "MAST says the same of its place there",
                 "without a token we are nobody", "the name service knows a name"):  # fmt: skip
        assert part in out, part


def test_what_differs_is_said_and_the_rest_is_tried(script, archive, capfd):
    archive.ranges = archive.etags = False
    archive.crds.best = {"idctab": "other_idc.fits", "npolfile": "N/A", "d2imfile": "N/A"}
    archive.tap.hard_limit = 20
    uri = f"mast:HST/product/{ROOT}_flc.fits"
    archive.holdings.paths[uri] = f"/hst/public/jsi0/jsi001010/{ROOT}_flc.fits"
    archive.faults.add("whoami", "status", None, code=404)
    number, out = tried(script, capfd)
    wrong = [line for line in out.splitlines() if line.startswith("DIFFERS")]
    assert number == len(wrong) == 8, out
    text = "\n".join(wrong)
    for part in ("ETag or Last-Modified", "a range is 206", "chooses as the header has it",
                 "the bucket has it by the rule for names", "MAST says the same of its place",
                 "without a token we are nobody: 404",
                 "stars of gaia: .* cut its answer after 20"):  # fmt: skip
        assert re.search(part, text), part


def test_a_place_without_exposures_is_no_crash(script, archive, capfd):
    archive.holdings.products.clear()
    number, out = tried(script, capfd)
    assert number > 0
    assert "not tried" in out

"""Reference files that headers name."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.files.references import find, how_to_get, named, reference_files


def test_names_of_all_headers_once_without_what_is_none(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header.update(
        IDCTAB="jref$0461802ej_idc.fits", NPOLFILE="N/A", CRDS_CTX="hst_1127.pmap", DARKFILE="",
        TARGNAME="cost$", EXPTIME=30.0,
    )  # fmt: skip
    primary.header.add_history("iref$t2c16200i_ccd.fits")
    science = fits.ImageHDU(np.zeros((4, 4), "f4"), name="SCI")
    science.header["IDCTAB"] = "jref$0461802ej_idc.fits"
    science.header["D2IMFILE"] = "jref$4bb15371j_d2i.fits"
    path = tmp_path / "x.fits"
    fits.HDUList([primary, science]).writeto(path)
    assert reference_files([path, path]) == [
        {"keyword": "IDCTAB", "name": "jref$0461802ej_idc.fits"},
        {"keyword": "CRDS_CTX", "name": "hst_1127.pmap"},
        {"keyword": "D2IMFILE", "name": "jref$4bb15371j_d2i.fits"},
    ]


def test_what_a_primary_header_names(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header.update(IDCTAB="jref$a_idc.fits", NPOLFILE="N/A", D2IMFILE=" ")
    fits.HDUList([primary]).writeto(tmp_path / "x.fits")
    names = named(tmp_path / "x.fits", ["IDCTAB", "NPOLFILE", "D2IMFILE", "OFFTAB"])
    assert names == {"IDCTAB": "jref$a_idc.fits"}


@pytest.mark.parametrize(
    ("place", "environment"),
    [
        ("mine", {}),
        ("mine/jref", {}),
        ("mine/references/hst/acs", {}),
        ("env", {"jref": "env/"}),
        ("crds/references/hst", {"CRDS_PATH": "crds"}),
        ("crds/references/hst/jref", {"CRDS_PATH": "crds"}),
    ],
)
def test_where_a_reference_file_is_looked_for(tmp_path, monkeypatch, place, environment):
    monkeypatch.chdir(tmp_path)
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "a_idc.fits").write_bytes(b"x")
    found = find("jref$a_idc.fits", tmp_path / "mine", environment)
    assert found == tmp_path / place / "a_idc.fits"
    assert find("jref$b_idc.fits", tmp_path / "mine", environment) is None
    assert find("jref$a_idc.fits", None, {}) is None


def test_the_users_folder_comes_first(tmp_path):
    for place in ("mine", "env"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a_idc.fits").write_bytes(b"x")
    found = find("jref$a_idc.fits", tmp_path / "mine", {"jref": str(tmp_path / "env")})
    assert found == tmp_path / "mine" / "a_idc.fits"
    assert find("jref$a_idc.fits", None, {"jref": str(tmp_path / "env")}).parent.name == "env"


def test_the_command_names_each_file_once():
    line = how_to_get(["jref$b.fits", "jref$a.fits", "iref$a.fits"], "refs")
    assert line.endswith("CRDS_PATH=refs crds sync --files a.fits b.fits")

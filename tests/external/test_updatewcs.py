"""updatewcs: from local reference files, without waiting, asking, or leaving a trace."""

import gzip
import shutil
import time

import pytest
from astropy.io import fits

from hst123r.external.updatewcs import answer_beforehand


@pytest.mark.parametrize(
    ("cards", "added"),
    [
        ({"DGEOFILE": "jref$a_dxy.fits"}, True),
        ({"DGEOFILE": "jref$a_dxy.fits", "NPOLFILE": "jref$a_npl.fits"}, False),
        ({"DGEOFILE": "N/A"}, False),
        ({}, False),
    ],
)
def test_a_dgeofile_alone_is_never_asked_about(cards, added):
    header = fits.Header(cards)
    answer_beforehand(header)
    assert (header.get("NPOLFILE") == "N/A") is added


def test_a_failure_is_a_sentence_and_comes_at_once(data, outside, tmp_path):
    """The reference file is not there, and no server is asked for two minutes."""
    path = data / "jsi00101q_flc.fits"
    fits.setval(path, "IDCTAB", value="jref$gone_idc.fits")
    began = time.monotonic()
    said = outside("refit", data, image=path.name, references={})
    assert "updatewcs failed" in said["error"]
    assert time.monotonic() - began < 60


@pytest.mark.real
def test_variables_are_as_before_and_names_without_one_are_found(shared_data, outside, tmp_path):
    """An exposure whose header names its files without a variable, and one of them with."""
    path = tmp_path / "j94f05bgq_flt.fits"
    given = shared_data / "acs_wfc" / "j94f05bgq_flt_stwcs.fits.gz"
    path.write_bytes(gzip.decompress(given.read_bytes()))
    fits.setval(path, "IDCTAB", value="jref$postsm4_idc.fits")
    jref = shared_data / "ref" / "jref"
    names = {
        "jref$postsm4_idc.fits": "postsm4_idc.fits", "qbu16424j_npl.fits": "qbu16424j_npl.fits",
        "new_wfc_d2i.fits": "new_wfc_d2i.fits",
    }  # fmt: skip
    references = {name: str(jref / plain) for name, plain in names.items()}
    said = outside(
        "refit", tmp_path, image=path.name, references=references, variables={"jref": "/elsewhere/"}
    )
    assert said == {"jref": "/elsewhere/", "iref": None, "uref": None}
    with fits.open(path) as hdus:
        header = hdus["SCI", 1].header
        assert header["WCSNAME"] == "IDC_postsm4"
        assert header["CTYPE1"] == "RA---TAN-SIP"
        assert header["A_ORDER"] == 4
        assert header["NPOLEXT"] == "qbu16424j_npl.fits"
        assert len([hdu for hdu in hdus if hdu.name == "WCSDVARR"]) == 4
    shutil.rmtree(tmp_path / "references")

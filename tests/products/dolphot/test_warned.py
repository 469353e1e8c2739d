from __future__ import annotations

import pytest

from hst123r.products.dolphot.warned import KINDS, OTHER, read_warnings


@pytest.mark.parametrize(
    ("line", "code", "image"),
    [
        ("Only 155 stars for alignment", KINDS[0][0], ""),
        ("No alignment stars matched for image 2, b.chip1 (350.0 sec)", KINDS[1][0], "b.chip1"),
        ("Large alignment scatter (0.71 pix) for image 3, c (ACS_F606W, 350.0 sec)", KINDS[2][0],
         "c"),
        ("Only 17 stars for PSF measurement", KINDS[3][0], ""),
        ("Only 39 aperture stars in image 1, j9_drz (710.0 sec)", KINDS[4][0], "j9_drz"),
        ("**Error: read past end of a.fits; truncated", KINDS[5][0], ""),
        ("The moon is full", OTHER, ""),
    ],
)  # fmt: skip
def test_sentences_become_caveats(write, line, code, image):
    (caveat,) = read_warnings(write(line + "\n"))
    assert (caveat.code, caveat.subject) == (code, image)
    assert caveat.text == f"DOLPHOT: {line}"


def test_a_sentence_counts_once(samples):
    caveats = read_warnings(samples / "public_real_acs_generic" / "version_multiext.warnings")
    assert len(caveats) == 7
    assert OTHER not in {caveat.code for caveat in caveats}


@pytest.mark.parametrize(
    ("name", "count"),
    [("generic/p2.phot", 1), ("wfc3_uvis/noref.phot", 1), ("wfpc2_pc/wfpc2.phot", 1),
     ("acs_wfc3_multi/multi.phot", 1), ("public_real_acs_generic/j9ec41011_drz_dolphot", 1),
     ("public_real_acs_generic/j9ec41afq_flc_dolphot", 0)],
)  # fmt: skip
def test_real_files(samples, name, count):
    assert len(read_warnings(samples / f"{name}.warnings")) == count

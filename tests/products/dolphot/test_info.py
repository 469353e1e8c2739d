from __future__ import annotations

import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.info import Setup, read_info

TEXT = """2 sets of output data
a.chip1
  55601.00500000
b.chip1
  55602.00500000

EXTENSION 0 CHIP 1
Limits
 0 512 0 256
* ACS-specific info
* image 1: F606W 1 350.000000
* WFC3-specific info
* image 2: F814W 2 500.000000
Alignment
 0.000000 0.000000 1.000000 0.000000 0.000000
 3.001962 -2.002934 0.999988 0.000000 0.000329
Aperture corrections
  0.050625
  0.049666
"""


def test_a_run(write):
    info = read_info(write(TEXT))
    assert info.images == ("a.chip1", "b.chip1")
    assert info.mjd == (55601.005, 55602.005)
    (section,) = info.sections
    assert (section.extension, section.chip, section.limits) == (0, 1, (0, 512, 0, 256))
    assert section.setups == {
        1: Setup("ACS", "F606W", 1, 350.0),
        2: Setup("WFC3", "F814W", 2, 500.0),
    }
    assert section.alignment[1] == (3.001962, -2.002934, 0.999988, 0.0, 0.000329)
    assert section.aperture_corrections == [0.050625, 0.049666]


@pytest.mark.parametrize(
    ("name", "images", "sections", "corrections", "coefficients"),
    [
        ("generic/p2.phot", 2, 1, [-0.00459, -0.009294], 5),
        ("wfc3_uvis/noref.phot", 4, 1, [0.046396, 0.045099, 0.051432, 0.050593], 5),
        ("wfc3_uvis/ref.phot", 4, 1, [0.045783, 0.04523, 0.051585, 0.050275], 5),
        ("wfpc2_pc/wfpc2.phot", 2, 1, [0.053124, 0.051433], 5),
        ("acs_wfc3_multi/multi.phot", 5, 1, [0.050625, 0.049666, 0.068783, 0.057479, 0.060614], 5),
        ("public_real_acs_generic/j9ec41011_drz_dolphot", 1, 1, [-0.094874], 40),
        ("public_real_acs_generic/j9ec41afq_flc_dolphot", 1, 2, [0.071222], 40),
        ("public_real_acs_generic/j9ec41aiq_flc_dolphot", 1, 2, [0.047113], 40),
        ("public_real_acs_generic/version_multiext", 1, 15, [-0.049718], 5),
    ],
)  # fmt: skip
def test_real_files(samples, name, images, sections, corrections, coefficients):
    info = read_info(samples / f"{name}.info")
    assert len(info.images) == len(info.mjd) == images
    assert len(info.sections) == sections
    assert info.sections[0].aperture_corrections == corrections
    assert {len(row) for row in info.sections[0].alignment} == {coefficients}
    analytic = name.startswith(("generic", "public"))
    assert len(info.sections[0].psf) == (3 * images if analytic else 0)


def test_a_run_that_stopped_in_its_last_section(samples):
    last = read_info(samples / "public_real_acs_generic/version_multiext.info").sections[-1]
    assert (last.extension, last.limits) == (15, (0, 60480, 0, 1))
    assert last.aperture_corrections == []


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [
        (lambda _: "", ":1", "should begin with the number of images"),
        (lambda text: "x\n" + text, ":1", "should begin with"),
        (lambda text: text.partition("EXT")[0], "", "says nothing about any image"),
        (lambda text: text[:50], ":4", "it lists 1 of 2 images"),
        (lambda text: text.replace("EXTENSION 0 CHIP 1\n", ""), ":7", "no section before"),
        (lambda text: text.replace("Limits\n", ""), ":8", "under no heading"),
        (lambda text: text.replace("0.999988", "O.999988"), ":16", "there should be numbers"),
        (lambda text: text[:-11], "", "1 aperture corrections for 2 images"),
        # 0.0496 of 0.049666
        (lambda text: text[:-3], "", "last line has no end"),
    ],
)
def test_what_is_no_info_file(write, change, line, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        read_info(write(change(TEXT), "run.phot.info"))
    assert caught.value.where.endswith(f"run.phot.info{line}")

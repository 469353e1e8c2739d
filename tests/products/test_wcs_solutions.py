"""The WCS solutions of a file: their names in plain words, and whether all of each is there."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.products.wcs_solutions import meaning, read_solutions


@pytest.mark.parametrize(
    ("name", "table", "catalogue", "says"),
    [
        ("OPUS", "", "", "no distortion"),
        ("IDC_2731450pi", "2731450pi", "", "with distortion, no fit"),
        ("IDC_2731450pi-GSC240", "2731450pi", "GSC240", "a priori"),
        ("IDC_4bb1536cj-GSC240-1", "4bb1536cj", "GSC240", "a priori"),
        ("IDC_4bb1536cj-HSC30", "4bb1536cj", "HSC30", "a priori"),
        ("IDC_a-FIT_REL_GAIADR2", "a", "GAIADR2", "exposures aligned to each other"),
        ("IDC_a-FIT_IMG_GAIAeDR3", "a", "GAIAeDR3", "each exposure by itself"),
        ("IDC_a-FIT_SVM_GAIAeDR3", "a", "GAIAeDR3", "exposures of a visit"),
        ("IDC_a-FIT_NEW_GAIADR4", "a", "GAIADR4", "a posteriori: aligned to GAIADR4"),
        ("ib4606c6q_flt_IDC_a-HSC30-hlet.fits", "a", "HSC30", "a priori"),
        ("TWEAK", "", "", "of its own name"),
        ("", "", "", "without a name"),
    ],
)
def test_what_a_name_means(name, table, catalogue, says):
    found = meaning(name)
    assert (found.table, found.catalogue) == (table, catalogue)
    assert says in found.words


@pytest.fixture
def rich(acs, add_headerlets):
    """Return an exposure with two alternates and two headerlets."""
    with fits.open(acs["science"], mode="update") as hdus:
        hdus[0].header["IDCTAB"] = "jref$toy_idc.fits"
        for version in (1, 2):
            header = hdus["SCI", version].header
            header.update(
                WCSNAME="IDC_toy-FIT_REL_GAIADR2", RMS_RA=6.0, RMS_DEC=5.0, NMATCHES=40,
                HDRNAME="first",
            )  # fmt: skip
            for letter, name, kind in (("B", "IDC_toy-GSC240", "-SIP"), ("O", "OPUS", "")):
                header[f"CTYPE1{letter}"], header[f"CTYPE2{letter}"] = (
                    f"RA---TAN{kind}", f"DEC--TAN{kind}",
                )  # fmt: skip
                header[f"WCSNAME{letter}"] = name
    add_headerlets(acs["science"], IDC_toy=0.0, IDC_toy__FIT_IMG_GAIAeDR3=0.5)
    return acs["science"]


def test_every_solution_is_found_with_what_it_says_of_itself(rich):
    found = read_solutions(rich)
    assert [(item.place, item.name) for item in found] == [
        ("primary", "IDC_toy-FIT_REL_GAIADR2"),
        ("alternate B", "IDC_toy-GSC240"),
        ("alternate O", "OPUS"),
        ("headerlet 1", "IDC_toy"),
        ("headerlet 2", "IDC_toy-FIT_IMG_GAIAeDR3"),
    ]
    assert [item.in_use for item in found] == [True, False, False, False, False]
    assert not any(item.lacks for item in found)
    assert [item.distorted for item in found] == [True, True, False, True, True]
    first, last = found[0], found[-1]
    assert (first.matches, first.rms_ra_mas, first.rms_dec_mas) == (40, 6.0, 5.0)
    assert (last.matches, last.rms_ra_mas, last.rms_dec_mas) == (120, 4.5, 3.5)
    # the numbers of what was not fitted mean nothing
    assert (found[3].matches, found[3].rms_ra_mas) == (None, None)
    assert first.headerlet == "first"
    assert {item.table for item in found} == {"jref$toy_idc.fits", ""}
    assert last.as_json()["complete"] is True


def test_missing_coefficients_and_tables_are_named(rich):
    with fits.open(rich, mode="update") as hdus:
        header = hdus["SCI", 2].header
        order = header["A_ORDER"]
        for i in range(order + 1):
            header.pop(f"A_{i}_{order - i}", None)
        header["CPDIS1"] = "Lookup"
        header["DP1.EXTVER"] = 3.0
    found = read_solutions(rich)
    assert found[0].lacks == ["SIP coefficients A", "lookup tables WCSDVARR 3"]
    # an alternate lives on the coefficients of the one in use; a headerlet has its own
    assert found[1].lacks == found[0].lacks
    assert found[2].lacks == found[3].lacks == []


@pytest.mark.parametrize(("columns", "whole"), [(64, True), (10, False)])
def test_a_table_that_was_cut_is_told(rich, columns, whole):
    table = fits.ImageHDU(np.zeros((32, columns), "f4"), name="WCSDVARR")
    table.header.update(CDELT1=64.0, CDELT2=64.0)
    with fits.open(rich, mode="update") as hdus:
        hdus[0].header["SUBARRAY"] = False
        hdus["SCI", 1].header["CPDIS1"] = "Lookup"
        hdus.append(table)
    lacks = read_solutions(rich)[0].lacks
    assert lacks == ([] if whole else ["part of lookup tables WCSDVARR 1"])


def test_an_alternate_of_another_table_is_not_complete(rich):
    with fits.open(rich, mode="update") as hdus:
        hdus["SCI", 1].header["WCSNAMEB"] = "IDC_older-GSC240"
    alternate = read_solutions(rich)[1]
    assert alternate.table == "older"
    assert "of another" in alternate.lacks[0]


def test_what_is_no_exposure_is_said(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    (tmp_path / "text.fits").write_text("hello")
    with pytest.raises(InputError, match="no SCI extension"):
        read_solutions(tmp_path / "empty.fits")
    with pytest.raises(InputError, match="cannot be read as FITS"):
        read_solutions(tmp_path / "text.fits")


def test_a_table_that_is_named_need_not_be_applied(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header["IDCTAB"] = "uref$a_idc.fits"
    chip = fits.ImageHDU(np.zeros((4, 4), "f4"), name="SCI")
    chip.header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN")
    fits.HDUList([primary, chip]).writeto(tmp_path / "x.fits")
    (found,) = read_solutions(tmp_path / "x.fits")
    assert (found.table, found.distorted, found.lacks) == ("uref$a_idc.fits", False, [])

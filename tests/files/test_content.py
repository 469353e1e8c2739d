"""Facets: what changed when a file changed."""

import hashlib

import numpy as np
import pytest
from astropy.io import fits
from blake3 import blake3

from hst123r.files.content import FACETS, Signature, digest_file, facet_of_card, look


def changed(one, other):
    return {name for name in FACETS if one.facets[name] != other.facets[name]}


def test_digests_are_those_of_the_bytes(image):
    path = image()
    content = look(path, sha256=True)
    assert content.digest == "blake3:" + blake3(path.read_bytes()).hexdigest() == digest_file(path)
    assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert content.size == path.stat().st_size
    assert content.kind == "fits"


def flip(path):
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[3, 4] += 1


def set_card(name, hdu, keyword, value):
    def change(path):
        with fits.open(path, mode="update") as hdus:
            hdus[hdu].header[keyword] = value

    change.__name__ = name
    return change


def history(path):
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.add_history("somebody looked at it")


def flag(path):
    with fits.open(path, mode="update") as hdus:
        hdus["DQ"].data[0, 0] = 4


def headerlet(path):
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((2, 2)), name="HDRLET"))


def lookup(path):
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((2, 2)), name="D2IMARR"))


def swap_rows(path):
    """An image turned upside down has the same FITS DATASUM; its pixels have changed."""
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data = hdus["SCI"].data[::-1].copy()


@pytest.mark.parametrize(
    ("change", "facets"),
    [
        (flip, {"pixels"}),
        (swap_rows, {"pixels"}),
        (flag, {"dq"}),
        (set_card("wcs", "SCI", "CRVAL1", 10.5), {"wcs"}),
        (set_card("sip", "SCI", "A_2_0", 1e-6), {"wcs"}),
        (lookup, {"wcs"}),
        (set_card("other wcs", "SCI", "CRVAL1A", 10.5), {"alternates"}),
        (headerlet, {"alternates"}),
        (set_card("time", 0, "EXPTIME", 101.0), {"science"}),
        (set_card("calibration", "SCI", "PHOTFLAM", 2e-19), {"science"}),
        (history, {"volatile"}),
        (set_card("date", 0, "DATE", "2021-01-01"), {"volatile"}),
        (set_card("stamp", 0, "H123RUN", "x"), {"volatile"}),
        (set_card("software", 0, "OPUS_VER", "x"), {"volatile"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_change_shows_in_its_facet_alone(image, change, facets):
    path = image()
    before = look(path)
    change(path)
    after = look(path)
    assert after.digest != before.digest
    assert changed(before, after) == facets


def test_the_order_of_cards_means_nothing_but_their_values_do(image):
    one = image("a_flt.fits", cards={"AAA": 1, "BBB": 2})
    other = image("b_flt.fits", cards={"BBB": 2, "AAA": 1})
    assert changed(look(one), look(other)) == set()


def test_two_equal_images_in_other_extensions_differ(image, tmp_path):
    data = np.zeros((4, 4), "f4")
    for name, order in (("a.fits", ("SCI", "ERR")), ("b.fits", ("ERR", "SCI"))):
        hdus = [fits.ImageHDU(data + i, name=e) for i, e in enumerate(order)]
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / name)
    one, other = look(tmp_path / "a.fits"), look(tmp_path / "b.fits")
    assert one.facets["pixels"] != other.facets["pixels"]


def test_files_that_are_not_fits_have_their_bytes_only(tmp_path):
    path = tmp_path / "x.ecsv"
    path.write_text("hello")
    content = look(path)
    assert content.facets == {}
    assert content.kind == "file"
    assert content.facet("pixels") == content.digest


def test_a_damaged_file_has_no_facets_but_a_digest(image):
    path = image()
    path.write_bytes(path.read_bytes()[:-100])
    content = look(path)
    assert content.kind == "file"
    assert content.digest == digest_file(path)


def test_a_copy_can_be_made_in_the_same_read(image, tmp_path):
    path = image()
    with (tmp_path / "copy").open("wb") as out:
        look(path, tee=out.write)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("keyword", "facet"),
    [("CD1_1", "wcs"), ("CD1_1O", "alternates"), ("WCSNAMEB", "alternates"), ("IDCTAB", "wcs"),
     ("D001DATA", "volatile"), ("D001SCAL", "science"), ("A_ORDER", "wcs"), ("GAIN", "science"),
     ("COMMENT", "volatile"), ("", "volatile"), ("DATE-OBS", "science"), ("DP1", "wcs"),
     ("VAFACTOR", "wcs"), ("FILTER1", "science")],
)  # fmt: skip
def test_facets_of_cards(keyword, facet):
    assert facet_of_card(keyword) == facet


def test_signatures_see_what_mtime_alone_does_not(tmp_path):
    import os

    path = tmp_path / "x"
    path.write_text("one")
    before = Signature.of(path)
    stat = path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = Signature.of(path)
    assert after.mtime_ns == before.mtime_ns
    assert after.size == before.size
    assert after != before
    assert Signature.of(tmp_path / "nothing") is None


@pytest.mark.real
def test_real_files_split_into_facets(shared_data):
    for name in ("acs_wfc/jbt122x8q_flc_header.fits", "wfc3_uvis/sample_svm_flc.fits"):
        content = look(shared_data / name)
        assert content.kind == "fits"
        with fits.open(shared_data / name) as hdus:
            assert len(content.headers) == len(hdus)
            for ours, theirs in zip(content.headers, hdus, strict=True):
                assert (ours.name, ours.version) == (theirs.name, theirs.ver)

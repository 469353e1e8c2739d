"""Our reading of FITS blocks agrees with astropy, and damage is named."""

import io
import re

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from hst123r.errors import InputError
from hst123r.files.fits_blocks import walk


def blocks(hdus):
    stream = io.BytesIO()
    hdus.writeto(stream)
    stream.seek(0)
    return list(walk(stream, "x.fits"))


def test_values_agree_with_astropy():
    header = fits.Header()
    header["INT"] = 5
    header["FLOAT"] = (-1.5e-19, "with a comment")
    header["TEXT"] = ("it's / quoted", "c")
    header["EMPTY"] = ""
    header["YES"] = True
    header["LONG"] = "x" * 150
    header["HIERARCH ESO SOMETHING LONG"] = 2.5
    header["UNDEF"] = None
    header.add_history("a line")
    header.add_comment("another")
    hdu = blocks(fits.HDUList([fits.PrimaryHDU(header=header)]))[0]
    for card in header.cards:
        if card.keyword in {"HISTORY", "COMMENT"}:
            continue
        value = None if isinstance(card.value, fits.card.Undefined) else card.value
        assert hdu.get(card.keyword) == value, card.keyword
    assert hdu.get("HISTORY") == "a line"


@given(
    st.dictionaries(
        st.from_regex(r"\A[A-Z][A-Z0-9_-]{0,7}\Z").filter(
            lambda k: k not in {"END", "SIMPLE", "BITPIX", "NAXIS", "EXTEND", "CONTINUE", "COMMENT",
                                "HISTORY", "GROUPS", "HIERARCH", "XTENSION", "BLANK", "BSCALE",
                                "BZERO"} and not k.startswith("NAXIS")
        ),
        st.one_of(
            st.integers(-(2**62), 2**62), st.booleans(),
            st.floats(allow_nan=False, allow_infinity=False, width=64),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_header_reads_as_astropy_reads_it(cards):
    header = fits.Header()
    for keyword, value in cards.items():
        header[keyword] = value
    written = io.BytesIO()
    fits.PrimaryHDU(header=header).writeto(written)
    written.seek(0)
    theirs = fits.getheader(written)
    written.seek(0)
    ours = next(walk(written, "x"))
    for keyword in cards:
        theirs_value = theirs[keyword]
        if isinstance(theirs_value, str):
            assert str(ours.get(keyword)).rstrip() == theirs_value.rstrip()
        else:
            assert ours.get(keyword) == pytest.approx(theirs_value, rel=1e-12)


def test_data_are_where_astropy_finds_them(image):
    path = image()
    with path.open("rb") as stream, fits.open(path) as hdus:
        for ours, theirs in zip(walk(stream, "x"), hdus, strict=True):
            info = theirs.fileinfo()
            assert ours.data_start == info["datLoc"]
            assert -(-ours.data_size // 2880) * 2880 == info["datSpan"]
            assert ours.name == theirs.name


def test_tables_and_heaps():
    table = fits.BinTableHDU.from_columns(
        [fits.Column("a", "PJ()", array=np.array([[1, 2], [3]], dtype=object))]
    )
    found = blocks(fits.HDUList([fits.PrimaryHDU(), table]))
    assert found[1].data_size == 2 * 8 + 3 * 4


@pytest.mark.parametrize(
    ("cut", "says"),
    [(0, "is empty"), (100, "in the middle of the header"),
     (2880 * 2, "in the middle of the data of HDU 1 (SCI)"),
     (-2880, "in the middle of the data of HDU 3 (DQ); it is truncated"), (-1, "truncated")],
)  # fmt: skip
def test_truncation_is_named(image, cut, says):
    content = image().read_bytes()
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        list(walk(io.BytesIO(content[:cut] if cut else b""), "x.fits"))
    assert "x.fits" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>maintenance</html>", "is not a FITS file"),
        (b"SIMPLE  =" + b" " * 2871 * 3, "no end"),
    ],
)
def test_what_is_not_fits(content, says):
    with pytest.raises(InputError) as caught:
        list(walk(io.BytesIO(content), "x"))
    assert says in str(caught.value) or "truncated" in str(caught.value)


def test_garbage_behind_the_last_extension_is_damage(image):
    content = image().read_bytes()
    with pytest.raises(InputError, match="damaged behind HDU 3"):
        list(walk(io.BytesIO(content + b"x" * 2880), "x"))
    assert len(list(walk(io.BytesIO(content + b"\0" * 2880), "x"))) == 4

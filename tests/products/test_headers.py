"""Values of header cards."""

import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.products import headers

HEADER = fits.Header(
    [("EXPTIME", 400.0), ("CCDCHIP", 2), ("WORD", "abc"), ("FLAG", True), ("BLANK", "  "),
     ("HALF", 1.5), ("NAME", " jsi00101q ")]
)  # fmt: skip


def test_what_is_there_is_returned():
    assert headers.real(HEADER, "EXPTIME", "f") == 400.0
    assert headers.real(HEADER, "CCDCHIP", "f") == 2.0
    assert headers.whole(HEADER, "CCDCHIP", 1, "f") == 2
    assert headers.whole(HEADER, "NOTHING", 7, "f") == 7
    assert headers.name(HEADER, "NAME", "f") == "jsi00101q"
    assert headers.text(HEADER, "NOTHING") == ""
    assert headers.number(HEADER, "EXPTIME") == 400.0


@pytest.mark.parametrize("keyword", ["NOTHING", "WORD", "FLAG"])
def test_what_is_no_number_is_none_where_it_may_be_missing(keyword):
    assert headers.number(HEADER, keyword) is None


@pytest.mark.parametrize(
    ("read", "keyword", "says"),
    [
        (lambda key: headers.real(HEADER, key, "f.fits"), "NOTHING", "f.fits: its header has no"),
        (lambda key: headers.real(HEADER, key, "f.fits"), "WORD", "its WORD is 'abc', not a"),
        (lambda key: headers.real(HEADER, key, "f.fits"), "FLAG", "its FLAG is True, not a"),
        (lambda key: headers.whole(HEADER, key, 1, "f.fits"), "HALF", "its HALF is 1.5, not a"),
        (lambda key: headers.name(HEADER, key, "f.fits"), "BLANK", "its header has no BLANK"),
    ],
)  # fmt: skip
def test_what_is_missing_or_senseless_is_named_with_the_file(read, keyword, says):
    with pytest.raises(InputError, match=says):
        read(keyword)

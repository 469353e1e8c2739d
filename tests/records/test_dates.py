"""Dates of recipes and headers."""

import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from hst123r.records.dates import iso, parse


@pytest.mark.parametrize(
    ("text", "mjd"),
    [("2009-01-01", 54832.0), ("2009-01-01T12:00:00", 54832.5), ("MJD 54832.5", 54832.5),
     ("2009-01-01 06:00", 54832.25), ("2009-01-01T12:00:00Z", 54832.5)],
)  # fmt: skip
def test_reads(text, mjd):
    assert parse(text) == pytest.approx(mjd, abs=1e-9)


@pytest.mark.parametrize("text", ["yesterday", "2009-13-01", "2009-1-1", 2009, "01/02/2009", None])
def test_refuses_with_an_example(text):
    with pytest.raises(ValueError, match="is not a date"):
        parse(text)


@pytest.mark.parametrize("text", ["MJD 99999999999", "9999-12-31", "0001-01-01", "1899-12-31"])
def test_refuses_what_is_far_from_hubbles_time(text):
    with pytest.raises(ValueError, match="is not a date between 1900 and 2199"):
        parse(text)


@given(st.integers(48000, 61000), st.floats(0.0001, 0.9999))
def test_agrees_with_astropy(day, fraction):
    mjd = day + fraction
    # whole seconds are cut off; a day that ends in a leap second is a second longer to Astropy
    assert abs(Time(iso(mjd), scale="utc").mjd - mjd) * 86400 < 2.001
    assert iso(mjd, day=True) == Time(mjd, format="mjd", scale="utc").iso[:10]

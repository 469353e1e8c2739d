"""Positions: read by syntax, echoed in both forms, in agreement with astropy."""

import re

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from hst123r.records.position import SkyPosition, parse


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("12:45:08.14 -00:27:32.8", 191.28391666666667, -0.4591111111111111),
        ("12h45m08.14s -00d27m32.8s", 191.28391666666667, -0.4591111111111111),
        ("12 45 08.14 -00 27 32.8", 191.28391666666667, -0.4591111111111111),
        ("191.2839167 -0.4591111", 191.2839167, -0.4591111),
        ("191.2839167, -0.4591111", 191.2839167, -0.4591111),
        ("187.5 −45", 187.5, -45.0),
        ("191.2839167,-0.4591111", 191.2839167, -0.4591111),
        ("12h45m -00d27m", 191.25, -0.45),
        ("12.75h -0.46", 191.25, -0.46),
        ("12h45.5m 3°", 191.375, 3.0),
        ("12h45m08.14s,-00d27'32.8\"", 191.28391666666667, -0.4591111111111111),
        ("12:45 -0:27", 191.25, -0.45),
        ("12:45:08.14 -0.46", 191.28391666666667, -0.46),
        ("12 45 08.14 -0.46", 191.28391666666667, -0.46),
        ("10, 20 30 36", 10.0, 20.51),
        ("0 0", 0.0, 0.0),
        ("23:59:59.999 +89:59:59.99", 359.99999583333333, 89.99999722222222),
    ],
)
def test_hours_or_degrees_by_syntax(text, ra, dec):
    found = parse(text)
    assert found.ra_deg == pytest.approx(ra, abs=1e-12)
    assert found.dec_deg == pytest.approx(dec, abs=1e-12)


def test_minus_zero_degrees_is_negative():
    assert parse("00:00:00 -00:00:01").dec_deg == pytest.approx(-1 / 3600)
    assert parse("00:00:00 -00:00:01").sexagesimal.endswith("-00:00:01.000")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("somewhere", "is not a position"),
        ("24:00:00 0", "is not below 24 hours"),
        ("360 0", "is not below 360 degrees"),
        ("10 91", "is outside -90 to +90 degrees"),
        ("12:60:00 0", "must be below 60"),
        (12.5, "write it as text"),
        ("12:45:08.14", "is not a position"),
        ("-10 20", "is not a position"),
        ("10 20 30 40", "is not a position"),
        ("12.5h30m 3", "is not a position"),
        ("12.5h61m 3", "is not a position"),
        ("１２ ３", "is not a position"),
    ],
)
def test_wrong_positions_are_refused_with_an_example(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(text)


def test_no_right_ascension_of_360_degrees_is_echoed():
    position = SkyPosition(359.99999999999, 0.0)
    assert position.decimal == "0.0000000 +0.0000000"
    assert position.sexagesimal == "00:00:00.0000 +00:00:00.000"


@given(ra=st.floats(0, 359.999999), dec=st.floats(-90, 90), east=st.floats(-1, 1))
def test_an_offset_is_as_far_as_it_says_at_the_poles_too(ra, dec, east):
    start = SkyPosition(ra, dec)
    found = start.offset(east / 3600, 1 / 3600)
    assert 0 <= found.ra_deg < 360
    assert -90 <= found.dec_deg <= 90
    assert start.separation_arcsec(found) == pytest.approx((east**2 + 1) ** 0.5, abs=1e-6)


def test_no_offset_changes_nothing():
    assert SkyPosition(10.1, 90.0).offset(0.0, 0.0) == SkyPosition(10.1, 90.0)


@given(ra=st.floats(0, 359.9999999), dec=st.floats(-90, 90))
def test_both_forms_read_back(ra, dec):
    position = SkyPosition(ra, dec)
    assert parse(position.sexagesimal).separation_arcsec(position) < 1e-3
    assert parse(position.decimal).separation_arcsec(position) < 1e-3


@given(ra=st.floats(0, 359.99), dec=st.floats(-89.99, 89.99))
def test_agrees_with_astropy(ra, dec):
    position = SkyPosition(ra, dec)
    theirs = SkyCoord(position.sexagesimal, unit=(u.hourangle, u.deg))
    assert position.skycoord.separation(theirs).arcsec < 1e-3


@given(ra=st.floats(1, 358), dec=st.floats(-80, 80), step=st.floats(1e-4, 1))
def test_separation_agrees_with_astropy(ra, dec, step):
    one, other = SkyPosition(ra, dec), SkyPosition(ra + step, dec + step)
    expected = one.skycoord.separation(other.skycoord).arcsec
    assert one.separation_arcsec(other) == pytest.approx(expected, rel=1e-7)

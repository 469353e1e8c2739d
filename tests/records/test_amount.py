"""Amounts: numbers with units, as people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hst123r.records.amount import UNITS, Amount, parse, schema_pattern


@pytest.mark.parametrize(
    ("text", "dimension", "unit", "value"),
    [
        ("0.05 arcsec", "angle", "arcsec", 0.05),
        ("5 arcmin", "angle", "arcsec", 300.0),
        ("2 mas", "angle", "arcsec", 0.002),
        ('3"', "angle", "arcsec", 3.0),
        ("15s", "time", "s", 15.0),
        ("1 day", "time", "s", 86400.0),
        ("1e-3 deg", "angle", "arcsec", 3.6),
        ("-2 pix", "pixel", "pix", -2.0),
        ("0 s", "time", "s", 0.0),
    ],
)
def test_reads_and_converts(text, dimension, unit, value):
    assert parse(text, dimension).to(unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "dimension", "says"),
    [
        (0.05, "angle", "has no unit, write for example 0.05 arcsec"),
        ("0.05", "angle", "has no unit"),
        (True, "time", "is not a time"),
        ("5 parsec", "angle", "is not a unit known here; an angle is needed (mas, arcsec"),
        ("5 s", "angle", "is a time; an angle is needed"),
        ("five arcsec", "angle", "is not an angle, write for example 2 arcsec"),
        (None, "angle", "is not an angle"),
        ("1e999 arcsec", "angle", "is not finite"),
        ("", "angle", "is not an angle"),
    ],
)
def test_says_what_would_be_right(text, dimension, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(text, dimension)


def test_units_of_other_dimensions_do_not_convert():
    with pytest.raises(ValueError, match="is an angle, it cannot be given in s"):
        Amount(1.0, "arcsec").to("s")


def test_agrees_with_astropy():
    for units in UNITS.values():
        for unit in units:
            amount = Amount(2.5, unit)
            if unit in {"MB", "GB"}:
                continue
            for other in units:
                assert amount.to(other) == pytest.approx(
                    amount.quantity.to_value(Amount(1.0, other).quantity.unit), rel=1e-12
                )


@given(
    value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12),
    unit=st.sampled_from(sorted(UNITS["angle"])),
)
def test_text_round_trips_and_matches_the_schema(value, unit):
    text = str(Amount(value, unit))
    assert parse(text, "angle").value == pytest.approx(value, rel=1e-14, abs=1e-300)
    assert re.search(schema_pattern("angle"), text)


@pytest.mark.parametrize("text", ["0.05", "x arcsec", "5 s", "5 arcsecc"])
def test_schema_pattern_refuses_what_the_reader_refuses(text):
    assert not re.search(schema_pattern("angle"), text)
    with pytest.raises(ValueError, match=r"write for example|not a unit|is a time"):
        parse(text, "angle")


@pytest.mark.parametrize(
    ("text", "sign", "says"),
    [
        ("-5 s", "not negative", "-5 s is below 0 s"),
        ("-0 s", "not negative", "is below 0 s"),
        ("0 s", "positive", "0 s is not above 0 s"),
        ("0.00e5 min", "positive", "is not above 0 min"),
        ("-1 s", "positive", "is below 0 s"),
        ("１ s", "any", "is not a time"),
    ],
)
def test_bounds_hold_in_the_reader_and_in_the_schema(text, sign, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(text, "time", sign)
    assert not re.search(schema_pattern("time", sign), text)


@pytest.mark.parametrize("text", ["5 s", "+5 s", "0.05 s", ".5s", "10 s", "1e-3 s", "0 s", "0.0 s"])
@pytest.mark.parametrize("sign", ["not negative", "positive"])
def test_what_is_inside_the_bounds_is_taken_by_both(text, sign):
    good = sign == "not negative" or parse(text, "time").value > 0
    assert bool(re.search(schema_pattern("time", sign), text)) is good
    if good:
        assert parse(text, "time", sign) == parse(text, "time")

"""Conditions of the command line: units, texts, versions."""

import pytest

from hst123r.engine.conditions import read
from hst123r.errors import InputError


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("a.b > 0.3 pix", "0.5 pix", True),
        ("a.b>0.3pix", "0.3 pix", False),
        ("a >= 20 mas", "0.02 arcsec", True),
        ("a < 1 arcmin", "59 arcsec", True),
        ("a > 0.3 pix", "10 mas", None),
        ("a > 0.3", "10 mas", None),
        ("a > 0.3", "null", None),
        ("a != 0.3", "null", True),
        ("a = 3", "3.0", True),
        ("a == -1e-3", "-0.001", True),
        ("a = rscale", "rscale", True),
        ('a = ["x","y"]', '["x", "y"]', True),
        ("a != rscale", "rscale", False),
        ("a = false", "false", True),
    ],
)
def test_what_fulfils_a_condition(text, value, holds):
    assert read("--where", text).holds(value) is holds


@pytest.mark.parametrize(
    ("text", "version", "holds"),
    [
        ("p<3.6", "3.5.1", True),
        ("p<3.6", "3.10.0", False),
        ("p<3.6", "3.6.0rc1", True),
        ("p>=3.6", "3.6.0", True),
        ("p>3.6", "3.6.0", False),
        ("p<=3.6", "3.6", True),
        ("p=3.6", "3.6.2", True),
        ("p!=3.6", "3.7", True),
        ("p>3.6.dev1", "3.6", True),
        ("p<2", "1.9+local.5", True),
    ],
)
def test_versions_are_compared_number_by_number(text, version, holds):
    assert read("--software", text).holds_version(version) is holds


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_rms", "this is no condition, write for example"),
        ("> 3", "this is no condition"),
        ("a > 3 quux", "there is no unit quux"),
    ],
)
def test_what_is_no_condition_is_a_sentence(text, sentence):
    with pytest.raises(InputError, match=sentence):
        read("--where", text)


def test_texts_have_no_order():
    with pytest.raises(InputError, match="texts can only be equal or not"):
        read("--where", "a < b").holds("c")

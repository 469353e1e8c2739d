"""What a recipe can say about drizzling."""

import pytest
from pydantic import ValidationError

from hst123r.records.drizzling import DrizzleParams


@pytest.mark.parametrize(
    ("number", "kind", "nhigh"),
    [(1, "minmed", 0), (6, "minmed", 0), (7, "median", 1), (8, "median", 2), (10, "median", 3),
     (12, "median", 4), (20, "median", 8)],
)  # fmt: skip
def test_the_rule_of_hst123(number, kind, nhigh):
    assert DrizzleParams().rule(number) == (kind, nhigh)


def test_the_recipe_wins_over_the_rule():
    assert DrizzleParams(combine="imedian").rule(8) == ("imedian", 2)
    assert DrizzleParams(combine="mean", combine_nhigh=0).rule(20) == ("mean", 0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bits": [96]}, "96 is not one bit"),
        ({"zeropoint": 25.0, "units": "counts"}, "fixed zeropoint is that of a rate"),
        ({"extra": ["jsi00102q"]}, "there are none; give mask"),
        (
            {"extra": ["jsi00102q"], "mask": [{"position": "1 2"}], "units": "counts"},
            "leave out units: counts",
        ),
        ({"mask": [{"position": "1 2", "half_size": "3 pix"}]}, "half_size"),
        ({"max_megapixels": 0}, "greater than 0"),
        ({"size": "5200"}, "has no unit"),
        ({"per": ["weather"]}, "Input should be"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        DrizzleParams.model_validate(given)

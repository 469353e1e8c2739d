"""A call of hst123 is read as hst123 reads it, and what that would refuse is refused."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.hst123.options import GONE, OPTIONS, read_call

PLACE = ["12:45:08.14", "-00:27:32.8"]


def test_flags_values_other_names_and_names_cut_short():
    call = read_call([*PLACE, "--down", "--ref", "my.fits", "--df", "--tweak-search=0.5", "--sd"])
    assert (call.ra, call.dec) == tuple(PLACE)
    assert call.values == {
        "download": True, "reference": "my.fits", "do-fake": True, "tweak-search": 0.5,
        "scrape-dolphot": True,
    }  # fmt: skip


def test_what_was_given_and_not_taken_is_known():
    call = read_call([*PLACE, "--download", "--brightest"])
    assert call.take("download") is True
    assert call.take("archive") is None
    assert call.left == ["brightest"]


@pytest.mark.parametrize(("words", "says"), [
    ([], "before all options"),
    (["--download", *PLACE], "before all options"),
    ([*PLACE, "--tweak"], "could match"),
    ([*PLACE, "--nonsense"], "--nonsense"),
    ([*PLACE, "--fit-sky", "much"], "much"),
    ([*PLACE, "--archive"], "expected one argument"),
])  # fmt: skip
def test_what_hst123_would_not_understand(words, says):
    with pytest.raises(InputError, match=says):
        read_call(words, "reduce.sh:3")


def test_no_name_is_there_twice():
    names = [
        name
        for option in (*OPTIONS, *GONE)
        for name in (option.name, *option.also, *option.earlier)
    ]
    assert len(names) == len(set(names))


def test_names_of_earlier_versions():
    """As in scripts of 2019 to 2025; what is a value is never taken for a name."""
    call = read_call(
        [*PLACE, "--rundolphot", "--drizscale=0.04", "--object", "byvisit", "--tweak_min_obj", "9"]
    )
    assert call.values == {
        "run-dolphot": True, "drizzle-scale": 0.04, "object": "byvisit", "tweak-min-obj": 9,
    }  # fmt: skip
    for option in OPTIONS:
        for name in option.earlier:
            words = [f"--{name}"] if option.kind == "flag" else [f"--{name}", "7"]
            assert list(read_call([*PLACE, *words]).values) == [option.name]


def test_options_that_are_no_more():
    call = read_call([*PLACE, "--makeclean", "--alert", "mail.cfg", "--large-num=9", "--download"])
    assert call.values == {"download": True}
    assert set(call.gone) == {"makeclean", "alert", "large_num"}
    assert all(option.why for option in GONE)

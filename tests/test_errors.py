"""Errors: a sentence, a place, a hint, and an exit code."""

import pytest

from hst123r import errors
from hst123r.errors import closest, did_you_mean


def test_a_sentence_says_where_and_what_to_try():
    found = errors.InputError("it is empty", where="a.fits", hint="Fetch it again")
    assert str(found) == "a.fits: it is empty. Fetch it again"
    assert str(errors.StageError("no product")) == "no product"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("InputError", 2), ("StageError", 4), ("ArchiveError", 5), ("EnvironmentProblem", 6),
     ("Busy", 6)],
)  # fmt: skip
def test_every_error_has_an_exit_code_that_is_explained(kind, code):
    found = getattr(errors, kind)
    assert found.exit_code == code
    assert issubclass(found, errors.Hst123rError)
    assert errors.EXIT_CODES[code]


def test_exit_codes_are_those_that_are_promised():
    assert set(errors.EXIT_CODES) == {0, 1, 2, 3, 4, 5, 6, 10, 130}


@pytest.mark.parametrize(
    ("word", "known", "says"),
    [
        ("pixfrak", ["pixfrac", "scale"], "did you mean 'pixfrac'?"),
        ("F814", ["F814W", "F606W"], "did you mean 'F814W'?"),
        ("ACS/WCF", ["ACS/WFC", "WFPC2"], "did you mean 'ACS/WFC'?"),
        ("acs/wfc", ["ACS/WFC", "WFPC2"], "did you mean 'ACS/WFC'?"),
        ("zzz", ["pixfrac", "scale"], "known are pixfrac, scale"),
        ("zzz", [], "nothing is allowed here"),
        ("zzz", [f"a{n:02d}" for n in range(30)], "a23, …"),
    ],
)
def test_a_misspelled_word_is_answered_with_what_was_meant(word, known, says):
    assert says in errors.did_you_mean(word, known)


FILTERS = ["F555W", "F606W", "F791W", "F814W", "FR914M"]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("f814w", FILTERS, "F814W"),
        ("F841W", FILTERS, "F814W"),
        ("F814", FILTERS, "F814W"),
        ("F999W", FILTERS, None),
        ("ACS/WCF", ["ACS/HRC", "ACS/WFC"], "ACS/WFC"),
        ("serch_radus", ["search_radius", "fit_radius"], "search_radius"),
        ("min_exp", ["min_exposure", "margin"], "min_exposure"),
        ("m", ["min_exposure", "margin"], None),
        ("x", ["y"], None),
        ("", ["a"], None),
        ("anything", [], None),
    ],
)
def test_what_is_near_is_meant_whatever_its_case(word, known, meant):
    assert closest(word, known) == meant


def test_where_nothing_is_near_what_is_known_is_listed():
    assert did_you_mean("F999W", FILTERS) == "known are F555W, F606W, F791W, F814W, FR914M"
    assert did_you_mean("x", []) == "nothing is allowed here"
    assert did_you_mean("zzzz", [f"word{i}" for i in range(40)]).endswith("word23, …")

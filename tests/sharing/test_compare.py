"""A changed pixel, a changed number and another version are each found and named."""

import copy

import pytest

from hst123r.sharing.compare import compare


def verdicts(lines):
    return {line.what: (line.passed, line.found) for line in lines}


def changed(extract):
    return copy.deepcopy(extract)


def test_equal_runs_are_equal(extract):
    found = verdicts(compare(extract, changed(extract), 0.01))
    assert all(passed for passed, _ in found.values())
    assert set(found) == {"software", "fetch", "stacks", "scrape", "photometry of SN"}


@pytest.mark.parametrize("facet", ["pixels", "dq", "wcs", "science"])
def test_a_facet_that_differs_is_named(extract, facet):
    other = changed(extract)
    other["jobs"][1]["products"][0]["files"][0]["facets"][facet] = "blake3:9"
    passed, text = verdicts(compare(extract, other, 0.01))["stacks"]
    assert passed is False
    assert text == f"0 of 1 files equal; stack a (science) differs in {facet}"


def test_what_means_nothing_does_not_count(extract):
    other = changed(extract)
    other["jobs"][1]["products"][0]["files"][0]["facets"]["volatile"] = "blake3:9"
    other["jobs"][1]["products"][0]["files"][0]["digest"] = "blake3:8"
    other["jobs"][3]["products"][0]["files"][0]["digest"] = "blake3:8"
    assert all(line.passed for line in compare(extract, other, 0.01))


def test_a_table_with_other_bytes_and_one_that_is_missing(extract):
    other = changed(extract)
    other["jobs"][2]["products"][0]["files"][0]["digest"] = "blake3:9"
    other["jobs"][1]["products"] = []
    found = verdicts(compare(extract, other, 0.01))
    assert found["scrape"] == (
        False, "0 of 1 files equal; light curve a (table) differs in content",
    )  # fmt: skip
    assert "is not there" in found["stacks"][1]


def test_versions_are_a_note(extract):
    other = changed(extract)
    other["environment"]["packages"] = {"astropy": "8.0", "numpy": "2.0"}
    passed, text = verdicts(compare(extract, other, 0.01))["software"]
    assert passed is None
    assert text == "astropy 7.0 -> 8.0, numpy none -> 2.0"


@pytest.mark.parametrize(("flux", "passed", "says"), [
    (100.0, True, "more than 0 sigma"), (100.01, True, "0.005 sigma"),
    (101.0, False, "0.5 sigma; the worst is epoch ACS/WFC F606W 20190401"), (None, False, "inf"),
])  # fmt: skip
def test_fluxes_are_compared_by_their_errors(extract, flux, passed, says):
    other = changed(extract)
    other["photometry"][0]["flux_njy"] = flux
    found = verdicts(compare(extract, other, 0.01))["photometry of SN"]
    assert found[0] is passed
    assert says in found[1]


def test_a_row_that_is_lost(extract):
    other = changed(extract)
    other["photometry"][0]["epoch"] = "20190402"
    passed, text = verdicts(compare(extract, other, 0.01))["photometry of SN"]
    assert passed is False
    assert "2 are in one of them only" in text

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
    assert set(found) == {
        "software", "parameters", "fetch", "stacks", "scrape", "measurements", "photometry of SN",
    }  # fmt: skip


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
    (100.0, True, "more than 0 sigma"), (100.01, True, "0.0035 sigma"),
    (101.0, False, "0.35 sigma; the worst is 1 epoch ACS/WFC F606W 20190401"),
    (None, False, "inf"),
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


@pytest.mark.parametrize(("name", "value"), [
    ("flux_err_njy", 50.0), ("mag_ab", 18.0), ("limit_ab", 27.5), ("flags", 4),
    ("n_exposures", 1), ("limit_sigma", 5.0), ("mag_vega", 25.0),
])  # fmt: skip
def test_every_number_of_a_row_counts(extract, name, value):
    other = changed(extract)
    other["photometry"][0][name] = value
    passed, text = verdicts(compare(extract, other, 0.01))["photometry of SN"]
    assert passed is False
    assert f"also different: {name}" in text


def test_sources_of_one_target_are_told_apart(extract):
    extract["photometry"].append({**extract["photometry"][0], "source": "2"})
    other = changed(extract)
    other["photometry"][0]["flux_njy"] = 900.0
    passed, text = verdicts(compare(extract, other, 0.01))["photometry of SN"]
    assert passed is False
    assert text.startswith("2 fluxes")


def test_a_changed_parameter_is_named_and_a_tool_is_software(extract):
    other = changed(extract)
    other["jobs"][1]["parts"][0]["value"] = "0.06"
    other["jobs"][1]["parts"].append(
        {"kind": "tool", "name": "drizzlepac", "value": "4", "origin": ""}
    )
    passed, text = verdicts(compare(extract, other, 0.01))["parameters"]
    assert passed is False
    assert text == "stacks.scale 0.05 -> 0.06"


def test_measurements_are_a_note(extract):
    extract["jobs"][1]["measurements"] = [
        {"name": "rms", "value": 0.1, "subject": "", "quality": "good"}
    ]
    other = changed(extract)
    other["jobs"][1]["measurements"][0]["value"] = 0.2
    passed, text = verdicts(compare(extract, other, 0.01))["measurements"]
    assert passed is None
    assert text == "stacks a rms 0.1 (good) -> 0.2 (good)"


def test_versions_that_a_job_was_told_are_no_parameters(extract):
    other = changed(extract)
    for run, value in ((extract, "{}"), (other, '{"photutils": "2.3.0"}')):
        run["jobs"][3]["parts"].append(
            {"kind": "argument", "name": "software", "value": value, "origin": ""}
        )
    assert verdicts(compare(extract, other, 0.01))["parameters"][0] is True

"""The report of a run."""

import re
from pathlib import Path

import pytest


@pytest.fixture
def inputs(small):
    kinds = {
        "exposure table": "exposures", "reference": "reference", "alignment": "align",
        "stack": "stacks", "light curve": "scrape",
    }  # fmt: skip
    return {kind: small.products(stage, kind) for kind, stage in kinds.items()}


def test_it_is_written_to_the_top_of_the_work_directory(finished):
    text = (finished / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    # the recipe itself stands in it, as text
    for word in ("separation: 0.8 arcsec", "per: [detector, filter, epoch]"):
        assert word in text


def test_the_same_results_are_the_same_page(inputs, divide, do):
    (job,) = divide("report", inputs).values()
    pages = [Path(do("report", job).products[0].files["page"]).read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]


def test_it_is_made_of_what_there_is(inputs, divide, do):
    only = {"exposure table": inputs["exposure table"]}
    (job,) = divide("report", only).values()
    text = Path(do("report", job).products[0].files["page"]).read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([\w-]+)"', text)
    assert "exposures" in sections
    assert not {"stacks", "light-curves", "alignment"} & set(sections)


def test_numbers_of_jobs_are_left_out_of_its_key(inputs, divide):
    """Otherwise every run would make the page anew."""
    from hst123r.stage import registry
    from hst123r.stage.contract import Scope

    assert registry.get("report").wants_summaries
    upstream = [{"job_id": 17, "stage": "align", "label": "v", "quality": "good"}]
    scope = Scope("r", "text", "/", (), "report", upstream=upstream)
    stage = registry.get("report")
    (job,) = stage.divide(inputs, stage.params(), scope)
    assert job.arguments["jobs"] == [{"stage": "align", "label": "v", "quality": "good"}]


def test_measurements_are_shown_only_when_wanted(inputs, divide, do):
    (job,) = divide("report", inputs).values()
    measured = {"name": "noise", "value": 0.125, "unit": "e/s", "low": None, "high": None,
                "quality": "good", "subject": ""}  # fmt: skip
    job.arguments["jobs"] = [
        {"stage": "detect", "label": "SN", "state": "done", "quality": "good", "caveats": [],
         "rejects": [], "measurements": [measured]}
    ]  # fmt: skip
    shown = [
        "0.125" in Path(
            do("report", job, {"measurements": wanted}).products[0].files["page"]
        ).read_text(encoding="utf-8")
        for wanted in (True, False)
    ]  # fmt: skip
    assert shown == [True, False]


def test_a_report_cannot_have_the_name_of_the_page_it_leads_to(inputs):
    from hst123r.errors import InputError
    from hst123r.stage import registry
    from hst123r.stage.contract import Scope

    stage = registry.get("report")
    with pytest.raises(InputError, match=r"provenance\.html is the page that reports lead to"):
        list(stage.divide(inputs, stage.params(), Scope("r", "text", "/", (), "provenance")))

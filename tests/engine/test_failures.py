"""A stage that tells of all jobs is made although some failed, and tells of them."""

import json
import re

import numpy as np
import pytest
from astropy.io import fits

from hst123r.sharing.origins_file import page_of


def text_of(bench):
    page = (bench.workspace.folder / "report.html").read_text(encoding="utf-8")
    assert str(bench.workspace.folder.parent) not in page
    failed = re.search(r'<section id="failed".*?</section>', page, re.DOTALL)
    return page, re.sub(r"<[^>]+>", " ", failed.group()) if failed else ""


@pytest.fixture
def write_broken(write_recipe, data, tmp_path):
    """Write a recipe whose reference is no image of the sky."""

    def write(*more, stages=()):
        path = tmp_path / "other.fits"
        if not path.exists():
            fits.PrimaryHDU(np.zeros((20, 20), np.float32)).writeto(path)
        all_of_it = ("exposures: {}", "reference: {file: other.fits}", *more, "report: {}")
        return write_recipe(*(stages or all_of_it))

    return write


@pytest.mark.heavy
def test_a_report_is_made_although_others_failed_and_says_so(bench, write_broken, states):
    report = bench.run(write_broken("align: {}"))
    found = states(report)
    assert (found["reference:T"], found["report:report"]) == ("failed", "done")
    assert (report.state, report.exit_code) == ("failed", 2)
    page, failed = text_of(bench)
    assert "This report is not complete: 2 of what" in page
    for words in ("reference:T", "it has no celestial WCS", "hst123r explain RECIPE JOB"):
        assert words in failed
    # what failed comes before what follows from it
    assert failed.index("reference:T") < failed.index("align")
    assert "nothing for it to do was left by reference" in failed
    # the page that it leads to can be made of this run
    with bench.store() as store:
        assert "report.html" in page_of(store, "1")
    # it fails again, and the report has nothing new to tell
    again = states(bench.run(write_broken("align: {}")))
    assert (again["reference:T"], again["report:report"]) == ("failed", "reused")
    # where all is well again it is made anew
    report = bench.run(write_broken(stages=("exposures: {}", "report: {}")))
    assert (report.state, states(report)["report:report"]) == ("done", "done")
    page, failed = text_of(bench)
    assert failed == ""
    assert "not complete" not in page


def test_what_it_cannot_do_without_still_blocks_it(bench, write_broken, data, states):
    path = data / "jsi00101q_flc.fits"
    path.write_bytes(path.read_bytes()[:-2880])
    report = bench.run(write_broken())
    found = states(report)
    assert (found["exposures:all"], found["report:report"]) == ("blocked", "blocked")
    assert not (bench.workspace.folder / "report.html").exists()
    # with what it began with, and not only what stands before it
    with bench.store() as store:
        ((blocked,),) = store.db.execute("select blocked from run").fetchall()
    (why,) = (row["why"] for row in json.loads(blocked) if row["stage"] == "report")
    assert why == "fetch:jsi00101q, exposures:all did not give a usable result"

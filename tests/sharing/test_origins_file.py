"""The page is written beside the report, whole or not at all, and the same every time."""

import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.sharing.origins_file import page_of_run, write_page


def test_the_run_wrote_what_the_command_writes(finished, tmp_path):
    path = write_page(finished, "1", tmp_path / "page.html")
    assert path.read_bytes() == (finished / "provenance.html").read_bytes()
    for_others = page_of_run(finished, "")
    assert "Earlier runs" in path.read_text(encoding="utf-8")
    assert "Earlier runs" not in for_others
    assert "Where each number comes from" in for_others


def test_it_is_beside_the_report_by_default(copy_of_finished):
    (copy_of_finished / "provenance.html").unlink()
    assert write_page(copy_of_finished, "") == copy_of_finished / "provenance.html"
    assert 'href="report.html"' in (copy_of_finished / "provenance.html").read_text()


def test_no_such_run_and_no_such_folder(finished, tmp_path):
    with pytest.raises(InputError, match="there is no run 7"):
        write_page(finished, "7", tmp_path / "page.html")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EnvironmentProblem, match="file"):
        write_page(finished, "", tmp_path / "file" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_run_with_nothing_to_do_leaves_it_and_makes_one_that_is_gone(hst123r, copy_of_finished):
    page = copy_of_finished / "provenance.html"
    os.utime(page, (1, 1))
    assert hst123r("run", "small.yaml").code == 0
    assert page.stat().st_mtime == 1
    # as a run leaves it that is killed between its report and the page
    page.write_text("<html>of other results")
    assert hst123r("run", "small.yaml").code == 0
    assert "Where each number of run 3 comes from" in page.read_text(encoding="utf-8")
    page.unlink()
    assert hst123r("run", "small.yaml").code == 0
    assert "Where each number of run 4 comes from" in page.read_text(encoding="utf-8")
    shutil.rmtree(copy_of_finished / "logs")
    answer = hst123r("report", "1", "-o", "first.html", "--work-dir", "small")
    assert answer.code == 0
    assert "first.html written" in answer.out


@pytest.mark.heavy
def test_the_page_of_an_older_run_gives_way_and_leads_to_no_report_of_a_later_one(
    hst123r, copy_of_finished
):
    page, recipe = copy_of_finished / "provenance.html", copy_of_finished.parent / "small.yaml"
    recipe.write_text(recipe.read_text().replace("0.1 arcsec", "0.11 arcsec"))
    assert hst123r("run", "small.yaml").code == 0
    assert hst123r("report", "1", "-C", "small").code == 0
    older = page.read_text(encoding="utf-8")
    assert "Where each number of run 1 comes from" in older
    assert 'href="report.html"' not in older
    assert hst123r("run", "small.yaml").code == 0
    newer = page.read_text(encoding="utf-8")
    assert "Where each number of run 3 comes from" in newer
    assert 'href="report.html"' in newer


def of_bundle(folder):
    """Return the page in a bundle of the last run."""
    with zipfile.ZipFile(folder / "p.zip") as archive:
        return archive.read("results/provenance.html").decode()


@pytest.mark.heavy
def test_two_makers_of_the_same_have_the_same_page(hst123r, made_exposures, tmp_path, monkeypatch):
    """One at once, the other after other runs, elsewhere, of exposures that came otherwise."""
    pages = {}
    for name in ("ann", "bob"):
        folder = tmp_path / name / "sky"
        shutil.copytree(made_exposures, folder / "data")
        text = (
            "hst123r: 1\nname: r\ntargets: [{name: T, position: '150.1 2.2'}]\n"
            "stages: [fetch: {from: directory, path: data}, exposures: {}, report: {}]\n"
        )
        (folder / "r.yaml").write_text(text)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("LOGNAME", name)
        if name == "bob":
            (folder / "r.yaml").write_text(f"{text}select: {{filters: [F814W]}}\n")
            run(hst123r, code=None)
            (folder / "r.yaml").write_text(text)
            run(hst123r, "--jobs", "1", "--redo", "fetch:jsi00201q")
            run(hst123r, "--redo", "exposures")
        else:
            run(hst123r, "--jobs", "4")
        run(hst123r, command=("bundle", "-o", "p.zip", "-C", "r"))
        pages[name] = of_bundle(folder)
        assert str(tmp_path) not in pages[name]
    assert pages["ann"] == pages["bob"]
    assert "jsi00201q" in pages["ann"]
    assert not re.search(r"\bann\b|\bbob\b|\brun 1|#\d+<", pages["ann"])


def run(hst123r, *options, command=("run", "r.yaml"), code=0):
    folder = Path.cwd()
    answer = hst123r(*command, *options)
    assert Path.cwd() == folder
    assert code is None or answer.code == code, answer.err


def test_results_that_were_kept_when_others_were_made_again_change_nothing(
    hst123r, finished, copy_of_finished
):
    """What stands on a table that came out equal was made from the first one."""
    before = page_of_run(finished, "")
    assert hst123r("run", "small.yaml", "--redo", "exposures").code == 0
    assert page_of_run(copy_of_finished, "") == before

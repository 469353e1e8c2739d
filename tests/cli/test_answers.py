"""Answers of the commands: what they say to a wrong word, and how they end."""

import csv
import io
import json
import shutil

import pytest

from hst123r.cli.main import invoke


@pytest.fixture(scope="module")
def first(made_exposures, module_folder):
    """Run a small recipe once, with an attempt of each kind."""
    folder = module_folder("answers")
    shutil.copytree(made_exposures, folder / "data")
    (folder / "r.yaml").write_text(
        "hst123r: 1\nname: r\ntargets: [{name: T, position: '150.1 2.2'}]\n"
        "stages: [fetch: {from: directory, path: data}, exposures: {}]\n"
    )
    assert invoke(["run", str(folder / "r.yaml"), "-C", str(folder / "r")]) == 0
    return folder


@pytest.fixture
def place(first, tmp_path):
    """Return a copy of the work directory; the current folder of the test holds it."""
    shutil.copytree(first / "r", tmp_path / "r")
    return tmp_path / "r"


@pytest.fixture
def recipe(first):
    return first / "r.yaml"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "yesterday"), "'yesterday' is not a date, write 2009-01-01"),
        (("--since", "2026-13-01"), "is not a date"),
        (("--stage", "exposure"), "no such stage, did you mean 'exposures'?"),
        (("--target", "M31"), "no such target, known are T"),
        (("--file", "raw/nope.fits"), "no job made or read this file"),
        (("--run", "7"), "there is no run 7"),
        (("--json", "--csv"), "exclude one another"),
    ],
)
def test_history_knows_a_wrong_word(hst123r, place, arguments, says):
    answer = hst123r("history", *arguments)
    assert answer.code == 2
    assert says in answer.err
    assert answer.out == ""


def test_history_since_takes_dates_in_several_forms(hst123r, place):
    (run,) = json.loads(hst123r("history", "--json").out)
    started = run["started"]
    for since in (started[:10], started[:19], started[:19].replace("T", " "), "MJD 50000"):
        assert len(json.loads(hst123r("history", "--since", since, "--json").out)) == 1, since
    assert json.loads(hst123r("history", "--since", "MJD 90000", "--json").out) == []
    assert json.loads(hst123r("history", "--target", "T", "--json").out) == []


def test_csv_is_for_programs(hst123r, place):
    rows = list(csv.DictReader(io.StringIO(hst123r("history", "--run", "1", "--csv").out)))
    assert rows[0]["why"] == "no record of it"
    assert float(rows[0]["cpu_seconds"]) > 0
    assert float(rows[0]["peak_memory_mb"]) > 0
    assert rows[0]["error"] == ""
    assert rows[0]["key"].startswith("blake3:")
    (run,) = csv.DictReader(io.StringIO(hst123r("history", "--csv").out))
    assert run["host"]
    assert run["command"]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_redo_of_a_job_that_is_none(hst123r, place, recipe, command):
    answer = hst123r(command, recipe, "-C", place, "--redo", "select:jsi00101")
    assert answer.code == 2
    assert "select never had such a job, did you mean 'jsi00101q'?" in answer.err


def test_show_and_explain_know_a_wrong_word(hst123r, place, recipe):
    answer = hst123r("show", "select")
    assert answer.code == 2
    assert "Jobs of this stage are select:jsi00101q, select:jsi00102q, " in answer.err
    assert "did you mean 'select:jsi00101q'?" in hst123r("show", "select:jsi00101").err
    assert "did you mean 'fetch:jsi00101q'?" in hst123r("show", "jsi00101q").err
    answer = hst123r("explain", recipe, "exposures:foo", "-C", place)
    assert answer.code == 2
    assert "'exposures:foo'. Jobs of this stage are exposures:all" in answer.err
    answer = hst123r("explain", recipe, "nope", "-C", place)
    assert answer.code == 2
    assert answer.err.endswith("'nope'. See `hst123r history`\n")
    answer = hst123r("show", "r/products")
    assert answer.code == 2
    assert "this is a folder; name a file in it" in answer.err


def test_a_plan_in_which_nothing_can_run_is_no_work_to_do(hst123r, place, recipe):
    asked = ("--only", "exposures", "--set", "select.min_exposure=20 s")
    answer = hst123r("plan", recipe, "-C", place, *asked)
    assert answer.code == hst123r("run", recipe, "-C", place, *asked).code == 2
    assert "nothing can run" in answer.err
    assert hst123r("plan", recipe, "-C", place, "--redo", "exposures").code == 10


def test_what_a_damaged_store_ends_with(hst123r, place, recipe):
    store = place / "hst123r.sqlite"
    content = store.read_bytes()
    store.write_bytes(content[: len(content) // 3] + b"\xa5" * (2 * len(content) // 3))
    for command in (
        ("history", "--run", "1"), ("show", "exposures:all"), ("verify",), ("forget", "select"),
        ("plan", recipe, "-C", place), ("run", recipe, "-C", place),
        ("exposures", recipe, "-C", place),
    ):  # fmt: skip
        answer = hst123r(*command)
        assert answer.code == 6, command
        assert "the store cannot be used" in answer.err


def test_verify_ends_with_6_where_a_file_cannot_be_read(hst123r, place, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hst123r.engine.verify.look", refuse)
    answer = hst123r("verify")
    assert answer.code == 6
    assert "unreadable" in answer.out


def test_a_product_that_cannot_be_read_is_a_sentence(hst123r, place, recipe, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    (place / "raw" / "jsi00101q_flc.fits").touch()
    monkeypatch.setattr("hst123r.provenance.contents.look", refuse)
    for command in (("plan", recipe, "-C", place), ("run", recipe, "-C", place),
                    ("show", "r/raw/jsi00101q_flc.fits")):  # fmt: skip
        answer = hst123r(*command)
        assert answer.code == 6, command
        assert "raw/jsi00101q_flc.fits: cannot read the file: Permission denied" in answer.err
        assert "it needs" not in answer.err
        if command[0] == "run":
            assert "not reached because of that: select, exposures" in answer.err
            told = dict(line.split(maxsplit=1) for line in answer.out.splitlines()[1:4])
            assert told == {"fetch": "error", "select": "not reached", "exposures": "not reached"}


def test_forget_knows_a_wrong_word(hst123r, place):
    assert "did you mean 'select'?" in hst123r("forget", "slect").err
    answer = hst123r("forget", "select:jsi00101")
    assert answer.code == 2
    assert "did you mean 'select:jsi00101q'?" in answer.err

"""The commands that ask the store: what they print, and what they say of a store that is broken."""

import importlib.util
import json
import sqlite3
import sys
from pathlib import Path

import pytest

from hst123r.provenance.rows import Part
from hst123r.provenance.store import Store
from hst123r.records.outcome import Measurement, Outcome

QUESTIONS = [
    ("sql", "select * from job"),
    ("lineage", "T"),
    ("diff", "1", "2"),
    ("gc",),
    ("gc", "--delete"),
    ("tag",),
    ("tag", "1", "name"),
    ("db", "check"),
    ("db", "backup", "copy.sqlite"),
    ("history", "--where", "a=1"),
    ("history", "--photometry", "T"),
    ("show", "1"),
    ("cite",),
    ("methods",),
    ("bundle", "-o", "b.zip"),
    ("report",),
]


@pytest.fixture
def work(tmp_path):
    """A store with two runs, each with a job and a light curve."""
    folder = tmp_path / "work"
    folder.mkdir()
    store = Store(folder)
    for number in (1, 2):
        run = store.begin_run(
            recipe={"name": "r", "path": "r.yaml", "text": "x",
                    "canonical": {"head": {"targets": [{"name": "T"}]}}},
            environment={"python": "3.12", "platform": "Linux", "packages": {"astropy": "7.0"}},
            run={"uid": f"u{number}", "command": ["hst123r", "run"], "folder": "/", "user": "me",
                 "host": "here", "pid": 1, "options": {},
                 "parameters": [
                     {"stage": "scrape", "name": "a", "value": number, "origin": "--set"}]},
        )  # fmt: skip
        job = store.jobs.start(
            {"run_id": run, "stage": "scrape", "handler": "scrape", "label": "T",
             "labels": {"target": "T"}, "version": 1, "key": None, "reasons": [["a", "a new one"]],
             "log": "", "handler_digest": ""}
        )  # fmt: skip
        store.jobs.describe(job, [Part("param", "a", str(number), "--set")], [], f"key{number}")
        point = {"target": "T", "level": "filter", "filter": "F606W", "flux_njy": 10.0 * number,
                 "flux_err_njy": 3.0, "mag_ab": 28.0, "mag_err": 0.1}  # fmt: skip
        outcome = Outcome(measurements=[Measurement("rms", number, "mas")], photometry=[point])
        store.jobs.finish(job, outcome, {}, {"cpu_seconds": 1.0})
        store.end_run(run, state="done", exit_code=0, ran=1, reused=[], blocked=[])
    store.close()
    return folder


@pytest.mark.parametrize("how", ["newer", "damaged", "not ours", "empty"])
def test_a_store_that_cannot_be_used_is_a_sentence(hst123r, work, how):
    path = work / "hst123r.sqlite"
    if how == "newer":
        with sqlite3.connect(path) as store:
            store.execute(
                "insert into _sqlite_migrations (migration_set, name, applied_at) "
                "values ('hst123r', 'm999_of_tomorrow', '2099')"
            )
        store.close()
        code, sentence = 6, "made by a newer hst123r (it has m999_of_tomorrow)"
    elif how == "not ours":
        path.unlink()
        with sqlite3.connect(path) as store:
            store.execute("create table theirs (a)")
        store.close()
        code, sentence = 2, "was not made by hst123r"
    else:
        (work / "products").mkdir()
        (work / "products" / "a.fits").touch()
        content = path.read_bytes()
        path.write_bytes(
            content[:2048] + b"\xa5" * (len(content) - 2048) if how == "damaged" else b""
        )
        code, sentence = 6, "the store cannot be used"
    for question in QUESTIONS:
        answer = hst123r(*question, "-C", "work")
        assert answer.code == code, question
        assert sentence in answer.err, question
        assert answer.out == ""


def test_sql_in_three_forms(hst123r, work):
    text = "select run, mag_ab, caveats from photometry_by_run order by run"
    assert hst123r("sql", text, "-C", "work").out.splitlines()[1].split() == ["1", "28.0"]
    assert hst123r("sql", text, "--csv").out == "run,mag_ab,caveats\n1,28.0,\n2,28.0,\n"
    answer = json.loads(hst123r("sql", text, "--json", "--limit", "1").out)
    assert answer == {
        "columns": ["run", "mag_ab", "caveats"],
        "rows": [{"run": 1, "mag_ab": 28.0, "caveats": None}],
        "truncated": True,
    }
    assert "more than 1 rows" in hst123r("sql", text, "--limit", "1").err
    refused = hst123r("sql", "delete from job")
    assert (refused.code, refused.out) == (2, "")
    assert "only reads" in refused.err


def test_diff_shows_what_differs_and_ends_with_ten(hst123r, work):
    answer = hst123r("diff", "1", "2", "-C", "work")
    assert answer.code == 10
    assert "parameters: 1 differ" in answer.out
    assert "parameter a: 1 → 2 (--set)" in answer.out
    found = json.loads(hst123r("diff", "1", "2", "--json").out)
    assert found["photometry"][0]["sigma"] == pytest.approx(10 / 18**0.5)
    same = hst123r("diff", "2", "work")
    assert (same.code, same.out.splitlines()[-1]) == (0, "they are equal")


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (1.0, 2.0, ("1.0000", "2.0000")),
        (0.00780123, 0.00780456, ("0.007801", "0.007805")),
        (1.0, 1.0, ("1.0000", "1.0000")),
        (1e-30, 2e-30, ("1e-30", "2e-30")),
        (None, 0.1234567, ("", "0.1235")),
        (float("nan"), float("nan"), ("nan", "nan")),
        (3, 4, ("3", "4")),
    ],
)
def test_numbers_that_differ_are_shown_as_different(a, b, shown):
    from hst123r.cli.commands.diff import _cells

    assert _cells({"x": 0.123456, "a": a, "b": b}, ("a", "x", "b")) == (
        shown[0], "0.1235", shown[1],
    )  # fmt: skip


def test_a_tag_is_a_name_for_a_run(hst123r, work):
    assert "paper-v1" in hst123r("tag", "1", "paper-v1", "--note", "sent", "-C", "work").out
    assert hst123r("diff", "paper-v1", "1").code == 0
    assert "kept: it has a tag" in hst123r("gc").out
    for wrong, sentence in (
        (("tag", "1", "paper-v1"), "has the name paper-v1 already"),
        (("tag", "9", "other"), "there is no run 9"),
        (("tag", "1", "9"), "is no name for a run"),
        (("tag", "1"), "give a RUN and its NAME"),
        (("tag", "--remove", "paper-v2"), "did you mean 'paper-v1'?"),
        (("db", "backup"), "`backup` needs a FILE"),
        (("db", "check", "x"), "`check` takes none"),
    ):
        answer = hst123r(*wrong)
        assert answer.code == 2, wrong
        assert sentence in answer.err
    assert "paper-v1" not in hst123r("tag", "--remove", "paper-v1").out


def test_lineage_and_history_as_text(hst123r, work):
    answer = hst123r("lineage", "T/F606W", "-C", "work")
    assert "filter F606W: 20 ± 3 nJy, 28.000 ± 0.100 mag (AB)" in answer.out
    assert hst123r("lineage", "T", "--mermaid").out.startswith("flowchart LR")
    assert hst123r("lineage", "T", "--svg").out.startswith("<svg")
    assert hst123r("lineage", "T", "--svg", "-o", "lineage.svg").out == ""
    assert (work.parent / "lineage.svg").read_text().endswith("</svg>\n")
    for both in (("--up", "--down"), ("--svg", "--json")):
        answer = hst123r("lineage", "T", *both)
        assert (answer.code, "exclude one another" in answer.err) == (2, True)
    assert hst123r("lineage", "T", "-o", "none/lineage.txt").code in {2, 6}
    rows = hst123r("history", "--measurement", "rms > 1 mas").out.splitlines()
    assert len(rows) == 2
    assert rows[1].endswith("rms = 2 mas")
    assert (
        hst123r("history", "--photometry", "T", "--csv").out.splitlines()[0].startswith("run,job")
    )
    assert hst123r("history", "--table").out == hst123r("history").out


def test_the_store_is_checked_and_copied(hst123r, work):
    assert "is well: 2 runs, 2 jobs" in hst123r("db", "check", "-C", "work").out
    assert "copied to" in hst123r("db", "backup", "copy.sqlite").out
    answer = hst123r("db", "backup", "copy.sqlite")
    assert (answer.code, "is there already" in answer.err) == (2, True)
    with sqlite3.connect(work / "hst123r.sqlite") as store:
        store.execute("pragma foreign_keys = off")
        store.execute("update job set run_id = 77 where id = 1")
    store.close()
    answer = hst123r("db", "check")
    assert (answer.code, "is damaged" in answer.out) == (6, True)


@pytest.mark.heavy
def test_what_five_thousand_jobs_are_asked_costs_little_beside_the_start_of_the_program(tmp_path):
    """A second is seven times ``--version`` where the bench was measured; it has more questions."""
    path = Path(__file__).parent.parent / "bench" / "asking.py"
    spec = importlib.util.spec_from_file_location("asking", path)
    asking = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(asking)
    asking.make(tmp_path / "w")
    with sqlite3.connect(tmp_path / "w" / "hst123r.sqlite") as db:
        (jobs,), (runs,) = (
            db.execute(f"select count(*) from {table}").fetchone() for table in ("job", "run")
        )
    db.close()
    assert jobs >= 5000
    assert runs >= 50
    hst123r = [sys.executable, "-m", "hst123r"]
    start, _ = asking.measure([*hst123r, "--version"])
    for question in (("history",), ("lineage", "T7/F7", "--json"), ("diff", "1", "50", "--json")):
        seconds, _ = asking.measure([*hst123r, *question, "-C", str(tmp_path / "w")])
        assert seconds < 7 * start, question

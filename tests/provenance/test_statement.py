"""A statement of a user's reads the store, and does nothing else."""

import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from hst123r.errors import InputError
from hst123r.files.content import Content, Header
from hst123r.provenance.reading import reading
from hst123r.provenance.statement import ask
from hst123r.provenance.store import Store


@pytest.fixture(scope="module")
def kept(module_folder):
    """Make a store once: two contents with many cards."""
    folder = module_folder("store")
    store = Store(folder)
    cards = [[f"K{number}", number, ""] for number in range(100)]
    for digest in "ab":
        store.contents.add(Content(digest, 1, "fits", {}, "", [Header(0, "", 1, cards)]))
    store.close()
    return folder


@pytest.fixture
def work(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def answer(work):
    def call(text, seconds=5.0, limit=100):
        with reading(work) as opened:
            return ask(opened, text, seconds=seconds, limit=limit)

    return call


def test_rows_are_plain_values_under_unique_names(answer):
    found = answer("select 1 as a, x'00ff' as a, cast(x'ff' as text) as b, 9e999 as c, null as d")
    assert found.columns == ["a", "a_2", "b", "c", "d"]
    assert found.rows == [[1, "00ff", "\ufffd", "inf", None]]


def test_more_rows_than_wanted_are_said(answer):
    text = "select value from json_each('[1, 2, 3]')"
    assert answer(text, limit=3).truncated is False
    assert (answer(text, limit=2).rows, answer(text, limit=2).truncated) == ([[1], [2]], True)


@pytest.mark.parametrize(
    "text",
    [
        "delete from job",
        "insert into job default values returning id",
        "update job set state = 'done'",
        "create temp table x (a)",
        "drop view last_good",
        "vacuum",
        "vacuum into 'copy.sqlite'",
        "attach 'other.sqlite' as other",
        "detach main",
        "pragma journal_mode = delete",
        "pragma writable_schema = 1",
        "pragma user_version = 7",
        "pragma wal_checkpoint",
        "select load_extension('libm')",
        "begin",
        "savepoint a",
        "reindex",
        "analyze",
        "with x as (select 1) delete from job",
    ],
)
def test_what_does_not_read_is_refused_with_a_sentence(answer, work, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    before = (work / "hst123r.sqlite").read_bytes()
    with pytest.raises(InputError, match="this command only reads"):
        answer(text)
    assert (work / "hst123r.sqlite").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


PATIENCE_S = 20
"""Start of Python included, on a machine that does other things."""
FOR_EVER = "with recursive t(a) as (select 1 union all select a + 1 from t) "


@pytest.mark.parametrize(
    "text",
    [
        FOR_EVER + "select count(*) from t",
        FOR_EVER + "select a from t where a < 0",
        "select count(*) from header a, header b, "
        + ", ".join(f"header_card c{n}" for n in "1234"),
    ],
)
def test_what_never_ends_is_ended(work, text):
    """In a process of its own: with a broken clock this one would never end either."""
    code = (
        "import sys; from pathlib import Path\n"
        "from hst123r.provenance.reading import reading\n"
        "from hst123r.provenance.statement import ask\n"
        "with reading(Path(sys.argv[1])) as store:\n"
        "    ask(store, sys.argv[2], seconds=0.2, limit=100)\n"
    )
    begun = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-c", code, str(work), text],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "took longer than 0.2 s and was ended" in found.stderr
    assert time.monotonic() - begun < PATIENCE_S


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select 1; select 2", "one statement at a time"),
        ("select * from jobs", "did you mean 'job'"),
        ("select none from job", "no such column"),
        ("selec 1", "syntax error"),
        ("", "no statement that gives rows"),
        ("-- nothing", "no statement that gives rows"),
        ("select hex(zeroblob(40000000))", "larger than 50 MB"),
        ("select 'a' like '" + "%a" * 600 + "'", "too complex"),
        ("select max(1, 'a') + json('{')", "malformed JSON"),
    ],
)
def test_what_is_wrong_is_a_sentence(answer, text, sentence):
    with pytest.raises(InputError, match=sentence):
        answer(text)


def test_an_answer_that_does_not_fit_into_memory_is_refused(answer, monkeypatch):
    monkeypatch.setattr("hst123r.provenance.statement.LARGEST_ANSWER", 2_000_000)
    with pytest.raises(InputError, match="the answer is larger than 2 MB"):
        answer(FOR_EVER + "select zeroblob(300000) from t limit 50")


def test_tables_may_be_described(answer):
    assert "stage" in {row[1] for row in answer("pragma table_info(job)").rows}
    assert "id" in {row[0] for row in answer("select name from pragma_table_info('job')").rows}
    assert answer("explain query plan select * from lineage").rows


def test_damage_is_not_taken_for_a_mistake_of_the_users(answer, work):
    path = work / "hst123r.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3] + bytes(2 * len(content) // 3))
    with pytest.raises((InputError, Exception)) as caught:
        answer("select * from job, header, measurement, photometry, product")
    assert "store cannot be used" in str(caught.value)
    assert not isinstance(caught.value, sqlite3.Error)

"""The tables, and stores of earlier versions brought up to date."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hst123r.provenance import queries, tags
from hst123r.provenance.extract import lock_text
from hst123r.provenance.lineage import links, points
from hst123r.provenance.migrations import migrations
from hst123r.provenance.reading import reading
from hst123r.provenance.sqlite import Database
from hst123r.provenance.store import APPLICATION_ID, NAME, Store
from hst123r.provenance.views import VIEWS

NAMES = [migration.name for migration in migrations.pending(Database(memory=True))]
PROMISED = {
    "recipe", "run", "environment", "job", "job_input", "job_param", "product", "content",
    "header_card", "measurement", "caveat", "download", "reference_file", "photometry", "event",
}  # fmt: skip


def test_the_promised_tables_are_there(store):
    found = {*store.db.table_names(), *store.db.view_names()}
    assert found >= PROMISED


def test_migrations_are_numbered_in_order():
    assert [name[:5] for name in NAMES] == [f"m{n:03d}_" for n in range(1, len(NAMES) + 1)]


@pytest.mark.parametrize("stop", NAMES[1:])
def test_an_earlier_store_is_brought_up_to_date_with_its_rows(tmp_path, stop):
    old = Database(sqlite3.connect(tmp_path / NAME))
    old.execute(f"pragma application_id = {APPLICATION_ID}")
    migrations.apply(old, stop_before=stop)
    old.table("recipe").insert(
        {"digest": "d", "name": "old", "text": "t", "canonical": "{}", "first_seen": "2020"}
    )
    old.close()
    store = Store(tmp_path)
    assert {*store.db.table_names(), *store.db.view_names()} >= PROMISED
    assert next(store.db.table("recipe").rows)["name"] == "old"
    store.close()


def test_an_up_to_date_store_is_not_changed_by_opening_it(store, work):
    store.close()
    before = (work / NAME).read_bytes()
    Store(work).close()
    assert (work / NAME).read_bytes() == before


def test_tables_are_strict_about_types(store, begin):
    begin()
    with pytest.raises(sqlite3.IntegrityError, match="TEXT value in INTEGER column"):
        store.db.execute("update run set pid = 'many'")


@pytest.mark.parametrize("table", ["content", "recipe", "environment"])
def test_a_digest_is_there_once(store, begin, work, image, table):
    begin()
    store.contents.look(str(image(work / "one.fits")))
    columns = [name for name in store.db.table(table).columns_dict if name != "id"]
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store.db.execute(
            f"insert into {table} ({', '.join(columns)}) select {', '.join(columns)} from {table}"
        )


def test_every_key_of_another_table_is_indexed_where_rows_are_many(store):
    """Otherwise a question about one job would read the rows of all."""
    many = {"job_input", "product", "measurement", "caveat", "reject", "photometry", "header"}
    for name in many:
        keyed = {key.column for key in store.db.table(name).foreign_keys} & {"job_id", "content_id"}
        indexed = {index.columns[0] for index in store.db.table(name).indexes}
        assert keyed <= indexed, name


KEPT = sorted((Path(__file__).parent / "old").glob("m*.sql"))
"""Stores as earlier versions wrote them, as SQL: made by the code of that time, with a run, and
from version 4 on with jobs and all that hangs on them."""


def kept(path, folder):
    """Put a kept store into a folder."""
    with sqlite3.connect(folder / NAME) as old:
        old.executescript(path.read_text(encoding="utf-8"))
    old.close()
    return folder


def test_there_is_a_kept_store_of_every_version_up_to_now():
    assert [path.stem for path in KEPT] == [name[:4] for name in NAMES]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["m010.sql", "--force"]])
def test_a_kept_store_is_not_written_to_an_option(arguments, tmp_path):
    script = Path(__file__).parent / "kept_store.py"
    done = subprocess.run(
        [sys.executable, script, *arguments], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "name the file to write" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_later_versions_added_is_kept(tmp_path):
    for version, column, value in (
        ("m007", "limit_method", "forced"), ("m008", "chi2", 1.2), ("m010", "mag_sys", 0.012),
        ("m010", "flux_err_fixed_njy", 0.8),
    ):  # fmt: skip
        (tmp_path / column).mkdir()
        (path,) = [path for path in KEPT if path.stem == version]
        with reading(kept(path, tmp_path / column)) as store:
            (point,) = points(store.db, "T", "F606W", "")
            assert point[column] == value
            if version == "m008":
                assert tags.runs(store.db) == {"paper-v1": 1}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_store_is_brought_up_to_date(path, tmp_path):
    store = Store(kept(path, tmp_path))
    assert migrations.pending(store.db) == []
    (run,) = queries.runs(store.db)
    assert (run["recipe"], run["user"], run["command"]) == ("old", "ann", "hst123r run old.yaml")
    assert store.db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert store.db.execute("pragma foreign_key_check").fetchall() == []
    store.close()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_store_is_asked_without_being_changed(path, tmp_path):
    folder = kept(path, tmp_path)
    before = (folder / NAME).read_bytes()
    with reading(folder) as store:
        assert len(queries.runs(store.db)) == 1
        for name in VIEWS:
            store.db.execute(f"select * from {name}").fetchall()
        assert lock_text(store.db, 1) == (None if path.stem < "m009" else "format: 1\n")
        if path.stem >= "m004":
            assert list(store.jobs.records()) == [("fetch", "ja"), ("scrape", "T")]
            (link,) = links(store.db, [2])
            assert (link.path, link.made_by) == ("raw/ja_flc.fits", 1)
            (point,) = points(store.db, "T", "F606W", "")
            assert point["mag_ab"] == 28.9
    assert (folder / NAME).read_bytes() == before
    assert [found.name for found in folder.iterdir()] == [NAME]

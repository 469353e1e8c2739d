"""A lost store comes back from records and files, with all that was asked of it before."""

import errno
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hst123r.cli.main import invoke
from hst123r.engine import rebuild as module
from hst123r.engine.hold import holding
from hst123r.engine.job_records import numbers
from hst123r.engine.lineage import trace
from hst123r.engine.rebuild import place_of, rebuild
from hst123r.engine.verify import verify
from hst123r.errors import Busy, EnvironmentProblem, InputError
from hst123r.provenance import backup, of_run, tags
from hst123r.provenance.reading import reading
from hst123r.provenance.store import NAME, Store

CATALOGUE = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: ra, datatype: float64}
# - {name: dec, datatype: float64}
# schema: astropy-2.0
ra dec
150.1 2.2
"""
OUTSIDE = {"lease", "path_state", "event", "_sqlite_migrations", "content", "header"}
"""Tables that a record does not hold, or holds otherwise."""


def lose(folder):
    """Remove the store itself; what SQLite keeps beside it stays if it is there."""
    (folder / NAME).unlink()


def killed(folder):
    """Write to a store and die, so that its log is left."""
    code = (
        "import os, sys; from pathlib import Path; from hst123r.provenance.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for n in range(50): store.event(1, 'info', 'x', 'y' * 500)\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert (folder / f"{NAME}-wal").stat().st_size


def rows(folder):
    """All rows of all tables but those above, contents by digest."""
    found = {}
    with reading(folder) as store:
        digests = dict(store.db.execute("select id, digest from content"))
        for table in set(store.db.table_names()) - OUTSIDE:
            found[table] = []
            for row in store.db.query(f"select rowid as place, * from {table}"):
                if "content_id" in row:
                    row["content_id"] = digests.get(row["content_id"])
                if table == "run":
                    row.pop("recipe_id"), row.pop("environment_id"), row.pop("lock_id")
                if table in ("recipe", "environment", "lock", "job_param"):
                    row.pop("place")
                    row.pop("id", None)
                found[table].append(json.dumps(row, sort_keys=True))
            found[table].sort()
        found["content"] = sorted(
            map(repr, store.db.execute("select digest, size, kind, facets, sha256 from content"))
        )
        found["header"] = sorted(
            map(repr, store.db.execute(
                "select c.digest, h.hdu, h.name, h.version, h.cards from header h "
                "join content c on c.id = h.content_id"
            ))
        )  # fmt: skip
    return found


def without_rebuilding(found):
    kept = {name: set(lines) for name, lines in found.items()}
    kept["run"] = {line for line in kept["run"] if '"what\\": \\"rebuild' not in line}
    kept["recipe"] = {line for line in kept["recipe"] if "# rebuilt" not in line}
    return kept


def test_every_row_comes_back(ran, first_run, reasons):
    folder = ran.workspace.folder
    ran.run(first_run, redo=("exposures",))
    with holding(ran.workspace) as store:
        tags.put(store.db, "paper-v1", 1, "as submitted")
        store.jobs.forget("select", "jsi00101q")
    before = rows(folder)
    lineage = trace(folder, "exposures:all")
    planned = reasons(ran.plan(first_run))
    assert "select:jsi00101q" in planned
    lose(folder)
    found = rebuild(ran.workspace, jobs=2)
    assert (found.runs, found.jobs, found.unlike, found.damaged) == (2, 10, [], "")
    after = without_rebuilding(rows(folder))
    for table, lines in before.items():
        assert after[table] == set(lines), table
    assert trace(folder, "exposures:all") == lineage
    with reading(folder) as store:
        runs = list(store.db.query("select * from run order by id"))
        events = [
            row[0] for row in store.db.execute("select run_id from event where code = 'rebuilt'")
        ]
    assert json.loads(runs[-1]["options"]) == {"what": "rebuild"}
    assert {1, 2, runs[-1]["id"]} <= set(events)
    # what was forgotten is forgotten still, and nothing else has to run or to be read
    assert reasons(ran.plan(first_run)) == planned
    ran.run(first_run)
    assert reasons(ran.plan(first_run)) == {}
    assert {row["state"] for row in verify(folder)} == {"ok"}


def test_the_next_run_reads_nothing_and_runs_nothing(ran, first_run, monkeypatch):
    lose(ran.workspace.folder)
    rebuild(ran.workspace)
    from hst123r.provenance import contents

    monkeypatch.setattr(contents, "look", lambda path: pytest.fail(f"{path} was read"))
    report = ran.run(first_run)
    assert {job.state.value for item in report.progress for job in item.jobs} == {"reused"}


def test_what_is_not_as_recorded_is_said_and_made_again(ran, first_run, reasons):
    folder = ran.workspace.folder
    raw = folder / "raw" / "jsi00101q_flc.fits"
    stray = folder / "products" / "stray.fits"
    shutil.copy(raw, stray)
    stray.chmod(0o644)
    from hst123r.provenance.stamps import stamp, stamps_of

    stamp(stray, stamps_of(run="u", job_id=77, name="a:b", key=None, recipe="d:1"))
    raw.unlink()
    (folder / "products/exposures/all/exposures.ecsv").write_text("changed")
    records = folder / "logs" / "records"
    (records / "job-000005.json").write_bytes(b"")
    text = (records / "job-000006.json").read_text()
    (records / "job-000006.json").write_text(text.replace("select", "selekt", 1))
    lose(folder)
    found = rebuild(ran.workspace)
    assert sorted(found.unlike) == [
        "products/exposures/all/exposures.ecsv: it is not as it was made or read",
        "raw/jsi00101q_flc.fits: it is not there",
    ]
    said = "\n".join(found.lost)
    assert "job-000005.json: this record is damaged" in said
    assert "job-000006.json: this record was changed after it was written" in said
    assert "by its stamps job #77 a:b of run u made it, which has no record" in said
    again = reasons(ran.plan(first_run))
    assert again["fetch:jsi00101q"] == ["product raw/jsi00101q_flc.fits is missing"]
    assert "exposures:all" in again


def test_a_store_that_is_well_is_left_alone(ran):
    before = (ran.workspace.folder / NAME).read_bytes()
    with pytest.raises(InputError, match="it is well"):
        rebuild(ran.workspace)
    assert (ran.workspace.folder / NAME).read_bytes() == before


def test_a_damaged_store_is_kept_aside(ran):
    path = ran.workspace.folder / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 20000 + whole[24096:])
    found = rebuild(ran.workspace)
    assert found.damaged.startswith(f"{NAME}.damaged-")
    assert (ran.workspace.folder / found.damaged).read_bytes()[4096:4100] == b"\xff" * 4
    assert {row["state"] for row in verify(ran.workspace.folder)} == {"ok"}


def test_the_log_of_a_lost_store_is_not_replayed_into_the_new_one(ran):
    folder = ran.workspace.folder
    killed(folder)
    lose(folder)
    found = rebuild(ran.workspace)
    assert found.damaged.startswith(f"{NAME}.damaged-")
    assert found.damaged.endswith("-wal")
    with reading(folder) as store:
        assert backup.check(store)["problems"] == []
        assert store.db.execute("select count(*) from event where code = 'x'").fetchone() == (0,)
    assert {row["state"] for row in verify(folder)} == {"ok"}


@pytest.mark.parametrize(
    "said", ["database is locked", "disk I/O error", "unable to open database file",
             "database or disk is full"],
)  # fmt: skip
def test_a_store_that_only_cannot_be_read_now_is_left_where_it_is(ran, monkeypatch, said):
    def refuse(store):
        raise sqlite3.OperationalError(said)

    monkeypatch.setattr(module.backup, "check", refuse)
    before = (ran.workspace.folder / NAME).read_bytes()
    with pytest.raises(EnvironmentProblem, match=said):
        rebuild(ran.workspace)
    assert (ran.workspace.folder / NAME).read_bytes() == before
    assert not list(ran.workspace.folder.glob("*.damaged-*"))


def test_a_newer_store_and_a_newer_record_are_refused(ran):
    path = ran.workspace.folder / NAME
    with sqlite3.connect(path) as db:
        db.execute("insert into _sqlite_migrations (migration_set, name, applied_at) "
                   "values ('hst123r', 'm999_later', '2030')")  # fmt: skip
    db.close()
    with pytest.raises(EnvironmentProblem, match="newer hst123r"):
        rebuild(ran.workspace)
    from hst123r.provenance import record

    lose(ran.workspace.folder)
    place = ran.workspace.records / "run-000001.json"
    body = json.loads(place.read_bytes())["body"]
    body["run"]["later"] = 1
    place.write_bytes(record._sealed(record.RUN, body))
    with pytest.raises(EnvironmentProblem, match="newer hst123r"):
        rebuild(ran.workspace)
    assert not path.exists()


def test_a_full_disk_leaves_no_half_store(ran, monkeypatch):
    lose(ran.workspace.folder)

    def full(store, destination):
        destination.write_bytes(b"half")
        raise EnvironmentProblem("the copy cannot be written: disk full")

    monkeypatch.setattr(module.backup, "copy", full)
    with pytest.raises(EnvironmentProblem):
        rebuild(ran.workspace)
    assert not (ran.workspace.folder / NAME).exists()
    monkeypatch.undo()
    assert rebuild(ran.workspace).jobs


def test_two_at_once_is_one_too_many(ran):
    with holding(ran.workspace), pytest.raises(Busy):
        rebuild(ran.workspace)


def test_records_of_another_store_are_put_aside_told_and_had_back(
    ran, first_run, hst123r, monkeypatch, caplog
):
    """Begun anew without its store, a work directory keeps the records of the lost one apart."""
    folder = ran.workspace.folder
    before = {path.name: path.read_bytes() for path in ran.workspace.records.glob("*-*.json")}
    lost = rows(folder)
    lose(folder)
    assert hst123r("run", first_run, "-C", folder, "--until", "select").code == 0
    (apart,) = (folder / "logs").glob("records-of-another-store-*")
    (line,) = [line for line in caplog.messages if "store was lost" in line]
    assert "recorded of 1 run and 9 jobs; the records are kept in" in line
    command = f"db rebuild --records logs/{apart.name}"
    assert f"`hst123r {command}`" in line
    assert {path.name: path.read_bytes() for path in apart.glob("*-*.json")} == before
    # those of the new one are there, and another run says nothing
    assert numbers(ran.workspace.records)["job"] == set(range(1, 9))
    caplog.clear()
    assert hst123r("run", first_run, "-C", folder, "--until", "select").code == 0
    assert not any("store was lost" in line for line in caplog.messages)
    fresh = {path.name: path.read_bytes() for path in ran.workspace.records.glob("*-*.json")}
    # what was told is what has them back, and the new store and its records are not lost for it
    monkeypatch.chdir(folder)
    answer = hst123r(*command.split())
    assert answer.code == 0, answer.err
    assert "had back 1 runs and 9 jobs" in answer.out
    kept = without_rebuilding(rows(folder))
    for table, lines in lost.items():
        assert kept[table] == set(lines), table
    (replaced,) = folder.glob(f"{NAME}.replaced-*")
    assert f"the old store, or what was left of it, is {replaced.name}" in answer.out
    (other,) = set((folder / "logs").glob("records-of-another-store-*")) - {apart}
    assert {path.name: path.read_bytes() for path in other.glob("*-*.json")} == fresh
    assert {path.name: path.read_bytes() for path in apart.glob("*-*.json")} == before
    # and so has the way back
    answer = hst123r("db", "rebuild", "--records", other)
    assert "had back 2 runs and 8 jobs" in answer.out


def test_a_folder_without_records_is_no_way_back(ran, hst123r, tmp_path):
    before = (ran.workspace.folder / NAME).read_bytes()
    for named in (tmp_path / "none", ran.workspace.logs):
        answer = hst123r("db", "rebuild", "--records", named, "-C", ran.workspace.folder)
        assert answer.code == 2
        assert "no records of jobs in this folder" in answer.err
    assert hst123r("db", "check", "--records", "logs", "-C", ran.workspace.folder).code == 2
    assert (ran.workspace.folder / NAME).read_bytes() == before


def test_what_comes_after_going_back_to_a_backup_is_had_back(ran, first_run, tmp_path):
    with reading(ran.workspace.folder) as store:
        backup.copy(store, tmp_path / "b.sqlite")
    ran.run(first_run, redo=("exposures",))
    shutil.copy(tmp_path / "b.sqlite", ran.workspace.folder / NAME)
    (tmp_path / "g.ecsv").write_text(CATALOGUE)
    assert invoke(["adopt", str(tmp_path / "g.ecsv"), "-C", str(ran.workspace.folder)]) == 0
    with reading(ran.workspace.folder) as store:
        want = store.db.execute("select id, run_id, stage, label from job").fetchall()
    lose(ran.workspace.folder)
    rebuild(ran.workspace)
    with reading(ran.workspace.folder) as store:
        assert store.db.execute("select id, run_id, stage, label from job").fetchall() == want


def test_jobs_outlive_the_record_of_their_run(ran, first_run):
    place = ran.workspace.records / "run-000001.json"
    place.write_bytes(b"")
    jobs = len(numbers(ran.workspace.records)["job"])
    lose(ran.workspace.folder)
    found = rebuild(ran.workspace)
    assert (found.runs, found.jobs, found.run) == (0, jobs, 2)
    assert any("run 1 has no record" in line for line in found.lost)
    with reading(ran.workspace.folder) as store:
        (run,) = store.db.query("select * from run where id = 1")
        assert of_run.last_run(store.db) is None
    assert (run["state"], json.loads(run["options"])) == ("interrupted", {"what": "lost"})
    assert {job.state.value for item in ran.run(first_run).progress for job in item.jobs} == {
        "reused"
    }  # fmt: skip


def test_a_damaged_record_is_kept_and_its_number_is_not_used_again(ran):
    place = ran.workspace.records / "run-000002.json"
    place.write_bytes(b"{half")
    lose(ran.workspace.folder)
    assert rebuild(ran.workspace).run == 3
    (apart,) = (ran.workspace.folder / "logs").glob("records-not-had-back-*")
    assert (apart / place.name).read_bytes() == b"{half"


def test_what_a_kill_kept_from_a_record_is_written_the_next_time(ran):
    """The store says that a job is forgotten and its record does not yet."""
    with closing(Store(ran.workspace.folder)) as store:
        store.jobs.forget("select", "jsi00101q")
    with holding(ran.workspace):
        pass
    lose(ran.workspace.folder)
    rebuild(ran.workspace)
    with reading(ran.workspace.folder) as store:
        assert store.db.execute("select label from job where forgotten = 1").fetchall() == [
            ("jsi00101q",)
        ]  # fmt: skip


def test_a_command_that_fails_leaves_records_of_what_it_did(ran):
    def forget_and_fail():
        with holding(ran.workspace) as store:
            store.jobs.forget("select", "jsi00101q")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        forget_and_fail()
    forgotten = [
        json.loads(path.read_bytes())["body"]["job"]["forgotten"]
        for path in sorted(ran.workspace.records.glob("job-*.json"))
    ]
    assert sum(forgotten) == 1


def test_records_that_are_as_the_store_has_them_are_not_written_again(ran, monkeypatch):
    with holding(ran.workspace):
        pass
    monkeypatch.setattr(Path, "write_bytes", lambda path, _: pytest.fail(f"{path} was written"))
    with holding(ran.workspace):
        pass


def test_what_was_removed_in_order_is_not_told_as_lost(ran):
    table = ran.workspace.folder / "products/exposures/all/exposures.ecsv"
    with holding(ran.workspace) as store:
        store.jobs.forget("exposures", "all")
    table.unlink()
    lose(ran.workspace.folder)
    assert rebuild(ran.workspace).unlike == []


def test_without_records_there_is_nothing_to_go_by(tmp_path):
    with pytest.raises(InputError, match="neither records of jobs here nor products"):
        place_of(tmp_path, Path.cwd())
    (tmp_path / "logs" / "records").mkdir(parents=True)
    (tmp_path / "logs" / "records" / "run-000001.json").write_text("{")
    with pytest.raises(InputError, match="no record of a run can be used"):
        rebuild(module.Workspace(place_of(tmp_path, Path.cwd())))


def test_a_record_that_cannot_be_written_stops_nothing(ran, first_run, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    from hst123r.engine.job_records import Kept

    said = []
    with ran.store() as store:
        kept = Kept(store, ran.workspace, said.append)
        kept.job(1)
        kept.job(2)
    assert len(said) == 1
    assert "No space left" in said[0]


def test_an_older_work_directory_gets_its_records_with_the_next_writing(ran, first_run):
    shutil.rmtree(ran.workspace.records)
    assert invoke(["forget", "select:jsi00101q", "-C", str(ran.workspace.folder)]) == 0
    with Store(ran.workspace.folder, read_only=True).db.conn as db:
        (jobs,) = db.execute("select count(*) from job").fetchone()
    assert len(numbers(ran.workspace.records)["job"]) == jobs

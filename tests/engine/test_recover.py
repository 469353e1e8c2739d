"""After a kill: what was complete is taken in, and nothing else is."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from hst123r.engine.hold import holding
from hst123r.engine.recover import recover


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


@pytest.fixture
def killed(bench, recipe, monkeypatch):
    """Run until a job has handed over its result, and stop as if killed before it is taken in."""

    def run_and_kill(*settings):
        held = []

        def die(store, order, result, folder, usage):
            # a copy, since an orderly end clears scratch and marks the rows
            held.append((order.job_id, shutil.copytree(folder, bench.workspace.folder / "kept")))
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr("hst123r.engine.run.take_in", die)
            with pytest.raises(ZeroDivisionError):
                bench.run(recipe, *settings, jobs=1, until="fetch")
        ((job_id, kept),) = held
        attempt = bench.workspace.attempt(job_id)
        attempt.parent.mkdir(exist_ok=True)
        kept.rename(attempt)
        store = sqlite3.connect(bench.workspace.store)
        store.execute(
            "update job set state = 'running', ended = null, error = null where id = ?", [job_id]
        )
        store.execute("update run set state = 'running', ended = null where id = "
                      "(select run_id from job where id = ?)", [job_id])  # fmt: skip
        store.commit()
        store.close()
        return attempt

    return run_and_kill


def said(bench):
    return [text for kind, text in bench.heard.lines if kind == "said"]


def test_a_finished_result_is_taken_in_with_its_cost(bench, recipe, killed, states):
    killed()
    report = bench.run(recipe, until="fetch")
    first = "fetch:jsi00101q"
    assert f"{first} had finished when the last run was killed; taken in" in said(bench)
    assert states(report)[first] == "reused"
    with bench.store() as store:
        cost = store.db.execute("select cpu_seconds, peak_memory_mb from job where id = 1")
        assert all(value > 0 for value in cost.fetchone())
    assert list(bench.workspace.scratch.glob("*")) == []


def test_a_result_whose_file_is_gone_does_not_stand_on_an_older_one(
    bench, recipe, data, killed, states
):
    """What a power cut can leave: the result is there, the new file never reached the disk."""
    bench.run(recipe, until="fetch")
    old = (bench.workspace.raw / "jsi00101q_flc.fits").read_bytes()
    path = data / "jsi00101q_flc.fits"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    attempt = killed()
    for file in (attempt / "out").iterdir():
        file.unlink()
    report = bench.run(recipe, until="fetch")
    (line,) = [text for text in said(bench) if text.startswith("fetch:")]
    assert line == (
        "fetch:jsi00101q was interrupted; its result cannot be used: "
        "jsi00101q_flc.fits is not what the job wrote"
    )
    assert states(report)["fetch:jsi00101q"] == "done"
    made = (bench.workspace.raw / "jsi00101q_flc.fits").read_bytes()
    assert made == bytes(content) != old


def test_a_result_that_was_published_in_part_is_completed(bench, recipe, killed, states):
    attempt = killed()
    bench.workspace.raw.mkdir(exist_ok=True)
    (file,) = (attempt / "out").iterdir()
    file.rename(bench.workspace.raw / file.name)
    assert states(bench.run(recipe, until="fetch"))["fetch:jsi00101q"] == "reused"


@pytest.mark.parametrize("damage", ["another version", "not json", "no order", "moved"])
def test_what_cannot_be_read_runs_again(bench, killed, damage):
    attempt = killed()
    order, result = attempt / "job.json", attempt / "result.json"
    if damage == "another version":
        order.write_text(json.dumps({**json.loads(order.read_text()), "new": 1}))
    elif damage == "not json":
        result.write_text("{")
    elif damage == "no order":
        order.unlink()
    else:
        order.write_text(order.read_text().replace(str(bench.workspace.folder), "/elsewhere"))
    with holding(bench.workspace) as store:
        line, _ = recover(store, bench.workspace)
        row = store.db.execute("select state, error from job where id = 1").fetchone()
    assert line.startswith("fetch:jsi00101q was interrupted; its result cannot be used: ")
    assert row == ("interrupted", line.partition("; ")[2])
    assert list(bench.workspace.scratch.glob("*")) == []


def test_a_stored_failure_keeps_its_sentence(bench, data, killed):
    path = data / "jsi00101q_flc.fits"
    path.write_bytes(path.read_bytes()[:-5760])
    killed()
    with holding(bench.workspace) as store:
        line, _ = recover(store, bench.workspace)
        assert line.startswith("fetch:jsi00101q had failed when the last run was killed: ")
        assert "truncated" in line
        assert store.db.execute("select state, exit_code from job where id = 1").fetchone() == (
            "failed", 2,
        )  # fmt: skip


def test_strangers_in_scratch_do_no_harm(bench):
    with holding(bench.workspace) as store:
        (bench.workspace.scratch / ".nfs0001").touch()
        (bench.workspace.scratch / "link").symlink_to(bench.workspace.logs)
        assert recover(store, bench.workspace) == []
    assert list(bench.workspace.scratch.glob("*")) == []
    assert bench.workspace.logs.is_dir()


def test_a_driver_that_is_killed_while_a_job_works(recipe, tmp_path):
    """The driver is held, a job comes to its end, the driver is killed: nothing is done twice."""
    command = [sys.executable, "-m", "hst123r", "run", str(recipe), "-j", "1", "--until", "fetch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               cwd=tmp_path)  # fmt: skip
    scratch = tmp_path / "r" / "scratch"
    deadline = time.monotonic() + 30
    while not list(scratch.glob("*/job.json")) and time.monotonic() < deadline:
        time.sleep(0.005)
    # the order is written just before the template is told
    time.sleep(0.2)
    process.send_signal(signal.SIGSTOP)
    while not list(scratch.glob("*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    again = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "had finished when the last run was killed; taken in" in again.stderr
    store = sqlite3.connect(tmp_path / "r" / "hst123r.sqlite")
    assert store.execute("select count(*) from job where stage = 'fetch'").fetchone() == (4,)
    store.close()

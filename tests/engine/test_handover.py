"""What driver and worker hand each other survives whole, or not at all."""

from pathlib import Path

import pytest

from hst123r.engine.handover import RESULT, Order, Result
from hst123r.engine.recover import recover
from hst123r.engine.workspace import Workspace
from hst123r.files.content import Signature, look
from hst123r.provenance.rows import InputRow, Part
from hst123r.provenance.store import Store
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.stage.contract import Job


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "work")
    made.create()
    return made


@pytest.fixture
def store(workspace):
    opened = Store(workspace.folder)
    yield opened
    opened.close()


@pytest.fixture
def attempt(store, workspace):
    """Record a job that runs, with its order, and a product that waits in its scratch."""
    run = store.begin_run(
        recipe={"name": "r", "path": "r.yaml", "text": "t", "canonical": {}},
        environment={"python": "3", "platform": "x", "packages": {}},
        run={"uid": "u", "command": [], "folder": "", "user": "", "host": "", "pid": 1,
             "options": {}, "parameters": []},
    )  # fmt: skip
    job_id = store.jobs.start(
        {"run_id": run, "stage": "s", "handler": "s", "label": "a", "labels": {}, "version": 1,
         "key": "k", "reasons": [], "log": "l", "handler_digest": "h"}
    )  # fmt: skip
    folder = workspace.attempt(job_id)
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "a.txt").write_text("made")
    home = workspace.home("products", "s", "a")
    order = Order(
        job_id, "s", "s", Job("a", {"field": "f"}), {"x": 1}, str(home), {}, 1, True, "k",
        [Part("version", "s", "1")], [], {},
    )  # fmt: skip
    order.save(folder)
    final = str(home / "a.txt")
    outcome = Outcome(
        [Product("thing", "a", {}, {"text": final})], [Measurement("n", 1.0, low=2.0)],
        [Caveat("c", "text")],
    )  # fmt: skip
    content = look(folder / "out" / "a.txt")
    return folder, Result(outcome, {"a.txt": final}, {final: content}), final, job_id


def test_an_order_comes_back_as_it_was(tmp_path):
    product = Product("exposure", "e", {"field": "f"}, {"science": "/x"}, {"v": 1.5}, Quality.BAD)
    order = Order(
        3, "stacks", "drizzle", Job("a", {"f": "g"}, {"exposure": [product]}, {"c": [1.0]}),
        {"scale": "0.05 arcsec"}, "/home", {"H123RUN": "u"}, 2, False, None,
        [Part("param", "scale", "0.05 arcsec", "r.yaml:3:4")],
        [InputRow("exposure", "e", "science", 0, "/x", 7, {"pixels": "d"})],
        {"/x": Signature(1, 2, 3, 4, 5), "/y": None},
    )  # fmt: skip
    order.save(tmp_path)
    assert Order.load(tmp_path) == order


def test_a_result_comes_back_as_it_was(attempt):
    folder, result, _, _ = attempt
    result.save(folder)
    assert Result.load(folder) == result


def test_a_result_that_was_complete_is_taken_in_after_a_kill(store, workspace, attempt):
    folder, result, final, job_id = attempt
    result.save(folder)
    said = recover(store, workspace)
    assert "s:a had finished when the last run was killed; taken in" in said
    row = store.db.table("job").get(job_id)
    assert (row["state"], row["quality"]) == ("done", "bad")
    assert workspace.home("products", "s", "a").joinpath("a.txt").read_text() == "made"
    assert store.jobs.made([job_id])[job_id][0].product.files == {"text": final}
    assert list(workspace.scratch.glob("*")) == []


def test_a_result_that_was_published_in_part_is_completed(store, workspace, attempt):
    """Killed between the rename of a product and the row that says done."""
    folder, result, final, job_id = attempt
    result.save(folder)
    home = workspace.home("products", "s", "a")
    home.mkdir(parents=True)
    (folder / "out" / "a.txt").rename(final)
    assert "taken in" in recover(store, workspace)[0]
    assert store.db.table("job").get(job_id)["state"] == "done"
    assert (home / "a.txt").read_text() == "made"


def test_an_older_file_under_the_final_name_is_not_taken_for_the_product(store, workspace, attempt):
    folder, result, final, job_id = attempt
    result.save(folder)
    workspace.home("products", "s", "a").mkdir(parents=True)
    Path(final).write_text("older")
    (folder / "out" / "a.txt").unlink()
    assert recover(store, workspace)[0].startswith("s:a was interrupted")
    assert store.db.table("job").get(job_id)["state"] == "interrupted"


@pytest.mark.parametrize("half", ["no result", "a part of it", "an empty file", "no product"])
def test_half_a_hand_over_is_an_interrupted_job_and_leaves_nothing(store, workspace, attempt, half):
    folder, result, _, job_id = attempt
    if half != "no result":
        result.save(folder)
        whole = (folder / RESULT).read_bytes()
    if half == "a part of it":
        (folder / RESULT).write_bytes(whole[: len(whole) // 2])
    if half == "an empty file":
        (folder / RESULT).write_bytes(b"")
    if half == "no product":
        (folder / "out" / "a.txt").unlink()
    said = recover(store, workspace)
    assert said[0].startswith("s:a was interrupted")
    assert store.db.table("job").get(job_id)["state"] in {"interrupted", "failed"}
    assert not workspace.home("products", "s", "a").joinpath("a.txt").exists()
    assert store.db.table("product").count == 0
    assert list(workspace.scratch.glob("*")) == []
    assert store.interrupted_runs() == []
    # and once more finds nothing to do
    assert recover(store, workspace) == []

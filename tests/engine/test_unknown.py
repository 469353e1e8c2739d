"""Nothing in products/ is written over that no store knows, and of which there is no copy."""

import shutil

import pytest

from hst123r.engine.adopt import Found, adopt
from hst123r.engine.hold import holding

TABLE = "products/exposures/all/exposures.ecsv"


def test_products_of_a_lost_store_are_put_aside_and_told(ran, first_run):
    folder = ran.workspace.folder
    (folder / "hst123r.sqlite").unlink()
    shutil.rmtree(folder / "logs")
    (folder / TABLE).write_text("of the lost store")
    before = {path.name: path.read_bytes() for path in (folder / "products").rglob("*.*")}
    report = ran.run(first_run)
    assert {job.state.value for item in report.progress for job in item.jobs} == {"done"}
    assert (folder / TABLE).read_text() != "of the lost store"
    (place,) = (folder / "aside").iterdir()
    kept = {path.name: path.read_bytes() for path in place.rglob("*.*")}
    assert kept == before
    with ran.store() as store:
        uid = store.db.execute("select uid from run").fetchone()[0]
        told = [row[0] for row in store.db.execute(
            "select message from event where code = 'put aside'"
        )]  # fmt: skip
    assert place.name == f"run-{uid}"
    assert len(told) == len(before)
    assert any(
        f"{TABLE} was there, and no job of this store made it: it is aside/" in text
        for text in told
    )


def test_our_own_products_are_replaced(ran, first_run):
    ran.run(first_run, redo=("exposures",))
    assert not (ran.workspace.folder / "aside").exists()


@pytest.mark.parametrize("whole", [True, False])
def test_what_has_a_copy_that_the_store_knows_is_replaced(ran, first_run, whole):
    folder = ran.workspace.folder
    (folder / "hst123r.sqlite").unlink()
    shutil.rmtree(folder / "logs")
    with holding(ran.workspace) as store:
        adopt(store, ran.workspace, [Found(folder / TABLE, TABLE)], "")
    if not whole:
        copy = folder / "adopted" / TABLE
        copy.chmod(0o644)
        copy.write_bytes(copy.read_bytes()[::-1])
    ran.run(first_run)
    assert bool(list(folder.glob("aside/*/" + TABLE))) != whole

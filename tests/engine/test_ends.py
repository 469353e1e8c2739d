"""However a run ends, its row says so, and no process is left."""

import pytest

from hst123r.errors import EnvironmentProblem


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def test_packages_that_cannot_be_imported(bench, recipe, monkeypatch):
    monkeypatch.setattr("hst123r.engine.pool.WARM", "hst123r.no_such_room")
    with pytest.raises(EnvironmentProblem, match=r"No module named 'hst123r\.no_such_room'"):
        bench.run(recipe)
    with bench.store() as store:
        run = store.db.execute("select state, exit_code, ended is null from run").fetchone()
        jobs = store.db.execute("select distinct state from job").fetchall()
    assert run == ("failed", 6, 0)
    assert jobs == [("interrupted",)]
    assert list(bench.workspace.scratch.glob("*")) == []


def test_a_mistake_of_ours(bench, recipe, monkeypatch):
    def stumble(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("hst123r.engine.run.take_in", stumble)
    with pytest.raises(ZeroDivisionError):
        bench.run(recipe)
    with bench.store() as store:
        assert store.db.execute("select state, exit_code from run").fetchone() == ("failed", 1)
        assert store.db.execute("select distinct state from job").fetchall() == [("interrupted",)]

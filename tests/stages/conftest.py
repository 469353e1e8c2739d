from __future__ import annotations

import pytest

from hst123r.provenance.store import Store


class Answer:
    """What a run of a recipe printed and left behind."""

    def __init__(self, done, folder):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.folder = folder

    @property
    def rejects(self):
        """Reason of every reject of the last run, by exposure or file."""
        store = Store(self.folder / "r", read_only=True)
        found = {row["subject"]: row["reason"] for row in store.db.query("select * from reject")}
        store.close()
        return found


@pytest.fixture
def run_recipe(capfd, tmp_path, monkeypatch):
    """Run a recipe by the command line, in the test's folder."""
    from types import SimpleNamespace

    from hst123r.cli.main import invoke

    monkeypatch.chdir(tmp_path)

    def run(recipe, *options):
        code = invoke(["run", str(recipe), *options])
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return Answer(SimpleNamespace(returncode=code, stdout=out, stderr=err), tmp_path)

    return run


@pytest.fixture
def divide():
    """Divide the work of a stage into jobs, by label."""
    from hst123r.records.position import parse
    from hst123r.records.target import Target
    from hst123r.stage import registry
    from hst123r.stage.contract import Scope

    def call(name, inputs, params=None, targets=None, recipe="r"):
        handler = registry.get(name)
        places = targets or {"SN": "150.1 2.2", "nothing": "10:00:24.0 +02:12:04.3"}
        known = tuple(Target(target, parse(place)) for target, place in places.items())
        scope = Scope(recipe, "text", "/", known, name)
        checked = handler.params.model_validate(params or {})
        return {job.label: job for job in handler.divide(inputs, checked, scope)}

    return call


@pytest.fixture
def do(outside, tmp_path):
    """Do one job of a stage in a child process, as the engine does; return its outcome."""
    from dataclasses import asdict
    from itertools import count

    from hst123r.records.outcome import Outcome

    numbers = count()

    def call(name, job, params=None):
        folder = tmp_path / f"do{next(numbers)}"
        folder.mkdir()
        said = outside("stage", folder, stage=name, job=asdict(job), params=params or {})
        return said["error"] if "error" in said else Outcome.from_json(said)

    return call

from __future__ import annotations

import shutil
import signal
from contextlib import contextmanager

import pytest

from hst123r.engine.dry import plan
from hst123r.engine.hold import holding
from hst123r.engine.options import Options
from hst123r.engine.run import Runner
from hst123r.engine.workspace import Workspace
from hst123r.provenance.store import Store
from hst123r.recipe.load import load


class Heard:
    """A listener that remembers."""

    def __init__(self, divided=None, started=None):
        self.lines = []
        self.on_divided = divided
        self.on_started = started

    def divided(self, progress):
        if self.on_divided:
            self.on_divided(progress.instance.name)

    def started(self, planned):
        self.lines.append(("started", planned.name))
        if self.on_started:
            self.on_started()

    def ended(self, planned, seconds):
        self.lines.append(("ended", planned.name))

    def moved(self, planned, tiding):
        pass

    def tick(self):
        pass

    def said(self, message):
        self.lines.append(("said", message))


class Bench:
    """Runs and plans a recipe in one work directory."""

    def __init__(self, folder):
        self.workspace = Workspace(folder)
        self.heard = Heard()

    def run(self, recipe, *settings, divided=None, started=None, **options):
        self.heard = Heard(divided, started)
        checked = load(recipe, settings)
        with holding(self.workspace) as store:
            chosen = Options(**{"jobs": 2, **options})
            self.runner = Runner(checked, self.workspace, store, chosen, self.heard)
            return self.runner.run()

    def plan(self, recipe, *settings, **options):
        return plan(load(recipe, settings), self.workspace, Options(**options))

    @contextmanager
    def store(self):
        store = Store(self.workspace.folder, read_only=True)
        try:
            yield store
        finally:
            store.close()

    def count(self):
        """Number of rows in all tables."""
        with self.store() as store:
            return {name: store.db.table(name).count for name in store.db.table_names()}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "work")


@pytest.fixture
def deadline():
    """Return a context that fails when it takes longer than some seconds."""

    @contextmanager
    def limited(seconds):
        def give_up(number, frame):
            raise TimeoutError(f"it took longer than {seconds} s")

        before = signal.signal(signal.SIGALRM, give_up)
        signal.alarm(seconds)
        try:
            yield
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    return limited


@pytest.fixture
def states():
    """Return what became of every job, as ``{stage:label: state}``."""

    def collect(report):
        return {job.name: job.state.value for item in report.progress for job in item.jobs}

    return collect


@pytest.fixture
def reasons():
    """Return why every job that is not reused runs, as ``{stage:label: [sentences]}``."""

    def collect(progress):
        return {
            job.name: [reason.text for reason in job.decision.reasons]
            for item in progress
            for job in item.jobs
            if job.decision.action.value != "reuse"
        }

    return collect


@pytest.fixture(scope="session")
def first_run(made_exposures, tmp_path_factory):
    """Run a small recipe once; return its file. Tests only look at it."""
    folder = tmp_path_factory.mktemp("first")
    shutil.copytree(made_exposures, folder / "data")
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        "hst123r: 1\nname: work\ntargets: [{name: T, position: '150.1 2.2'}]\n"
        "stages: [fetch: {from: directory, path: data}, exposures: {}]\n"
    )
    assert Bench(folder / "work").run(recipe).exit_code == 0
    return recipe


@pytest.fixture
def ran(first_run, tmp_path):
    """Return a copy of the work directory of that run, as a `Bench` that a test may change."""
    shutil.copytree(first_run.parent / "work", tmp_path / "work")
    return Bench(tmp_path / "work")

from __future__ import annotations

import json

import pytest
from astropy.table import Table

from hst123r.provenance.store import Store


class Finished:
    """A finished work directory, as tests read it."""

    def __init__(self, folder):
        self.folder = folder
        self.store = Store(folder, read_only=True)

    def path(self, inside):
        """Return the one product whose path matches."""
        (found,) = self.folder.glob(f"products/{inside}")
        return found

    def table(self, inside):
        return Table.read(self.path(inside))

    def truth(self, root):
        return Table.read(self.folder / "raw" / f"{root}_truth.ecsv")

    def measured(self, stage, name):
        """Return the values of one measurement of a stage by subject."""
        rows = self.store.db.query(
            "select m.subject, m.value from measurement m join job j on j.id = m.job_id "
            "where j.stage = ? and m.name = ?",
            [stage, name],
        )
        return {row["subject"]: row["value"] for row in rows}

    def facts(self, kind):
        """Return the facts of all products of a kind by name."""
        rows = self.store.db.query("select name, facts from product where kind = ?", [kind])
        return {row["name"]: json.loads(row["facts"]) for row in rows}


@pytest.fixture
def small(finished):
    found = Finished(finished)
    yield found
    found.store.close()


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

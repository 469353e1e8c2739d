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

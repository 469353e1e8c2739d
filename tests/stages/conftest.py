from __future__ import annotations

import pytest
from loopback.holdings import square
from loopback.server import Archive

from hst123r.archives import endpoints
from hst123r.provenance.store import Store

RECIPE = """\
hst123r: 1
name: r
targets: [{name: T, position: "150.1 2.2"}]
select: SELECT
stages:
  - fetch: {from: mast}
  - exposures: {}
"""


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

    def run(recipe, *options, command="run"):
        code = invoke([command, str(recipe), *options])
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

    def call(name, job, params=None, **more):
        folder = tmp_path / f"do{next(numbers)}"
        folder.mkdir()
        said = outside("stage", folder, stage=name, job=asdict(job), params=params or {}, **more)
        return said["error"] if "error" in said else Outcome.from_json(said)

    return call


@pytest.fixture
def archive(monkeypatch, tmp_path, data):
    """An archive with four exposures, their copies, and what belongs to them."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("MAST_API_TOKEN", raising=False)
    with Archive() as running:
        monkeypatch.setenv(endpoints.VARIABLE, running.url)
        held = running.holdings
        for path in sorted(data.iterdir()):
            row = held.add_exposures([path], "ACS/WFC")
            root = path.name[:9]
            for name in (f"{root}_flt.fits", f"{root}_raw.fits", f"{root}_spt.fits"):
                held.add_product(row, name, root)
            copy = f"hst_99900_01_acs_wfc_f606w_{root[:8]}"
            again = held.add_observation(copy, "ACS/WFC", provenance_name="HAP-SVM")
            held.add_product(again, f"{copy}_flc.fits", root[:8])
        # half an arcsecond beside the target
        held.add_observation(
            "jtst77010", "ACS/WFC", s_region=square(150.1, 2.2 + 100.5 / 3600, 100)
        )
        yield running


@pytest.fixture
def recipe(tmp_path):
    def write(select="{}"):
        path = tmp_path / "recipe.yaml"
        path.write_text(RECIPE.replace("SELECT", select))
        return path

    return write

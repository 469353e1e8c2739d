"""A DOLPHOT that fails, or writes what is damaged: a sentence, an exit code, and nothing lost."""

import os
import signal
import time

import pytest
from astropy.table import Table
from tiers import these

from hst123r.cli.main import invoke
from hst123r.engine.verify import verify

pytestmark = pytest.mark.faults
GIVEN = "- photometry: {engine: dolphot, dolphot: {chips: target, reference: first, forced: false}}"
RED = "SN-acs_wfc-f814w"


@pytest.fixture
def place(copy_of_finished, monkeypatch):
    """A finished work directory whose photometry is to be made by DOLPHOT."""
    recipe = copy_of_finished.parent / "small.yaml"
    recipe.write_text(recipe.read_text().replace("- photometry: {}", GIVEN))
    monkeypatch.chdir(recipe.parent)
    return copy_of_finished


@pytest.fixture
def run(place, capfd):
    def call(*options):
        code = invoke(["run", "small.yaml", "--until", "photometry", *options])
        said = capfd.readouterr().err
        assert "Traceback" not in said, said
        return code, said

    return call


def jobs(place, finished_in):
    """Return state and error of the photometry of the last run, and which stages ran in it."""
    store = finished_in(place).store
    sql = "select stage, state, error from job where run_id = (select max(id) from run)"
    rows = list(store.db.query(sql))
    ours = [(row["state"], row["error"]) for row in rows if row["stage"] == "photometry"]
    return ours, {row["stage"] for row in rows if row["state"] == "done"}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("does", "code", "sentence"),
    these(
        [
            ("crash", 4, "DOLPHOT crashed (SIGSEGV)"),
            ("no psf", 6, "DOLPHOT has no PSF /d/acs/data/F606W.wfc1.psf"),
            ("no memory", 6, "DOLPHOT had not enough memory"),
            ("no star", 4, "DOLPHOT found no star"),
            ("cut", 4, "and the catalogue has"),
            ("columns of another run", 2, "it is of another run than"),
            ("files of another run", 2, "it is of another run than"),
        ],
        "crash",
        "no memory",
        "no star",
        "cut",
        "files of another run",
    ),
)
def test_a_dolphot_that_fails(place, run, dolphot, science, finished_in, does, code, sentence):
    dolphot(place / "raw", does)
    before = science(place)
    got, said = run()
    assert sentence in said
    assert got == code
    (job,), ran = jobs(place, finished_in)
    assert job[0] == "failed"
    assert sentence in job[1]
    assert not ran
    # what the built-in engine had measured is there, and all that photometry stands on
    assert science(place) == before
    assert {row["state"] for row in verify(place)} == {"ok"}
    assert list(place.glob(f"products/photometry/{RED}/*_catalog.ecsv"))
    assert not list(place.glob("scratch/*"))


@pytest.mark.heavy
def test_a_mended_dolphot_measures_and_nothing_else_runs(place, run, dolphot, finished_in):
    dolphot(place / "raw", "crash")
    assert run()[0] == 4
    dolphot(place / "raw")
    assert run()[0] == 0
    (job,), ran = jobs(place, finished_in)
    assert job == ("done", None)
    assert ran == {"photometry"}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("does", "rows", "caveat"),
    these(
        [("one star", 1, ""), ("nan", 20, "1 fields of"), ("nan sky", 20, "fields of DOLPHOT's")],
        "one star",
        "nan sky",
    ),
)
def test_a_catalogue_that_is_odd_is_read(place, run, dolphot, finished_in, does, rows, caveat):
    dolphot(place / "raw", does)
    assert run()[0] == 0
    found = finished_in(place)
    catalogue = Table.read(found.path(f"photometry/SN/{RED}_catalog.ecsv"))
    assert len(catalogue) == 1 if rows == 1 else len(catalogue) > rows
    codes = {r["text"] for r in found.store.db.query("select text from caveat")}
    assert any(caveat in text for text in codes)


def test_a_library_of_another_filter(place, run, dolphot, monkeypatch, tmp_path, science):
    """All PSFs that are missing are named before anything is done."""
    dolphot(place / "raw")
    data = tmp_path / "base" / "acs" / "data"
    data.mkdir(parents=True)
    for name in ("filters.dat", "wfc_idctab.dat", "F606W.wfc1.psf", "F606W.wfc2.psf"):
        (data / name).write_text(name)
    monkeypatch.setenv("HST123R_DOLPHOT_BASE", str(data.parents[1]))
    before = science(place)
    code, said = run()
    assert code == 6
    assert "F814W.wfc1.psf" in said
    assert "F606W" not in said
    assert science(place) == before


LARGE = """\
hst123r: 1
name: large
targets: [{name: SN, position: "10:00:24.0 +02:12:00"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 11
        at: [SN]
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 2,
             exposure_time: 400 s, size: 1024 pix}
        stars: {number: 60, radius: 14 arcsec, separation: 0.8 arcsec, brightest: 19 mag,
                faintest: 24 mag}
  - drizzle: {}
  - detect: {}
  - photometry: {engine: dolphot, dolphot: {chips: target, reference: first, forced: false}}
"""
AT_WORK = "spawn_main"
"""In the command line of a process that finds a sky map."""


@pytest.mark.heavy
def test_jobs_that_end_while_sky_maps_are_found(
    start, dolphot, tmp_path, children_of, check_truth, finished_in, monkeypatch
):
    """Maps of large images have processes of their own, which a job starts in its turn."""
    monkeypatch.setenv("HST123R_TEST", str(tmp_path))
    work = tmp_path / "large"
    dolphot(work / "raw")
    (tmp_path / "large.yaml").write_text(LARGE)

    def begun():
        run = start("run", "large.yaml", "-j", "2", cwd=tmp_path)
        while len(found := children_of(tmp_path, AT_WORK)) < 2:
            assert run.poll() is None, run.communicate()[1]
            time.sleep(0.02)
        return run, found

    def none_is_left():
        deadline = time.monotonic() + 10
        while children_of(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        return children_of(tmp_path) == []

    run, _ = begun()
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert none_is_left()
    check_truth(work)

    run, _ = begun()
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 130
    assert none_is_left()

    run, found = begun()
    os.kill(found[0], signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 4
    assert "a process that looked for the sky of an image was killed" in said
    assert "Traceback" not in said
    assert none_is_left()

    run, _ = begun()
    assert run.wait(timeout=120) == 0
    check_truth(work)
    assert len(finished_in(work).table("photometry/SN/*_catalog.ecsv")) > 10

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

TARGET = "10:00:24.0 +02:12:00"
RA, DEC = 150.1, 2.2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with files of heavy tests, so that no process is left alone with one in the end."""
    heavy = {item.path for item in items if item.get_closest_marker("heavy")}
    items.sort(key=lambda item: item.path not in heavy)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep the tests out of the user's cache; processes of one session share theirs."""
    before = os.environ.get("HST123R_CACHE")
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    os.environ["HST123R_CACHE"] = str(session / "cache")
    yield
    if before is None:
        del os.environ["HST123R_CACHE"]
    else:
        os.environ["HST123R_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Let Ctrl-C work where tests run in the background of a script, whose shell ignores it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    """Make folders for the fixtures of a module, which go when its tests are done."""
    made = []

    def make(name):
        made.append(tmp_path_factory.mktemp(name))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of real files that may stand beside the source tree."""
    for folder in Path(__file__).resolve().parents:
        place = folder.parent / "shared" / "data"
        if place.is_dir():
            return place
    pytest.skip("there is no folder shared/data with real files beside the source tree")


@pytest.fixture(scope="session")
def made_exposures(tmp_path_factory):
    """Make four small exposures, two epochs of two, by the simulated archive."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder = tmp_path_factory.mktemp("exposures")
    simulation = Simulation.model_validate(
        {
            "observations": [
                {"detector": "ACS/WFC", "filter": "F606W", "dates": ["2019-04-01", "2019-06-01"],
                 "exposures": 2, "exposure_time": "100 s", "size": "64 pix"},
            ],
            "stars": {"number": 20, "radius": "4 arcsec"},
            "pointing_error": "0 arcsec", "roll_error": "0 deg",
        }
    )  # fmt: skip
    target = Target("T", parse(f"{RA} {DEC}"))
    (programme,) = programmes(simulation, (target,), folder).values()
    for entry in planned(programme):
        made = make(programme, entry.root, folder, None)
        made["truth"].unlink()
    return folder


@pytest.fixture
def data(made_exposures, tmp_path):
    """Copy the small exposures into a folder ``data`` that a test may change."""
    folder = tmp_path / "data"
    shutil.copytree(made_exposures, folder)
    return folder


@pytest.fixture
def write_recipe(tmp_path):
    """Write ``recipe.yaml`` with some stages, beside ``data``."""

    def write(*stages, select="{}", name="r", target=f"{RA} {DEC}"):
        path = tmp_path / "recipe.yaml"
        listed = "\n".join(f"  - {stage}" for stage in stages)
        path.write_text(
            f"hst123r: 1\nname: {name}\n"
            f'targets: [{{name: T, position: "{target}"}}]\n'
            f"select: {select}\nstages:\n  - fetch: {{from: directory, path: data}}\n{listed}\n"
        )
        return path

    return write


def _packed(source, name, north_arcsec, tables=()):
    """Make the headerlet of an exposure with another name and declination, as stwcs packs it."""
    import numpy as np
    from astropy.io import fits

    from hst123r.files.content import facet_of_card

    primary = fits.PrimaryHDU()
    primary.header.update(
        DESTIM=source[0].header["ROOTNAME"], HDRNAME=f"{name}_hlet", WCSNAME=name,
        DATE="2024-01-01T00:00:00", SIPNAME="x_toy", DISTNAME="x_toy-NOMODEL-NOMODEL",
        NPOLFILE="N/A", D2IMFILE="N/A", IDCTAB="jref$toy_idc.fits", AUTHOR="", DESCRIP="",
        RMS_RA=4.5, RMS_DEC=3.5, NMATCH=120, CATALOG="", UPWCSVER="1", PYWCSVER="1",
    )  # fmt: skip
    hdus = [primary]
    for chip in (hdu for hdu in source if hdu.name == "SCI"):
        wcs = fits.ImageHDU(name="SIPWCS", ver=chip.ver)
        for card in chip.header.cards:
            if facet_of_card(card.keyword) == "wcs":
                wcs.header[card.keyword] = (card.value, card.comment)
        wcs.header.update(
            WCSAXES=2, WCSNAME=name, CRVAL2=chip.header["CRVAL2"] + north_arcsec / 3600,
            TG_ENAME="SCI", TG_EVER=chip.ver,
        )  # fmt: skip
        hdus.append(wcs)
    hdus += [fits.ImageHDU(np.zeros((4, 4), "f4"), name=table) for table in tables]
    inner = fits.HDUList(hdus)
    packed = fits.hdu.nonstandard.FitsHDU.fromhdulist(inner)
    packed.header["EXTNAME"] = "HDRLET"
    packed.header["WCSNAME"] = name
    packed.header["HDRNAME"] = f"{name}_hlet"
    return packed


@pytest.fixture(scope="session")
def add_headerlets():
    """Put headerlets into an exposure: name, and arcsec towards north, of each."""
    from astropy.io import fits

    def add(path, **solutions):
        with fits.open(path, mode="update") as hdus:
            for number, (name, north) in enumerate(solutions.items(), 1):
                packed = _packed(hdus, name.replace("__", "-"), north)
                packed.header["EXTVER"] = number
                hdus.append(packed)

    return add


SMALL = """\
hst123r: 1
name: small
targets:
  - {name: SN, position: "10:00:24.0 +02:12:00"}
  - {name: nothing, position: "10:00:24.0 +02:12:04.3"}
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 11
        at: [SN]
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01, 2019-06-10], exposures: 2,
             exposure_time: 400 s, size: 320 pix}
          - {detector: ACS/WFC, filter: F814W, dates: [2019-04-01], exposures: 2,
             exposure_time: 300 s, size: 320 pix}
        transient: {dates: [2019-04-01, 2019-06-10], magnitudes: [21 mag, 24 mag]}
        stars: {number: 90, radius: 14 arcsec, separation: 0.8 arcsec, brightest: 19 mag,
                faintest: 25 mag}
        errors:
          - {}
          - {east: 0.2 arcsec, north: 0.2236 arcsec, roll: 0.01 deg}
  - reference: {filter: F606W}
  - align: {}
  - drizzle: {name: epochs, per: [detector, filter, epoch]}
  - drizzle: {name: stacks}
  - detect: {}
  - photometry: {}
  - scrape: {radius: 0.1 arcsec}
  - export: {}
  - report: {}
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return the work directory of a run of every stage; tests only look at it."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SMALL)
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "small.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "small"


@pytest.fixture
def copy_of_finished(finished, tmp_path):
    """Return a copy of that work directory, with its recipe beside it, that a test may change."""
    shutil.copy2(finished.parent / "small.yaml", tmp_path / "small.yaml")
    shutil.copytree(finished, tmp_path / "small")
    return tmp_path / "small"


class Finished:
    """A finished work directory, as tests read it."""

    def __init__(self, folder):
        from hst123r.provenance.store import Store

        self.folder = folder
        self.store = Store(folder, read_only=True)

    def path(self, inside):
        """Return the one product whose path matches."""
        (found,) = self.folder.glob(f"products/{inside}")
        return found

    def table(self, inside):
        from astropy.table import Table

        return Table.read(self.path(inside))

    def truth(self, root):
        from astropy.table import Table

        return Table.read(self.folder / "raw" / f"{root}_truth.ecsv")

    def products(self, stage, kind):
        """Return the products of a kind that a stage of the recipe made, with absolute paths."""
        rows = self.store.db.execute(
            "select id from job where stage = ? and state = 'done' order by label", [stage]
        ).fetchall()
        made = self.store.jobs.made([row[0] for row in rows])
        return [item.product for (row,) in rows for item in made[row] if item.product.kind == kind]

    def measured(self, stage, name):
        """Return the values of one measurement of a stage by subject."""
        rows = self.store.db.query(
            "select m.subject, m.value from measurement m join job j on j.id = m.job_id "
            "where j.stage = ? and m.name = ?",
            [stage, name],
        )
        return {row["subject"]: row["value"] for row in rows}

    def caveats(self, stage):
        """Return the caveats of the jobs of a stage."""
        return self.store.db.query(
            "select c.* from caveat c join job j on j.id = c.job_id where j.stage = ?", [stage]
        )

    def facts(self, kind):
        """Return the facts of all products of a kind by name."""
        rows = self.store.db.query("select name, facts from product where kind = ?", [kind])
        return {row["name"]: json.loads(row["facts"]) for row in rows}


@pytest.fixture
def finished_in():
    """Open work directories for reading."""
    opened = []

    def call(folder):
        opened.append(Finished(folder))
        return opened[-1]

    yield call
    for found in opened:
        found.store.close()


@pytest.fixture
def small(finished):
    found = Finished(finished)
    yield found
    found.store.close()


@pytest.fixture(scope="session")
def outside(tmp_path_factory):
    """Call a function of `calls` in a child that has drizzlepac; return its answer."""
    from hst123r.external.template import Template
    from hst123r.stage.contract import HEAVY

    logs = tmp_path_factory.mktemp("outside")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        template = Template(HEAVY, logs / "template.log")
    numbers = count()

    def call(name, folder, **argument):
        number = next(numbers)
        out, log = logs / f"{number}.json", logs / f"{number}.log"
        template.start(number, f"calls:{name}", {**argument, "out": str(out)}, folder, log)
        # JHAT needs twenty seconds of CPU for each exposure, and the machine may have other work
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            if select.select([template.socket], [], [], 1)[0] and template.receive():
                break
        assert out.is_file(), log.read_text() if log.is_file() else "it did not end"
        return json.loads(out.read_text())

    yield call
    template.close()


@pytest.fixture
def dolphot(tmp_path, monkeypatch):
    """Put a stand-in for DOLPHOT where hst123r looks for it; what it sees is the truth."""
    from hst123r import instruments
    from hst123r.external.dolphot_installation import BASE_VARIABLE, PROGRAM_VARIABLE
    from hst123r.optics.encircled import published_light

    detector = instruments.get("ACS/WFC")
    aperture = detector.dolphot.aperture
    light = {name: published_light(detector, name, aperture) for name in ("F606W", "F814W")}
    assert {one.radius_arcsec for one in light.values()} == {aperture}
    fraction = {name: one.fraction for name, one in light.items()}

    def call(truth, does=""):
        settings = json.dumps({"truth": str(truth), "fraction": fraction, "does": does,
                               "ctmult": detector.dolphot.ctmult})  # fmt: skip
        text = (Path(__file__).parent / "dolphot_standin.py").read_text()
        program = tmp_path / "dolphot"
        program.write_text(f"#!{sys.executable}\nSETTINGS = {settings!r}\n{text}")
        program.chmod(0o755)
        monkeypatch.setenv(PROGRAM_VARIABLE, str(program))
        monkeypatch.delenv(BASE_VARIABLE, raising=False)
        return program

    return call


class Answer:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def hst123r(capfd, tmp_path, monkeypatch):
    """Run a command line in the test's folder."""
    from hst123r.cli.main import invoke

    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = invoke([str(item) for item in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return Answer(code, out, err)

    return call

"""A store lost with its records: what the stamps of products tell is taken in, and no more."""

import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
from astropy.io import fits

from hst123r.engine.stamped import made_by, stamped
from hst123r.engine.workspace import Workspace
from hst123r.provenance.reading import reading
from hst123r.provenance.stamps import stamp, stamps_of

STAMPS = stamps_of(run="u7", job_id=77, name="stacks:x", key=None, recipe="d:1")


@pytest.fixture
def bare(made_exposures, tmp_path):
    """Products of a lost store: an image with stamps, a table, a picture; one adopted before."""
    folder = tmp_path / "bare"
    image = folder / "products" / "stacks" / "x" / "x_drc.fits"
    image.parent.mkdir(parents=True)
    shutil.copy(min(made_exposures.iterdir()), image)
    image.chmod(0o644)
    stamp(image, STAMPS)
    table = folder / "products" / "scrape" / "T" / "curve.csv"
    table.parent.mkdir(parents=True)
    table.write_text("mjd,mag\n58574.0,22.0\n")
    (table.parent / "plot.png").write_bytes(b"\x89PNG")
    (folder / "adopted").mkdir()
    (folder / "adopted" / "gaia.csv").write_text("ra,dec\n150.1,2.2\n")
    return folder


def digests(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_found_and_what_it_is_said_to_be(bare):
    found = {item.name: item.facts["note"] for item in stamped(Workspace(bare))}
    assert found == {
        "products/stacks/x/x_drc.fits":
            "by its stamps job #77 stacks:x of run u7 made it, and the record of that is lost",
        "products/scrape/T/curve.csv":
            "it lay in products/scrape/T; nothing tells who made it",
        "gaia.csv": "it was adopted before, and the record of that is lost",
    }  # fmt: skip
    assert made_by(bare / "products/scrape/T/plot.png") == ""


def test_what_belongs_to_a_result_of_hst123_is_with_it(bare, hst123r):
    """As `convert-workdir` had adopted it: a catalogue with its lists, an image with its mask."""
    adopted = bare / "adopted" / "hst123" / "dolphot"
    adopted.mkdir(parents=True)
    (adopted / "dp0000").write_text("1 2.0 3.0\n4 5.0 6.0\n")
    (adopted / "dp0000.columns").write_text("1. Extension\n")
    (adopted / "dp0000.param").write_text("Nimg = 2\n")
    image = adopted.parent / "sn2019.acs.f606w.ref_0001.drc.fits"
    for path in (image, image.with_suffix(".mask.fits")):
        fits.PrimaryHDU(np.ones((16, 16), "f4")).writeto(path)
    found = {item.name: set(item.beside) for item in stamped(Workspace(bare))}
    assert {name: roles for name, roles in found.items() if name.startswith("hst123/")} == {
        "hst123/dolphot/dp0000": {"columns", "param"},
        "hst123/sn2019.acs.f606w.ref_0001.drc.fits": {"mask"},
    }
    assert hst123r("db", "rebuild", "-C", bare).code == 0
    with reading(bare) as store:
        roles = {row[0] for row in store.db.execute(
            "select f.role from product_file f where f.path like '%dolphot/dp0000%'"
        )}  # fmt: skip
    assert roles == {"file", "columns", "param"}


def test_without_a_stamp_nothing_tells_that_it_is_ours(bare, hst123r):
    shutil.rmtree(bare / "products" / "stacks")
    assert stamped(Workspace(bare)) == []
    answer = hst123r("db", "rebuild", "-C", bare)
    assert answer.code == 2
    assert "neither records of jobs here nor products with stamps" in answer.err
    assert not (bare / "hst123r.sqlite").exists()


def test_they_are_adopted_and_stay_where_they_are(bare, hst123r):
    before = digests(bare)
    answer = hst123r("db", "rebuild", "-C", bare)
    assert answer.code == 0, answer.err
    assert "there are no records: 3 files were adopted" in answer.out
    assert "not had back: which runs there were" in answer.out
    assert {path: digests(bare)[path] for path in before} == before
    with reading(bare) as store:
        rows = dict(store.db.execute(
            "select j.label, c.text from job j join caveat c on c.job_id = j.id"
        ).fetchall())  # fmt: skip
        (facts,) = store.db.execute(
            "select facts from product where name = 'x_drc.fits'"
        ).fetchone()  # fmt: skip
    assert set(rows) == {"products/stacks/x/x_drc.fits", "products/scrape/T/curve.csv", "gaia.csv"}
    assert "by its stamps job #77 stacks:x of run u7" in rows["products/stacks/x/x_drc.fits"]
    assert "u7" in facts
    copy = bare / "adopted" / "products" / "stacks" / "x" / "x_drc.fits"
    assert copy.read_bytes() == (bare / "products/stacks/x/x_drc.fits").read_bytes()
    assert hst123r("verify", "-C", bare).code == 0
    # a second time there is a store; and when it is lost again its records have all of it
    assert "it is well" in hst123r("db", "rebuild", "-C", bare).err
    (bare / "hst123r.sqlite").unlink()
    assert "had back 1 runs and 3 jobs" in hst123r("db", "rebuild", "-C", bare).out


def test_a_damaged_store_is_kept_aside_first(bare, hst123r):
    (bare / "hst123r.sqlite").write_bytes(b"no store" * 1000)
    answer = hst123r("db", "rebuild", "-C", bare)
    assert answer.code == 0, answer.err
    (old,) = bare.glob("hst123r.sqlite.damaged-*")
    assert old.read_bytes() == b"no store" * 1000


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("broken", [True, False])
def test_what_is_ended_in_the_middle_is_begun_again(bare, hst123r, name, broken):
    """The old store stays until the new one is whole."""
    store = bare / "hst123r.sqlite"
    if broken:
        store.write_bytes(b"no store" * 1000)
    before = digests(bare)
    code = (
        "import os, signal, sys\n"
        "from hst123r.cli.main import invoke\n"
        "from hst123r.engine import adopt\n"
        "take, done = adopt._take, []\n"
        "def until_the_second(*given):\n"
        "    if done: os.kill(os.getpid(), signal.Signals[sys.argv[1]])\n"
        "    done.append(take(*given))\n"
        "    return done[-1]\n"
        "adopt._take = until_the_second\n"
        "sys.exit(invoke(['db', 'rebuild', '-C', sys.argv[2]]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, name, str(bare)], check=False,
                           capture_output=True, env=os.environ)  # fmt: skip
    assert ended.returncode == (-signal.SIGKILL if name == "SIGKILL" else 130), ended.stderr
    assert len(list((bare / "adopted" / "products").rglob("*.*"))) == 1
    assert {path: digests(bare)[path] for path in before} == before
    assert store.exists() == broken
    answer = hst123r("db", "rebuild", "-C", bare)
    assert answer.code == 0, answer.err
    assert "there are no records: 3 files were adopted" in answer.out
    assert hst123r("verify", "-C", bare).code == 0
    assert hst123r("db", "check", "-C", bare).code == 0
    assert not list(bare.rglob("*.part"))


def test_no_room_for_the_copies_is_told_before_the_first(bare, hst123r, monkeypatch):
    Room = namedtuple("Room", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Room(10**9, 10**9, 1000))
    before = {path for path in bare.rglob("*") if path.is_file()}
    answer = hst123r("db", "rebuild", "-C", bare)
    assert answer.code == 6, answer.err
    assert "copies of 3 files need" in answer.err
    assert "0.0 MB of the disk are free" in answer.err
    assert {path for path in bare.rglob("*") if path.is_file()} - before <= {bare / ".hst123r.lock"}
    monkeypatch.undo()
    assert hst123r("db", "rebuild", "-C", bare).code == 0


def test_the_results_of_a_real_run(hst123r, copy_of_finished):
    """Its stacks and light curves are kept, and the next run makes its own beside them."""
    products = {
        str(path.relative_to(copy_of_finished)): path.read_bytes()
        for path in copy_of_finished.glob("products/**/*")
        if path.suffix in (".fits", ".ecsv")
    }
    (copy_of_finished / "hst123r.sqlite").unlink()
    shutil.rmtree(copy_of_finished / "logs")
    answer = hst123r("db", "rebuild", "-C", "small")
    assert answer.code == 0, answer.err
    kept = {
        str(path.relative_to(copy_of_finished / "adopted")): path.read_bytes()
        for path in copy_of_finished.glob("adopted/products/**/*")
        if path.suffix in (".fits", ".ecsv")
    }
    assert kept == products
    assert any(name.startswith("products/stacks") for name in kept)
    assert any(name.startswith("products/scrape") for name in kept)

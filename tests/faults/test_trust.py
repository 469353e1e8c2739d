"""Repairing, adopting and rebuilding under hard treatment: nothing is lost, and no lie is told."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.table import Table

from hst123r.cli.main import invoke
from hst123r.engine.lineage import trace
from hst123r.engine.verify import verify
from hst123r.provenance.store import NAME

pytestmark = pytest.mark.faults
SEED = 20261127
ASKING = [("verify",), ("verify", "--quick"), ("repair", "--check")]
WRITING = [("repair",), ("adopt", "stars.ecsv")]


@pytest.fixture(scope="module")
def small(made_exposures, module_folder):
    """A work directory with four exposures and their table."""
    folder = module_folder("trust")
    shutil.copytree(made_exposures, folder / "data")
    (folder / "r.yaml").write_text(
        'hst123r: 1\nname: r\ntargets: [{name: T, position: "150.1 2.2"}]\n'
        "stages: [fetch: {from: directory, path: data}, exposures: {}]\n"
    )
    assert invoke(["run", str(folder / "r.yaml"), "-C", str(folder / "r")]) == 0
    return folder


@pytest.fixture
def place(small, tmp_path, monkeypatch):
    shutil.copytree(small, tmp_path / "p")
    Table({"ra": np.arange(3.0), "dec": np.arange(3.0)}).write(tmp_path / "p" / "stars.ecsv")
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def states(folder):
    return {row["state"] for row in verify(folder)}


@pytest.mark.parametrize("command", [*ASKING, *WRITING], ids=" ".join)
def test_a_damaged_store_is_named_and_left(place, command, capsys):
    store = place / "r" / NAME
    good = store.read_bytes()
    store.write_bytes(good[:100] + b"\xff" * 4000 + good[4100:])
    bad = store.read_bytes()
    assert invoke([*command, "-C", "r"]) == 6
    assert "the store cannot be used" in capsys.readouterr().err
    assert store.read_bytes() == bad
    assert not (place / "r" / "aside").exists()
    assert not (place / "r" / "adopted").exists()


@pytest.mark.parametrize("command", [*ASKING, *WRITING, ("db", "rebuild")], ids=" ".join)
def test_a_newer_store_is_refused(place, command, capsys):
    with sqlite3.connect(place / "r" / NAME) as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) "
            "values ('hst123r', 'm999_from_the_future', '2030')"
        )
    db.close()
    assert invoke([*command, "-C", "r"]) == 6
    assert "made by a newer hst123r" in capsys.readouterr().err


@pytest.fixture
def small_disk(place):
    """Put the work directory on a file system that is nearly full; needs root."""
    disk = place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    shutil.copytree(place / "r", disk / "r")

    def resize(spare_kb):
        size = shutil.disk_usage(disk).used // 1024 + spare_kb
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)

    yield disk / "r", resize
    subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_full_disk_while_restoring(small_disk, capsys):
    work, resize = small_disk
    raw = work / "raw" / "jsi00101q_flc.fits"
    raw.chmod(0o644)
    broken = raw.read_bytes().replace(b"EXPTIME", b"EXPTIMF")
    raw.write_bytes(broken)
    resize(16)
    code = invoke(["repair", "-C", str(work)])
    assert code in (3, 6)
    assert "full" in capsys.readouterr().err
    found = [raw, *work.glob("aside/*/raw/jsi00101q_flc.fits")]
    assert broken in [path.read_bytes() for path in found if path.exists()]
    resize(20_000)
    assert invoke(["repair", "-C", str(work)]) == 0
    assert states(work) == {"ok"}


def test_a_full_disk_while_rebuilding(small_disk, capsys):
    work, resize = small_disk
    for path in work.glob(f"{NAME}*"):
        path.unlink()
    resize(40)
    assert invoke(["db", "rebuild", "-C", str(work)]) == 6
    assert "full" in capsys.readouterr().err
    assert not (work / NAME).exists()
    resize(20_000)
    assert invoke(["db", "rebuild", "-C", str(work)]) == 0
    assert states(work) == {"ok"}


def test_a_full_disk_while_adopting(small_disk, place, capsys):
    work, resize = small_disk
    resize(200)
    big = place / "big.ecsv"
    Table({"ra": np.random.default_rng(1).random(40_000)}).write(big)
    assert invoke(["adopt", str(big), "-C", str(work)]) == 6
    assert "full" in capsys.readouterr().err
    assert list((work / "adopted").iterdir()) == []
    resize(20_000)
    assert invoke(["adopt", str(big), "-C", str(work)]) == 0
    assert states(work) == {"ok"}


KILLED_BEFORE_IT_MOVES = """\
import os, sys
from hst123r.cli.main import invoke
from hst123r.engine import adopt, copies

copies.move = adopt.move = lambda source, destination: os.kill(os.getpid(), 9)
invoke(sys.argv[1:])
"""


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_a_kill_with_a_copy_that_is_whole(place, command):
    """It lies in scratch and goes with it: no verify finds half of a file that nobody knows."""
    work = place / "r"
    raw = work / "raw" / "jsi00101q_flc.fits"
    whole = raw.read_bytes()
    raw.chmod(0o644)
    raw.write_bytes(whole[:-1] + b"?")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_IT_MOVES, *command, "-C", "r"], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list((work / "scratch").iterdir())) == 1
    assert states(work) <= {"ok", "altered", "missing"}
    assert invoke(["repair", "-C", "r"]) == 0
    assert states(work) == {"ok"}
    assert raw.read_bytes() == whole
    assert not (work / "scratch").exists()


@pytest.fixture
def other_disks(place):
    """Put raw and adopted files on a file system of their own; needs root."""
    work, disk = place / "r", place / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted by root")
    shutil.move(work / "raw", disk / "raw")
    (disk / "adopted").mkdir()
    for name in ("raw", "adopted"):
        (work / name).symlink_to(disk / name)
    yield work
    subprocess.run(["umount", "-l", str(disk)], check=False)


def test_files_on_another_disk_are_mended_and_adopted(other_disks):
    """There nothing can be renamed from scratch: the copy is made beside its place."""
    raw = other_disks / "raw" / "jsi00101q_flc.fits"
    whole = raw.read_bytes()
    raw.chmod(0o644)
    raw.write_bytes(whole[:-1] + b"?")
    assert invoke(["repair", "-C", "r"]) == 0
    assert raw.read_bytes() == whole
    assert invoke(["adopt", "stars.ecsv", "-C", "r"]) == 0
    assert [path.name for path in (other_disks / "adopted").iterdir()] == ["stars.ecsv"]
    assert list(other_disks.rglob("*.part")) == []


@pytest.mark.heavy
def test_kills_in_the_middle(place, start):
    """Whatever moment it is, what was altered is there or aside, and the next repair ends well."""
    rng = random.Random(SEED)
    work = place / "r"
    raw, table = work / "raw" / "jsi00101q_flc.fits", work / "products/exposures/all/exposures.ecsv"
    whole = raw.read_bytes()
    for number in range(5):
        raw.chmod(0o644)
        raw.write_bytes(whole[:-1] + bytes([number + 1]))
        table.write_text(f"mine {number}")
        process = start("repair", "-C", "r", cwd=place)
        time.sleep(rng.uniform(0.2, 3.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kept = [path.read_text() for path in (table, *work.glob("aside/*/products/**/*.ecsv"))
                if path.exists()]  # fmt: skip
        assert f"mine {number}" in kept
        kept = [path.read_bytes()[-1] for path in (raw, *work.glob("aside/*/raw/*"))
                if path.exists()]  # fmt: skip
        assert number + 1 in kept
        process = start("repair", "-C", "r", cwd=place)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert states(work) == {"ok"}
        assert raw.read_bytes() == whole
    for path in work.rglob("*.part"):
        assert path.parent.name == "records", path


@pytest.mark.heavy
def test_a_lost_store_of_a_whole_recipe(copy_of_finished, tmp_path, science, capsys):
    """Rebuilt, it has nothing to do, and says the same of a point of a light curve."""
    work = copy_of_finished
    with sqlite3.connect(work / NAME) as db:
        target, through = db.execute(
            "select target, filter from photometry where level = 'filter' order by id"
        ).fetchone()
    db.close()
    # a work directory that was copied is looked at once
    command = ["run", str(tmp_path / "small.yaml"), "-C", str(work)]
    assert invoke(command) in (0, 3)
    before = trace(work, f"{target}/{through}"), science(work)
    for path in work.glob(f"{NAME}*"):
        path.unlink()
    capsys.readouterr()
    assert invoke(["db", "rebuild", "-C", str(work)]) == 0
    assert "had back" in capsys.readouterr().out
    assert (trace(work, f"{target}/{through}"), science(work)) == before
    assert invoke([*command, "--json"]) in (0, 3)
    answer = json.loads(capsys.readouterr().out)
    assert {job["state"] for stage in answer["stages"] for job in stage["jobs"]} == {"reused"}
    assert states(work) == {"ok"}
    assert invoke(["history", "-C", str(work)]) == 0
    assert "rebuild" in capsys.readouterr().out


@pytest.mark.heavy
def test_repairing_a_whole_recipe_runs_what_is_broken(copy_of_finished, tmp_path, science):
    """A stack and a reference of it: only their jobs run, and their science is the same."""
    work = copy_of_finished
    command = ["run", str(tmp_path / "small.yaml"), "-C", str(work)]
    assert invoke(command) in (0, 3)
    before = science(work)
    (stack,) = (
        sorted(work.glob("products/stacks/*/*_drz.fits"))[:1]
        or sorted(work.glob("products/*/*/*_drz.fits"))[:1]
    )
    stack.unlink()
    with sqlite3.connect(work / NAME) as db:
        (jobs,) = db.execute("select count(*) from job").fetchone()
    db.close()
    assert subprocess.run(
        [sys.executable, "-m", "hst123r", "repair", "-C", str(work)], check=False
    ).returncode == 0  # fmt: skip
    with sqlite3.connect(work / NAME) as db:
        assert db.execute("select count(*) from job").fetchone() == (jobs + 1,)
    db.close()
    assert science(work) == before
    assert states(work) == {"ok"}

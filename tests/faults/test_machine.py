"""A machine that refuses: full disk, no permission, a second runner, a damaged store."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def run(start, *arguments, cwd):
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 700 kB; needs root."""
    place = tmp_path / "small disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_is_named_and_nothing_is_lost(start, recipe, small_disk, tmp_path, check_truth):
    work = small_disk / "work"
    code, _, err = run(start, "run", str(recipe), "-C", str(work), cwd=tmp_path)
    assert code == 6, err
    assert "disk is full" in err
    assert "Traceback" not in err
    if (work / "hst123r.sqlite").exists():
        check_truth(work)
    # with room it goes on from where it stopped
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    code, _, err = run(start, "run", str(recipe), "-C", str(work), cwd=tmp_path)
    assert code == 0, err
    check_truth(work)


def test_a_disk_that_is_full_from_the_start(start, recipe, small_disk, tmp_path):
    filler = small_disk / "filler"
    room = shutil.disk_usage(small_disk).free
    filler.write_bytes(b"\0" * room)
    code, _, err = run(start, "run", str(recipe), "-C", str(small_disk / "work"), cwd=tmp_path)
    assert code == 6
    assert "Traceback" not in err
    assert "full" in err or "No space" in err


@pytest.mark.heavy
def test_a_full_disk_while_drizzling(start, copy_of_finished, small_disk, tmp_path, check_truth):
    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    work = small_disk / "small"
    shutil.copytree(copy_of_finished, work)
    used = shutil.disk_usage(small_disk).used
    size = f"size={used // 1024 + 2000}k"
    subprocess.run(["mount", "-o", f"remount,{size}", str(small_disk)], check=True)
    command = ("run", str(tmp_path / "small.yaml"), "-C", str(work), "--until", "stacks",
               "--redo", "stacks", "-j", "1")  # fmt: skip
    code, _, err = run(start, *command, cwd=tmp_path)
    assert code == 6, err
    assert "disk is full" in err
    assert "Traceback" not in err
    check_truth(work)
    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    code, _, err = run(start, *command, cwd=tmp_path)
    assert code == 0, err
    check_truth(work)
    assert not (work / "scratch").exists()


def test_a_full_disk_while_sky_maps_are_written(small_disk):
    """NumPy writes them, whose error has no number; that of a process comes without its causes."""
    import numpy as np
    from astropy.io import fits

    from hst123r.files.publish import no_room
    from hst123r.instruments.dolphot_facts import CalcSky
    from hst123r.photometers.dolphot_skies import write_skies

    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    settings = CalcSky(r_in=10, r_out=25, step=8, above=2.25, below=2.0)
    images = [(small_disk / f"a.chip{n}.fits", settings) for n in range(3)]
    for path, _ in images:
        header = fits.Header({"BADPIX": -1.0, "SATURATE": 9.0})
        fits.PrimaryHDU(np.ones((1200, 1000), np.float32), header).writeto(path)
    for workers in (1, 2):
        with pytest.raises(OSError, match="space") as caught:
            write_skies(images, workers)
        assert no_room(caught.value) == "the disk is full"
        for path in small_disk.glob("*.sky.fits"):
            path.unlink()


@pytest.fixture
def as_a_mortal():
    """What to put before a command so that permissions hold for it, root or not."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
    if (
        shutil.which("setpriv") is None
        or subprocess.run([*command, "true"], check=False).returncode
    ):
        pytest.skip("root may write everywhere, and setpriv cannot take that away here")
    return command


@pytest.mark.heavy
@pytest.mark.parametrize("where", ["above", "products", "raw"])
def test_an_unwritable_directory(as_a_mortal, start, recipe, tmp_path, where, check_truth):
    work = tmp_path / "locked" / "work"
    place = work / where
    if where == "above":
        place = work.parent
    elif where == "raw":
        # the first run cannot bring the exposures
        place.mkdir(parents=True)
    else:
        run(start, "run", str(recipe), "-C", str(work), cwd=tmp_path)
        place = work / "products" / "exposures" / "all"
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o555)
    command = [*as_a_mortal, sys.executable, "-m", "hst123r", "run", str(recipe), "-C", str(work),
               "--set", "exposures.epoch_gap=9 day"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    place.chmod(0o755)
    assert done.returncode == 6, done.stderr
    assert "Check the permissions" in done.stderr
    assert "Traceback" not in done.stderr
    if (work / "hst123r.sqlite").exists():
        check_truth(work)
        assert run(start, "run", str(recipe), "-C", str(work), cwd=tmp_path)[0] == 0


def test_a_place_that_is_no_directory(start, recipe, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, _, err = run(start, "run", str(recipe), "-C", str(tmp_path / "file" / "w"), cwd=tmp_path)
    assert code == 6
    assert "cannot use the work directory" in err
    assert "Traceback" not in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_file_system(start, recipe, small_disk, tmp_path):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, _, err = run(start, "run", str(recipe), "-C", str(small_disk / "work"), cwd=tmp_path)
    assert code == 6
    assert "read-only" in err.lower()
    assert "Traceback" not in err


@pytest.mark.heavy
def test_the_second_runner_is_told_who_is_there(start, tmp_path, check_truth):
    first = start("run", "quickstart", cwd=tmp_path)
    folder = tmp_path / "quickstart"
    deadline = time.monotonic() + 60
    while not list(folder.glob("raw/*.fits")) and time.monotonic() < deadline:
        time.sleep(0.1)
    code, out, err = run(start, "run", "quickstart", cwd=tmp_path)
    assert code == 6
    assert "another run holds this directory" in err
    assert "run quickstart" in err
    assert f"process {first.pid}" in err
    # questions are answered meanwhile
    code, out, err = run(start, "history", cwd=tmp_path)
    assert code == 0
    assert "running" in out
    assert run(start, "plan", "quickstart", cwd=tmp_path)[0] == 10
    first.kill()
    first.wait()
    code, _, err = run(start, "run", "quickstart", "--until", "select", cwd=tmp_path)
    assert code == 0, err
    check_truth(folder)


def test_a_store_of_somebody_else_and_a_damaged_one(start, recipe, tmp_path):
    import sqlite3

    work = tmp_path / "r"
    assert run(start, "run", str(recipe), cwd=tmp_path)[0] == 0
    store = work / "hst123r.sqlite"
    good = store.read_bytes()
    store.write_bytes(good[:100] + b"\xff" * 4000 + good[4100:])
    for command in (("run", str(recipe)), ("history",), ("verify",), ("plan", str(recipe))):
        code, _, err = run(start, *command, cwd=tmp_path)
        assert code == 6, command
        assert "the store cannot be used" in err
        assert "Traceback" not in err
    store.unlink()
    for leftover in work.glob("hst123r.sqlite-*"):
        leftover.unlink()
    connection = sqlite3.connect(store)
    connection.execute("create table mine (x)")
    connection.commit()
    connection.close()
    code, _, err = run(start, "run", str(recipe), cwd=tmp_path)
    assert code == 2
    assert "was not made by hst123r" in err


def test_a_store_of_a_newer_version(start, recipe, tmp_path):
    import sqlite3

    assert run(start, "run", str(recipe), cwd=tmp_path)[0] == 0
    connection = sqlite3.connect(tmp_path / "r" / "hst123r.sqlite")
    connection.execute(
        "insert into _sqlite_migrations (migration_set, name, applied_at) "
        "values ('hst123r', 'm999_from_the_future', '2030')"
    )
    connection.commit()
    connection.close()
    code, _, err = run(start, "run", str(recipe), cwd=tmp_path)
    assert code == 6
    assert "made by a newer hst123r (it has m999_from_the_future)" in err


def test_a_moved_work_directory_still_knows_everything(start, recipe, tmp_path):
    assert run(start, "run", str(recipe), cwd=tmp_path)[0] == 0
    elsewhere = Path(shutil.move(tmp_path / "r", tmp_path / "elsewhere"))
    code, out, _ = run(start, "run", str(recipe), "-C", str(elsewhere), cwd=tmp_path)
    assert code == 0
    stages = [line for line in out.splitlines() if re.search(r" \d+ \w+$", line)]
    assert stages
    assert all(re.search(r" \d+ reused$", line) for line in stages), out

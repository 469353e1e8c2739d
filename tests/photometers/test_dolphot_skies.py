"""Sky maps in several processes: the same bytes, errors that arrive, and none that outlives us."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError, StageError
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.photometers.dolphot_skies import write_skies

SETTINGS = CalcSky(r_in=10, r_out=25, step=8, above=2.25, below=2.0)
LONG = SETTINGS.model_copy(update={"step": 1})

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs the /proc of Linux"
)


@pytest.fixture
def images(tmp_path):
    """Write three images for DOLPHOT of 4.5 million pixels together."""
    rng = np.random.default_rng(4)
    header = fits.Header({"BADPIX": -400.0, "SATURATE": 8e4})
    paths = [tmp_path / f"a.chip{n}.fits" for n in range(3)]
    for path, rows in zip(paths, (500, 1500, 1000), strict=True):
        data = rng.normal(50, 5, (rows, 1500)).astype("f4")
        fits.PrimaryHDU(data, header).writeto(path)
    return paths


def skies(images):
    return [image.with_suffix(".sky.fits").read_bytes() for image in images]


def test_processes_make_no_difference(images):
    write_skies([(image, SETTINGS) for image in images], 1)
    alone = skies(images)
    for image in images:
        image.with_suffix(".sky.fits").unlink()
    write_skies([(image, SETTINGS) for image in images], 2)
    assert skies(images) == alone
    assert not multiprocessing.active_children()


def test_an_error_of_a_process_is_that_of_the_stage(images):
    with fits.open(images[0], mode="update") as hdus:
        del hdus[0].header["BADPIX"]
    with pytest.raises(InputError, match=r"a\.chip0\.fits: its header has no BADPIX"):
        write_skies([(image, SETTINGS) for image in images], 2)


@needs_proc
def test_a_process_that_is_killed(images):
    def kill():
        while len(children := children_of(os.getpid())) < 2 or not all(map(reads, children)):
            time.sleep(0.02)
        os.kill(min(children), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(StageError, match=r"was killed\. It may have been for want of memory"):
        write_skies([(image, LONG) for image in images], 2)
    killer.join()


PROGRAM = """
import sys
from pathlib import Path
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.photometers.dolphot_skies import write_skies

settings = CalcSky.model_validate_json(sys.argv[1])
if __name__ == "__main__":
    write_skies([(Path(path), settings) for path in sys.argv[2:]], 2)
"""


def children_of(pid):
    """Return the processes that a process started and that work: those of its pool."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
            command = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and b"spawn_main" in command:
            found.add(int(stat.parent.name))
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@needs_proc
def test_none_outlives_a_job_that_is_killed(images, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen([
        sys.executable, str(program), LONG.model_dump_json(), *map(str, images)
    ]) as job:  # fmt: skip
        # both are at work when both have opened an image
        while len(children := children_of(job.pid)) < 2 or not all(map(reads, children)):
            assert job.poll() is None
            time.sleep(0.02)
        job.kill()
    deadline = time.monotonic() + 20
    while any(map(is_running, children)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reads(pid):
    """Whether a process has an image in its memory."""
    try:
        return ".chip" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False

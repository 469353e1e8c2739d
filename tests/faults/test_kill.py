"""kill -9 at random moments: nothing lost, no lie in the store, the same result in the end."""

import math
import os
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
KILLS = 20
SEED = 20261122
PRINTED = "printed.txt"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def undisturbed(module_folder):
    """A quickstart run that nobody disturbs, and how long it took."""
    import subprocess
    import sys

    folder = module_folder("undisturbed")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "quickstart"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    (folder / PRINTED).write_text(done.stdout)
    return folder / "quickstart", time.monotonic() - began


@pytest.mark.heavy
def test_twenty_kills(undisturbed, tmp_path, start, science, check_truth, children_of, monkeypatch):
    reference, seconds = undisturbed
    rng = random.Random(SEED)
    folder = tmp_path / "quickstart"
    monkeypatch.setenv("HST123R_TEST", str(tmp_path))
    kills = 0
    while kills < KILLS:
        process = start("run", "quickstart", cwd=tmp_path)
        # moments from the start of the program to well into a job, anywhere in the run: of each
        # length as many, since half of what can go wrong is over in seconds
        time.sleep(math.exp(rng.uniform(math.log(0.3), math.log(0.3 * seconds))))
        if process.poll() is not None:
            # it had come to its end through several kills: as good as any, and begin anew
            assert science(folder) == science(reference)
            shutil.rmtree(folder)
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        deadline = time.monotonic() + 10
        while children_of(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert children_of(tmp_path) == []
        if (folder / "hst123r.sqlite").exists():
            check_truth(folder)
    last = start("run", "quickstart", cwd=tmp_path)
    _, err = last.communicate(timeout=600)
    assert last.returncode == 0, err
    assert science(folder) == science(reference)
    check_truth(folder)
    assert not (folder / "scratch").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_pages_show_what_the_commands_print(undisturbed, start, page):
    """Stands here since the run is made here anyway, and takes a minute."""
    folder = undisturbed[0].parent
    text = (ROOT / page).read_text(encoding="utf-8")
    command = r"^\$ hst123r ((?:run|plan) quickstart.*)\n((?:[^`$].*\n)+)"
    shown = re.findall(command, text, re.MULTILINE)
    assert {words.split()[0] for words, _ in shown} == {"run", "plan"}
    for words, expected in shown:
        printed = (folder / PRINTED).read_text()
        if "run 1 done" not in expected:
            printed, err = start(*words.split(), cwd=folder).communicate(timeout=120)
            assert printed, err
        # the second run of a page need not be the second one here
        found, told = (
            re.sub(r"^run \d+ (\w+) in \S*/", r"run N \1 in ", item, flags=re.MULTILINE)
            for item in (printed, expected)
        )
        assert found == told


@pytest.mark.heavy
def test_the_pages_show_the_magnitudes_of_the_run(undisturbed):
    from astropy.table import Table

    found = Table.read(next(undisturbed[0].glob("products/scrape/*/*_light_curve.ecsv")))
    epochs = found[found["level"] == "epoch"]
    page, readme = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("docs/quickstart.md", "README.md")
    )
    lines = []
    for row in epochs:
        day, value = str(row["epoch"]), f"{row['mag_ab']:.3f} ± {row['mag_err']:.3f}"
        lines.append(f"| {day[:4]}-{day[4:6]}-{day[6:]} | {row['filter']} | {value} |")
    assert len(lines) == 4
    assert [line for line in lines if line not in page] == []
    blue = epochs[epochs["filter"] == "F606W"]
    told = " and ".join(f"{row['mag_ab']:.3f} ± {row['mag_err']:.3f}" for row in blue)
    assert f"comes out as {told} in F606W" in readme


def test_ctrl_c_ends_in_order_and_keeps_what_is_done(tmp_path, start, check_truth):
    process = start("run", "quickstart", cwd=tmp_path)
    folder = tmp_path / "quickstart"
    deadline = time.monotonic() + 120
    while not list(folder.glob("raw/*_flc.fits")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "run 1 interrupted" in out
    assert not (folder / "scratch").exists()
    check_truth(folder)
    again = start("plan", "quickstart", cwd=tmp_path)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 10
    assert "the last attempt was interrupted" in out

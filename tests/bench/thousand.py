"""A work directory with 1000 exposures and 2001 jobs, and what a run with nothing to do costs.

Run by hand: ``python tests/bench/thousand.py FOLDER``. The folder is made once and kept. Prints
CPU seconds, best of three, beside those of an empty Python and of importing sqlite-utils as
Python imports it (with pandas and NumPy, which we keep out), all in one session on one machine;
ratios are what to compare.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from astropy.io import fits

EXPOSURES = 1000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
RECIPE = """\
hst123r: 1
name: thousand
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch: {from: directory, path: data}
  - exposures: {}
"""


def make(folder: Path) -> None:
    """Write the exposures, each with a date and a pixel of its own."""
    data = folder / "data"
    data.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(EXPOSURES):
        root = f"jb{number // 1296:01d}{DIGITS[number // 36 % 36]}{DIGITS[number % 36]}a1aq"[:9]
        primary = fits.PrimaryHDU()
        primary.header.update(
            TELESCOP="HST", INSTRUME="ACS", DETECTOR="WFC", ROOTNAME=root, EXPTIME=100.0,
            EXPSTART=58000.0 + number, EXPEND=58000.0 + number + 100 / 86400, FILTER1="F606W",
            FILTER2="CLEAR2L", EXPFLAG="NORMAL", FGSLOCK="FINE", PROPOSID=1, SUBARRAY=True,
        )  # fmt: skip
        science = fits.ImageHDU(rng.normal(size=(40, 40)).astype("f4"), name="SCI", ver=1)
        science.header.update(
            BUNIT="ELECTRONS", CCDCHIP=1, PHOTFLAM=7.8e-20, PHOTPLAM=5921.0, CTYPE1="RA---TAN",
            CTYPE2="DEC--TAN", CRPIX1=20.0, CRPIX2=20.0, CRVAL1=150.1, CRVAL2=2.2,
            CD1_1=-1.4e-5, CD1_2=0.0, CD2_1=0.0, CD2_2=1.4e-5, ORIENTAT=0.0,
        )  # fmt: skip
        error = fits.ImageHDU(np.ones((40, 40), "f4"), name="ERR", ver=1)
        quality = fits.ImageHDU(np.zeros((40, 40), "i2"), name="DQ", ver=1)
        hdus = [primary, science, error, quality]
        fits.HDUList(hdus).writeto(data / f"{root}_flc.fits")
    (folder / "recipe.yaml").write_text(RECIPE)


def cpu(command: list[str], folder: Path) -> float:
    """Return the CPU seconds of a command, best of three."""
    best = float("inf")
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, used)
    return best


def main() -> None:
    """Make the directory if need be, and measure."""
    folder = Path(sys.argv[1]).resolve()
    program = [sys.executable, "-m", "hst123r"]
    if not folder.exists():
        make(folder)
    first = subprocess.run([*program, "run", "recipe.yaml"], cwd=folder, check=True, text=True,
                           capture_output=True)  # fmt: skip
    sys.stdout.write(first.stdout)
    python = [sys.executable, "-c"]
    measured = {
        "an empty Python": cpu([*python, "pass"], folder),
        "import sqlite_utils": cpu([*python, "import sqlite_utils"], folder),
        "import it as we do": cpu([*python, "import hst123r.provenance.sqlite"], folder),
        "hst123r --help": cpu([*program, "--help"], folder),
        "plan, nothing to do": cpu([*program, "plan", "recipe.yaml"], folder),
        "run, nothing to do": cpu([*program, "run", "recipe.yaml"], folder),
    }
    for path in (folder / "data").iterdir():
        os.utime(path)
    touched = [*program, "plan", "recipe.yaml"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(touched, cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured["plan, every file touched"] = (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    )
    measured["plan, after that"] = cpu(touched, folder)
    for name, seconds in measured.items():
        sys.stdout.write(f"{name:28s} {seconds:6.2f} s CPU\n")


if __name__ == "__main__":
    main()

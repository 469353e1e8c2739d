"""Masks and sky maps for DOLPHOT of a full ACS/WFC exposure, beside what does the same otherwise.

Run by hand: ``python tests/bench/dolphot_images.py FOLDER``. The exposure is simulated into the
folder once and kept. In one process, one after the other:

* masking and splitting both chips, beside reading and writing the same pixels alone;
* the sky maps of both chips one after the other and in two processes, beside sorting as many
  samples as pixels have, each by itself, and beside ``calcsky``, where it stands with DOLPHOT.

CPU and wall-clock seconds, with the load of the machine before and after. Goals for an exposure on
two cores: masks in under 2 seconds, sky maps in under 20. Ratios are what to compare.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from hst123r import instruments
from hst123r.external.dolphot_installation import find
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.photometers.dolphot_skies import write_skies
from hst123r.photometry.annulus_sky import Clipping
from hst123r.products.dolphot.images import write_chips
from hst123r.products.exposures import read_exposure

SCENE = """\
hst123r: 1
name: scene
targets: [{name: T, position: "10:00:24.00 +02:12:00.0"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 7
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 1,
             exposure_time: 400 s}
        stars: {number: 20000, radius: 150 arcsec}
  - exposures: {}
"""
TARGET = {"T": (150.1, 2.2)}
SORTED_AT_ONCE = 4096
"""Pixels whose samples are sorted together."""


def used(work: Callable[[], Any]) -> tuple[float, float]:
    """Return CPU seconds, those of child processes too, and wall-clock seconds of some work."""
    before, start = os.times(), time.perf_counter()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), time.perf_counter() - start


def say(what: str, cost: tuple[float, float], beside: tuple[float, float] | None = None) -> None:
    """Print a line; the ratio is that of CPU seconds."""
    ratio = "" if beside is None else f"  {cost[0] / beside[0]:5.2f} of the line above"
    sys.stdout.write(f"{what:34s} {cost[0]:6.2f} s CPU {cost[1]:6.2f} s wall{ratio}\n")
    sys.stdout.flush()


def exposure_in(folder: Path) -> Path:
    """Return the exposure, simulated where it is not there yet."""
    if not (folder / "frames").exists():
        (folder / "scene.yaml").write_text(SCENE)
        command = [sys.executable, "-m", "hst123r", "simulate", "scene.yaml", "-o", "frames"]
        subprocess.run(command, cwd=folder, check=True)
    return next((folder / "frames").glob("*_flc.fits"))


def copy_pixels(source: Path, folder: Path) -> None:
    """Read the science and data quality of both chips, and write the science."""
    with fits.open(source) as hdus:
        for version in (1, 2):
            np.count_nonzero(hdus["DQ", version].data)
            pixels = np.asarray(hdus["SCI", version].data, np.float32)
            path = folder / f"plain{version}.fits"
            fits.PrimaryHDU(pixels, hdus["SCI", version].header).writeto(path, overwrite=True)


def sort_samples(pixels: int, settings: CalcSky) -> None:
    """Sort as many samples as the sky of some pixels is found from."""
    offsets = Clipping(
        settings.r_in, settings.r_out, settings.step, settings.above, settings.below
    ).offsets()
    random = np.random.default_rng(1)
    samples = random.normal(60, 9, (SORTED_AT_ONCE, len(offsets))).astype(np.float32)
    for _ in range(pixels // SORTED_AT_ONCE):
        samples.copy().sort(axis=1)


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    raw = exposure_in(folder)
    exposure = read_exposure(str(raw), TARGET)
    settings = instruments.get(exposure.detector).dolphot.calcsky
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}\n")
    copied = used(lambda: copy_pixels(raw, folder))
    say("reading and writing alone", copied)
    made: list[Any] = []
    masked = used(lambda: made.extend(write_chips({"science": str(raw)}, exposure, folder)))
    say("masks of both chips", masked, copied)
    images = [image.path for image in made]
    pixels = sum(rows * columns for rows, columns in (fits.getdata(p).shape for p in images))
    alone = used(lambda: sort_samples(pixels, settings))
    say("sorting the samples alone", alone)
    listed = [(path, settings) for path in images]
    for processes in (1, 2):
        cost = used(lambda n=processes: write_skies(listed, n))
        say(f"sky maps of both, {processes} process(es)", cost, alone if processes == 1 else None)
    installation = find()
    program = installation and installation.sibling("calcsky")
    if program is None:
        sys.stdout.write("there is no calcsky to compare with\n")
    else:
        words = (settings.r_in, settings.r_out, settings.step, settings.above, settings.below)
        # not mapped: the program writes into the same files
        ours = [fits.getdata(path.with_suffix(".sky.fits"), memmap=False) for path in images]
        theirs = used(lambda: [
            subprocess.run([program, path.stem, *map(str, words)], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL) for path in images
        ])  # fmt: skip
        say("calcsky", theirs)
        apart = [np.abs(mine - fits.getdata(path.with_suffix(".sky.fits"))).max()
                 for mine, path in zip(ours, images, strict=True)]  # fmt: skip
        sys.stdout.write(f"largest difference {max(apart):.1e} counts\n")
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()

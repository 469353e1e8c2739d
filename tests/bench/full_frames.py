"""Align and drizzle of four full ACS/WFC frames, beside the bare calls of drizzlepac.

Run by hand: ``python tests/bench/full_frames.py FOLDER [ROUNDS]``. The frames, two epochs of two,
are simulated into the folder once and kept. In every round, one after the other:

* ``hst123r run`` of stars, reference, align and drizzle by epoch, with one job and with two, and
  with one job and the engine ``drizzle`` instead of AstroDrizzle;
* the bare calls: TweakReg with its own finder on all four, AstroDrizzle on each epoch, with the
  parameters our stage gives it. Inside of it the kernels are taken apart: reading of FITS files,
  TweakReg's source finding, the drizzling (``tdriz``) and the blotting (``tblot``);
* the sequence of hst123 for the same products: copies, cosmic rays by astroscrappy, the counts of
  sources at five thresholds for the deepest frame and for the reference, a stack as the
  reference, TweakReg on the cleaned copies, AstroDrizzle on each epoch. Left out without
  astroscrappy.

CPU seconds of all processes and wall-clock seconds, the least of all rounds. Ratios are what to
compare, those of one session on a quiet machine.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from overhead import ONE_THREAD, cpu_and_time

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
          - detector: ACS/WFC
            filter: F606W
            dates: [2019-04-01, 2019-06-10]
            exposures: 2
            exposure_time: 400 s
        stars: {number: 8000, radius: 150 arcsec}
        errors:
          - {east: 0.03 arcsec, north: -0.02 arcsec}
          - {east: 0.20 arcsec, north: 0.22 arcsec, roll: 0.01 deg}
  - exposures: {}
"""
RECIPE = """\
hst123r: 1
name: {name}
targets: [{{name: T, position: "10:00:24.00 +02:12:00.0"}}]
stages:
  - fetch: {{from: directory, path: frames}}
  - reference: {{}}
  - align: {{}}
  - drizzle: {{{engine}per: [detector, filter, epoch]}}
"""
GRID = {"rot": 0.0, "scale": 0.05, "pixfrac": 0.8, "bits": 96, "wcs": True, "fillval": None}
ENGINES = {"full": "", "kernels": "engine: drizzle, "}
"""Recipes, by the engine that drizzles."""
STAGES = ("stars", "reference", "align", "drizzle")
THRESHOLDS = (80.0, 35.2, 15.49, 6.82, 3.0)
KERNELS = (
    ("tweakutils", "ndfind", "source finding"),
    ("cdriz", "tdriz", "tdriz"),
    ("cdriz", "tblot", "tblot"),
)
FINDER = {"conv_width": 3.5, "use_sharp_round": True}


class Clock:
    """CPU seconds spent inside functions, by what they are for."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._inside = False

    def watch(self, holder: Any, name: str, what: str) -> None:
        """Replace a function by one that is timed; of nested ones only the outer counts."""
        function: Callable[..., Any] = getattr(holder, name)

        def timed(*arguments: Any, **keywords: Any) -> Any:
            if self._inside:
                return function(*arguments, **keywords)
            self._inside, begin = True, time.process_time()
            try:
                return function(*arguments, **keywords)
            finally:
                self._inside = False
                self.spent[what] = self.spent.get(what, 0.0) + time.process_time() - begin

        setattr(holder, name, timed)


def tweakreg(names: Sequence[str], threshold: float, **keywords: Any) -> None:
    """Call TweakReg with its own finder."""
    from drizzlepac import tweakreg as module

    finder = {"threshold": threshold, **FINDER}
    module.TweakReg(
        list(names), imagefindcfg=finder, refimagefindcfg=finder, updatehdr=True, wcsname="TWEAK",
        reusename=True, clean=True, writecat=False, interactive=False, updatewcs=False,
        residplot="No plot", see2dplot=False, shiftfile=True, outshifts="shifts.txt",
        nbright=4000, refnbright=4000, separation=0.5, minobj=10, runfile="tweakreg.log",
        **keywords,
    )  # fmt: skip


def astrodrizzle(names: Sequence[str], output: str) -> None:
    """Call AstroDrizzle with the parameters of our stage."""
    from drizzlepac import astrodrizzle as module

    placed = {f"driz_sep_{key}": value for key, value in GRID.items()}
    placed |= {f"final_{key}": value for key, value in GRID.items()}
    module.AstroDrizzle(
        list(names), **placed, output=output, runfile="astrodrizzle.log", context=True, build=False,
        preserve=False, clean=True, in_memory=True, num_cores=1, resetbits=4096,
        skymethod="globalmin+match", skystat="mode", combine_type="minmed", combine_nhigh=0,
        combine_maskpt=0.2, combine_nsigma="4 3", driz_cr_corr=False, driz_cr_snr="3.5 3.0",
        driz_cr_scale="1.2 0.7", final_wht_type="EXP", final_units="cps", mdriztab=False,
        updatewcs=False,
    )  # fmt: skip


def epochs(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the exposures of each visit, as their root names give it."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name[4:6], []).append(name)
    return found


def bare(names: Sequence[str]) -> None:
    """Only the calls of drizzlepac."""
    tweakreg(names, 10.0, searchrad=20, searchunits="pixels", tolerance=1.0, fitgeometry="rscale")
    for label, members in epochs(names).items():
        astrodrizzle(members, f"epoch{label}")


def as_hst123(names: Sequence[str]) -> None:
    """The calls of hst123: cleaned copies, thresholds, a reference stack, alignment, stacks."""
    first = next(iter(epochs(names).values()))
    astrodrizzle(first, "reference")
    cleaned = [clean(name) for name in names]
    reference = "reference_drc_sci.fits"
    count_sources(cleaned[0], [("sci", 1), ("sci", 2)])
    count_sources(reference, [("PRIMARY", 1)])
    tweakreg(
        cleaned, 3.0, refimage=reference, searchrad=1.0, searchunits="arcseconds", tolerance=0.25,
        fitgeometry="shift",
    )  # fmt: skip
    put_back(names, cleaned)
    for label, members in epochs(names).items():
        astrodrizzle(members, f"epoch{label}")


def clean(name: str) -> str:
    """Clean a copy of an exposure of its cosmic rays, as hst123 does it for ACS."""
    import astroscrappy
    from astropy.io import fits

    copy = name.replace("_flc", "_rawtmp_flc")
    shutil.copy(name, copy)
    with fits.open(copy, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                _, hdu.data = astroscrappy.detect_cosmics(
                    hdu.data.astype("f4"), readnoise=6.5, gain=1.0, satlevel=70000.0, sigclip=3.0,
                    sigfrac=0.1, objlim=5.0,
                )  # fmt: skip
    return copy


def count_sources(name: str, chips: Sequence[tuple[str, int]]) -> None:
    """Count the sources of an image at the five thresholds of hst123."""
    from drizzlepac.catalogs import generateCatalog
    from stwcs.wcsutil import HSTWCS

    for threshold in THRESHOLDS:
        for chip in chips:
            catalogue = generateCatalog(
                HSTWCS(name, ext=chip), mode="automatic", catalog=f"{name}[{chip[0]},{chip[1]}]",
                threshold=threshold, skysigma=0.0, computesig=True, sharplo=0.2, sharphi=1.0,
                roundlo=-1.0, roundhi=1.0, nsigma=1.5, ratio=1.0, theta=0.0, peakmin=None,
                peakmax=None, fluxmin=None, fluxmax=None, **FINDER,
            )  # fmt: skip
            catalogue.buildCatalogs()


def put_back(names: Sequence[str], cleaned: Sequence[str]) -> None:
    """Bring the solutions from the cleaned copies into the exposures."""
    from astropy.io import fits

    for name, copy in zip(names, cleaned, strict=True):
        with fits.open(copy) as solved, fits.open(name, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name in ("SCI", "ERR", "DQ"):
                    for key in ("CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2"):
                        hdu.header[key] = solved["SCI", hdu.ver].header[key]


def inside(what: str, frames: Path, scratch: Path) -> None:
    """Do one of the two in this process, and say where its time went."""
    clock, begin = Clock(), time.process_time()
    for module, name, kind in KERNELS:
        clock.watch(importlib.import_module(f"drizzlepac.{module}"), name, kind)
    for name in ("drizzlepac.tweakreg", "drizzlepac.astrodrizzle"):
        importlib.import_module(name)
    imported = time.process_time() - begin
    names = sorted(path.name for path in frames.glob("*_flc.fits"))
    os.chdir(scratch)
    for name in names:
        shutil.copy(frames / name, name)
    clock.spent["reading"] = reading(names)
    begin = time.process_time()
    {"bare": bare, "hst123": as_hst123}[what](names)
    said = {"imports": imported, "calls": time.process_time() - begin, **clock.spent}
    Path("said.json").write_text(json.dumps(said))


def reading(names: Sequence[str]) -> float:
    """Return the CPU seconds that reading all pixels takes once."""
    from astropy.io import fits

    begin = time.process_time()
    for name in names:
        with fits.open(name, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.data is not None and hdu.is_image:
                    hdu.data.sum()
    return time.process_time() - begin


def one_round(folder: Path, number: int) -> dict[str, tuple[float, float]]:
    """Do everything once; return CPU and wall-clock seconds."""
    run = [sys.executable, "-m", "hst123r", "run"]
    stages = [word for name in STAGES for word in ("--redo", name)]
    found = {}
    for jobs in (1, 2):
        command = [*run, "full.yaml", "--jobs", str(jobs)]
        found[f"hst123r run --jobs {jobs}"] = cpu_and_time([*command, *stages], folder)
    command = [*run, "kernels.yaml", "--jobs", "1"]
    found["hst123r run, engine: drizzle"] = cpu_and_time([*command, *stages], folder)
    settings = {**ONE_THREAD, "MPLBACKEND": "Agg", "ASTROMETRY_STEP_CONTROL": "OFF"}
    kinds = ["bare"] + ["hst123"] * bool(importlib.util.find_spec("astroscrappy"))
    for what in kinds:
        scratch = folder / f"{what}{number}"
        scratch.mkdir()
        again = [sys.executable, __file__, f"--{what}", str(folder / "frames"), str(scratch)]
        found[f"calls, {what}"] = cpu_and_time(again, folder, **settings)
        said = json.loads((scratch / "said.json").read_text())
        found |= {f"  of it {what}: {name}": (cpu, cpu) for name, cpu in said.items()}
        shutil.rmtree(scratch)
    return found


def by_stage(work: Path) -> dict[str, float]:
    """Return the CPU seconds of each stage in the last run, from the logs of its jobs."""
    import re

    from hst123r.provenance.store import Store

    store = Store(work, read_only=True)
    rows = store.db.execute(
        "select stage, log from job where run_id = (select max(id) from run)"
    ).fetchall()
    store.close()
    spent: dict[str, float] = {}
    for stage, log in rows:
        match = re.search(r"([\d.]+) s of CPU time", (work / log).read_text())
        spent[stage] = spent.get(stage, 0.0) + (float(match[1]) if match else 0.0)
    return spent


def main() -> None:
    """Prepare, measure everything in turns, and print."""
    folder = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "frames").exists():
        (folder / "scene.yaml").write_text(SCENE)
        simulate = [sys.executable, "-m", "hst123r", "simulate", "scene.yaml", "-o", "frames"]
        subprocess.run(simulate, cwd=folder, check=True)
    for name, engine in ENGINES.items():
        (folder / f"{name}.yaml").write_text(RECIPE.format(name=name, engine=engine))
        first = [sys.executable, "-m", "hst123r", "run", f"{name}.yaml", "--until", "exposures"]
        subprocess.run(first, cwd=folder, check=False)
    measured = [one_round(folder, number) for number in range(rounds)]
    least = {
        name: tuple(min(found[name][kind] for found in measured) for kind in (0, 1))
        for name in measured[0]
    }
    for name, (cpu, wall) in least.items():
        sys.stdout.write(f"{name:38s} {cpu:7.1f} s CPU {wall:7.1f} s\n")
    for work, (name, cpu) in [(w, pair) for w in ENGINES for pair in by_stage(folder / w).items()]:
        sys.stdout.write(f"  {work}, stage {name:24s} {cpu:7.1f} s CPU\n")
    one, two = least["hst123r run --jobs 1"], least["hst123r run --jobs 2"]
    kernels = least["hst123r run, engine: drizzle"]
    sys.stdout.write(
        f"engine: drizzle over bare   {kernels[0] / least['calls, bare'][0]:.2f}\n"
        f"jobs 1 over bare calls, CPU {one[0] / least['calls, bare'][0]:.2f}\n"
        f"jobs 1 over jobs 2, wall    {one[1] / two[1]:.2f}\n"
    )
    if "calls, hst123" in least:
        sys.stdout.write(f"hst123 over jobs 1, CPU     {least['calls, hst123'][0] / one[0]:.2f}\n")


if __name__ == "__main__":
    if sys.argv[1].startswith("--"):
        with contextlib.redirect_stdout(sys.stderr):
            inside(sys.argv[1][2:], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

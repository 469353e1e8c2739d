"""The methods of alignment against the truth, detector by detector: the table in the docs.

Run by hand: ``python tests/bench/methods.py FOLDER [DETECTOR ...]``; without a detector, all
five. For each detector the simulated archive makes one field with isolated stars, seen in two
visits whose headers are off by 1.7 and by 0.3 arcsec, both with a roll of 0.05 degree; two filters
with two exposures a visit, one with a single exposure, and a blue one in which eight stars shine.
The reference is tied to a catalogue whose positions are wrong by 1 mas along each axis, and every
method aligns the same exposures to it. JHAT takes part where it is installed.

Printed, for each method, against the true places of the stars on the pixels:

* residual rms along one axis, in pixel and mas, of the worst exposure that its own stars put there;
  a shift and a rotation common to all exposures are taken off, because they are the catalogue's;
* the largest difference between the filters of a visit, in pixel;
* what is left of the blue exposures, in pixel, and how they were tied;
* the common shift, over the error of the catalogue;
* CPU seconds of aligning the two visits, with the children of the job.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table

RA: Final = 150.1
DEC: Final = 2.2
CATALOGUE_MAS: Final = 1.0
BLUE_STARS: Final = 8
SCIENCE: Final = {"flc", "flt", "c0m"}
METHODS: Final = ("tweakwcs", "tweakreg", "jhat")
RECIPE: Final = """\
hst123r: 1
name: methods
targets: [{{name: SN, position: "{ra} {dec}"}}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 8
        observations:
{observations}
        stars: {{catalog: stars.ecsv}}
        errors:
          - {{east: 1.2 arcsec, north: -1.2 arcsec, roll: 0.05 deg}}
          - {{east: 0.2 arcsec, north: 0.2236 arcsec, roll: -0.05 deg}}
  - reference:
      filter: {first}
      absolute: {{file: catalogue.csv, epoch: 2019.3, position_error: {error} mas}}
{stages}
"""


@dataclass(frozen=True)
class Case:
    """How a detector is observed.

    Parameters
    ----------
    filters : tuple of str
        Two with two exposures a visit, one with one, and the blue one.
    size : str
        Side of the chips, as a recipe has it; empty for full ones.
    stars : int
        How many, within `radius` and no closer than `apart`, arcsec.
    radius, apart : float
        See there.
    scale_mas : float
        A pixel, the coarsest of the detector.
    """

    filters: tuple[str, str, str, str]
    size: str
    stars: int
    radius: float
    apart: float
    scale_mas: float


CASES: Final = {
    "ACS/WFC": Case(("F606W", "F814W", "F555W", "F435W"), "size: 800 pix", 650, 45, 1.0, 50.0),
    "WFC3/UVIS": Case(("F606W", "F814W", "F555W", "F336W"), "size: 800 pix", 600, 35, 0.8, 39.6),
    "WFC3/IR": Case(("F110W", "F160W", "F125W", "F105W"), "", 700, 75, 2.0, 128.0),
    "ACS/HRC": Case(("F606W", "F814W", "F555W", "F435W"), "", 450, 20, 0.6, 27.0),
    "WFPC2": Case(("F606W", "F814W", "F555W", "F439W"), "", 900, 90, 2.0, 99.6),
}


def field(case: Case) -> Table:
    """Return isolated stars with magnitudes in all filters; eight of them shine in the blue."""
    rng = np.random.default_rng(12)
    places: list[Any] = []
    for _ in range(case.stars):
        radius, angle = case.radius * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        new = radius * np.array([math.sin(angle), math.cos(angle)])
        if not places or np.hypot(*(np.array(places) - new).T).min() > case.apart:
            places.append(new)
    east, north = np.array(places).T
    table = Table()
    table["ra"] = RA + east / 3600 / np.cos(np.radians(DEC))
    table["dec"] = DEC + north / 3600
    first, second, third, blue = case.filters
    # dN/dm of a globular cluster's main sequence, roughly: a factor of 1.8 a magnitude
    bright, faint, slope = 18.5, 24.0, 0.25
    share = rng.random(len(east))
    magnitude = bright + np.log10(1 + share * (10 ** (slope * (faint - bright)) - 1)) / slope
    for name in (first, second, third):
        table[f"mag_{name}"] = magnitude
    middle = np.argsort(np.hypot(east, north))[:BLUE_STARS]
    table[f"mag_{blue}"] = np.where(np.isin(np.arange(len(east)), middle), 20.0, 31.0)
    return table


def write(folder: Path, detector: str, methods: Iterable[str]) -> Path:
    """Write stars, catalogue and recipe of a detector; return the recipe."""
    case = CASES[detector]
    stars = field(case)
    stars.write(folder / "stars.ecsv", overwrite=True)
    rng = np.random.default_rng(13)
    wrong = rng.normal(0, CATALOGUE_MAS / 3.6e6, (2, len(stars)))
    known = Table()
    known["ra"] = stars["ra"] + wrong[0] / np.cos(np.radians(DEC))
    known["dec"] = stars["dec"] + wrong[1]
    known["mag"] = stars[f"mag_{case.filters[0]}"]
    known.write(folder / "catalogue.csv", overwrite=True)
    lines = [
        f"          - {{detector: {detector}, filter: {name}, dates: [2019-04-01, 2019-06-10],"
        f" exposures: {number}, exposure_time: 400 s{', ' + case.size if case.size else ''}}}"
        for name, number in zip(case.filters, (2, 2, 1, 1), strict=True)
    ]
    stages = [
        f"  - align: {{name: {method}, method: {method}, uses: [exposures, reference]}}"
        for method in methods
    ]
    recipe = folder / "methods.yaml"
    recipe.write_text(
        RECIPE.format(
            ra=RA, dec=DEC, first=case.filters[0], error=CATALOGUE_MAS,
            observations="\n".join(lines), stages="\n".join(stages),
        )
    )  # fmt: skip
    return recipe


def methods(detector: str) -> tuple[str, ...]:
    """Return the methods that can align a detector here."""
    from hst123r.external.jhat import find

    possible = find() is not None and detector != "WFPC2"
    return METHODS if possible else METHODS[:2]


def run(recipe: Path) -> Path:
    """Run a recipe; return its work directory."""
    out = subprocess.run(
        [sys.executable, "-m", "hst123r", "run", recipe.name, "--jobs", "1"],
        cwd=recipe.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # 3 is that something is bad, which is what is to be measured
    if out.returncode not in (0, 3):
        raise SystemExit(out.stdout + out.stderr)
    return recipe.parent / "methods"


@dataclass(frozen=True, eq=False)
class Found:
    """Where an exposure's WCS puts its stars.

    Parameters
    ----------
    filter, visit, state : str
        What it is, and how it was tied.
    here : (n, 2) ndarray of float64
        True places east and north of the field's middle, arcsec.
    wrong : (n, 2) ndarray of float64
        Where the WCS puts the true pixels, less those, mas.
    """

    filter: str
    visit: str
    state: str
    here: Any
    wrong: Any


def measured(work: Path, method: str) -> dict[str, Found]:
    """Return all exposures that a method aligned, by root name."""
    states = alignment_states(work, method)
    return {
        path.name[:9]: compare(path, work / "raw", states[path.name[:9]])
        for path in sorted(work.glob(f"products/{method}/*/*_*.fits"))
        if path.name[10:13] in SCIENCE
    }


def raw(work: Path) -> list[Found]:
    """Return all exposures as they came from the archive."""
    paths = sorted((work / "raw").glob("*_*.fits"))
    return [compare(path, work / "raw", "raw") for path in paths if path.name[10:13] in SCIENCE]


def compare(path: Path, truths: Path, state: str) -> Found:
    """Compare the WCS of a file with the truth of its exposure."""
    from hst123r.algorithms.sphere import to_tangent_plane
    from hst123r.products.exposures import open_wcs

    truth = Table.read(truths / f"{path.name[:9]}_truth.ecsv")
    here, wrong = [], []
    with fits.open(path) as hdus:
        for version in sorted(set(truth["extver"])):
            stars = truth[truth["extver"] == version]
            wcs = open_wcs(hdus["SCI", version].header, hdus, path.name)
            sky = wcs.all_pix2world(stars["x"], stars["y"], 0)
            there = np.stack(to_tangent_plane(*sky, RA, DEC), axis=1)
            mine = np.stack(to_tangent_plane(stars["ra"], stars["dec"], RA, DEC), axis=1)
            here.append(mine)
            wrong.append(1000 * (there - mine))
    return Found(
        str(truth.meta["filter"]), str(truth.meta["visit"]), state,
        np.concatenate(here), np.concatenate(wrong),
    )  # fmt: skip


def alignment_states(work: Path, method: str) -> dict[str, str]:
    """Return how each exposure was tied, by root name."""
    from hst123r.provenance.store import Store

    store = Store(work, read_only=True)
    rows = store.db.execute(
        "select p.name, p.facts from product p join job j on p.job_id = j.id "
        "where j.stage = ? and p.kind = 'exposure' order by j.id",
        [method],
    ).fetchall()
    store.close()
    return {name: json.loads(facts)["alignment"]["state"] for name, facts in rows}


def seconds(work: Path, method: str) -> float:
    """Return the CPU seconds of the last job of each visit, children included."""
    from hst123r.provenance.store import Store

    store = Store(work, read_only=True)
    (spent,) = store.db.execute(
        "select sum(cpu_seconds) from job where id in "
        "(select max(id) from job where stage = ? group by label)",
        [method],
    ).fetchone()
    store.close()
    return float(spent)


def common(found: Iterable[Found]) -> Any:
    """Return shift east and north in mas, and rotation in mas an arcsec, that all share."""
    here = np.concatenate([item.here for item in found])
    wrong = np.concatenate([item.wrong for item in found])
    ones, none = np.ones(len(here)), np.zeros(len(here))
    design = np.concatenate(
        [np.stack([ones, none, -here[:, 1]], axis=1), np.stack([none, ones, here[:, 0]], axis=1)]
    )
    return np.linalg.lstsq(design, np.concatenate(wrong.T), rcond=None)[0]


def left(item: Found, frame: Any) -> Any:
    """Return what is wrong of an exposure beside what all share, mas, (n, 2)."""
    east, north, turn = frame
    x, y = item.here.T
    return item.wrong - np.stack([east - turn * y, north + turn * x], axis=1)


def judge(work: Path, method: str, case: Case) -> dict[str, Any]:
    """Return the row of the table for a method."""
    found = measured(work, method)
    blue = case.filters[3]
    rich = {root: item for root, item in found.items() if item.filter != blue}
    frame = common(rich.values())
    rms = {root: float(np.sqrt(np.mean(left(item, frame) ** 2))) for root, item in rich.items()}
    poor = [item for item in found.values() if item.filter == blue]
    worst = max(float(np.sqrt(np.mean(left(item, frame) ** 2))) for item in poor)
    return {
        "rms_mas": max(rms.values()),
        "rms_pix": max(rms.values()) / case.scale_mas,
        "stars": min(len(item.here) for item in rich.values()),
        "filters_pix": between_filters(found, frame, blue) / case.scale_mas,
        "blue_pix": worst / case.scale_mas,
        "blue_states": sorted({item.state for item in poor}),
        "states": sorted({item.state for item in rich.values()}),
        "tie": float(np.hypot(*frame[:2])) / CATALOGUE_MAS,
        "seconds": seconds(work, method),
    }


def between_filters(found: Mapping[str, Found], frame: Any, blue: str) -> float:
    """Return the largest difference between two filters of one visit, mas; not of the blue one."""
    largest = 0.0
    for visit in sorted({item.visit for item in found.values()}):
        offsets: dict[str, list[Any]] = {}
        for item in found.values():
            if item.visit == visit and item.filter != blue:
                offsets.setdefault(item.filter, []).append(left(item, frame).mean(axis=0))
        means = [np.mean(each, axis=0) for each in offsets.values()]
        largest = max(largest, *(float(np.hypot(*(a - b))) for a in means for b in means))
    return largest


def line(detector: str, method: str, row: Mapping[str, Any]) -> str:
    """Return a row of the table as it stands in the docs."""
    return (
        f"| {detector} | {method} | {row['rms_pix']:.4f} | {row['rms_mas']:.2f} "
        f"| {row['filters_pix']:.4f} | {row['blue_pix']:.4f} ({', '.join(row['blue_states'])}) "
        f"| {row['tie']:.2f} | {row['seconds']:.0f} |"
    )


def main() -> None:
    """Make the scenes, run all methods, and print the table."""
    folder = Path(sys.argv[1]).resolve()
    for detector in sys.argv[2:] or list(CASES):
        mine = folder / detector.lower().replace("/", "_")
        mine.mkdir(parents=True, exist_ok=True)
        chosen = methods(detector)
        work = run(write(mine, detector, chosen))
        for method in chosen:
            row = judge(work, method, CASES[detector])
            sys.stdout.write(
                f"{line(detector, method, row)} {row['states']} {row['stars']} stars\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What the engine and the stages add to the calls of drizzlepac, on the quickstart.

Run by hand: ``python tests/bench/overhead.py FOLDER [ROUNDS]``, with a folder that does not exist
yet. The stages before are run first. Then, in every round, the same jobs of `align`, `epochs` and
`stacks` are done twice: by ``hst123r run`` with one job at a time, and by calling the stages in one
process that imports drizzlepac once. In that process the time inside TweakReg and AstroDrizzle is
taken apart: it is what a script would spend that only made these calls. CPU seconds of all
processes, the least of all rounds; ratios are what to compare, of a quiet machine.

What the engine itself costs is the difference of two large numbers there, and a machine whose
clock changes by a tenth hides it. So it is also taken from one and the same run: its CPU time less
what its stages took inside the jobs and less the imports, as the logs give them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

STAGES = ("align", "epochs", "stacks")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def cpu_and_time(command: list[str], folder: Path, **environment: str) -> tuple[float, float]:
    """Return CPU seconds of a command with its children, and wall-clock seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        command, cwd=folder, check=True, text=True, capture_output=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - start


def products(store: Any, stage: str, kind: str) -> list[Any]:
    """Return the products of a kind that a stage made last."""
    rows = store.db.execute(
        "select max(id) from job where stage = ? and state = 'done' group by label order by label",
        [stage],
    ).fetchall()
    made = store.jobs.made([row[0] for row in rows])
    return [item.product for (row,) in rows for item in made[row] if item.product.kind == kind]


def jobs(store: Any, recipe: Any) -> list[tuple[Any, Any, Any]]:
    """Return stage, job and parameters of everything that is measured."""
    from hst123r.recipe.resolve import resolve
    from hst123r.stage import registry
    from hst123r.stage.contract import Scope

    given = {
        "align": {
            "exposure": products(store, "exposures", "exposure"),
            "stars": products(store, "stars", "stars"),
            "cosmic rays": [],
            "reference": products(store, "reference", "reference"),
        },
        "epochs": {"exposure": products(store, "align", "exposure"), "cosmic-ray mask": []},
        "stacks": {
            "exposure": products(store, "align", "exposure"),
            "cosmic-ray mask": products(store, "epochs", "cosmic-ray mask"),
        },
    }
    found = []
    for name in STAGES:
        instance = recipe.instance(name)
        stage = registry.get(instance.stage)
        scope = Scope(recipe.name, recipe.text, "/", recipe.targets, name)
        base = stage.params.model_validate(resolve(instance).values)
        for job in stage.divide(given[name], base, scope):
            labels = job.labels
            values = resolve(instance, labels.get("detector"), labels.get("filter")).values
            found.append((stage, job, stage.params.model_validate(values)))
    return found


def direct(work: Path, scratch: Path) -> None:
    """Do the jobs in this process, and say where the time went."""
    from hst123r.provenance.store import Store
    from hst123r.recipe.load import load
    from hst123r.resources import shipped_recipes
    from hst123r.stage.context import Context
    from hst123r.stage.contract import HEAVY

    start = time.process_time()
    for name in HEAVY:
        importlib.import_module(name)
    imported = time.process_time() - start
    inside = 0.0

    def timed(function: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal inside
            begin = time.process_time()
            try:
                return function(*arguments, **keywords)
            finally:
                inside += time.process_time() - begin

        return call

    for module, name in (("tweakreg", "TweakReg"), ("astrodrizzle", "AstroDrizzle")):
        found = importlib.import_module(f"drizzlepac.{module}")
        setattr(found, name, timed(getattr(found, name)))
    store = Store(work, read_only=True)
    every = jobs(store, load(shipped_recipes()["quickstart"]))
    begin = time.process_time()
    for number, (stage, job, params) in enumerate(every):
        folder = scratch / str(number)
        (folder / "work").mkdir(parents=True)
        os.chdir(folder / "work")
        stage.run(job, params, Context(scratch=folder / "work", out=folder / "out"))
    stages = time.process_time() - begin
    said = {"imports": imported, "drizzlepac": inside, "stages": stages}
    (scratch / "said.json").write_text(json.dumps(said))


def one_round(folder: Path, number: int, run: list[str]) -> dict[str, float]:
    """Do everything both ways, and return CPU seconds by what they were spent on."""
    redo = [word for name in STAGES for word in ("--redo", name)]
    # bytecode is kept, as wherever hst123r is installed
    engine, wall = cpu_and_time(
        [*run, "--until", "stacks", *redo], folder, PYTHONDONTWRITEBYTECODE=""
    )
    work = folder / "quickstart"
    own = engine - logged(work)
    scratch = folder / f"direct{number}"
    scratch.mkdir()
    again = [sys.executable, __file__, "--direct", str(work), str(scratch)]
    settings = {**ONE_THREAD, "MPLBACKEND": "Agg", "ASTROMETRY_STEP_CONTROL": "OFF"}
    _, direct_wall = cpu_and_time(again, folder, **settings)
    said = json.loads((scratch / "said.json").read_text())
    return {
        "calls of drizzlepac": said["drizzlepac"],
        "the same, with imports": said["imports"] + said["drizzlepac"],
        "stages, with imports": said["imports"] + said["stages"],
        "hst123r run": engine,
        "its own, by the logs": own,
        "wall, in one process": direct_wall,
        "wall, hst123r run": wall,
    }


def logged(work: Path) -> float:
    """Return the CPU seconds of the stages and imports of the last run, from its logs."""
    from hst123r.provenance.store import Store

    store = Store(work, read_only=True)
    logs = store.db.execute("select log from job where run_id = (select max(id) from run)")
    texts = [(work / name).read_text() for (name,) in logs.fetchall()]
    store.close()
    template = (work / "logs" / "template.log").read_text().splitlines()
    started = max(number for number, line in enumerate(template) if "hst123r.engine" in line)
    texts.append(template[started])
    found = [re.findall(r"([\d.]+) s of CPU time", text) for text in texts]
    return sum(float(numbers[0]) for numbers in found)


def main() -> None:
    """Prepare, measure both ways, and print."""
    folder = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder.mkdir(parents=True)
    run = [sys.executable, "-m", "hst123r", "run", "quickstart", "--jobs", "1"]
    cpu_and_time([*run, "--until", "reference"], folder)
    measured = [one_round(folder, number, run) for number in range(rounds)]
    least = {name: min(found[name] for found in measured) for name in measured[0]}
    for name, seconds in least.items():
        sys.stdout.write(f"{name:26s} {seconds:6.1f} s\n")
    bare, stages = least["the same, with imports"], least["stages, with imports"]
    engine, own = least["hst123r run"], least["hst123r run"] - stages
    sys.stdout.write(
        f"engine over stages         {100 * (engine / stages - 1):+6.1f} %\n"
        f"engine's own, of bare      {100 * own / bare:+6.1f} %\n"
        f"the same, by the logs      {100 * least['its own, by the logs'] / bare:+6.1f} %\n"
        f"all of it over bare calls  {100 * (engine / bare - 1):+6.1f} %\n"
    )


if __name__ == "__main__":
    if sys.argv[1] == "--direct":
        with contextlib.redirect_stdout(sys.stderr):
            direct(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

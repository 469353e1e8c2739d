"""A store of 5000 jobs and 50 runs, and what questions to it cost.

Run by hand: ``python tests/bench/asking.py FOLDER``. The store is made once and kept. Each of 50
runs has 100 exposures that are fetched (once), aligned by visit, drizzled and measured; every run
changes a parameter of drizzling, so that all after it runs again. Prints CPU seconds and wall time
of whole commands, best of three, beside those of ``hst123r --version``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hst123r.files.content import Content, digest_bytes
from hst123r.provenance.rows import InputRow, Part
from hst123r.provenance.store import Store
from hst123r.records.outcome import Measurement, Outcome, Product

RUNS, EXPOSURES, STACKS = 50, 100, 49
PER_STACK = 2


def make(folder: Path) -> None:
    """Write the store with its own functions: 100 + 50 * (49 * 2) = 5000 jobs."""
    folder.mkdir(parents=True)
    store = Store(folder)
    contents: dict[str, Content] = {}

    def content(name: str) -> Content:
        digest = digest_bytes(name.encode())
        facets = dict.fromkeys(("pixels", "dq", "wcs", "science"), digest)
        return contents.setdefault(name, Content(digest, 1000, "fits", facets))

    def job(run: int, stage: str, label: str, labels: dict[str, str], reads: list[Product],
            value: str, outcome: Outcome, version: int) -> int:  # fmt: skip
        row = {"run_id": run, "stage": stage, "handler": stage, "label": label, "labels": labels,
               "version": 1, "key": None, "reasons": [["parameter", "pixfrac changed"]], "log": "",
               "handler_digest": ""}  # fmt: skip
        number = store.jobs.start(row)
        inputs = []
        for place, product in enumerate(reads):
            for role, path in product.files.items():
                known = store.contents.add(content(f"{path} {product.facts['version']}"))
                identity = dict.fromkeys(("pixels", "dq", "wcs"), known.digest)
                about = (product.kind, product.name, role, place, path, known.id)
                inputs.append(InputRow(*about, identity))
        parts = [Part("param", f"p{n}", str(n), "stage default") for n in range(20)]
        store.jobs.describe(number, [*parts, Part("param", "pixfrac", value, "--set")], inputs,
                            f"blake3:{run}-{stage}-{label}")  # fmt: skip
        files = {
            path: content(f"{path} {version}")
            for product in outcome.products
            for path in product.files.values()
        }
        store.jobs.finish(number, outcome, files, {"cpu_seconds": 1.0, "peak_memory_mb": 100.0})
        return number

    def product(kind: str, name: str, labels: dict[str, str], path: str, version: int) -> Product:
        return Product(kind, name, labels, {"science": str(folder / path)}, {"version": version})

    raw: list[Product] = []
    fetched: list[int] = []
    for number in range(RUNS):
        run = _begin(store, number)
        with store.transaction():
            if number == 0:
                for i in range(EXPOSURES):
                    labels = {"exposure": f"j{i:08d}"}
                    raw.append(product("file", labels["exposure"], labels, f"raw/{i}_flc.fits", 0))
                    fetched.append(
                        job(run, "fetch", f"j{i:08d}", labels, [], "0", Outcome([raw[-1]]), 0)
                    )
            for i in range(STACKS):
                labels = {"field": "T", "target": f"T{i}", "detector": "D", "filter": f"F{i}"}
                made = product("stack", f"s{i}", labels, f"products/stack/{i}_drz.fits", number)
                rms = Measurement("rms", 1.0 + number / 100, "mas", high=5.0)
                reads = raw[PER_STACK * i : PER_STACK * (i + 1)]
                job(
                    run,
                    "stack",
                    f"s{i}",
                    labels,
                    reads,
                    str(number),
                    Outcome([made], [rms]),
                    number,
                )
                point = {"target": f"T{i}", "level": "filter", "detector": "D", "filter": f"F{i}",
                         "flux_njy": 100.0 + number, "flux_err_njy": 1.0}  # fmt: skip
                curve = product("curve", f"c{i}", labels, f"products/curve/{i}.fits", number)
                outcome = Outcome([curve], photometry=[point])
                job(run, "scrape", f"T{i}", labels, [made], "0", outcome, number)
        reused = fetched if number else []
        store.end_run(run, state="done", exit_code=0, ran=100, reused=reused, blocked=[])
    store.close()


def _begin(store: Store, number: int) -> int:
    recipe = {"name": "r", "path": "r.yaml", "text": "x", "canonical": {"head": {"targets": []}}}
    environment = {"python": "3.12", "platform": "Linux", "packages": {"drizzlepac": "3.10"}}
    parameters = [{"stage": "stack", "name": "pixfrac", "value": number, "origin": "--set"}]
    run: dict[str, Any] = {
        "uid": f"u{number}", "command": ["hst123r", "run"], "folder": "/", "user": "me",
        "host": "here", "pid": 1, "options": {}, "parameters": parameters,
    }  # fmt: skip
    return store.begin_run(recipe=recipe, environment=environment, run=run)


def measure(command: list[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of a command, best of three."""
    best = [float("inf"), float("inf")]
    for _ in range(3):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 10):
            raise SystemExit(done.stderr.decode())
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        best = [min(best[0], cpu), min(best[1], time.perf_counter() - start)]
    return best[0], best[1]


QUESTIONS = (
    ("--version",),
    ("history",),
    ("history", "--measurement", "rms > 1.2 mas"),
    ("history", "--where", "stack.pixfrac > 40"),
    ("history", "--photometry", "T7"),
    ("lineage", "T7/F7", "--json"),
    ("lineage", "raw/14_flc.fits", "--json"),
    ("lineage", "raw/14_flc.fits", "--all", "--json"),
    ("diff", "1", "50", "--json"),
    ("sql", "select count(*) from lineage where product is not null"),
    ("gc",),
    ("report", "-o", "provenance.html"),
)


def main() -> None:
    """Make the store and ask."""
    folder = Path(sys.argv[1]).resolve() / "asking"
    if not folder.is_dir():
        make(folder)
    sys.stdout.write("cpu s  wall s  question\n")
    for question in QUESTIONS:
        place = [] if question[0] == "--version" else ["-C", str(folder)]
        # the page of provenance goes beside the store, not to where the bench was started
        words = [str(folder / word) if word.endswith(".html") else word for word in question]
        cpu, wall = measure([sys.executable, "-m", "hst123r", *words, *place])
        sys.stdout.write(f"{cpu:5.2f}  {wall:6.2f}  {' '.join(question)}\n")


if __name__ == "__main__":
    main()

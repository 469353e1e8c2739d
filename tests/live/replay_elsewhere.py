"""Replay a bundle in virtual environments made for it, one with another photutils.

    python tests/live/replay_elsewhere.py FOLDER [--bundle paper.zip] [--other photutils==2.3.0]

Needs the network for pip, and some minutes. Without a bundle the quickstart is run here first. The
wheel of this tree is installed in a new environment with the versions of `constraints.txt`, and in
a second one with another version of one package. Each replays in a folder of its own, with an
empty home and none of our variables. Prints the answers as Markdown; the exit code is 0 if the
first is equal in all and the second says which package is another one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FINISHED = {0, 3}
"""Exit codes of replays that came to an end: all equal, or something different."""


def run(command: list[str | Path], folder: Path, env: dict[str, str] | None = None) -> str:
    """Run a program and return what it printed.

    Parameters
    ----------
    command : list of str or Path
        Program and arguments.
    folder : Path
        Where it runs.
    env : dict of str to str, optional
        All of its variables; ours by default.
    """
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=env, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode not in FINISHED:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def constraints(other: str) -> str:
    """Return the text of constraints.txt with another version of one package.

    Parameters
    ----------
    other : str
        As pip takes it; empty for none.
    """
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    if not other:
        return text
    name = re.split(r"[=<>!~]", other)[0]
    kept = [line for line in text.splitlines() if not line.startswith(f"{name}==")]
    return "\n".join([*kept, other, ""])


def environment(folder: Path, wheel: Path, other: str) -> Path:
    """Make a virtual environment; return its Python.

    Parameters
    ----------
    folder : Path
        Where to.
    wheel : Path
        What to install.
    other : str
        As for :func:`constraints`.
    """
    folder.mkdir(parents=True)
    limits = folder / "constraints.txt"
    limits.write_text(constraints(other), encoding="utf-8")
    run([sys.executable, "-m", "venv", folder / "venv"], folder)
    python = folder / "venv" / "bin" / "python"
    run([python, "-m", "pip", "install", "-q", "-c", limits, wheel], folder)
    return python


def replayed(python: Path, folder: Path, bundle: Path) -> list[dict[str, Any]]:
    """Replay a bundle and return what was found, line by line.

    Parameters
    ----------
    python : Path
        Of the environment.
    folder : Path
        Of this replay.
    bundle : Path
        The bundle.
    """
    home = folder / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"}
    command = [python, "-m", "hst123r", "replay", bundle, "--into", "again", "--json"]
    found: list[dict[str, Any]] = json.loads(run(command, folder, env))
    return found


def markdown(lines: list[dict[str, Any]]) -> str:
    """Return the answer of a replay as a table."""
    words = {True: "equal", False: "**differs**", None: "note"}
    rows = [f"| {line['what']} | {words[line['passed']]} | {line['found']} |" for line in lines]
    return "\n".join(["| what | | found |", "| --- | --- | --- |", *rows])


def main() -> int:
    """Do it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--other", default="photutils==2.3.0")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True)
    if given.bundle is None:
        here = {**os.environ, "PYTHONPATH": str(ROOT)}
        run([sys.executable, "-m", "hst123r", "run", "quickstart"], folder, here)
        command = [sys.executable, "-m", "hst123r", "bundle", "-o", "paper.zip"]
        run([*command, "--work-dir", "quickstart"], folder, here)
    bundle = (given.bundle or folder / "paper.zip").resolve()
    run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], folder)
    (wheel,) = folder.glob("hst123r-*.whl")
    answers = {}
    for name, other in (("same", ""), ("other", given.other)):
        python = environment(folder / name, wheel, other)
        answers[name] = replayed(python, folder / name, bundle)
        sys.stdout.write(f"\n{name} {other}\n\n{markdown(answers[name])}\n")
        sys.stdout.flush()
    equal = all(line["passed"] for line in answers["same"])
    package = re.split(r"[=<>!~]", given.other)[0]
    named = any(
        line["what"] == "software" and line["passed"] is None and package in line["found"]
        for line in answers["other"]
    )
    return 0 if equal and named else 1


if __name__ == "__main__":
    sys.exit(main())

"""What it costs to start: `--help` beside an empty Python.

Run by hand: ``python tests/bench/startup.py``. Prints CPU seconds, the least of ten, and their
ratio to those of an empty Python, all in one session; ratios are what to compare.
"""

from __future__ import annotations

import resource
import subprocess
import sys

ROUNDS = 10
COMMANDS = {
    "an empty Python": ["-c", "pass"],
    "import click": ["-c", "import click"],
    "hst123r --help": ["-m", "hst123r", "--help"],
    "hst123r run --help": ["-m", "hst123r", "run", "--help"],
    "hst123r check quickstart": ["-m", "hst123r", "check", "quickstart"],
}


def cpu(arguments: list[str]) -> float:
    """Return the CPU seconds of a Python with some arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure the commands in turn, so that a busy moment hits all of them."""
    least = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            least[name] = min(least[name], cpu(arguments))
    empty = least["an empty Python"]
    for name, seconds in least.items():
        sys.stdout.write(f"{name:26s} {seconds:6.3f} s CPU  {seconds / empty:5.1f} ×\n")


if __name__ == "__main__":
    main()

"""A DOLPHOT that the user installed, run in a folder of its own and judged by what it wrote.

Its exit status says little: it is 0 after a value that it refuses and after a missing file of a
module, and not 0 for other mistakes. What it prints is kept as a log, and read.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from hst123r.errors import EnvironmentProblem, StageError

PROGRAM: Final = "dolphot"
THREADS: Final = "MaxThreads"
"""Parameter of DOLPHOT 3, which others say they do not know, and go on."""
STRAY: Final = ("dolphot.param", "fits.param")
"""Files that DOLPHOT reads from the folder it runs in without being asked."""
LOG_TAIL: Final = 3
"""Lines of the log that a message ends with when nothing in it is known."""
COMPANIONS: Final = (".columns", ".info", ".warnings")
"""Endings of the files that a run writes beside its catalogue."""
_DONE: Final = re.compile(r"^(\d+) stars written; (\d+) stars deleted", re.MULTILINE)
_ALIGNED: Final = re.compile(r"^image \d+: \d+ matched, \d+ used", re.MULTILINE)
_UNKNOWN: Final = re.compile(r"^Cannot match parameter name:\s*\n(.*)$", re.MULTILINE)
_MODULE_FILE: Final = re.compile(r"^Could not find (\S+)", re.MULTILINE)
_OPEN: Final = re.compile(
    r"^(?:\*{4}Error opening(?: \w+ file| original photometry file)?|Cannot open) (\S+)",
    re.MULTILINE,
)
_IMAGE: Final = re.compile(r'^Error reading "([^"]+)"', re.MULTILINE)
_MEMORY: Final = "Memory allocation error"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run of DOLPHOT that wrote its catalogue.

    Parameters
    ----------
    catalogue, log : Path
        What it wrote and what it printed.
    written, deleted : int
        How many stars it says to have written and deleted.
    unknown : tuple of str
        Parameters that this version does not know and went on without.
    """

    catalogue: Path
    log: Path
    written: int
    deleted: int
    unknown: tuple[str, ...]


def find_program(name: str = PROGRAM) -> Path:
    """Return where a program of DOLPHOT is.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Path
        The first one on the search path.

    Raises
    ------
    EnvironmentProblem
        If there is none.
    """
    found = shutil.which(name)
    if found is None:
        raise EnvironmentProblem(
            f"there is no program {name} on the search path",
            hint="Install DOLPHOT, or use `engine: psf`, which needs no other program",
        )
    return Path(found)


def run_dolphot(
    folder: Path,
    output: str,
    parameter_file: str,
    *,
    program: Path | None = None,
    threads: int = 1,
) -> Finished:
    """Run DOLPHOT in a folder, and say what became of it.

    Parameters
    ----------
    folder : Path
        A private folder with the images, their sky maps and the parameter file.
    output : str
        Name of the catalogue in it.
    parameter_file : str
        Name of the parameter file in it.
    program : Path, optional
        The program; looked for by default.
    threads : int
        Threads that OpenMP may use, for versions that have them.

    Returns
    -------
    Finished
        With at least one star; the log is ``<output>.log``.

    Raises
    ------
    EnvironmentProblem
        If the program, a file of one of its modules or memory is missing.
    StageError
        If it crashed, found no star, or wrote less than it says.
    """
    log, text, status = _start(folder, output, parameter_file, program, threads)
    done = _DONE.search(text)
    if done is None or status < 0:
        _explain(text, status, log)
    # a line for each extension and chip
    written, deleted = (sum(int(found[i]) for found in _DONE.findall(text)) for i in (0, 1))
    _check_catalogue(folder / output, written, log)
    return Finished(folder / output, log, written, deleted, _unknown(text))


def align(
    folder: Path, output: str, parameter_file: str, *, program: Path | None = None, threads: int = 1
) -> Finished:
    """Run DOLPHOT with ``AlignOnly``, which ends without a catalogue.

    Parameters
    ----------
    folder, output, parameter_file, program, threads : Path, str, str, Path, int
        As for :func:`run_dolphot`.

    Returns
    -------
    Finished
        Without a star.

    Raises
    ------
    EnvironmentProblem, StageError
        As for :func:`run_dolphot`.
    """
    log, text, status = _start(folder, output, parameter_file, program, threads)
    if status or not _ALIGNED.search(text):
        _explain(text, status, log)
    return Finished(folder / output, log, 0, 0, _unknown(text))


def run_fake(
    folder: Path, output: str, parameter_file: str, *, program: Path, log_name: str
) -> Path:
    """Run DOLPHOT on artificial stars, with the files of a run that is there.

    Parameters
    ----------
    folder, output, parameter_file, program : Path, str, str, Path
        As for :func:`run_dolphot`; the output is that of the run that found the stars.
    log_name : str
        Name of the log, so that several can run at once.

    Returns
    -------
    Path
        The log.

    Raises
    ------
    EnvironmentProblem, StageError
        As for :func:`run_dolphot`; what became of the stars is for the reader of the table to say.
    """
    log, text, status = _start(folder, output, parameter_file, program, 1, log_name)
    signs = (_MODULE_FILE, _OPEN, _IMAGE)
    if status or _MEMORY in text or any(sign.search(text) for sign in signs):
        _explain(text, status, log)
    return log


def _unknown(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in _UNKNOWN.findall(text)))


def _start(
    folder: Path,
    output: str,
    parameter_file: str,
    program: Path | None,
    threads: int,
    log_name: str = "",
) -> tuple[Path, str, int]:
    """Run it to its end; return its log, what is in it, and its exit status."""
    where = str(folder)
    for name in (output, parameter_file):
        if "/" in name:
            raise StageError(f"{name!r} is no name of a file in the folder", where=where)
    for name in STRAY:
        if (folder / name).exists():
            raise StageError(
                f"there is a {name}, which DOLPHOT would read besides", where=where,
                hint="Run it in a folder of its own",
            )  # fmt: skip
    if not (folder / parameter_file).is_file():
        raise StageError(f"there is no {parameter_file}", where=where)
    # how many threads there are belongs to the machine, not to the parameters
    command = [
        str(program or find_program()),
        output,
        f"-p{parameter_file}",
        f"{THREADS}={threads}",
    ]
    log = folder / (log_name or f"{output}.log")
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "LC_ALL": "C"}
    try:
        with log.open("wb") as stream:
            status = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, env=environment, check=False,
            ).returncode  # fmt: skip
    except OSError as error:
        raise EnvironmentProblem(
            f"DOLPHOT cannot be started: {error.strerror}", where=command[0],
            hint="Is it built for this machine, and may it be executed?",
        ) from error  # fmt: skip
    return log, log.read_text(encoding="utf-8", errors="replace"), status


def _explain(text: str, status: int, log: Path) -> NoReturn:
    """Say why there is no catalogue, by what DOLPHOT printed and how it ended."""
    where = str(log)
    if found := _MODULE_FILE.search(text):
        raise EnvironmentProblem(
            f"DOLPHOT did not find {found[1]}, a file of one of its modules", where=where,
            hint="Every module that DOLPHOT was built with needs its files, whatever the images",
        )  # fmt: skip
    if _MEMORY in text or status == -signal.SIGKILL:
        killed = "was killed, as it is when memory runs out"
        raise EnvironmentProblem(
            f"DOLPHOT {killed if status < 0 else 'had not enough memory'}", where=where,
            hint="Run fewer images at once, or fewer jobs beside it",
        )  # fmt: skip
    if found := _IMAGE.search(text):
        raise StageError(
            f"DOLPHOT cannot read {found[1]}", where=where, hint="Is it in the folder?"
        )
    if found := _OPEN.search(text):
        if found[1].endswith(".psf"):
            raise EnvironmentProblem(
                f"DOLPHOT has no PSF {found[1]}", where=where,
                hint="Install the library of PSFs of this filter in the folder of its module",
            )  # fmt: skip
        raise StageError(f"DOLPHOT cannot open {found[1]}", where=where)
    tail = " | ".join([line.strip() for line in text.splitlines() if line.strip()][-LOG_TAIL:])
    said = f"; the last it said was: {tail}" if tail else " and said nothing"
    if status < 0:
        raise StageError(
            f"DOLPHOT crashed ({signal.Signals(-status).name}){said}", where=where,
            hint="Names of files that are too long, and headers it cannot read, make it do so",
        )  # fmt: skip
    raise StageError(f"DOLPHOT ended early with status {status}{said}", where=where)


def _check_catalogue(catalogue: Path, written: int, log: Path) -> None:
    """Demand as many rows as DOLPHOT says to have written, and at least one."""
    if written == 0:
        raise StageError(
            "DOLPHOT found no star", where=str(log),
            hint="Lower SigFind and SigFinal, and look at the images: are they masked away?",
        )  # fmt: skip
    rows, last = 0, b""
    if catalogue.is_file():
        with catalogue.open("rb") as stream:
            while block := stream.read(1 << 20):
                rows += block.count(b"\n")
                last = block
    if rows != written or not last.endswith(b"\n"):
        raise StageError(
            f"DOLPHOT says it wrote {written} stars, and the catalogue has {rows} rows",
            where=str(catalogue), hint="Is the disk full?",
        )  # fmt: skip
    for ending in COMPANIONS:
        if not Path(f"{catalogue}{ending}").is_file():
            raise StageError(f"DOLPHOT wrote no {catalogue.name}{ending}", where=str(log))

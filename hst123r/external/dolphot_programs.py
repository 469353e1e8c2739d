"""The programs of DOLPHOT that make exposures ready for it, run on copies."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hst123r.errors import EnvironmentProblem, StageError

SPLIT: Final = "splitgroups"
KEEP: Final = "-keepcr"


def mask_exposure(
    folder: Path, names: Sequence[str], masker: str, dolphot: Path, *, keep: bool = False
) -> None:
    """Mask an exposure in place, and split it into its chips.

    Parameters
    ----------
    folder : Path
        With copies that may change.
    names : sequence of str
        The science file, and that of data quality where it is one of its own.
    masker : str
        Name of the mask program of the detector.
    dolphot : Path
        DOLPHOT, beside which the programs are looked for before the search path.
    keep : bool
        Whether pixels hit by cosmic rays stay as they are.

    Raises
    ------
    EnvironmentProblem
        If a program is missing.
    StageError
        If one of them crashed, or made no chip.
    """
    _run(folder, _find(masker, dolphot), [*([KEEP] if keep else []), *names])
    said = _run(folder, _find(SPLIT, dolphot), names[:1])
    stem = names[0].removesuffix(".fits")
    if not any(folder.glob(f"{stem}.chip*.fits")):
        raise StageError(
            f"{masker} and {SPLIT} made no chip of it; the last they said was: {said}",
            where=names[0], hint="Take `dolphot: {mask: internal}`",
        )  # fmt: skip


def _find(name: str, dolphot: Path) -> Path:
    beside = dolphot.with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise EnvironmentProblem(
            f"there is no program {name} beside DOLPHOT or on the search path",
            hint="Install the module, or take `dolphot: {mask: internal}`",
        )
    return Path(found)


def _run(folder: Path, program: Path, arguments: Sequence[str]) -> str:
    """Run a program; return the last line that it printed."""
    try:
        ended = subprocess.run(
            [program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise EnvironmentProblem(
            f"{program.name} cannot be started: {error.strerror}", where=str(program)
        ) from error
    said = (ended.stdout + ended.stderr).decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), "nothing")
    if ended.returncode:
        raise StageError(
            f"{program.name} ended with status {ended.returncode}; the last it said was: {last}",
            where=arguments[-1],
        )
    return last

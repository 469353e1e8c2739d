"""Results of runs that nothing is left of but the files: what their stamps tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from hst123r.engine import hst123_names as names
from hst123r.engine.adopt import Found
from hst123r.engine.workspace import Workspace
from hst123r.errors import EnvironmentProblem, Hst123rError, InputError
from hst123r.products.recognised import recognise
from hst123r.provenance.stamps import read_stamps

LOST: Final = "and the record of that is lost"


def made_by(path: Path) -> str:
    """Say which job made a file, by its stamps.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    str
        The beginning of a sentence; empty where it has no stamps.
    """
    stamps: dict[str, str] = {}
    with suppress(Hst123rError, OSError):
        # what is no FITS file has no stamps
        stamps = read_stamps(path)
    if not stamps:
        return ""
    job, run = (stamps.get(name, "?") for name in ("H123JOB", "H123RUN"))
    return f"by its stamps job {job} of run {run} made it"


def stamped(workspace: Workspace) -> list[Found]:
    """Find results that can be adopted where there is no record of any.

    Copies of products go below ``adopted/products/``, because the next run puts its own in their
    place. What was adopted before is taken in where it is.

    Parameters
    ----------
    workspace : Workspace
        The work directory.

    Returns
    -------
    list of Found
        Empty where no product has a stamp, by which it is known as one of hst123r.
    """
    told = {path: made_by(path) for path in _files(workspace.products)}
    if not any(told.values()):
        return []
    found = []
    for path, by in told.items():
        name = path.relative_to(workspace.folder).as_posix()
        lay = f"it lay in {Path(name).parent.as_posix()}; nothing tells who made it"
        note = f"{by}, {LOST}" if by else lay
        found.append(Found(path, name, facts={"note": note}))
    before = [
        _adopted_before(workspace, path)
        for path in _files(workspace.adopted)
        if workspace.folder / path.relative_to(workspace.adopted) not in told
    ]
    belong = {path for item in before for path in item.beside.values()}
    return found + [item for item in before if item.source not in belong]


def _adopted_before(workspace: Workspace, path: Path) -> Found:
    """Return what was adopted, with what belongs to it where that is told by names of hst123."""
    name = path.relative_to(workspace.adopted).as_posix()
    facts = {"note": f"it was adopted before, {LOST}"}
    role = names.role(path) if name.startswith(f"{names.ADOPTED_AS}/") else ""
    if not role:
        return Found(path, name, facts=facts)
    return Found(path, name, beside=names.beside(path, role), facts={**facts, "role": role})


def check_room(workspace: Workspace, wanted: Sequence[Found]) -> None:
    """Make sure that copies of all that is to be adopted fit on the disk.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    wanted : sequence of Found
        What is to be adopted; what has its copy needs no more room.

    Raises
    ------
    EnvironmentProblem
        If there is not enough room, with how much is missing.
    """
    need = sum(
        source.stat().st_size
        for item in wanted
        for source, place in _copies(workspace, item)
        if not place.is_file()
    )
    free = shutil.disk_usage(workspace.folder).free
    if need > free:
        raise EnvironmentProblem(
            f"copies of {len(wanted)} files need {need / 1e6:.1f} MB, and {free / 1e6:.1f} MB of "
            "the disk are free",
            where=str(workspace.adopted),
            hint="Free some space and rebuild again; nothing was changed",
        )


def _copies(workspace: Workspace, item: Found) -> Iterator[tuple[Path, Path]]:
    place = workspace.adopted / item.name
    yield item.source, place
    for path in item.beside.values():
        yield path, place.with_name(path.name)


def _files(top: Path) -> Iterator[Path]:
    """Yield what can be adopted; pictures and the like are made again."""
    for path in sorted(top.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
        if hidden or not path.is_file():
            continue
        with suppress(InputError):
            recognise(path)
            yield path

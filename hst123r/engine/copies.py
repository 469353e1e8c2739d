"""Equal copies of a broken file: in the work directory, where it came from, or elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from hst123r import log
from hst123r.engine.workspace import Workspace
from hst123r.errors import Hst123rError, InputError
from hst123r.files.content import digest_file
from hst123r.files.publish import READ_ONLY, copy, machine_errors, make_folder, move
from hst123r.provenance import copies
from hst123r.provenance.contents import Known
from hst123r.provenance.reading import reading
from hst123r.provenance.store import NAME as STORE
from hst123r.provenance.store import Store

Listed = dict[Path, dict[str, list[Path]]]
"""Files of folders by name, so that each folder is walked once."""
_log = log.get("engine")


def find(
    store: Store, file: str, wanted: Known, folders: Sequence[Path], listed: Listed
) -> Path | None:
    """Look for bytes equal to those a file should have.

    Parameters
    ----------
    store : Store
        The store, to know where they were seen.
    file : str
        Path of the file in the store.
    wanted : Known
        What it should hold.
    folders : sequence of Path
        Where to look besides: other work directories, shared archives, any folder.
    listed : dict
        What was seen in them so far; filled.

    Returns
    -------
    Path or None
        A file that was read and has the digest; None where there is none.
    """
    here = store.contents.absolute(file)
    for path in _places(store, file, wanted, folders, listed):
        with suppress(OSError):
            # what cannot be read is no copy
            likely = str(path) != here and path.stat().st_size == wanted.size
            if likely and digest_file(path) == wanted.digest:
                return path
    return None


def _places(
    store: Store, file: str, wanted: Known, folders: Sequence[Path], listed: Listed
) -> Iterator[Path]:
    for path in copies.paths(store.db, wanted.id):
        yield Path(store.contents.absolute(path))
    name = Path(file).name
    for top in (store.folder / "aside", *folders):
        if top not in listed:
            listed[top] = _by_name(top)
        yield from _stored(top, wanted.digest)
        yield from listed[top].get(name, ())


def _by_name(top: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder, _, names in os.walk(top):
        for name in names:
            found.setdefault(name, []).append(Path(folder) / name)
    return found


def _stored(top: Path, digest: str) -> list[Path]:
    """Return what the store of a folder knows; one that cannot be used is told, and no obstacle."""
    if not (top / STORE).is_file():
        return []
    try:
        with reading(top) as other:
            paths = copies.with_digest(other.db, digest)
            return [Path(other.contents.absolute(path)) for path in paths]
    except Hst123rError as error:
        _log.warning("its files are looked at by name only: %s", error)
        return []


def check_folders(folders: Sequence[Path]) -> list[Path]:
    """Return folders to look in, absolute.

    Raises
    ------
    InputError
        If one is not there.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError("there is no such folder", where=str(folder))
    return [folder.absolute() for folder in folders]


def part_of(
    source: Path, workspace: Workspace, destination: Path, wanted: Known, *, read_only: bool
) -> Path:
    """Copy a file to where it can be renamed into its place, and make sure that it is whole.

    Parameters
    ----------
    source : Path
        An equal copy.
    workspace : Workspace
        The work directory.
    destination : Path
        Where it belongs in it.
    wanted : Known
        What it has to hold.
    read_only : bool
        Whether nobody may write to it.

    Returns
    -------
    Path
        The copy, to be renamed into place.

    Raises
    ------
    InputError
        If the source is another file by now.
    EnvironmentProblem
        If the machine refuses.
    """
    with machine_errors("copy a file", destination):
        make_folder(destination.parent)
        part = workspace.part(destination)
        part.unlink(missing_ok=True)
        try:
            whole = copy(source, part).digest == wanted.digest
            if whole and read_only:
                part.chmod(READ_ONLY)
        except BaseException:
            # also when it is interrupted
            part.unlink(missing_ok=True)
            raise
    if not whole:
        part.unlink()
        raise InputError("this copy changed while it was read", where=str(source))
    return part


def publish(part: Path, destination: Path) -> None:
    """Rename a copy into place."""
    with machine_errors("put a file in its place", destination):
        move(part, destination)

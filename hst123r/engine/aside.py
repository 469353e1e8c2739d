"""Putting a file out of the way without losing it."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import time
from pathlib import Path

from hst123r.engine.workspace import Workspace
from hst123r.errors import Hst123rError
from hst123r.files.publish import copy, machine_errors, make_folder, move, sync


class Aside:
    """A folder for what is in the way: ``aside/TIME/`` in the work directory for one repair.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    name : str
        Name of the folder in place of the time; it may be there already.

    Attributes
    ----------
    moved : dict of str to Path
        Where each file is now, by its path in the store.
    """

    def __init__(self, workspace: Workspace, name: str = "") -> None:
        self.workspace = workspace
        self.moved: dict[str, Path] = {}
        self._folder = workspace.folder / "aside" / name if name else None

    @property
    def folder(self) -> Path:
        """The folder that was named, or one that no other repair has used."""
        if self._folder is None:
            name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            top = self.workspace.folder / "aside"
            names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
            self._folder = next(top / name for name in names if not (top / name).exists())
        return self._folder

    def put(self, file: str) -> Path | None:
        """Move a file out of the way.

        Parameters
        ----------
        file : str
            Its path in the store, inside the work directory.

        Returns
        -------
        Path or None
            Where it is now; None where there was none.
        """
        source, target = self.workspace.folder / file, self.folder / file
        if not source.exists():
            return None
        # noted first, so that an interruption in between does not lose it
        self.moved[file] = target
        with machine_errors("move a file out of the way", source):
            make_folder(target.parent)
            _move(source, target)
            sync(target.parent)
        return target

    def put_back(self) -> None:
        """Move files back whose places are still empty, so that nothing has changed for them.

        Raises
        ------
        EnvironmentProblem
            If one cannot be moved, after all others were.
        """
        refused: Hst123rError | None = None
        for file, target in list(self.moved.items()):
            source = self.workspace.folder / file
            if not target.exists():
                del self.moved[file]
            elif not source.exists():
                try:
                    with machine_errors(f"move a file back to its place: it is {target}", source):
                        make_folder(source.parent)
                        _move(target, source)
                except Hst123rError as error:
                    refused = refused or error
                else:
                    del self.moved[file]
        if refused is not None:
            raise refused

    def shown(self, file: str) -> str:
        """Return where a file was put, from the work directory; empty where it was not."""
        target = self.moved.get(file)
        return "" if target is None else str(target.relative_to(self.workspace.folder))


def _move(source: Path, target: Path) -> None:
    """Rename a file, or copy it where the target is on another file system."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _across(source, target)


def _across(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        copy(source, part)
        shutil.copystat(source, part)
        move(part, target)
    finally:
        part.unlink(missing_ok=True)
    source.unlink()

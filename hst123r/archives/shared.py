"""A folder that several users fetch into and read from, in the layout of hst123's ``--archive``.

``FOLDER/INSTRUMENT/DETECTOR/RA/NAME``: RA is the right ascension of the observation in whole
degrees, rounded. Whatever writes there, hst123 too, a file is used only after it was copied and
the copy was verified; nothing that is there is ever changed or removed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryFile
from typing import Final

from hst123r.archives.destination import locked
from hst123r.archives.directory import folder_of
from hst123r.archives.partial import Digests
from hst123r.archives.patience import Stop
from hst123r.archives.present import OtherVersion, copied
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.errors import InputError
from hst123r.files.publish import copy, move

TURN: Final = 360
SOURCE: Final = "shared archive"
"""What is recorded of where a file came from: where the archive lies only concerns this machine."""
OURS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of copying that are about where the copy is written, and not about the archive."""


def cell_of(detector: str, ra_deg: object) -> str:
    """Return the folder of an observation inside a shared archive.

    Parameters
    ----------
    detector : str
        ``INSTRUMENT/DETECTOR``, or the instrument where it has one detector.
    ra_deg : object
        Right ascension of the observation in degrees, as the archive lists it.

    Returns
    -------
    str
        ``INSTRUMENT/DETECTOR/RA``; empty where the place is not known.
    """
    if not detector or not isinstance(ra_deg, int | float) or not 0 <= ra_deg <= TURN:
        return ""
    instrument, _, rest = detector.partition("/")
    # to even, as Python rounds and hst123 with it
    return f"{instrument}/{rest or instrument}/{round(ra_deg)}"


def shared_folder(path: str | None, recipe_folder: Path) -> Path | None:
    """Return the shared archive that a recipe names.

    Parameters
    ----------
    path : str or None
        Relative to the recipe; None for none.
    recipe_folder : Path
        Folder of the recipe.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if path is None:
        return None
    folder = folder_of(path, recipe_folder).absolute()
    if not folder.is_dir():
        raise InputError(
            "there is no such folder",
            where=str(folder),
            hint="Make it, or check `archive` of the stage fetch",
        )
    return folder


@dataclass(slots=True)
class Shared:
    """A shared archive, as one job uses it.

    Parameters
    ----------
    folder : Path
        Its folder.
    cell : str
        Where in it the exposure belongs; empty where that is not known, and nothing is put there.
    told : list of str
        Sentences about what was found, for the user.
    """

    folder: Path
    cell: str
    told: list[str] = field(default_factory=list)
    _stop: Stop = field(default_factory=Stop)

    def places(self, name: str) -> Iterator[Path]:
        """Yield where a file may be, the likeliest place first.

        hst123 looks for files by the right ascension of its target, which may lie in the next
        degree.
        """
        if not self.cell:
            return
        top, _, degrees = self.cell.rpartition("/")
        for step in (0, 1, -1):
            yield self.folder / top / str(int(degrees) + step) / name
        if int(degrees) in (0, TURN):
            yield self.folder / top / str(TURN - int(degrees)) / name

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold a place in the archive, so that a file is fetched by one user and not by all.

        Where the archive cannot be written or has no locks, nothing is held: the worst that comes
        of it is that a file is fetched twice.
        """
        free = not self._writable()
        guard = nullcontext() if free else locked(self._home(name), self._stop, needed=False)
        with guard:
            yield

    def has(self, name: str) -> bool:
        """Whether there is a file of a name; what cannot be looked at is told."""
        return any(self._is_file(place) for place in self.places(name))

    def take(self, wanted: Wanted) -> Fetched | None:
        """Copy a file out of the archive, if a good one is there.

        Parameters
        ----------
        wanted : Wanted
            The file.

        Returns
        -------
        Fetched or None
            None where there is none; what is there and no good is told.
        """
        for place in self.places(wanted.name):
            if self._is_file(place):
                found = self._copy(place, wanted)
                if found is not None:
                    return found
        return None

    def _is_file(self, place: Path) -> bool:
        try:
            return place.is_file()
        except OSError as error:
            self.told.append(f"{place} cannot be read: {error.strerror or error}")
            return False

    def _copy(self, place: Path, wanted: Wanted) -> Fetched | None:
        try:
            found = copied(place, wanted, wanted.sha256)
        except OtherVersion:
            self.told.append(f"{place} is another version than the locked one, and not used")
            return None
        except InputError as error:
            self.told.append(f"{place} is not used: {error.message}")
            return None
        except OSError as error:
            if error.errno in OURS:
                raise
            self.told.append(f"{place} cannot be read: {error.strerror or error}")
            return None
        size = found.size
        if wanted.size not in (None, size):
            self.told.append(
                f"{place} has {size} bytes, MAST lists {wanted.size}; "
                "`hst123r update RECIPE --check` tells whether it was made anew"
            )
        return found.as_fetched(wanted, Status.SHARED, source=SOURCE)

    def put(self, found: Fetched) -> None:
        """Copy a file that was fetched into the archive, whole or not at all.

        Parameters
        ----------
        found : Fetched
            The file. One that is there already stays, and is told if it is another; where the
            archive cannot be written, that is told.

        Raises
        ------
        OSError
            If the file itself cannot be read.
        """
        name = found.wanted.name
        if not self.cell:
            self.told.append(f"{name} is not put into {self.folder}: MAST does not say where it is")
            return
        home = self._home(name)
        came = found.digests()
        part = home.with_name(f".{name}.{came.sha256[:16]}.part")
        try:
            if home.exists():
                self._tell_if_another(home, came)
                return
            self._make(home.parent)
            # of an earlier attempt that was killed; who holds the place writes alone
            part.unlink(missing_ok=True)
            copy(found.wanted.destination, part)
            if Digests.of(part).digest != came.digest:
                self.told.append(f"{name} is not put into {self.folder}: its copy is not the same")
                part.unlink()
                return
            self._give(part, self.folder.stat().st_mode & 0o444 | 0o600)
            move(part, home)
        except OSError as error:
            self.told.append(f"{name} is not put into {self.folder}: {error.strerror or error}")
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _tell_if_another(self, home: Path, came: Digests) -> None:
        # why it was not used may have been told
        if any(str(home) in line for line in self.told):
            return
        if Digests.of(home).digest != came.digest:
            self.told.append(
                f"{home} is another file than the one that came, and stays; "
                "if it was made anew since, remove the old one"
            )

    def _make(self, folder: Path) -> None:
        """Make a folder of the archive and those above it, for all who may use the archive."""
        if folder == self.folder or folder.is_dir():
            return
        self._make(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:
            return
        self._give(folder, S_IMODE(self.folder.stat().st_mode))

    def _give(self, path: Path, mode: int) -> None:
        """Give something that was made here the group of the archive, and a mode."""
        group = self.folder.stat().st_gid
        # who is not in the group can only give it the mode, and some file systems know neither
        if path.stat().st_gid != group:
            with suppress(PermissionError):
                os.chown(path, -1, group)
        with suppress(PermissionError):
            path.chmod(mode)

    def _home(self, name: str) -> Path:
        return self.folder / self.cell / name

    def _writable(self) -> bool:
        if not self.cell:
            return False
        place = self._home("lock").parent
        try:
            self._make(place)
            with TemporaryFile(dir=place):
                pass
        except OSError:
            return False
        return True

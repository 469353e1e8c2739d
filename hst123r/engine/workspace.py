"""A work directory: its folders, and the lock that lets one runner in at a time."""

from __future__ import annotations

import fcntl
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors
from hst123r.provenance.store import NAME as STORE_NAME

LOCK: Final = ".hst123r.lock"
PASSES: Final = 4
"""Each one makes writable what it could not remove, one level of folders deeper."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of a work directory.

    Parameters
    ----------
    folder : Path
        Its absolute path.
    """

    folder: Path

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.folder / STORE_NAME

    @property
    def raw(self) -> Path:
        """Archive files, read-only."""
        return self.folder / "raw"

    @property
    def products(self) -> Path:
        """Products, by stage and job."""
        return self.folder / "products"

    @property
    def adopted(self) -> Path:
        """Files that were made elsewhere, read-only."""
        return self.folder / "adopted"

    @property
    def logs(self) -> Path:
        """One file per run, one per job."""
        return self.folder / "logs"

    @property
    def records(self) -> Path:
        """What the store has of each job and run, as files."""
        return self.logs / "records"

    @property
    def scratch(self) -> Path:
        """Scratch directories of attempts."""
        return self.folder / "scratch"

    def create(self) -> None:
        """Make the folders that every run needs.

        Raises
        ------
        EnvironmentProblem
            If the directory cannot be written.
        """
        with machine_errors("use the work directory", self.folder):
            for path in (self.folder, self.logs, self.scratch):
                path.mkdir(parents=True, exist_ok=True)

    def leave(self) -> None:
        """Remove what nobody needs between runs: scratch, where nothing was left in it."""
        # what is left of a killed attempt stays for the next run
        with suppress(OSError):
            self.scratch.rmdir()

    def home(self, kind: str, stage: str, label: str) -> Path:
        """Return the folder a job's products are published in.

        Parameters
        ----------
        kind : str
            ``products``, ``raw`` or ``top``.
        stage, label : str
            The job.

        Returns
        -------
        Path
            Absolute path; it need not exist.
        """
        if kind == "raw":
            return self.raw
        if kind == "top":
            return self.folder
        return self.products / stage / file_name(label)

    def job_log(self, stage: str, label: str, job_id: int) -> Path:
        """Return the log of one attempt."""
        return self.logs / "jobs" / f"{job_id:06d}-{stage}-{file_name(label)}.log"

    def run_log(self, run_id: int) -> Path:
        """Return the log of one run."""
        return self.logs / f"run-{run_id:06d}.log"

    def attempt(self, job_id: int) -> Path:
        """Return the scratch directory of one attempt."""
        return self.scratch / f"{job_id:06d}"

    def part(self, place: Path) -> Path:
        """Return where a copy is made before it is renamed into its place.

        Parameters
        ----------
        place : Path
            Where it belongs, in a folder that exists.

        Returns
        -------
        Path
            In scratch, which is cleared after a kill; beside the place if that is on another file
            system, where nothing can be renamed to.
        """
        if place.parent.stat().st_dev == self.scratch.stat().st_dev:
            return self.scratch / f"{place.name}.part"
        return place.with_name(f".{place.name}.part")


class Lock:
    """The operating system's lock on a work directory; it dies with the process.

    Parameters
    ----------
    workspace : Workspace
        The directory.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.folder / LOCK
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock, or return False when another process holds it."""
        with machine_errors("lock the work directory", self.path):
            handle = self.path.open("a", encoding="utf-8")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._file = handle
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def file_name(label: str) -> str:
    """Return a label as a name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9+._-]+", "_", label)


def remove_tree(path: Path) -> str:
    """Remove what lies in scratch: a directory with its read-only files, a file, a link.

    Parameters
    ----------
    path : Path
        It need not exist.

    Returns
    -------
    str
        Why it is still there, empty when it is gone. That is no reason to stop: what is left in
        scratch is in nobody's way.
    """
    refused = ""

    def unlock(_: object, name: str, error: Any) -> None:
        nonlocal refused
        refused = f"{name} cannot be removed: {error[1]}"
        with suppress(OSError):
            Path(name).parent.chmod(0o755)
            if not Path(name).is_symlink():
                Path(name).chmod(0o755)

    if path.is_symlink() or not path.is_dir():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            return f"{path} cannot be removed: {error.strerror}"
        return ""
    for _ in range(PASSES):
        shutil.rmtree(path, onerror=unlock)
        if not path.exists():
            return ""
    return refused


def locate(given: Path | None, start: Path) -> Path:
    """Find the work directory that a question is about.

    Parameters
    ----------
    given : Path or None
        What the user said.
    start : Path
        The current directory.

    Returns
    -------
    Path
        A folder with a store: the given one, the current one, or the only one just below it.

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    if given is not None:
        if not (given / STORE_NAME).is_file():
            raise InputError(
                f"there is no {STORE_NAME} here, so nothing has been run in this directory",
                where=str(given),
                hint="Give the work directory of a run",
            )
        return given.resolve()
    if (start / STORE_NAME).is_file():
        return start.resolve()
    found = sorted(path.parent for path in start.glob(f"*/{STORE_NAME}"))
    if len(found) == 1:
        return found[0].resolve()
    if not found:
        raise InputError(
            "no run of hst123r in this directory or just below it",
            where=str(start),
            hint="Give its work directory with --work-dir",
        )
    names = ", ".join(path.name for path in found)
    raise InputError(
        f"there are several work directories here: {names}",
        hint="Choose one with --work-dir",
    )

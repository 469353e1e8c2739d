"""What a running job may touch: its scratch directory, places for products, a log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hst123r import log
from hst123r.files.content import Content


def _nobody(name: str, done: int, total: int | None) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """The world as a job sees it.

    Parameters
    ----------
    scratch : Path
        Fresh directory of this attempt, removed afterwards; also the current directory.
    out : Path
        Where products are written; the engine publishes them from there by rename.
    cores : int
        Number of cores the job may use.
    offline : bool
        Whether sockets are forbidden.
    logger : logging.Logger
        Goes to the job's own log file.
    home : Path or None
        Where products are published once the job is done; what has to outlive an attempt, such as
        half a download, may stand in a folder inside. None where there is no work directory.
    report : callable
        Tells how far something that takes long has come: its name, what is done, and of how much
        (None where nobody knows); bytes.
    looked : dict of str to Content
        Contents of input files the job has looked at, by path; spares a second reading.
    """

    scratch: Path
    out: Path
    cores: int = 1
    offline: bool = True
    logger: logging.Logger = field(default_factory=lambda: log.get("job"))
    home: Path | None = None
    report: Callable[[str, int, int | None], object] = _nobody
    looked: dict[str, Content] = field(default_factory=dict)

    def product(self, name: str) -> Path:
        """Return the path at which to write a product.

        Parameters
        ----------
        name : str
            File name, without a directory.

        Returns
        -------
        Path
            Absolute path in the job's output folder.

        Raises
        ------
        ValueError
            If the name is not a plain file name.
        """
        if Path(name).name != name or name in {"", ".", ".."}:
            raise ValueError(f"{name!r} is not a plain file name")
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out / name

    def folder(self, name: str) -> Path:
        """Return a fresh folder inside the scratch directory.

        Parameters
        ----------
        name : str
            Name of the folder.

        Returns
        -------
        Path
            Absolute path of an existing, empty folder.
        """
        path = self.scratch / name
        path.mkdir(parents=True)
        return path

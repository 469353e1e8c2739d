"""Logging: everything under the logger ``hst123r``, and only when we are the program.

The package never touches the root logger or the warning filters of the process, so a
notebook that imports it keeps its own.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

ROOT: Final = "hst123r"
FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def get(name: str) -> logging.Logger:
    """Return the logger of a room, e.g. ``get("engine")``.

    Parameters
    ----------
    name : str
        Name of the room, without the package's name.

    Returns
    -------
    logging.Logger
        The logger ``hst123r.<name>``.
    """
    return logging.getLogger(f"{ROOT}.{name}")


def to_file(path: Path, level: int = logging.INFO) -> logging.Handler:
    """Write the package's log to a file, and return the handler so that it can be closed.

    Parameters
    ----------
    path : Path
        Log file; it is appended to.
    level : int
        Lowest level written.

    Returns
    -------
    logging.Handler
        To be handed to :func:`close`.
    """
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.setLevel(level)
    logger = logging.getLogger(ROOT)
    logger.addHandler(handler)
    logger.setLevel(min(level, logger.level or level))
    logger.propagate = False
    return handler


def close(handler: logging.Handler) -> None:
    """Detach and close a handler made by :func:`to_file`.

    Parameters
    ----------
    handler : logging.Handler
        The handler.
    """
    logging.getLogger(ROOT).removeHandler(handler)
    handler.close()

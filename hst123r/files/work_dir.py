"""What tells a work directory of hst123r from other folders."""

from __future__ import annotations

from pathlib import Path
from typing import Final

STORE: Final = "hst123r.sqlite"
"""The store of a work directory; nothing else has this name."""
OWN: Final = ("raw", "products", "scratch", "logs")
"""Folders of a work directory."""


def is_work_dir(folder: Path) -> bool:
    """Whether a folder is the work directory of some recipe."""
    return (folder / STORE).is_file()

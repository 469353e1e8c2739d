"""The engines that make stacks behind one interface, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.external.astrodrizzle import Grid, Settings, astrodrizzle
from hst123r.external.drizzling import drizzle


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that drizzles.

    Parameters
    ----------
    run : callable
        Takes the folder of the copies, their names, the grid and the settings, flags cosmic rays
        in the copies, and returns the images ``science``, ``weight`` and ``context`` with the
        headers of AstroDrizzle: paths, or lists of HDUs in memory.
    """

    run: Callable[[Path, Sequence[str], Grid, Settings], Mapping[str, Any]]


ENGINES: Final[Mapping[str, Engine]] = {
    "astrodrizzle": Engine(astrodrizzle),
    "drizzle": Engine(drizzle),
}
"""By the name in recipes."""

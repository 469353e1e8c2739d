"""The engines that make stacks behind one interface, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.external.astrodrizzle import Grid, Settings, astrodrizzle
from hst123r.external.drizzling import drizzle
from hst123r.external.known_files import files_known
from hst123r.external.sky_matching import matched_skies


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


def make_stack(
    engine: str, folder: Path, names: Sequence[str], grid: Grid, settings: Settings
) -> tuple[Mapping[str, Any], list[str]]:
    """Drizzle exposures that lie in a folder.

    Parameters
    ----------
    engine : str
        Name of the engine.
    folder, names, grid, settings
        As `Engine.run` takes them.

    Returns
    -------
    images : mapping of str to Path or HDUList
        As `Engine.run` returns them.
    apart : list of str
        Names of exposures whose sky was not matched with that of most others.

    Raises
    ------
    StageError
        If there is no product, or skies could not be matched.
    """
    with matched_skies() as skies, files_known():
        images = ENGINES[engine].run(folder, names, grid, settings)
    return images, skies.apart

"""A target: a name and a place on the sky."""

from __future__ import annotations

from dataclasses import dataclass

from hst123r.records.position import SkyPosition


@dataclass(frozen=True, slots=True)
class Target:
    """What the recipe is about.

    Parameters
    ----------
    name : str
        Name, unique within a recipe and usable in file names.
    position : SkyPosition
        Where it is.
    """

    name: str
    position: SkyPosition

"""What is fitted when two lists of stars are brought together, and how many stars that takes."""

from __future__ import annotations

from typing import Final, Literal

Geometry = Literal["shift", "rshift", "rscale", "general"]
PARAMETERS: Final[dict[Geometry, int]] = {"shift": 2, "rshift": 3, "rscale": 4, "general": 6}
"""Free parameters of each geometry: shift; with rotation; with scale; any linear one."""
MIN_MATCHES: Final[dict[Geometry, int]] = {"shift": 6, "rshift": 8, "rscale": 10, "general": 15}
"""Fewest matches. In an empty field the match itself takes fewer than 6, 7, 8 and 12 for chance
(below 1e-5); the pairs above that are what a wrong pair shows in. None of 220 fields of each
geometry is good when wrong with these numbers (`tests/truth/test_adversarial_alignment.py`)."""


def least_matches(least: int | None, geometry: Geometry) -> int:
    """Return how many matches a fit needs.

    Parameters
    ----------
    least : int or None
        What a recipe says; None where it says nothing.
    geometry : str
        What is fitted.

    Returns
    -------
    int
        The number itself, or that of :data:`MIN_MATCHES`.
    """
    return MIN_MATCHES[geometry] if least is None else least

"""What of a result means something, and what only tells of the run that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCIENCE: Final = ("pixels", "dq", "wcs", "science")
"""Facets of FITS files that mean something; others hold dates and names of runs, alternate
solutions among them: a table of them has the date of each."""
OF_A_RUN: Final = frozenset({"report", "export", "truth"})
"""Kinds of products that name the run they are of, and so are never equal."""
PICTURES: Final = frozenset({"preview", "plot", "cutouts"})
"""Roles of files that are drawn from a result: they name the run too, and nothing is measured on
them."""


def names_its_run(kind: str, role: str) -> bool:
    """Whether a file tells of its run, so that those of two equal runs are not equal.

    Parameters
    ----------
    kind : str
        Kind of the product.
    role : str
        Role of the file in it.

    Returns
    -------
    bool
        Whether its bytes say nothing about the result.
    """
    return kind in OF_A_RUN or role in PICTURES


def changed_facets(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the facets that mean something and in which two FITS files differ.

    Parameters
    ----------
    then, now : mapping of str to str
        Digest by facet.

    Returns
    -------
    list of str
        Of `SCIENCE`.
    """
    return [name for name in SCIENCE if then.get(name) != now.get(name)]

"""Names of places on the page that says where each number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hst123r.records.outcome import Product

ORIGINS: Final = "provenance.html"
"""Name of that page, which lies beside the report."""
POINT: Final = ("target", "source", "level", "detector", "filter", "epoch", "visit", "exposure")
"""What tells the points of light curves apart."""
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.")


def of_job(stage: str, label: str) -> str:
    """Return the place of a job, which has no number: another run gives it another one."""
    return _name("job", stage, label)


def of_product(kind: str, name: str, stage: str) -> str:
    """Return the place of a product.

    Parameters
    ----------
    kind, name : str
        Of the product.
    stage : str
        Name of the stage that made it; two stages may make products of one name.
    """
    return _name(kind, name, stage)


def of_made(product: Product) -> str:
    """Return the place of a product that was read, by where it lies."""
    return of_product(product.kind, product.name, stage_of(product))


def stage_of(product: Product) -> str:
    """Return the stage that made a product, with its files in ``products/STAGE/LABEL/``."""
    return Path(next(iter(product.files.values()))).parent.parent.name


def of_point(row: Mapping[str, Any], stage: str) -> str:
    """Return the place of a point of a light curve.

    Parameters
    ----------
    row : mapping
        With the columns `POINT`; one that is missing is empty.
    stage : str
        Name of the stage that made the light curve; two stages may make one of the same target.
    """
    return _name("point", stage, *(row.get(key) for key in POINT))


def _name(*words: Any) -> str:
    """Join words to a name without two meanings that needs no quoting."""
    return ":".join("".join(_letter(letter) for letter in _text(word)) for word in words)


def _text(word: Any) -> str:
    return "" if word is None else str(word)


def _letter(letter: str) -> str:
    return letter if letter in _PLAIN else f"_{ord(letter):x}_"

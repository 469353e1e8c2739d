"""Facts about detectors: one YAML file each in this folder, and no detector name in Python.

Adding a detector is adding a file. Every number has a unit and a source; suggestions for
stages are checked against the stages' own parameters in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.resources import load_yaml

EXAMPLE: Final = ("WFC3/IR", "F160W")
"""A detector and one of its filters, for messages that show how something is written."""
FOLDER: Final = Path(__file__).resolve().parent


@cache
def names() -> tuple[str, ...]:
    """Return the names of all detectors, in alphabetical order."""
    return tuple(sorted(load_yaml(path)["name"] for path in FOLDER.glob("*.yaml")))


@cache
def _paths() -> dict[str, Path]:
    return {load_yaml(path)["name"]: path for path in sorted(FOLDER.glob("*.yaml"))}


@cache
def get(name: str) -> Detector:
    """Return the facts of a detector.

    Parameters
    ----------
    name : str
        Name such as ``ACS/WFC``.

    Returns
    -------
    Detector
        Its facts.

    Raises
    ------
    InputError
        If there is no such detector.
    """
    if name not in _paths():
        raise InputError(
            f"there is no detector {name!r}", hint=f"Detectors are {', '.join(names())}"
        )
    return Detector.model_validate(load_yaml(_paths()[name]))


def match(header: Mapping[str, Any], where: str = "") -> Detector:
    """Return the detector a primary header belongs to.

    Parameters
    ----------
    header : mapping
        Primary header (keywords to values).
    where : str
        Name of the file, for the message.

    Returns
    -------
    Detector
        The one detector whose match keywords all agree.

    Raises
    ------
    InputError
        If no detector matches. Two matches are impossible by a test over the folder.
    """
    found = [
        name
        for name, path in _paths().items()
        if all(
            str(header.get(keyword, "")).strip().upper() == value.upper()
            for keyword, value in load_yaml(path)["match"].items()
        )
    ]
    if len(found) == 1:
        return get(found[0])
    instrument = str(header.get("INSTRUME", "no instrument")).strip() or "no instrument"
    detector = str(header.get("DETECTOR", "")).strip()
    raise InputError(
        f"{instrument}{'/' + detector if detector else ''} is not a detector hst123r knows",
        where=where,
        hint=f"Detectors are {', '.join(names())}",
    )

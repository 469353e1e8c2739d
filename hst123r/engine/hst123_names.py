"""Names that the versions of hst123 gave their files, from the first of 2019 to 1.1 of 2026.

From ``drizname``, ``make_dolphot_dict`` and the lists of what is cleaned up, in every version of
its public source. Versions before 2026 put all into one folder and wrote ``drz`` for ``drc``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

RAW, ALIGNED, DRIZZLED, REFERENCE = "raw", "aligned exposure", "drizzled image", "reference"
CATALOGUE, CURVE, TABLE = "catalogue", "light curve", "HDF5"

ADOPTED_AS: Final = "hst123"
"""Folder below ``adopted/`` for what a work directory of hst123 held."""
SIDECARS: Final = (
    "columns", "param", "info", "data", "warnings", "output", "orig", "psfs", "fake", "fakelist",
    "fake.output", "fakeout",
)  # fmt: skip
"""Endings of what DOLPHOT and hst123 write beside a catalogue."""
PLANES: Final = ("weight", "mask")
"""Endings of the other planes of a drizzled image, before they went into one file with it."""
EXPOSURES: Final = ("flc", "flt", "c0m", "c1m")
"""Suffixes of the exposures that hst123 reads, without which a name is of something else."""

_DRIZZLE: Final = r"\.dr[cz]\.fits"
_STEM: Final = r"(?:(?P<object>.+)\.)?[a-z0-9_]+\.[a-z0-9]+\."
_REFERENCES: Final = (
    re.compile(_STEM + r"ref(?:_\d{3,4})?" + _DRIZZLE),
    re.compile(r"[a-z0-9]+_f\d{3}[a-z0-9]*_drz\.fits"),
)
_DRIZZLED: Final = (
    re.compile(_STEM + r"ut\d{6}_\d{3,4}" + _DRIZZLE),
    re.compile(r"[a-z0-9]+_f\d{3}[a-z0-9]*_visit\d{3}_drz\.fits"),
    re.compile(r"drizzled(?:\.dr[cz])?\.fits"),
)
_INTERMEDIATE: Final = "an intermediate file"
_LEFT: Final = (
    (r".*\.chip\d+(?:\.sky)?\.fits", "an image that DOLPHOT works on; it is made again"),
    (r".*\.sky\.fits", "a sky map of DOLPHOT; it is made again"),
    (r".*\.noise\.fits", "a noise image for DOLPHOT; it is made again"),
    (r".*rawtmp\.fits|dummy\.fits|[^.]+\.ref\.dr[cz](?:\.\w+)?\.fits", _INTERMEDIATE),
    (r".*drztmp.*\.fits|.*_hst123drz[0-9a-f]+_c[01]m\.fits|.*_hlet\.fits", _INTERMEDIATE),
    (r".*(?:[sS]taticMask|drz_med|crclean|crmask|dqmask|blt|sci\d|shifts_wcs)\.fits",
     _INTERMEDIATE),
    (r".*(?:final_mask|single_(?:mask|sci|wht)|_skymatch_mask_.*)\.fits", _INTERMEDIATE),
    (r".*\.coo|drizzle_shifts.*\.txt|skymask_cat", "a list that TweakReg or AstroDrizzle made"),
    (r".*_(?:idc|dxy|off|d2im|d2i|npl)\.fits",
     "a reference file of CRDS; hst123r takes those of the environment or fetches them"),
    (r".*\.log", "a log; it can be read where it is"),
)  # fmt: skip
_COMPILED: Final = [(re.compile(pattern), why) for pattern, why in _LEFT]


def why_left(path: Path) -> str:
    """Say why a file is of no use to anybody, by its name; empty where it may be of some.

    Parameters
    ----------
    path : Path
        The file.
    """
    for pattern, why in _COMPILED:
        if pattern.fullmatch(path.name):
            return why
    if _parent(path) is not None:
        return "it belongs to a catalogue that is not there"
    return ""


def role(path: Path) -> str:
    """Return what a file is, by its name and what lies beside it.

    Parameters
    ----------
    path : Path
        A file that is no exposure.

    Returns
    -------
    str
        One of the roles, empty where the name says nothing. A catalogue has the name that the user
        gave, and is known by the list of its columns.
    """
    if any(pattern.fullmatch(path.name) for pattern in _REFERENCES):
        return REFERENCE
    if any(pattern.fullmatch(path.name) for pattern in _DRIZZLED):
        return DRIZZLED
    if path.suffix == ".h5":
        return TABLE
    if path.suffix == ".phot":
        return CURVE
    return CATALOGUE if path.with_name(f"{path.name}.columns").is_file() else ""


def beside(path: Path, role: str) -> dict[str, Path]:
    """Return the files that belong to one, by what they are.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        Its role.
    """
    if role == CATALOGUE:
        named = {end: path.with_name(f"{path.name}.{end}") for end in SIDECARS}
    elif role == CURVE:
        named = {"snana": path.with_suffix(".snana")}
    elif role in (DRIZZLED, REFERENCE):
        named = {end: path.with_suffix(f".{end}.fits") for end in PLANES}
    else:
        named = {}
    return {end: place for end, place in named.items() if place.is_file()}


def object_of(name: str) -> str:
    """Return the name of the object in that of a drizzled image, empty where there is none."""
    for pattern in (*_REFERENCES, *_DRIZZLED):
        match = pattern.fullmatch(name)
        if match is not None:
            return match.groupdict().get("object") or ""
    return ""


def _parent(path: Path) -> Path | None:
    """Return the catalogue that a file would belong to, where it is missing."""
    for end in SIDECARS:
        parent = path.name.removesuffix(f".{end}")
        if parent != path.name and parent and not path.with_name(parent).exists():
            return path.with_name(parent)
    return None

"""Which calibration reference files the headers of an exposure name, and where they lie here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from hst123r.files.fits_blocks import COMMENTARY, walk

CONTEXT: Final = "CRDS_CTX"
"""Keyword of the CRDS context, the rules by which the reference files were chosen."""
_REFERENCE: Final = re.compile(r"[a-z]+\$[A-Za-z0-9_.+-]+")
"""How headers name a reference file: the variable of its folder, and its name."""


def reference_files(paths: Iterable[Path | str]) -> list[dict[str, str]]:
    """Return the reference files that FITS headers name, and the CRDS context.

    Parameters
    ----------
    paths : iterable of Path or str
        FITS files of one exposure; only their headers are read.

    Returns
    -------
    list of dict
        ``keyword`` and ``name`` as the header has it, e.g. ``jref$0461802ej_idc.fits``; each
        pair once.

    Raises
    ------
    InputError
        If a file is not FITS.
    """
    found: dict[tuple[str, str], None] = {}
    for path in paths:
        with Path(path).open("rb") as stream:
            for hdu in walk(stream, str(path)):
                for card in hdu.cards:
                    named = card.keyword == CONTEXT or _REFERENCE.fullmatch(str(card.value))
                    if named and card.keyword not in COMMENTARY and card.value:
                        found[card.keyword, str(card.value)] = None
    return [{"keyword": keyword, "name": name} for keyword, name in found]


def named(path: Path | str, keywords: Iterable[str]) -> dict[str, str]:
    """Return the reference files that some keywords of a primary header name.

    Parameters
    ----------
    path : Path or str
        A FITS file; only its first header is read.
    keywords : iterable of str
        Which keywords.

    Returns
    -------
    dict of str to str
        Name by keyword; those that are absent, blank or N/A are left out.
    """
    with Path(path).open("rb") as stream:
        primary = next(walk(stream, str(path)))
    values = {keyword: str(primary.get(keyword, "") or "").strip() for keyword in keywords}
    return {keyword: name for keyword, name in values.items() if name not in ("", "N/A", "n/a")}


def cards(path: Path | str) -> dict[str, str]:
    """Return the cards of a primary header as text, as rules of CRDS match them.

    Parameters
    ----------
    path : Path or str
        A FITS file; only its first header is read.

    Returns
    -------
    dict of str to str
        Value by keyword, T and F for logical ones; without comments and those that are empty.
    """
    with Path(path).open("rb") as stream:
        primary = next(walk(stream, str(path)))
    found = {}
    for card in primary.cards:
        if card.keyword in COMMENTARY or card.value is None or not card.keyword:
            continue
        value = {True: "T", False: "F"}.get(card.value) if isinstance(card.value, bool) else None
        found[card.keyword] = str(card.value).strip() if value is None else value
    return found


def find(name: str, folder: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Find a reference file on this machine.

    Parameters
    ----------
    name : str
        As headers name it, e.g. ``jref$0461802ej_idc.fits``.
    folder : Path or None
        The user's folder, looked into first, with its folders ``jref`` and so on.
    environment : mapping of str to str
        Where ``jref`` and its like, and CRDS_PATH, may stand.

    Returns
    -------
    Path or None
        Absolute path of the first that is there.
    """
    variable, _, plain = name.rpartition("$")
    for place in _places(variable, folder, environment):
        if (place / plain).is_file():
            return (place / plain).absolute()
    return None


def _places(variable: str, folder: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    """Folders to look into, in order; a CRDS cache is flat or has a folder for each instrument."""
    if folder is not None:
        yield from (folder, folder / variable)
    if variable and environment.get(variable):
        yield Path(environment[variable])
    for cache in (folder, environment.get("CRDS_PATH")):
        top = Path(cache) / "references" / "hst" if cache else None
        if top is not None and top.is_dir():
            yield top
            yield from sorted(place for place in top.iterdir() if place.is_dir())


def how_to_get(names: Iterable[str], folder: str) -> str:
    """Return the command that gets reference files.

    Parameters
    ----------
    names : iterable of str
        As headers name them.
    folder : str
        The cache to put them into.

    Returns
    -------
    str
        A line for the shell, of the `crds` package.
    """
    plain = " ".join(sorted({name.rpartition("$")[2] for name in names}))
    return (
        f"CRDS_OBSERVATORY=hst CRDS_SERVER_URL=https://hst-crds.stsci.edu CRDS_PATH={folder} "
        f"crds sync --files {plain}"
    )

"""What lies in a work directory of hst123: raw files, results that can be adopted, and the rest."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hst123r.archives.directory import PRODUCT_NAME
from hst123r.engine.adopt import Found
from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.files.fits_blocks import walk
from hst123r.products.recognised import recognise

RAW, ALIGNED, DRIZZLED, REFERENCE = "raw", "aligned exposure", "drizzled image", "reference"
CATALOGUE, CURVE, TABLE = "catalogue", "light curve", "HDF5"

SIDECARS: Final = ("columns", "param", "info", "data", "warnings", "output", "orig", "psfs")
"""Endings of what DOLPHOT and hst123 write beside a catalogue."""
_STEM: Final = r"(?:(?P<object>.+)\.)?[a-z0-9]+\.[a-z0-9]+\."
_REFERENCE: Final = re.compile(_STEM + r"ref_\d{4}\.dr[cz]\.fits")
_DRIZZLED: Final = re.compile(_STEM + r"ut\d{6}_\d{4}\.dr[cz]\.fits")
_CATALOGUE: Final = re.compile(r"[^.]+\d{4}")
_LEFT: Final = (
    (re.compile(r".*\.chip\d+(\.sky)?\.fits"), "an image that DOLPHOT works on; it is made again"),
    (re.compile(r".*\.sky\.fits"), "a sky map of DOLPHOT; it is made again"),
    (re.compile(r".*\.noise\.fits"), "a noise image for DOLPHOT; it is made again"),
    (re.compile(r".*\.rawtmp\.fits|dummy\.fits|.*\.ref\.drc\.fits"), "an intermediate file"),
    (re.compile(r".*\.log"), "a log; it can be read where it is"),
)
_SKIPPED: Final = {
    "cals": "reference files of CRDS; hst123r takes those of the environment or fetches them",
    "logs": "logs; they can be read where they are",
    ".mast_download_staging": "what was left of a download",
    ".hst123_runfiles": "files of a program while it runs",
}


@dataclass(slots=True)
class Entry:
    """A file of the folder.

    Parameters
    ----------
    file : str
        Path from the folder.
    role : str
        What it is in the layout of hst123, empty where that is not known.
    action : str
        ``adopt``, ``read`` (raw files, by the recipe) or ``left``.
    why : str
        Why it is left, or what is known of it.
    found : Found or None
        For those to adopt.
    """

    file: str
    role: str
    action: str
    why: str = ""
    found: Found | None = None


@dataclass(slots=True)
class Survey:
    """All that lies in a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    entries : list of Entry
        Its files; of folders that hold nothing to adopt one entry.
    raw : Path
        Where its exposures are.
    target : str
        Name of the target, empty where nothing tells.
    position : tuple of str or None
        Right ascension and declination as they are written.
    where : str
        What told the position.
    """

    folder: Path
    entries: list[Entry] = field(default_factory=list)
    raw: Path = Path()
    target: str = ""
    position: tuple[str, str] | None = None
    where: str = ""

    def of(self, *roles: str) -> list[Entry]:
        """Return the entries of some roles that are not left."""
        return [item for item in self.entries if item.role in roles and item.action != "left"]

    def counts(self) -> dict[str, int]:
        """Return how many files are adopted, read and left."""
        found = Counter(item.action for item in self.entries)
        return {name: found[name] for name in ("adopt", "read", "left")}


def survey(folder: Path) -> Survey:
    """Look at a work directory of hst123; nothing in it is changed.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    Survey
        What it holds.

    Raises
    ------
    InputError
        If it is not there, or holds nothing that hst123 makes.
    """
    if not folder.is_dir():
        raise InputError("there is no such folder", where=str(folder))
    found = Survey(folder.absolute())
    found.raw = found.folder / RAW if (found.folder / RAW).is_dir() else found.folder
    beside: set[Path] = set()
    for path in _files(found):
        if path not in beside:
            entry = _entry(found, path)
            found.entries.append(entry)
            if entry.found is not None:
                beside |= set(entry.found.beside.values())
    # what belongs to a catalogue may have come before it in the alphabet
    taken = {str(path.relative_to(found.folder)) for path in beside}
    found.entries = [item for item in found.entries if item.file not in taken]
    if not any(item.action != "left" for item in found.entries):
        raise InputError(
            "this is no work directory of hst123: there are neither exposures nor results in it",
            where=str(folder),
        )
    _target(found)
    return found


def _files(found: Survey) -> Iterator[Path]:
    for place, folders, names in os.walk(found.folder):
        here = Path(place)
        for name in sorted(set(folders) & set(_SKIPPED)):
            inside = f"{(here / name).relative_to(found.folder)}/"
            found.entries.append(Entry(inside, "", "left", _SKIPPED[name]))
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        yield from (here / name for name in sorted(names))
    if found.raw != found.folder and found.raw.is_symlink():
        # a walk does not enter links to folders, and this one is often a link to a larger disk
        yield from (path for path in sorted(found.raw.iterdir()) if path.is_file())


def _entry(found: Survey, path: Path) -> Entry:
    file = str(path.relative_to(found.folder))
    for pattern, why in _LEFT:
        if pattern.fullmatch(path.name):
            return Entry(file, "", "left", why)
    if not path.is_file():
        return Entry(file, "", "left", "a link to a file that is not there")
    if PRODUCT_NAME.fullmatch(path.name.lower()):
        return _exposure(found, path, file)
    role = _role(path)
    if not role:
        return Entry(file, "", "left", "nothing that hst123r knows how to use")
    item = Found(path, f"hst123/{file}", beside=_beside(path, role), facts={"role": role})
    return _adoptable(file, role, item)


def _adoptable(file: str, role: str, item: Found, why: str = "") -> Entry:
    try:
        recognise(item.source)
    except InputError as error:
        return Entry(file, role, "left", f"it does not open: {error.message}")
    return Entry(file, role, "adopt", why, item)


def _role(path: Path) -> str:
    if _REFERENCE.fullmatch(path.name):
        return REFERENCE
    if _DRIZZLED.fullmatch(path.name):
        return DRIZZLED
    if path.suffix == ".h5":
        return TABLE
    if path.suffix == ".phot":
        return CURVE
    columns = path.with_name(f"{path.name}.columns").is_file()
    return CATALOGUE if _CATALOGUE.fullmatch(path.name) and columns else ""


def _beside(path: Path, role: str) -> dict[str, Path]:
    if role == CATALOGUE:
        named = {end: path.with_name(f"{path.name}.{end}") for end in SIDECARS}
    elif role == CURVE:
        named = {"snana": path.with_suffix(".snana")}
    else:
        named = {}
    return {end: place for end, place in named.items() if place.is_file()}


def _exposure(found: Survey, path: Path, file: str) -> Entry:
    """Tell a raw exposure, a link to it, and one that was changed after it was copied."""
    if path.parent == found.raw:
        return Entry(file, RAW, "read")
    raw = found.raw / path.name
    if path.is_symlink() or not raw.is_file():
        why = "a link to a raw file" if path.is_symlink() else "there is no raw file of this name"
        return Entry(file, "", "left", why)
    try:
        before, now = look(raw), look(path)
    except OSError as error:
        return Entry(file, "", "left", f"it cannot be read: {error.strerror or error}")
    if before.digest == now.digest:
        return Entry(file, "", "left", "equal to the raw file of this name")
    changed = [name for name, digest in now.facets.items() if before.facets.get(name) != digest]
    facts: dict[str, Any] = {"role": ALIGNED, "raw": raw.name, "changed": changed}
    names = [
        str(card[1])
        for header in now.headers
        for card in header.cards
        if header.name == "SCI" and card[0] == "WCSNAME"
    ]
    facts |= {"wcsname": names[0]} if names else {}
    item = Found(path, f"hst123/{file}", facts=facts)
    return _adoptable(file, ALIGNED, item, f"it differs from the raw file in {', '.join(changed)}")


def _target(found: Survey) -> None:
    """Find name and position of the target: in a light curve, else in an exposure."""
    for item in found.of(REFERENCE, DRIZZLED):
        name = Path(item.file).name
        match = _REFERENCE.fullmatch(name) or _DRIZZLED.fullmatch(name)
        if match and match["object"]:
            found.target = match["object"]
            break
    for item in found.of(CURVE):
        facts = _head(found.folder / item.file)
        if facts.get("ra") and facts.get("dec"):
            found.position, found.where = (facts["ra"], facts["dec"]), item.file
            return
    for item in found.of(RAW):
        with (found.folder / item.file).open("rb") as stream:
            try:
                primary = next(walk(stream, item.file))
            except InputError:
                # what the file is worth is said when the recipe fetches it
                continue
        ra, dec = primary.get("RA_TARG"), primary.get("DEC_TARG")
        if isinstance(ra, float) and isinstance(dec, float):
            found.position = (f"{ra:.7f}", f"{dec:.7f}")
            found.where = f"{item.file}, where the telescope was pointed"
            found.target = found.target or str(primary.get("TARGNAME") or "")
            return


def _head(path: Path) -> dict[str, str]:
    """Return the lines ``# key = value`` of a light curve of hst123."""
    found = {}
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            key, equals, value = line.lstrip("# ").partition("=")
            if line.startswith("#") and equals:
                found[key.strip()] = value.strip()
    return found

"""What lies in a work directory of hst123: raw files, results that can be adopted, and the rest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hst123r.archives.directory import PRODUCT_NAME
from hst123r.engine import hst123_names as names
from hst123r.engine.adopt import Found
from hst123r.engine.hst123_names import ALIGNED, CURVE, DRIZZLED, RAW, REFERENCE
from hst123r.errors import InputError
from hst123r.files.content import Content, look
from hst123r.files.fits_blocks import HduBlocks, walk
from hst123r.products.recognised import recognise

MASKED: Final = "hst123 wrote DOLPHOT's masked image over it"
"""What versions up to 1.1 do to a raw file that a link leads to, see `_masked`."""
ALIGNED_HERE: Final = "hst123 aligned it here, and there is no copy from before"
_MASKED_COPY: Final = "an exposure masked for DOLPHOT; it is made again"
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

    def masked(self) -> list[str]:
        """Return the root names of raw files that hst123 has written over."""
        return sorted({
            Path(item.file).name[:9].lower() for item in self.entries if MASKED in item.why
        })  # fmt: skip

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
    found.raw = _raw_of(found.folder)
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
    for place, folders, files in os.walk(found.folder):
        here = Path(place)
        for name in sorted(set(folders) & set(_SKIPPED)):
            inside = f"{(here / name).relative_to(found.folder)}/"
            found.entries.append(Entry(inside, "", "left", _SKIPPED[name]))
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        yield from (here / name for name in sorted(files))
    if found.raw != found.folder and found.raw.is_symlink():
        # a walk does not enter links to folders, and this one is often a link to a larger disk
        yield from (path for path in sorted(found.raw.iterdir()) if path.is_file())


def _entry(found: Survey, path: Path) -> Entry:
    file = str(path.relative_to(found.folder))
    why = names.why_left(path)
    if why:
        return Entry(file, "", "left", why)
    if not path.is_file():
        return Entry(file, "", "left", "a link to a file that is not there")
    if _is_exposure(path):
        return _exposure(found, path, file)
    role = names.role(path)
    if not role:
        return Entry(file, "", "left", "nothing that hst123r knows how to use")
    item = Found(
        path, f"{names.ADOPTED_AS}/{file}", beside=names.beside(path, role), facts={"role": role}
    )
    return _adoptable(file, role, item)


def _adoptable(file: str, role: str, item: Found, why: str = "") -> Entry:
    try:
        recognise(item.source)
    except InputError as error:
        return Entry(file, role, "left", f"it does not open: {error.message}")
    return Entry(file, role, "adopt", why, item)


def _is_exposure(path: Path) -> bool:
    found = PRODUCT_NAME.fullmatch(path.name.lower())
    return found is not None and found[2] in names.EXPOSURES


def _raw_of(folder: Path) -> Path:
    """Return where the exposures are: in ``raw/``, else where runs from an archive put them."""
    for place in (folder / RAW, folder, folder / "workspace"):
        if place.is_dir() and any(_is_exposure(path) for path in place.iterdir()):
            return place
    return folder / RAW if (folder / RAW).is_dir() else folder


def _exposure(found: Survey, path: Path, file: str) -> Entry:
    """Tell a raw exposure, a link to it, and one that was changed after it was copied."""
    try:
        hdus = _hdus(path)
        if path.parent == found.raw:
            return _raw(file, hdus)
        raw = found.raw / path.name
        if path.is_symlink():
            return Entry(file, "", "left", "a link to a raw file")
        if not raw.is_file():
            return _alone(file, path, hdus)
        before, now = look(raw), look(path)
    except OSError as error:
        return Entry(file, "", "left", f"it cannot be read: {error.strerror or error}")
    except InputError as error:
        if path.parent == found.raw:
            # what the file is worth is said when the recipe fetches it
            return Entry(file, RAW, "read", f"it does not open: {error.message}")
        return Entry(file, "", "left", f"it does not open: {error.message}")
    equal = before.digest == now.digest
    if equal or _masked(hdus):
        why = "equal to the raw file of this name" if equal else _MASKED_COPY
        return Entry(file, "", "left", why)
    changed = [name for name, digest in now.facets.items() if before.facets.get(name) != digest]
    facts: dict[str, Any] = {"role": ALIGNED, "raw": raw.name, "changed": changed}
    what = ", ".join(changed) or "nothing that counts"
    item = Found(path, f"{names.ADOPTED_AS}/{file}", facts={**facts, **_wcs_name(now)})
    return _adoptable(file, ALIGNED, item, f"it differs from the raw file in {what}")


def _raw(file: str, hdus: list[HduBlocks]) -> Entry:
    """Tell a raw exposure from one that hst123 has written over."""
    if _masked(hdus):
        return Entry(file, "", "left", f"{MASKED}; the archive has the exposure")
    return Entry(file, RAW, "read", ALIGNED_HERE if _aligned(hdus) else "")


def _alone(file: str, path: Path, hdus: list[HduBlocks]) -> Entry:
    """Tell an aligned exposure of which no raw file is here, as after a run from an archive."""
    if _masked(hdus):
        return Entry(file, "", "left", _MASKED_COPY)
    if not _aligned(hdus):
        why = "there is no raw file of this name, and nothing says that hst123 aligned it"
        return Entry(file, "", "left", why)
    facts = {"role": ALIGNED, **_wcs_name(look(path))}
    item = Found(path, f"{names.ADOPTED_AS}/{file}", facts=facts)
    why = "its header says that hst123 aligned it; there is no raw file of this name"
    return _adoptable(file, ALIGNED, item, why)


def _hdus(path: Path) -> list[HduBlocks]:
    with path.open("rb") as stream:
        return list(walk(stream, str(path)))


def _aligned(hdus: list[HduBlocks]) -> bool:
    """Whether headers have a mark of an exposure that was aligned, of any version of hst123."""
    told = any(hdus[0].get(name) in (1, True) for name in ("TWEAKSUC", "HST123 ALIGNOK"))
    return told or any(str(hdu.get("WCSNAME") or "").startswith("TWEAK") for hdu in hdus)


def _masked(hdus: list[HduBlocks]) -> bool:
    """Whether an exposure is an image for DOLPHOT: multiplied by pixel areas, without its masks."""
    return any(card.keyword.startswith("DOL") for hdu in hdus for card in hdu.cards)


def _wcs_name(content: Content) -> dict[str, str]:
    found = [
        str(card[1])
        for header in content.headers
        for card in header.cards
        if header.name == "SCI" and card[0] == "WCSNAME"
    ]
    return {"wcsname": found[0]} if found else {}


def _target(found: Survey) -> None:
    """Find name and position of the target: in a light curve, else in an exposure."""
    for item in found.of(REFERENCE, DRIZZLED):
        found.target = names.object_of(Path(item.file).name)
        if found.target:
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

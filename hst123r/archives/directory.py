"""A folder of the user's own files as an archive: listed by name, copied, never touched."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.files.work_dir import OWN, is_work_dir
from hst123r.instruments.detector import Detector

PRODUCT_NAME: Final = re.compile(r"([a-z][a-z0-9]{8})_([a-z0-9]+)\.fits")
"""Names of HST exposures in lower case: ``ipppssoot_suffix.fits``."""
FITS_NAME: Final = re.compile(r".*\.(?:fits|fit|fts)(?:\.(?:gz|bz2|z|fz|xz|zip))?")
"""Names in lower case of what looks like FITS and is told of when it is not used."""


PACKAGE: Final = "package:"
"""Begins the path of a folder inside an installed Python package."""


@dataclass(slots=True)
class Listed:
    """One exposure of a folder.

    Parameters
    ----------
    root : str
        Root name.
    files : dict of str to str
        Absolute path by role: ``science``, and ``dq`` where data quality is a file of its own.
    """

    root: str
    files: dict[str, str]


@dataclass(slots=True)
class Listing:
    """What a folder holds.

    Parameters
    ----------
    exposures : list of Listed
        Exposures in the order of their root names.
    left_out : list of [name, code, reason]
        Other FITS files, and why they are not used.
    """

    exposures: list[Listed] = field(default_factory=list)
    left_out: list[list[str]] = field(default_factory=list)


def folder_of(path: str, recipe_folder: Path) -> Path:
    """Return the folder that a recipe names.

    Parameters
    ----------
    path : str
        Relative to the recipe, or ``package:NAME/FOLDER``.
    recipe_folder : Path
        Folder of the recipe.

    Returns
    -------
    Path
        The folder; it need not exist.

    Raises
    ------
    InputError
        If it is of a user or a package that is not there.
    """
    if not path.startswith(PACKAGE):
        try:
            return recipe_folder / Path(path).expanduser()
        except RuntimeError as error:
            raise InputError("there is no such user", where=f"path: {path}") from error
    name, _, inside = path.removeprefix(PACKAGE).partition("/")
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        # a package inside one that is not there, or no name at all
        found = None
    if found is None or not found.submodule_search_locations:
        raise InputError(f"there is no installed package {name!r}", where=f"path: {path}")
    return Path(next(iter(found.submodule_search_locations))) / inside


def list_folder(folder: Path, *, recursive: bool) -> Listing:
    """List the exposures of a folder by their names, without opening a file.

    Names count whatever their case. Of several products of one exposure the one that its detector
    prefers is taken, so a CTE-corrected ``flc`` wins over an ``flt``.

    Parameters
    ----------
    folder : Path
        The folder.
    recursive : bool
        Look into its subfolders too, but not into work directories of hst123r, which hold
        copies.

    Returns
    -------
    Listing
        Exposures, and what was left out.

    Raises
    ------
    InputError
        If the folder does not exist, cannot be read, or holds the same file name twice.
    """
    if not folder.is_dir():
        raise InputError(
            "there is no such folder", where=str(folder), hint="Check `path` of the stage fetch"
        )
    by_root: dict[str, dict[str, Path]] = {}
    listing = Listing()
    for path in _fits_files(folder, recursive=recursive):
        found = PRODUCT_NAME.fullmatch(path.name.lower())
        wrong = _not_usable(path) if found else _why_no_name(path)
        if found is None or wrong:
            listing.left_out.append([path.name, *wrong])
            continue
        root, suffix = found.groups()
        known = by_root.setdefault(root, {})
        if suffix in known:
            raise InputError(
                f"{path.name} is there twice: {known[suffix].parent} and {path.parent}",
                where=str(folder),
                hint="Name the folder that holds the right one",
            )
        known[suffix] = path
    for root, files in sorted(by_root.items()):
        _choose(root, files, listing)
    return listing


def _fits_files(folder: Path, *, recursive: bool) -> list[Path]:
    """Everything with the name of a FITS file, folders and links to nothing included."""

    def refuse(error: OSError) -> None:
        raise InputError(
            f"cannot be listed: {error.strerror}", where=str(error.filename or folder)
        ) from error

    found: list[Path] = []
    for place, folders, files in os.walk(folder.absolute(), onerror=refuse):
        here = Path(place)
        found += [here / name for name in (*files, *folders) if FITS_NAME.fullmatch(name.lower())]
        if not recursive:
            break
        if is_work_dir(here):
            # the folder that was named is a work directory itself; what is beside its own is yours
            folders[:] = [name for name in folders if name not in OWN]
        folders[:] = sorted(name for name in folders if not is_work_dir(here / name))
    return sorted(found)


def _why_no_name(path: Path) -> tuple[str, str]:
    if not path.name.lower().endswith(".fits") and PRODUCT_NAME.match(path.name.lower()):
        return "compressed", "it is compressed; unpack it"
    return "name", "its name is not that of an HST exposure (ipppssoot_suffix.fits)"


def _not_usable(path: Path) -> tuple[str, ...]:
    """Say why a file with the right name is none; empty when it is one."""
    if path.is_dir():
        return "file", "it is a folder"
    if not path.is_file():
        return "file", "it is a link to a file that is not there"
    return ()


def _choose(root: str, files: dict[str, Path], listing: Listing) -> None:
    detectors = [
        detector
        for detector in map(instruments.get, instruments.names())
        if detector.root_letter == root[0]
    ]
    choices = [
        (rank, suffix, detector)
        for detector in detectors
        for rank, suffix in enumerate(detector.products.science)
        if suffix in files
    ]
    used: set[str] = set()
    if choices:
        _, suffix, detector = min(choices, key=lambda choice: choice[:2])
        used = _take(root, suffix, files, detector, listing)
    for suffix, path in sorted(files.items()):
        if suffix not in used:
            code, reason = _why_not(suffix, detectors, taken=bool(used))
            listing.left_out.append([path.name, code, reason])


def _take(
    root: str, suffix: str, files: dict[str, Path], detector: Detector, listing: Listing
) -> set[str]:
    companion = detector.products.companion
    paths = {"science": str(files[suffix])}
    if companion is None:
        listing.exposures.append(Listed(root, paths))
        return {suffix}
    if companion not in files:
        reason = f"its data quality {root}_{companion}.fits is missing, and one needs the other"
        listing.left_out.append([files[suffix].name, "companion", reason])
        return {suffix}
    listing.exposures.append(Listed(root, {**paths, "dq": str(files[companion])}))
    return {suffix, companion}


def _why_not(suffix: str, detectors: list[Detector], *, taken: bool) -> tuple[str, str]:
    if not detectors:
        return "detector", "its root name is not of a detector hst123r knows"
    wanted = sorted({name for detector in detectors for name in detector.products.science})
    companions = {d.products.companion for d in detectors if d.products.companion}
    if suffix in companions and not taken:
        return "companion", f"the {' or '.join(wanted)} it belongs to is missing"
    if suffix in wanted:
        return "product", f"a product that is preferred to {suffix} is there"
    return "product", f"{suffix} is not one of the products used ({', '.join(wanted)})"

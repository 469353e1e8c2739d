"""updatewcs of stwcs, called so that it neither waits, asks, nor looks anywhere but here.

It finds reference files by variables such as ``jref``; these are set for the call alone, and
point to a folder with copies of just the files that were found beforehand. It is kept from the
network twice over, since it would sleep for two minutes without one. Headers with DGEOFILE get
the keyword NPOLFILE, because drizzlepac asks on the keyboard what to do without.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.errors import StageError
from hst123r.external.astrometry import OFF, ON, TIMEOUT_S, limited
from hst123r.external.headerlets import forget_fit

if TYPE_CHECKING:
    from astropy.io.fits import Header

NONE: Final = "N/A"
CONVERTED: Final = {"DGEOFILE": "ODGEOFIL"}
"""Where updatewcs keeps the name of a file that it has converted, and reads it again."""


def refit(
    folder: Path,
    name: str,
    references: Mapping[str, str],
    *,
    ask: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, str]:
    """Build the WCS of an exposure anew, from its pointing and local reference files.

    Parameters
    ----------
    folder : Path
        Private folder with a working copy of the exposure.
    name : str
        Name of the science file in it; a companion may lie beside it.
    references : mapping of str to str
        Path of every reference file, by the name the header has: ``jref$0461802ej_idc.fits``.
    ask : bool
        Ask the astrometry database for solutions of the exposure, and put the one that it calls
        the best into use; for an exposure that it does not know, the corrections of its guide
        stars. ``ASTROMETRY_SERVICE_URL`` and ``GSSS_WEBSERVICES_URL`` name other services.
    timeout_s : float
        How long a question may wait for its answer.

    Returns
    -------
    dict of str to str
        Hexadecimal sha256 of what was answered, by question; empty where nobody was asked.

    Raises
    ------
    StageError
        If updatewcs failed.
    ArchiveError
        If a service was asked and did not answer as it should; the file is not to be used then.
    """
    from astropy.io import fits
    from stwcs import updatewcs

    with fits.open(folder / name, mode="update") as hdus:
        answer_beforehand(hdus[0].header)
    switches = ON if ask else OFF
    with (
        _variables(folder, references, switches), contextlib.chdir(folder),
        limited(timeout_s) as asked, warnings.catch_warnings(),
    ):  # fmt: skip
        # old headers in ways that astropy repairs and tells, card by card
        warnings.simplefilter("ignore")
        try:
            updatewcs.updatewcs(name, use_db=ask, verbose=False)
        except (ValueError, TypeError, LookupError, OSError, AttributeError,
                RuntimeError, EOFError, NameError, SyntaxError) as error:  # fmt: skip
            if asked.failed:
                # what stwcs raises then is about a variable that it never set
                raise asked.failed[0] from error
            raise StageError(f"updatewcs failed: {type(error).__name__}: {error}") from error
    if asked.failed:
        raise asked.failed[0]
    with fits.open(folder / name, mode="update") as hdus:
        forget_fit(hdus)
        # headerlets that were found are there besides
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    return asked.answers


def name_references(path: Path, names: Mapping[str, str]) -> None:
    """Write the names of reference files into the primary header of a working copy.

    Parameters
    ----------
    path : Path
        The file.
    names : mapping of str to str
        Name by keyword, ``N/A`` for none. Where updatewcs keeps the name of a file that it has
        converted, that is the one it reads.
    """
    from astropy.io import fits

    with fits.open(path, mode="update") as hdus:
        header = hdus[0].header
        for keyword, name in names.items():
            header[keyword] = name
            kept = CONVERTED.get(keyword)
            if kept is not None and kept in header:
                header[kept] = name


def answer_beforehand(header: Header) -> None:
    """Write NPOLFILE where a header has DGEOFILE alone.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Primary header of an exposure; changed.
    """
    if header.get("DGEOFILE", NONE) not in (NONE, "") and "NPOLFILE" not in header:
        header["NPOLFILE"] = (NONE, "none; DGEOFILE is of the older kind")


@contextlib.contextmanager
def _variables(
    folder: Path, references: Mapping[str, str], switches: Mapping[str, str]
) -> Iterator[None]:
    """Set the variables of reference files for a while, each to a folder with copies."""
    settings = dict(switches)
    for given, path in references.items():
        variable, _, plain = given.rpartition("$")
        # a name without a variable is looked for in the current directory
        place = folder / "references" / variable if variable else folder
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place / plain)
        if variable:
            settings[variable] = f"{place}/"
    before = {variable: os.environ.get(variable) for variable in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value

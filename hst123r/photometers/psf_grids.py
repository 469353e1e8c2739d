"""Where the measured PSFs of a detector and filter are: in a folder, or fetched once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hst123r import instruments
from hst123r.errors import ArchiveError
from hst123r.photometers.params import PhotometryParams
from hst123r.records.outcome import Product
from hst123r.stage.contract import PSF_GRID, Scope

FOLDER: Final = "stdpsf"
"""Folder inside ``raw/`` with what was fetched, where the recipe names none."""


def wants_grid(params: PhotometryParams) -> bool:
    """Whether measured PSFs are used."""
    asked = params.psf_grids is not None or params.fetch_psf_grids
    return params.engine == "psf" and params.psf in ("grid", "hybrid") and asked


def grid_of(
    params: PhotometryParams, scope: Scope, detector_name: str, band: str
) -> tuple[Product, dict[str, Any]]:
    """Return the file with the PSFs of a detector and filter, after it was fetched if need be.

    Parameters
    ----------
    params : PhotometryParams
        The folder, and whether files are fetched.
    scope : Scope
        The recipe around it.
    detector_name, band : str
        Detector and filter.

    Returns
    -------
    product : Product
        Its kind is `PSF_GRID`; a plan names the file that a run would fetch.
    notes : dict
        ``queries``, what an archive gave, for the lock, or ``asks``, what a plan says that it
        will be asked for; neither for files of the user.

    Raises
    ------
    InputError
        If the library does not cover the detector, or the folder lacks the file.
    ArchiveError
        If it cannot be fetched, or must not be.
    """
    from hst123r.archives import endpoints
    from hst123r.archives.stdpsf import Library, digest_of
    from hst123r.files.psf_library import covered, find_grid, older

    detector = instruments.get(detector_name)
    given = None
    if params.psf_grids is not None:
        given = Path(scope.recipe_folder) / Path(params.psf_grids).expanduser()
    if not params.fetch_psf_grids:
        path = find_grid(given or Path(scope.recipe_folder), detector, band)
        return _product(path), {}
    name = covered(detector)
    folder = given or Path(scope.work_folder) / "raw" / FOLDER
    library = Library(endpoints.stdpsf(), folder.absolute())
    found = library.here(name, band) or older(folder, detector, band)
    if found is None and scope.offline:
        raise ArchiveError(
            f"{library.place(name, band).name} is not here, or not as it came, and --offline "
            "forbids to fetch it",
            where=str(folder),
            hint="Run once without --offline; the file is kept",
        )
    if found is None and scope.dry:
        place = library.place(name, band)
        scope.tell(f"a run fetches {place.name} from {library.server}")
        asked = {"archive": "STDPSF", "server": library.server, "what": place.name}
        return _product(place), {"asks": [asked]}
    if found is None:
        with scope.waiting():
            found = library.file(name, band)
    digest = digest_of(found)
    question = {"service": "stdpsf", "what": found.name, "digest": f"sha256:{digest}"}
    return _product(found), {"queries": [question]} if digest else {}


def _product(path: Path) -> Product:
    return Product(PSF_GRID, path.stem, {}, {"grid": str(path)})

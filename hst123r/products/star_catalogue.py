"""A star catalogue of the user's: ECSV, CSV, FITS, read only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

    from hst123r.sources.absolute import AbsoluteStars

FORMATS: Final = {
    ".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".fits": "fits", ".fit": "fits",
}  # fmt: skip
NAMES: Final = {
    "ra": ("ra", "ra_deg", "ra_icrs", "ramean"),
    "dec": ("dec", "dec_deg", "de_icrs", "decmean"),
    "ra_error": ("ra_error", "e_ra_icrs", "rameanerr"),
    "dec_error": ("dec_error", "e_de_icrs", "decmeanerr"),
    "error": ("pos_err", "error"),
    "pmra": ("pmra",),
    "pmdec": ("pmdec", "pmde"),
    "pmra_error": ("pmra_error", "e_pmra"),
    "pmdec_error": ("pmdec_error", "e_pmde"),
    "epoch": ("ref_epoch", "epoch", "epochmean"),
    "mag": ("phot_g_mean_mag", "gmag", "mag", "magnitude", "rmeanpsfmag", "imeanpsfmag"),
}
"""Names of columns, in small letters: those of Gaia's archive, of VizieR, plain ones, and of the
mean objects of Pan-STARRS 1 (ObjectThin and MeanObject: Flewelling et al. 2020, ApJS 251, 7)."""
PAN_STARRS: Final = {
    "ramean": "deg", "decmean": "deg", "rameanerr": "arcsec", "decmeanerr": "arcsec",
    "epochmean": "", "rmeanpsfmag": "", "imeanpsfmag": "",
}  # fmt: skip
"""What its columns are in; ``epochMean`` is a modified Julian date."""
NOT_KNOWN: Final = -999.0
"""What Pan-STARRS writes where it has no value."""
UNITS: Final = {
    "ra": "deg", "dec": "deg", "ra_error": "mas", "dec_error": "mas", "error": "mas",
    "pmra": "mas / yr", "pmdec": "mas / yr", "pmra_error": "mas / yr",
    "pmdec_error": "mas / yr", "epoch": "", "mag": "",
}  # fmt: skip
"""What is read is converted to, and what a column without a unit is in."""


def read_star_catalogue(
    path: str | Path,
    *,
    error_mas: float | None = None,
    epoch: float | None = None,
    parameters: tuple[str, str] = ("absolute.position_error", "absolute.epoch"),
) -> AbsoluteStars:
    """Read an absolute catalogue.

    Parameters
    ----------
    path : str or Path
        CSV, ECSV or a FITS table with ``ra`` and ``dec``; ``ra_error`` and ``dec_error``, or
        ``pos_err``; ``pmra``, ``pmdec`` and their errors; ``ref_epoch``; a magnitude. Columns
        without a unit are in degrees, mas, mas a year and Julian years. Mean objects of
        Pan-STARRS 1 (``raMean`` …) are taken as its archive gives them.
    error_mas : float, optional
        Standard error of positions along each axis, where the file has none.
    epoch : float, optional
        Julian year of the positions, where the file has none.
    parameters : (str, str)
        What these two are in a recipe, for messages.

    Returns
    -------
    AbsoluteStars
        Rows with a position and an error, the brightest first.

    Raises
    ------
    InputError
        If the file cannot be read, or positions, their errors, or the epoch of their motions
        are not known.
    """
    import numpy as np

    from hst123r.sources.absolute import AbsoluteStars

    table = _table(Path(path))
    columns = {name: _column(table, name, Path(path)) for name in NAMES}
    ra, dec = columns["ra"], columns["dec"]
    if ra is None or dec is None:
        raise InputError(
            "the catalogue has no columns `ra` and `dec`", where=str(path),
            hint=f"It has {', '.join(table.colnames)}",
        )  # fmt: skip
    nothing = np.full(ra.size, np.nan)
    error = columns["error"]
    if error is None:
        error = _mean(columns["ra_error"], columns["dec_error"])
    if error is None and error_mas is not None:
        error = np.full(ra.size, error_mas)
    if error is None:
        raise InputError(
            "the catalogue does not say how good its positions are", where=str(path),
            hint=f"Add `ra_error` and `dec_error`, or set `{parameters[0]}`",
        )  # fmt: skip
    years = columns["epoch"]
    if years is None:
        years = np.full(ra.size, np.nan if epoch is None else epoch)
    east, north = columns["pmra"], columns["pmdec"]
    if east is not None and north is not None and not np.isfinite(years).all():
        raise InputError(
            "the catalogue has proper motions and no epoch", where=str(path),
            hint=f"Add `ref_epoch`, or set `{parameters[1]}`",
        )  # fmt: skip
    spread = _mean(columns["pmra_error"], columns["pmdec_error"])
    mag = nothing if columns["mag"] is None else columns["mag"]
    rows = np.flatnonzero(np.isfinite(ra + dec + error) & (error > 0))
    rows = rows[np.argsort(np.where(np.isfinite(mag), mag, np.inf)[rows], kind="stable")]
    motions = [nothing if values is None else values for values in (east, north, spread)]
    return AbsoluteStars(*(values[rows] for values in (ra, dec, error, *motions, years)))


def _table(path: Path) -> Table:
    from astropy.table import Table

    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path.name} is no catalogue that can be read", where=str(path.parent),
            hint=f"Catalogues end with {', '.join(FORMATS)}",
        )  # fmt: skip
    try:
        kind = FORMATS[path.suffix.lower()]
        # bulk files of Gaia say null
        more = {"fill_values": [("", "0"), ("null", "0")]} if kind == "ascii.csv" else {}
        return Table.read(path, format=kind, **more)
    except (OSError, ValueError, IndexError, TypeError, KeyError) as error:
        raise InputError(f"the catalogue cannot be read: {error}", where=str(path)) from error


def _column(table: Table, name: str, path: Path) -> NDArray[np.float64] | None:
    """Return a column in the unit of the code, NaN where it is empty; None without it."""
    import numpy as np
    from astropy import units as u

    from hst123r.algorithms.proper_motion import julian_year

    known = {column.lower(): column for column in table.colnames}
    found = [known[alias] for alias in NAMES[name] if alias in known]
    if not found:
        return None
    column = table[found[0]]
    try:
        data = np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
        unit = getattr(column, "unit", None)
        own = PAN_STARRS.get(found[0].lower())
        if own is not None:
            data = np.where(data == NOT_KNOWN, np.nan, data)
            if name == "epoch":
                return np.array([julian_year(float(mjd)) for mjd in data], np.float64)
            unit = unit or own
        if not unit or not UNITS[name]:
            return np.asarray(data, np.float64)
        return np.asarray(u.Quantity(data, unit).to_value(UNITS[name]), np.float64)
    except (ValueError, TypeError, u.UnitsError) as error:
        raise InputError(
            f"its column {found[0]!r} is not in numbers of {UNITS[name] or 'any kind'}: {error}",
            where=str(path),
        ) from error


def _mean(first: Any, second: Any) -> Any:
    """Return the root mean square of the errors along two axes, None without both."""
    import numpy as np

    if first is None or second is None:
        return None
    return np.sqrt((first**2 + second**2) / 2)

"""Two catalogues of one field, star by star: matched by position, offsets in sigma."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray


def compare(one: Path, other: Path, radius_arcsec: float, worst: int) -> dict[str, Any]:
    """Compare two catalogues.

    Stars are each other's nearest within a radius. The difference of two fluxes is given in units
    of their errors added in quadrature; where both come from the same pixels their noise is the
    same, and the difference is smaller than that. Fluxes of the second are converted to the unit
    of the first. A star without a position is left out and counted.

    Parameters
    ----------
    one, other : Path
        Catalogues with the columns ``ra``, ``dec`` in degrees, ``flux`` and ``flux_err``.
    radius_arcsec : float
        Largest separation in arcsec.
    worst : int
        How many stars are listed, those that differ most in sigma.

    Returns
    -------
    dict
        ``a``, ``b`` (numbers of stars), ``no_position_a``, ``no_position_b`` (how many of these
        have none), ``matched``, ``only_a``, ``only_b``, ``different`` (matched stars whose flux or
        position is not the same), ``median_offset_mag``, ``rms_sigma``, ``largest_sigma``,
        ``median_separation_mas`` and ``stars``.

    Raises
    ------
    InputError
        If a catalogue cannot be read or lacks a column, or if fluxes have units that cannot be
        converted.
    """
    import numpy as np

    whole = _read(one), _read(other)
    first, second = (_placed(found) for found in whole)
    unit = first["flux"].unit
    fluxes = [
        [_in_unit(found, name, unit, path) for name in ("flux", "flux_err")]
        for found, path in ((first, one), (second, other))
    ]
    mine, theirs, apart = _pairs(first, second, radius_arcsec)
    flux_a, flux_b = fluxes[0][0][mine], fluxes[1][0][theirs]
    error = np.hypot(fluxes[0][1][mine], fluxes[1][1][theirs])
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = np.where(flux_a == flux_b, 0.0, (flux_b - flux_a) / error)
        magnitude = -2.5 * np.log10(flux_b / flux_a)
    usable = np.isfinite(sigma)
    known = np.isfinite(magnitude)
    # a star without a flux in both has not changed
    same = ((flux_a == flux_b) | (np.isnan(flux_a) & np.isnan(flux_b))) & (apart == 0)
    order = np.argsort(-np.where(usable, np.abs(sigma), -1.0), kind="stable")[:worst]
    return {
        "a": len(whole[0]), "b": len(whole[1]), "matched": len(mine),
        "no_position_a": len(whole[0]) - len(first), "no_position_b": len(whole[1]) - len(second),
        "only_a": len(first) - len(mine), "only_b": len(second) - len(mine),
        "different": int(np.count_nonzero(~same)),
        "median_offset_mag": _number(np.median(magnitude[known])) if known.any() else None,
        "rms_sigma": _number(np.sqrt(np.mean(sigma[usable] ** 2))) if usable.any() else None,
        "largest_sigma": _number(np.max(np.abs(sigma[usable]))) if usable.any() else None,
        "median_separation_mas": _number(np.median(apart) * 1e3) if len(apart) else None,
        "stars": [
            {
                "source_a": _name(first, mine[i]), "source_b": _name(second, theirs[i]),
                "ra": _number(first["ra"][mine[i]]), "dec": _number(first["dec"][mine[i]]),
                "separation_mas": _number(apart[i] * 1e3), "flux_a": _number(flux_a[i]),
                "flux_b": _number(flux_b[i]), "offset_mag": _number(magnitude[i]),
                "sigma": _number(sigma[i]),
            }
            for i in order
            if not same[i]
        ],
    }  # fmt: skip


def _read(path: Path) -> Table:
    from astropy.table import Table

    try:
        found = Table.read(path)
    except (OSError, ValueError) as error:
        raise InputError(f"this catalogue cannot be read: {error}", where=str(path)) from error
    lacks = [name for name in ("ra", "dec", "flux", "flux_err") if name not in found.colnames]
    if lacks:
        raise InputError(f"this catalogue has no column {', '.join(lacks)}", where=str(path))
    return found


def _column(found: Table, name: str) -> NDArray[np.float64]:
    import numpy as np

    return np.ma.filled(np.ma.asarray(found[name], dtype=float), np.nan)


def _placed(found: Table) -> Table:
    """Return the stars that have a position."""
    import numpy as np

    return found[np.isfinite(_column(found, "ra")) & np.isfinite(_column(found, "dec"))]


def _in_unit(found: Table, name: str, unit: Any, path: Path) -> NDArray[np.float64]:
    """Return a column in a unit; without one where neither has any."""
    given = found[name].unit
    values = _column(found, name)
    if given == unit:
        return values
    try:
        factor = None if None in (given, unit) else float(given.to(unit))
    except (TypeError, ValueError):
        factor = None
    if factor is None:
        raise InputError(
            f"{name} is in {given or 'no unit'} and cannot be compared with fluxes in "
            f"{unit or 'no unit'}",
            where=str(path),
        )
    return values * factor


def _pairs(
    first: Table, second: Table, radius_arcsec: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return rows of stars that are each other's nearest, and their separations in arcsec."""
    import numpy as np
    from scipy.spatial import cKDTree

    from hst123r.algorithms.sphere import separation_arcsec

    vectors = []
    for found in (first, second):
        ra, dec = np.radians(_column(found, "ra")), np.radians(_column(found, "dec"))
        parts = (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec))
        vectors.append(np.stack(parts, axis=1))
    if not len(first) or not len(second):
        none = np.zeros(0, dtype=np.intp)
        return none, none, np.zeros(0)
    _, forward = cKDTree(vectors[1]).query(vectors[0])
    _, backward = cKDTree(vectors[0]).query(vectors[1])
    mine = np.flatnonzero(backward[forward] == np.arange(len(first)))
    theirs = forward[mine]
    apart = separation_arcsec(
        _column(first, "ra")[mine], _column(first, "dec")[mine],
        _column(second, "ra")[theirs], _column(second, "dec")[theirs],
    )  # fmt: skip
    near = apart <= radius_arcsec
    return mine[near], theirs[near], apart[near]


def _name(found: Table, row: int) -> str | None:
    return str(found["source"][row]) if "source" in found.colnames else None


def _number(value: Any) -> float | None:
    import math

    number = float(value)
    return number if math.isfinite(number) else None

"""Light curves in other systems of magnitudes, and corrected for extinction.

All is done in fluxes: the flux of a row times one number of its filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from hst123r.errors import InputError
from hst123r.products.local_limits import members_of
from hst123r.products.tables import Column
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Product

System = Literal["ab", "vega", "st"]
VEGA_COLUMNS: Final = ("detector", "filter", "vega_ab")
"""Columns of a user's table of Vega: its AB magnitude in each filter."""
_ECSV: Final = "# %ECSV"
"""What a file in that format begins with."""


@dataclass(frozen=True, slots=True)
class Dust:
    """Extinction in front of a source.

    Parameters
    ----------
    ebv : float
        E(B-V) in magnitudes.
    rv : float
        R(V).
    law : str
        Name of the law, see `photometry.extinction`.
    """

    ebv: float
    rv: float
    law: str


def columns_of(system: System, dust: Dust | None) -> tuple[Column, ...]:
    """Return the columns that a light curve has beside its own.

    Parameters
    ----------
    system : str
        ``ab``, ``vega`` or ``st``.
    dust : Dust or None
        Extinction, if it is corrected for.

    Returns
    -------
    tuple of Column
        In order.
    """
    name = {"ab": "AB", "vega": "Vega", "st": "ST"}[system]
    found: list[Column] = []
    if system == "st":
        unit = "erg / (s cm2 Angstrom)"
        found += [
            Column("flux_flam", "Flux per wavelength at the pivot wavelength", unit, "float"),
            Column("flux_err_flam", "Its standard error", unit, "float"),
        ]
    if system != "ab":
        found += [
            Column(f"mag_{system}", f"{name} magnitude; its error is mag_err", "mag", "float", 4),
            Column(f"limit_{system}", f"limit_ab as {name} magnitude", "mag", "float", 4),
        ]
    if dust is not None:
        found += [
            Column("extinction_mag", "Extinction at the pivot wavelength", "mag", "float", 4),
            Column("flux_corrected_njy", "flux_njy without extinction", "nJy", "float", 4),
            Column("flux_err_corrected_njy", "flux_err_njy likewise", "nJy", "float", 4),
            Column(f"mag_{system}_corrected", f"{name} magnitude without extinction", "mag",
                   "float", 4),
            Column(f"limit_{system}_corrected", f"limit_{system} likewise", "mag", "float", 4),
        ]  # fmt: skip
    return tuple(found)


def read_vega(path: Path) -> dict[tuple[str, str], float]:
    """Read a table of the AB magnitudes of Vega.

    Parameters
    ----------
    path : Path
        Comma-separated values or ECSV with the columns ``detector``, ``filter`` and ``vega_ab``;
        lines that begin with ``#`` are comments.

    Returns
    -------
    dict of (str, str) to float
        AB magnitude of Vega by detector and filter: what AB magnitudes are above those of Vega.

    Raises
    ------
    InputError
        If the file is no such table, a value is missing, or a filter stands there twice.
    """
    import math

    found: dict[tuple[str, str], float] = {}
    for number, (detector, band, text) in enumerate(_vega_lines(path), 1):
        value = float(text) if text else math.nan
        if not (detector and band and math.isfinite(value)):
            raise InputError(
                f"row {number} has no value of {', '.join(VEGA_COLUMNS)}: "
                f"{detector or '?'}, {band or '?'}, {text or '?'}",
                where=str(path),
                hint="Write all three, or leave the row out",
            )
        if (detector, band) in found:
            raise InputError(
                f"row {number} is about {detector} {band}, and so is one before it",
                where=str(path),
                hint="Leave one of them out",
            )
        found[detector, band] = value
    return found


def vega_of_dolphot(photometry: Iterable[Product]) -> dict[tuple[str, str], float]:
    """Return the AB magnitudes of Vega by DOLPHOT's own zeropoints.

    They are what DOLPHOT's magnitudes of the stars of a catalogue say, whatever its table of
    filters has.

    Parameters
    ----------
    photometry : iterable of Product
        Measurements of one field.

    Returns
    -------
    dict of (str, str) to float
        As :func:`read_vega` gives them.

    Raises
    ------
    InputError
        If another engine measured, or DOLPHOT in its generic mode, which has no zeropoints.
    """
    found = {}
    for product in photometry:
        if "vega_ab" not in product.facts:
            raise InputError(
                f"{product.name} was not measured with zeropoints of DOLPHOT",
                hint="`vega: dolphot` needs `engine: dolphot` with `psf: library`; name a "
                "`vega_table` instead",
            )
        key = product.labels["detector"], product.labels["filter"]
        found[key] = float(product.facts["vega_ab"])
    return found


def _vega_lines(path: Path) -> list[tuple[str, str, str]]:
    """Return detector, filter and magnitude of each row as text, empty where there is none."""
    from astropy.table import Table
    from numpy import ma

    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith(_ECSV):
            table = Table.read(text.splitlines(), format="ascii.ecsv")
        else:
            table = Table.read(text.splitlines(), format="ascii.csv", comment="#")
        rows = []
        for row in table:
            values = [row[name] for name in VEGA_COLUMNS]
            values = ["" if value is ma.masked else str(getattr(value, "value", value)).strip()
                      for value in values]  # fmt: skip
            float(values[2] or "nan")
            rows.append((values[0], values[1], values[2]))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"this is no table with the columns {', '.join(VEGA_COLUMNS)}: {error}",
            where=str(path),
            hint="Write one line for each detector and filter: its names and the magnitude",
        ) from error
    return rows


def pivots_of(exposures: Iterable[Exposure]) -> dict[tuple[str, int], float]:
    """Return the pivot wavelength of every chip in Angstrom, by root name and EXTVER."""
    return {
        (exposure.root, chip.extver): chip.photplam
        for exposure in exposures
        for chip in exposure.chips
        if chip.photplam is not None
    }


def in_system(
    rows: Sequence[Mapping[str, Any]],
    system: System,
    pivots: Mapping[tuple[str, int], float],
    vega: Mapping[tuple[str, str], float],
    dust: Dust | None,
) -> list[dict[str, Any]]:
    """Return rows of light curves with the columns of :func:`columns_of`.

    Parameters
    ----------
    rows : sequence of mapping
        As `light_curve` gives them.
    system : str
        ``ab``, ``vega`` or ``st``.
    pivots : mapping of (str, int) to float
        As :func:`pivots_of` gives them. A mean has the mean pivot wavelength of its exposures.
    vega : mapping of (str, str) to float
        As :func:`read_vega` gives it.
    dust : Dust or None
        Extinction to correct for.

    Returns
    -------
    list of dict
        With more values.

    Raises
    ------
    InputError
        If the table of Vega lacks a filter.
    """
    chip = {
        (row["source"], row["exposure"]): row["extver"]
        for row in rows
        if row["level"] == "exposure"
    }
    done = []
    for row in rows:
        known = [(root, chip[row["source"], root]) for root in members_of(row, rows)]
        waves = [pivots[key] for key in known if key in pivots]
        pivot = sum(waves) / len(waves) if waves else float("nan")
        done.append({**row, **_values(row, system, pivot, vega, dust)})
    return done


def _values(
    row: Mapping[str, Any],
    system: System,
    pivot: float,
    vega: Mapping[tuple[str, str], float],
    dust: Dust | None,
) -> dict[str, Any]:
    from hst123r.photometry.extinction import extinction
    from hst123r.photometry.magnitudes import flam_per_njy, st_minus_ab

    offset = 0.0
    found: dict[str, Any] = {}
    if system == "st":
        offset = float(st_minus_ab(pivot))
        for name, of in (("flux_flam", "flux_njy"), ("flux_err_flam", "flux_err_njy")):
            found[name] = _plain(row[of], times=float(flam_per_njy(pivot)))
    elif system == "vega":
        offset = -_of_vega(row, vega)
    shown = {"mag": row["mag_ab"], "limit": row["limit_ab"]}
    if system != "ab":
        for name, value in shown.items():
            found[f"{name}_{system}"] = _plain(value, plus=offset)
    if dust is not None:
        dimmed = float(extinction(pivot, dust.ebv, dust.law, dust.rv))
        found["extinction_mag"] = _plain(dimmed)
        for name in ("flux", "flux_err"):
            value = row[f"{name}_njy"]
            found[f"{name}_corrected_njy"] = _plain(value, times=10.0 ** (0.4 * dimmed))
        for name, value in shown.items():
            found[f"{name}_{system}_corrected"] = _plain(value, plus=offset - dimmed)
    return found


def _of_vega(row: Mapping[str, Any], vega: Mapping[tuple[str, str], float]) -> float:
    key = row["detector"], row["filter"]
    if key not in vega:
        raise InputError(
            f"the table of Vega has no line for {key[0]} {key[1]}",
            hint=f"Add one, such as {key[0]},{key[1]},0.085",
        )
    return vega[key]


def _plain(value: float | None, *, plus: float = 0.0, times: float = 1.0) -> float | None:
    import math

    if value is None:
        return None
    made = value * times + plus
    return made if math.isfinite(made) else None

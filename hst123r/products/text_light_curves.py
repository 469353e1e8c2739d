"""Light curves in two layouts of text that other programs read: hst123's and SNANA's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables

if TYPE_CHECKING:
    from astropy.table import Table

NO_DATE: Final = "-----------"
"""What hst123 writes where there is no date."""
SNANA_ZEROPOINT: Final = 27.5
"""AB magnitude of FLUXCAL 1: SNANA's convention."""


def write_phot(path: Path, curve: str, target: str, source: int) -> None:
    """Write a light curve in the layout of hst123's `.phot` files.

    A block of ``# key = value``, one line for each epoch and filter, an empty line, and one line
    for each filter under ``# Average Photometry``. Where there is no magnitude it is ``nan`` and
    the limit stands beside.

    Parameters
    ----------
    path : Path
        New file.
    curve : str
        Path of the light curve.
    target : str
        Name of the target.
    source : int
        Number of the source.
    """
    table = tables.read(curve)
    system = str(table.meta.get("system", "ab"))
    facts = _facts(table, source)
    head = {
        "target": target,
        "source": source,
        "ra": f"{facts['ra_deg']:.7f}",
        "dec": f"{facts['dec_deg']:.7f}",
        "separation": f"{facts['separation_arcsec']:.4f} arcsec",
        "limit": f"{table.meta['limit_snr']:g} sigma",
        "magsystem": {"ab": "AB", "vega": "VEGAMAG", "st": "STMAG"}[system],
    }
    lines = [f"# {name} = {value}" for name, value in head.items()]
    lines += _systematic(table, source)
    columns = "# MJD Instrument Filter Exposure Magnitude Uncertainty Limit"
    lines.append(columns)
    lines += [_phot_line(row, system) for row in _of(table, source, "epoch")]
    lines += ["", "# Average Photometry", columns]
    lines += [_phot_line(row, system) for row in _of(table, source, "filter")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_snana(path: Path, curve: str, target: str, source: int) -> None:
    """Write a light curve in SNANA's text format: every epoch and filter, as fluxes.

    FLUXCAL is ``10^(0.4 (27.5 - AB magnitude))``, made from the flux, so that it is there (and can
    be negative) where there is no magnitude; MAG is AB.

    Parameters
    ----------
    path : Path
        New file.
    curve : str
        Path of the light curve.
    target : str
        Name of the target.
    source : int
        Number of the source.
    """
    from hst123r.photometry.magnitudes import AB_ZERO_NJY

    table = tables.read(curve)
    facts = _facts(table, source)
    rows = [row for row in _of(table, source, "epoch") if math.isfinite(row["flux_njy"])]
    lines = [
        f"SNID: {target}",
        f"RA: {facts['ra_deg']:.7f}",
        f"DECL: {facts['dec_deg']:.7f}",
        f"NOBS: {len(rows)}",
        "NVAR: 6",
        "VARLIST: MJD FLT FLUXCAL FLUXCALERR MAG MAGERR",
    ]
    lines[:0] = _systematic(table, source)
    unit = 10 ** (0.4 * (SNANA_ZEROPOINT - AB_ZERO_NJY))
    for row in rows:
        flux, error = (float(row[name]) * unit for name in ("flux_njy", "flux_err_njy"))
        lines.append(
            f"OBS: {float(row['mjd']):.5f} {_band(row)} {flux:.5g} {error:.5g} "
            f"{float(row['mag_ab']):.4f} {float(row['mag_err']):.4f}"
        )
    lines.append("END:")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _systematic(table: Table, source: int) -> list[str]:
    """Return lines with the error that all magnitudes of a filter share, which no row has."""
    found = {_band(row): float(row["mag_sys"]) for row in _of(table, source, "filter")}
    said = ("not known" if math.isnan(value) else f"{value:.4f} mag" for value in found.values())
    return [f"# systematic error of {b} = {text}" for b, text in zip(found, said, strict=True)]


def sources_in(curve: str) -> list[int]:
    """Return the numbers of the sources of a light curve, in its order."""
    return list(dict.fromkeys(int(number) for number in tables.read(curve)["source"]))


def _facts(table: Table, source: int) -> dict[str, Any]:
    listed = table.meta.get("sources", [table.meta])
    return next(dict(one) for one in listed if one["source"] == source)


def _of(table: Table, source: int, level: str) -> list[Any]:
    rows = [row for row in table if row["source"] == source and str(row["level"]) == level]
    return sorted(rows, key=lambda row: (_date(row), str(row["filter"])))


def _date(row: Any) -> float:
    return float(row["mjd"]) if math.isfinite(row["mjd"]) else math.inf


def _band(row: Any) -> str:
    return f"{row['detector']}-{row['filter']}"


def _phot_line(row: Any, system: str) -> str:
    date = f"{float(row['mjd']):7.5f}" if math.isfinite(row["mjd"]) else NO_DATE
    numbers = (f"mag_{system}", "mag_err", f"limit_{system}")
    magnitude, error, limit = (f"{float(row[name]):.4f}" for name in numbers)
    time = f"{float(row['exposure_time_s']):.4f}"
    return f"{date} {row['detector']} {row['filter']} {time} {magnitude} {error} {limit}"

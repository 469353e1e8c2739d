"""The light curve of a target: its source, and that source's rows by exposure, epoch and filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.photometry.flags import Flag
from hst123r.products import tables
from hst123r.products.photometry_tables import read_table
from hst123r.products.tables import Column
from hst123r.records.outcome import Product

if TYPE_CHECKING:
    from astropy.table import Table

COLUMNS: Final = (
    Column("level", "What a row is about: exposure, epoch, or filter (all exposures)"),
    Column("detector", "Detector"),
    Column("filter", "Filter"),
    Column("epoch", "Day the epoch began, UTC; empty for a filter"),
    Column("visit", "HST's visit; empty where a row is about several exposures"),
    Column("exposure", "Root name; empty where a row is about several exposures"),
    Column("mjd", "Middle of the exposure, or mean date of those used", "d", "float", 6),
    Column("exposure_time_s", "Exposure time, or the sum of those used", "s", "float", 3),
    Column("n_exposures", "Number of exposures used", dtype="int"),
    Column("flux_njy", "Flux, AB", "nJy", "float", 4),
    Column("flux_err_njy", "Its standard error; where the flag VARIABLE is set, from the weights "
           "alone", "nJy", "float", 4),
    Column("snr", "Flux over its standard error", "", "float", 3),
    Column("mag_ab", "AB magnitude; NaN below the S/N of a limit", "mag", "float", 4),
    Column("mag_err", "Its standard error", "mag", "float", 4),
    Column("limit_ab", "AB magnitude of a source seen here with the S/N of a limit", "mag",
           "float", 4),
    Column("flags", "Flags of the fit, see the documentation of photometry", dtype="int"),
    Column("source", "Number of the source in the field", dtype="int"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """The source of a target.

    Parameters
    ----------
    source : int
        Its number.
    ra_deg, dec_deg : float
        Its position in the frame of the reference.
    separation_arcsec : float
        How far from the target.
    detected : bool
        Whether it was found in a stack; otherwise fluxes are forced at the target's position.
    others : int
        Number of other detected sources within the radius.
    """

    source: int
    ra_deg: float
    dec_deg: float
    separation_arcsec: float
    detected: bool
    others: int

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return asdict(self)


def find_source(
    sources: Table, ra_deg: float, dec_deg: float, radius_arcsec: float, which: str, target: str
) -> Found | None:
    """Choose the source of a target.

    Parameters
    ----------
    sources : Table
        Sources of the field, with targets that nothing was found at.
    ra_deg, dec_deg : float
        Position of the target.
    radius_arcsec : float
        How far the source may be.
    which : str
        ``nearest``, ``brightest`` or ``target``.
    target : str
        Name of the target.

    Returns
    -------
    Found or None
        None where neither a source nor the target itself was measured.
    """
    import numpy as np

    from hst123r.algorithms.sphere import separation_arcsec

    distance = separation_arcsec(
        ra_deg, dec_deg, np.asarray(sources["ra"]), np.asarray(sources["dec"])
    )
    names = np.array([str(name) for name in sources["target"]])
    near = np.flatnonzero((distance <= radius_arcsec) & (names == ""))
    row: int | None = None
    if near.size and which != "target":
        snr = np.asarray(sources["snr"])
        row = int(
            near[np.argmax(snr[near])] if which == "brightest" else near[np.argmin(distance[near])]
        )
    else:
        # the target's own row; where a detection stands on the target there is none
        own = np.flatnonzero(names == target)
        if own.size:
            row = int(own[0])
        elif near.size:
            row = int(near[np.argmin(distance[near])])
    if row is None:
        return None
    detected = bool(names[row] == "")
    return Found(
        source=int(sources["source"][row]),
        ra_deg=float(sources["ra"][row]),
        dec_deg=float(sources["dec"][row]),
        separation_arcsec=float(distance[row]),
        detected=detected,
        others=int(near.size) - int(detected and row in near),
    )


def light_curve(
    source: int,
    photometry: Sequence[Product],
    visits: Mapping[str, str],
    epochs: Mapping[str, str],
    nsigma: float,
) -> list[dict[str, Any]]:
    """Return the rows of a source: every exposure, every epoch, every filter.

    Parameters
    ----------
    source : int
        Number of the source.
    photometry : sequence of Product
        Results of the stage `photometry` of the field.
    visits, epochs : mapping of str to str
        Visit and epoch of every exposure.
    nsigma : float
        S/N below which there is a limit instead of a magnitude.

    Returns
    -------
    list of dict
        Values by the names of :data:`COLUMNS`; None for what there is none of.
    """
    rows: list[dict[str, Any]] = []
    for product in photometry:
        labels = {"detector": product.labels["detector"], "filter": product.labels["filter"]}
        tables_of = {role: read_table(path) for role, path in product.files.items()}
        exposures = _rows_of(tables_of["measurements"], source)
        for entry in exposures:
            root = str(entry["exposure"]).strip()
            place = {"visit": visits[root], "epoch": epochs[root], "exposure": root}
            rows.append({"level": "exposure", **labels, **place, **_exposure(entry, nsigma)})
        means = _rows_of(tables_of["epochs"], source)
        for entry in means:
            place = {"visit": "", "epoch": str(entry["epoch"]), "exposure": ""}
            rows.append({"level": "epoch", **labels, **place, **_mean(entry, nsigma)})
        for entry in _rows_of(tables_of["catalog"], source):
            place = {"visit": "", "epoch": "", "exposure": ""}
            found = _of_filter(entry, means, exposures, nsigma)
            rows.append({"level": "filter", **labels, **place, **found})
    order = {"exposure": 0, "epoch": 1, "filter": 2}
    rows.sort(key=lambda r: (order[r["level"]], r["mjd"] or 0.0, r["detector"], r["filter"]))
    return [{**row, "source": source} for row in rows]


def write_light_curve(
    path: Path, rows: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]
) -> None:
    """Write a light curve as ECSV.

    Parameters
    ----------
    path : Path
        New file.
    rows : sequence of mapping
        As :func:`light_curve` gives them.
    meta : mapping
        What the table is about.
    """
    tables.write(tables.build(COLUMNS, rows, meta), path)


def _rows_of(table: Table, source: int) -> list[Any]:
    import numpy as np

    return [table[int(row)] for row in np.flatnonzero(np.asarray(table["source"]) == source)]


def _exposure(entry: Any, nsigma: float) -> dict[str, Any]:
    return _physical(
        float(entry["flux"]),
        float(entry["flux_err"]),
        float(entry["photon_slope"]),
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["used"]),
        flags=int(entry["flags"]),
    )


def _mean(entry: Any, nsigma: float) -> dict[str, Any]:
    found = _physical(
        float(entry["flux"]),
        float(entry["flux_err"]),
        0.0,
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["n_exposures"]),
        flags=int(entry["flags"]),
    )
    return {**found, "limit_ab": _plain(float(entry["limit_ab"]))}


def _of_filter(
    entry: Any, epochs: Sequence[Any], exposures: Sequence[Any], nsigma: float
) -> dict[str, Any]:
    """Return the mean over all epochs; the change of a source is no error of its mean flux."""
    found = _mean(entry, nsigma)
    if not _varies(epochs):
        return found
    return _physical(
        float(entry["flux"]),
        float(entry["flux_err_weights"]),
        _photon_slope(exposures),
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["n_exposures"]),
        flags=int(entry["flags"]) | int(Flag.VARIABLE),
    )


def _varies(epochs: Sequence[Any]) -> bool:
    """Whether epochs differ by more than their errors, which hold the scatter within each."""
    import numpy as np
    from scipy.stats import chi2

    from hst123r.photometry.combine import UNLIKELY

    flux, error = (np.array([float(e[name]) for e in epochs]) for name in ("flux", "flux_err"))
    good = np.isfinite(flux) & (error > 0)
    if np.count_nonzero(good) < 2:
        return False
    weight = error[good] ** -2.0
    mean = np.average(flux[good], weights=weight)
    found = float(np.sum(weight * (flux[good] - mean) ** 2))
    return bool(chi2.sf(found, weight.size - 1) < UNLIKELY)


def _photon_slope(exposures: Sequence[Any]) -> float:
    """Return by how much the variance of the mean grows with the source's own light."""
    import numpy as np

    from hst123r.photometry.combine import combine
    from hst123r.sources.measured import SUSPECT

    names = ("flux", "flux_err", "mjd", "exposure_time", "photon_slope")
    columns = [np.array([float(e[name]) for e in exposures]) for name in names]
    used = np.array([bool(e["used"]) for e in exposures])
    clean = used & np.array([not int(e["flags"]) & SUSPECT for e in exposures])
    return float(combine(*columns, use=clean if clean.any() else used).photon_slope[0])


def _physical(
    flux: float, error: float, slope: float, nsigma: float, *, mjd: float, time: float,
    number: int, flags: int,
) -> dict[str, Any]:  # fmt: skip
    from hst123r.photometry.limits import limiting_magnitude
    from hst123r.photometry.magnitudes import magnitude_ab, magnitude_error

    snr = flux / error if error > 0 else float("nan")
    seen = snr >= nsigma
    return {
        "mjd": _plain(mjd),
        "exposure_time_s": _plain(time),
        "n_exposures": number,
        "flux_njy": _plain(flux),
        "flux_err_njy": _plain(error),
        "snr": _plain(snr),
        "mag_ab": _plain(float(magnitude_ab(flux))) if seen else None,
        "mag_err": _plain(float(magnitude_error(flux, error))) if seen else None,
        "limit_ab": _plain(float(limiting_magnitude(flux, error, slope, nsigma))),
        "limit_sigma": nsigma,
        "flags": flags,
    }


def _plain(value: float) -> float | None:
    import math

    return value if math.isfinite(value) else None

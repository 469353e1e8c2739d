"""The light curve of a source: its rows by exposure, visit, epoch and filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.photometry.flags import Flag
from hst123r.products import tables
from hst123r.products.photometry_tables import read_table
from hst123r.products.tables import Column
from hst123r.records.outcome import Product

if TYPE_CHECKING:
    from astropy.table import Table

    from hst123r.photometry.combine import Combined

COLUMNS: Final = (
    Column("level", "What a row is about: exposure, visit, epoch, or filter (all exposures)"),
    Column("detector", "Detector"),
    Column("filter", "Filter"),
    Column("epoch", "Day the epoch began, UTC; empty for a visit and for a filter"),
    Column("visit", "HST's visit; empty for an epoch and for a filter"),
    Column("exposure", "Root name; empty where a row is about several exposures"),
    Column("mjd", "Middle of the exposure, or mean date of those used", "d", "float", 6),
    Column("exposure_time_s", "Exposure time, or the sum of those used", "s", "float", 3),
    Column("n_exposures", "Number of exposures used", dtype="int"),
    Column("flux_njy", "Flux, AB", "nJy", "float", 4),
    Column("flux_err_njy", "Its standard error; where the flag VARIABLE is set, from the weights "
           "alone", "nJy", "float", 4),
    Column("flux_err_weights_njy", "Standard error from the weights", "nJy", "float", 4),
    Column("flux_err_scatter_njy", "Standard error from the scatter; NaN for one exposure", "nJy",
           "float", 4),
    Column("flux_err_fixed_njy", "Standard error at the fixed place, which differences between "
           "rows have; where the flag VARIABLE is set, from the weights alone", "nJy", "float", 4),
    Column("chi2", "Sum of squared deviations of the exposures used from their mean, over their "
           "variances at fixed places; NaN for one exposure", "", "float", 3),
    Column("snr", "Flux over its standard error", "", "float", 3),
    Column("mag_ab", "AB magnitude; NaN below the S/N of a limit", "mag", "float", 4),
    Column("mag_err", "Its standard error", "mag", "float", 4),
    Column("mag_sys", "Standard error that all magnitudes and limits of the filter share, of the "
           "light in an infinite aperture; not in mag_err; NaN where not known", "mag", "float", 4),
    Column("limit_ab", "AB magnitude of a source seen here with the S/N of a limit", "mag",
           "float", 4),
    Column("limit_method", "Where the limit comes from"),
    Column("flags", "Flags of the fit, see the documentation of photometry", dtype="int"),
    Column("source", "Number of the source in the field", dtype="int"),
)  # fmt: skip

_MEAN: Final = (
    "source", "mjd", "exposure_time", "n_exposures", "flux", "flux_err", "flux_err_weights",
    "flux_err_scatter", "flux_err_fixed", "chi2", "limit_ab", "flags",
)  # fmt: skip
_NEEDS: Final = {
    "measurements": (
        "source", "exposure", "extver", "mjd", "exposure_time", "flux", "flux_err",
        "flux_err_fixed", "photon_slope", "flags", "used",
    ),
    "epochs": ("epoch", *_MEAN),
    "catalog": ("mag_sys", *_MEAN),
}  # fmt: skip
"""Columns that are read of each table of the photometry, by its role."""


LEVELS: Final = ("exposure", "visit", "epoch", "filter")
"""What rows can be about, in their order. All exposures of a filter are `filter`; there is no mean
over filters, because a source has another flux in each."""


def light_curve(
    source: int,
    photometry: Sequence[Product],
    visits: Mapping[str, str],
    epochs: Mapping[str, str],
    nsigma: float,
) -> list[dict[str, Any]]:
    """Return the rows of a source: every exposure, every visit, every epoch, every filter.

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

    Raises
    ------
    StageError
        If a table lacks a column.
    """
    rows: list[dict[str, Any]] = []
    for product in photometry:
        tables_of = {role: read_table(product.files[role], _NEEDS[role]) for role in _NEEDS}
        whole = _rows_of(tables_of["catalog"], source)
        labels = {
            "detector": product.labels["detector"],
            "filter": product.labels["filter"],
            # one for all rows: it does not shrink with the number of exposures
            "mag_sys": _plain(float(whole[0]["mag_sys"])) if whole else None,
        }
        exposures = _rows_of(tables_of["measurements"], source)
        for entry in exposures:
            root = _root(entry)
            place = {"visit": visits[root], "epoch": epochs[root], "exposure": root}
            rows.append({"level": "exposure", **labels, **place, **_exposure(entry, nsigma)})
        for visit in sorted({visits[_root(entry)] for entry in exposures}):
            place = {"visit": visit, "epoch": "", "exposure": ""}
            members = [entry for entry in exposures if visits[_root(entry)] == visit]
            rows.append({"level": "visit", **labels, **place, **_combined(members, nsigma)})
        means = _rows_of(tables_of["epochs"], source)
        for entry in means:
            place = {"visit": "", "epoch": str(entry["epoch"]), "exposure": ""}
            rows.append({"level": "epoch", **labels, **place, **_mean(entry, nsigma)})
        for entry in whole:
            place = {"visit": "", "epoch": "", "exposure": ""}
            found = _of_filter(entry, means, exposures, nsigma)
            rows.append({"level": "filter", **labels, **place, **found})
    rows.sort(key=lambda r: (LEVELS.index(r["level"]), r["mjd"] or 0.0, r["detector"], r["filter"]))
    return [{**row, "source": source} for row in rows]


def write_light_curve(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    meta: Mapping[str, Any],
    more: Sequence[Column] = (),
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
    more : sequence of Column
        Columns beside :data:`COLUMNS`.
    """
    tables.write(tables.build((*COLUMNS, *more), rows, meta), path)


def _rows_of(table: Table, source: int) -> list[Any]:
    import numpy as np

    return [table[int(row)] for row in np.flatnonzero(np.asarray(table["source"]) == source)]


def _root(entry: Any) -> str:
    return str(entry["exposure"]).strip()


def _exposure(entry: Any, nsigma: float) -> dict[str, Any]:
    from hst123r.photometry.limits import limiting_magnitude

    flux, error = float(entry["flux"]), float(entry["flux_err"])
    found = _physical(
        flux,
        error,
        float(limiting_magnitude(flux, error, float(entry["photon_slope"]), nsigma)),
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["used"]),
        flags=int(entry["flags"]),
    )
    fixed = _plain(float(entry["flux_err_fixed"]))
    return {**found, "flux_err_fixed_njy": fixed, "extver": int(entry["extver"])}


def _mean(entry: Any, nsigma: float) -> dict[str, Any]:
    found = _physical(
        float(entry["flux"]),
        float(entry["flux_err"]),
        float(entry["limit_ab"]),
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["n_exposures"]),
        flags=int(entry["flags"]),
    )
    return {**found, **_spread(entry)}


def _spread(entry: Any) -> dict[str, Any]:
    """Return both errors of a mean, and its chi-square."""
    several = int(entry["n_exposures"]) > 1
    return {
        "flux_err_weights_njy": _plain(float(entry["flux_err_weights"])),
        "flux_err_scatter_njy": _plain(float(entry["flux_err_scatter"])),
        "flux_err_fixed_njy": _plain(float(entry["flux_err_fixed"])),
        "chi2": _plain(float(entry["chi2"])) if several else None,
    }


def _of_filter(
    entry: Any, epochs: Sequence[Any], exposures: Sequence[Any], nsigma: float
) -> dict[str, Any]:
    """Return the mean over all epochs; the change of a source is no error of its mean flux."""
    from hst123r.photometry.limits import limiting_magnitude

    found = _mean(entry, nsigma)
    if not _varies(epochs):
        return found
    flux, error = float(entry["flux"]), float(entry["flux_err_weights"])
    together, _ = _together(exposures)
    slope = float(together.photon_slope[0])
    formal = _physical(
        flux,
        error,
        float(limiting_magnitude(flux, error, slope, nsigma)),
        nsigma,
        mjd=float(entry["mjd"]),
        time=float(entry["exposure_time"]),
        number=int(entry["n_exposures"]),
        flags=int(entry["flags"]) | int(Flag.VARIABLE),
    )
    # in the catalogue it is from the scatter, which is change here
    fixed = _plain(float(together.fixed_error_weights[0]))
    return {**formal, **_spread(entry), "flux_err_fixed_njy": fixed}


def _combined(exposures: Sequence[Any], nsigma: float) -> dict[str, Any]:
    """Return the mean of some exposures, made as those of epochs are."""
    from hst123r.photometry.magnitudes import magnitude_ab

    mean, flags = _together(exposures)
    number = int(mean.exposures[0])
    found = _physical(
        float(mean.flux[0]),
        float(mean.error[0]),
        float(magnitude_ab(mean.limit(nsigma))[0]),
        nsigma,
        mjd=float(mean.mjd[0]),
        time=float(mean.exposure_time_s[0]),
        number=number,
        flags=flags,
    )
    return {
        **found,
        "flux_err_weights_njy": _plain(float(mean.error_weights[0])),
        "flux_err_scatter_njy": _plain(float(mean.error_scatter[0])),
        "flux_err_fixed_njy": _plain(float(mean.fixed_error[0])),
        "chi2": _plain(float(mean.chi2[0])) if number > 1 else None,
    }


def _varies(epochs: Sequence[Any]) -> bool:
    """Whether epochs differ by more than their errors, which hold the scatter within each."""
    import numpy as np
    from scipy.stats import chi2

    from hst123r.photometry.combine import UNLIKELY

    names = ("flux", "flux_err_fixed")
    flux, error = (np.array([float(e[name]) for e in epochs]) for name in names)
    good = np.isfinite(flux) & (error > 0)
    if np.count_nonzero(good) < 2:
        return False
    weight = error[good] ** -2.0
    mean = np.average(flux[good], weights=weight)
    found = float(np.sum(weight * (flux[good] - mean) ** 2))
    return bool(chi2.sf(found, weight.size - 1) < UNLIKELY)


def _together(exposures: Sequence[Any]) -> tuple[Combined, int]:
    """Return the mean of some exposures, and the flags of those used."""
    import numpy as np

    from hst123r.photometry.combine import combine
    from hst123r.sources.measured import SUSPECT

    names = ("flux", "flux_err", "mjd", "exposure_time", "photon_slope")
    columns = [np.array([float(e[name]) for e in exposures]) for name in names]
    flags = np.array([int(e["flags"]) for e in exposures])
    used = np.array([bool(e["used"]) for e in exposures])
    clean = used & (flags & SUSPECT == 0)
    chosen = clean if clean.any() else used
    fixed = np.array([float(e["flux_err_fixed"]) for e in exposures])
    mean = combine(*columns, fixed_error=fixed, use=chosen)
    return mean, int(np.bitwise_or.reduce(np.where(chosen, flags, 0)))


def _physical(
    flux: float, error: float, limit_ab: float, nsigma: float, *, mjd: float, time: float,
    number: int, flags: int,
) -> dict[str, Any]:  # fmt: skip
    from hst123r.photometry.limits import FORCED
    from hst123r.photometry.magnitudes import magnitude_ab, magnitude_error

    snr = flux / error if error > 0 else float("nan")
    seen = snr >= nsigma
    return {
        "mjd": _plain(mjd),
        "exposure_time_s": _plain(time),
        "n_exposures": number,
        "flux_njy": _plain(flux),
        "flux_err_njy": _plain(error),
        "flux_err_weights_njy": _plain(error),
        "flux_err_scatter_njy": None,
        "chi2": None,
        "snr": _plain(snr),
        "mag_ab": _plain(float(magnitude_ab(flux))) if seen else None,
        "mag_err": _plain(float(magnitude_error(flux, error))) if seen else None,
        "limit_ab": _plain(limit_ab),
        "limit_sigma": nsigma,
        "limit_method": FORCED,
        "flags": flags,
    }


def _plain(value: float) -> float | None:
    import math

    return value if math.isfinite(value) else None

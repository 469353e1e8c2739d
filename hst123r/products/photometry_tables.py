"""Photometry as tables: a catalogue per filter, epochs, and every single measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from astropy.table import Table

    from hst123r.photometry.joint import Joint
    from hst123r.sources.measured import Means, Measurements

ELECTRON: Final = "electron"
COUNT: Final = "ct"
"""What the FITS standard knows for it."""

_MEAN: Final = (
    Column("mjd", "Mean date of the exposures used, weighted like the fluxes", "d", "float", 6),
    Column("exposure_time", "Sum of their exposure times", "s", "float", 3),
    Column("n_exposures", "Number of exposures used", dtype="int"),
    Column("flux", "Mean flux, AB", "nJy", "float", 4),
    Column("flux_err", "Its standard error: from the weights, or from the scatter if larger and "
           "significant", "nJy", "float", 4),
    Column("flux_err_weights", "Standard error from the weights", "nJy", "float", 4),
    Column("flux_err_scatter", "Standard error from the scatter", "nJy", "float", 4),
    Column("flux_err_fixed", "Standard error at the fixed place, which differences between epochs "
           "have", "nJy", "float", 4),
    Column("chi2", "Sum of squared deviations of the exposures used from their mean, over their "
           "variances at fixed places", "", "float", 3),
    Column("snr", "Flux over its standard error", "", "float", 3),
    Column("mag_ab", "AB magnitude; NaN below the S/N of a limit", "mag", "float", 4),
    Column("mag_err", "Its standard error", "mag", "float", 4),
    Column("limit_ab", "AB magnitude of a source seen here with the S/N of a limit", "mag",
           "float", 4),
    Column("flags", "Sum of the flags of the exposures used", dtype="int"),
)  # fmt: skip
CATALOGUE: Final = (
    Column("source", "Number of the source, the same in all filters", dtype="int"),
    Column("ra", "Right ascension, ICRS, in the frame of the reference", "deg", "float", 9),
    Column("dec", "Declination, likewise", "deg", "float", 9),
    Column("pos_err", "Standard error of the position along each axis", "mas", "float", 3),
    *_MEAN,
    Column(
        "chi", "Quality of the fit, median of the exposures; about 1 for a star", "", "float", 3
    ),
    Column("crowding", "Brightening if neighbours were not fitted, median", "mag", "float", 3),
    Column(
        "mag_sys",
        "Standard error that all magnitudes of the filter share, of the light in an "
        "infinite aperture; not in mag_err; NaN where not known",
        "mag",
        "float",
        4,
    ),
    Column("target", "Target that is measured here although nothing was found"),
)
EPOCHS: Final = (
    Column("source", "Number of the source, the same in all filters", dtype="int"),
    Column("epoch", "Day the epoch began, UTC"),
    *_MEAN,
)
MEASUREMENTS: Final = (
    Column("source", "Number of the source", dtype="int32"),
    Column("exposure", "Root name of the exposure", dtype="U9"),
    Column("extver", "Chip, by EXTVER", dtype="int16"),
    Column("mjd", "Middle of the exposure", "d", "float64"),
    Column("exposure_time", "Exposure time", "s", "float32"),
    Column("x", "Zero-based column", "pix", "float32"),
    Column("y", "Zero-based row", "pix", "float32"),
    Column("rate", "Electrons per second in an infinite aperture", "electron / s", "float32"),
    Column("rate_err", "Its standard error", "electron / s", "float32"),
    Column("flux", "Flux, AB", "nJy", "float32"),
    Column("flux_err", "Its standard error", "nJy", "float32"),
    Column(
        "flux_err_fixed",
        "Its standard error at the fixed place, which differences between exposures have",
        "nJy",
        "float32",
    ),
    Column("photon_slope", "Growth of flux_err^2 per nJy of the source", "nJy", "float32"),
    Column("sky", "Sky, electrons", "electron / pix", "float32"),
    Column("chi", "Quality of the fit", "", "float32"),
    Column("crowding", "Brightening if neighbours were not fitted", "mag", "float32"),
    Column(
        "cte_mag",
        "Loss of charge transfer that is made good in rate and flux; NaN where not known",
        "mag",
        "float32",
    ),
    Column("usable", "Fraction of the weight on usable pixels", "", "float32"),
    Column("flags", "Sum of flags", dtype="int32"),
    Column("used", "Whether it takes part in means", dtype="bool"),
)


def write_catalogue(
    path: Path,
    sources: Table,
    joint: Joint,
    found: Measurements,
    means: Means,
    meta: Mapping[str, Any],
    systematic_mag: float,
) -> None:
    """Write the catalogue of one filter.

    Parameters
    ----------
    path : Path
        New ECSV file.
    sources : Table
        The sources that were measured.
    joint : Joint
        Their common positions.
    found : Measurements
        Every source in every exposure.
    means : Means
        Their means over all exposures.
    meta : mapping
        What the table is about.
    systematic_mag : float
        Standard error that all its magnitudes share; NaN where it is not known.
    """
    import numpy as np

    arrays = {
        "source": sources["source"],
        "ra": joint.ra_deg,
        "dec": joint.dec_deg,
        "pos_err": np.sqrt((joint.covariance[:, 0, 0] + joint.covariance[:, 1, 1]) / 2) * 1000,
        "target": [str(name) for name in sources["target"]],
        **measured_arrays(found, means, systematic_mag),
    }
    tables.write(tables.from_arrays(CATALOGUE, arrays, meta), path)


def measured_arrays(found: Measurements, means: Means, systematic_mag: Any) -> dict[str, Any]:
    """Return the columns of a catalogue that come from fluxes, whoever measured them.

    Parameters
    ----------
    found : Measurements
        Every source in every exposure.
    means : Means
        Their means.
    systematic_mag : float or (n,) ndarray of float64
        Standard error that all magnitudes, or those of each source, share.

    Returns
    -------
    dict of str to (n,) ndarray
        By column.
    """
    import numpy as np

    return {
        **_mean_arrays(means),
        "chi": median_of(found.chi, found),
        "crowding": median_of(found.crowding, found),
        "mag_sys": np.full(means.mag.shape, systematic_mag),
    }


def write_epochs(
    path: Path, sources: Table, epochs: Mapping[str, Means], meta: Mapping[str, Any]
) -> None:
    """Write the means of every epoch, source by source.

    Parameters
    ----------
    path : Path
        New ECSV file.
    sources : Table
        The sources that were measured.
    epochs : mapping of str to Means
        By the name of the epoch, in the order of time.
    meta : mapping
        What the table is about.
    """
    import numpy as np

    count = len(sources)
    parts = [_mean_arrays(means) for means in epochs.values()]
    arrays: dict[str, Any] = {
        name: np.stack([part[name] for part in parts], axis=1).ravel() for name in parts[0]
    }
    arrays["source"] = np.repeat(np.asarray(sources["source"]), len(epochs))
    arrays["epoch"] = list(epochs) * count
    tables.write(tables.from_arrays(EPOCHS, arrays, meta), path)


def write_measurements(
    path: Path,
    sources: Table,
    exposures: Sequence[str],
    mjd: Any,
    times: Any,
    found: Measurements,
) -> None:
    """Write every measurement as a FITS table; those without a flux are left out.

    Parameters
    ----------
    path : Path
        New FITS file.
    sources : Table
        The sources that were measured.
    exposures : sequence of str
        Root names.
    mjd, times : (exposures,) ndarray of float64
        Middle and length of the exposures.
    found : Measurements
        Every source in every exposure.
    """
    write_fits(MEASUREMENTS, single_arrays(sources["source"], exposures, mjd, times, found), path)


def single_arrays(
    source: Any,
    exposures: Sequence[str],
    mjd: Any,
    times: Any,
    found: Measurements,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return every measurement by column, whoever made it; those without a flux are left out.

    Parameters
    ----------
    source : (n,) array_like of int
        Numbers of the sources.
    exposures, mjd, times : sequence
        As for :func:`write_measurements`.
    found : Measurements
        Every source in every exposure.
    more : mapping of str to (exposures, n) ndarray, optional
        More columns.

    Returns
    -------
    dict of str to ndarray
        By column, exposure after exposure.
    """
    import numpy as np

    row, column = np.nonzero(np.isfinite(found.flux) | np.isfinite(found.rate))
    place = (row, column)
    arrays = {
        "source": np.asarray(source)[column],
        "exposure": np.asarray(exposures, dtype="U9")[row],
        "extver": found.extver[place],
        "mjd": np.asarray(mjd)[row],
        "exposure_time": np.asarray(times)[row],
        "x": found.x[place],
        "y": found.y[place],
        "rate": found.rate[place],
        "rate_err": found.rate_error[place],
        "flux": found.flux[place],
        "flux_err": found.error[place],
        "flux_err_fixed": found.fixed_error[place],
        "photon_slope": found.photon_slope[place],
        "sky": found.sky[place],
        "chi": found.chi[place],
        "cte_mag": np.full(row.size, np.nan) if found.cte is None else found.cte[place],
        "crowding": found.crowding[place],
        "usable": found.usable[place],
        "flags": found.flags[place],
        "used": found.good[place],
    }
    return {**arrays, **{name: values[place] for name, values in (more or {}).items()}}


def write_fits(columns: Sequence[Column], arrays: Mapping[str, Any], path: Path) -> None:
    """Write a FITS table with every unit and description.

    Electrons are written as counts: the FITS standard (table 5 of version 4.0) has no other unit
    for them, and astropy warns of every column whose unit is not of the standard.

    Parameters
    ----------
    columns : sequence of Column
        The columns, in order.
    arrays : mapping of str to array_like
        An array for every column.
    path : Path
        New file.
    """
    from astropy.io import fits

    table = tables.from_arrays(columns, arrays, {})
    for name in table.colnames:
        unit = str(table[name].unit or "")
        table[name].unit = unit.replace(ELECTRON, COUNT) or None
    hdu = fits.table_to_hdu(table)
    for number, name in enumerate(table.colnames, 1):
        hdu.header[f"TCOMM{number}"] = table[name].description
    hdu.writeto(path)


def read_table(path: str | Path, needs: Sequence[str] = ()) -> Table:
    """Read one of the tables, ECSV or FITS.

    Parameters
    ----------
    path : str or Path
        The file.
    needs : sequence of str
        Columns that it must have.

    Returns
    -------
    astropy.table.Table
        With units and descriptions.

    Raises
    ------
    StageError
        If one of those columns is not there.
    """
    from astropy.table import Table

    if not str(path).endswith(".fits"):
        return tables.read(path, needs)
    # NaN stays a number: a masked value would be one that nobody asks for
    table = Table.read(path, format="fits", character_as_bytes=False, mask_invalid=False)
    tables.demand(table, path, needs)
    for number, name in enumerate(table.colnames, 1):
        table[name].unit = str(table[name].unit or "").replace(COUNT, ELECTRON) or None
        table[name].description = table.meta.pop(f"TCOMM{number}", None)
    return table


def _mean_arrays(means: Means) -> dict[str, Any]:
    combined = means.combined
    return {
        "mjd": combined.mjd,
        "exposure_time": combined.exposure_time_s,
        "n_exposures": combined.exposures,
        "flux": combined.flux,
        "flux_err": combined.error,
        "flux_err_weights": combined.error_weights,
        "flux_err_scatter": combined.error_scatter,
        "flux_err_fixed": combined.fixed_error,
        "chi2": combined.chi2,
        "snr": means.snr,
        "mag_ab": means.mag,
        "mag_err": means.mag_error,
        "limit_ab": means.limit,
        "flags": means.flags,
    }


def median_of(values: Any, found: Measurements) -> Any:
    """Return the median over the exposures that take part in means, NaN where there are none."""
    import numpy as np

    used = np.where(found.good & np.isfinite(values), values, np.nan)
    known = np.isfinite(used).any(axis=0)
    medians = np.full(used.shape[1], np.nan)
    if known.any():
        medians[known] = np.nanmedian(used[:, known], axis=0)
    return medians

"""The table of limits from artificial stars, and light curves with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column
from hst123r.records.outcome import Product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.frame import Frame
    from hst123r.photometry.joint import Joint
    from hst123r.sources.measured import FrameNote, Loss, Measurements

COLUMNS: Final = (
    Column("target", "Target that the stars are around"),
    Column("level", "What the limit is about: exposure, visit, epoch, or filter (all exposures)"),
    Column("name", "Root name of the exposure, name of the visit or epoch; empty for a filter"),
    Column("limit_ab", "AB magnitude at which half of the stars are measured with the S/N of a "
           "limit", "mag", "float", 4),
    Column("limit_err", "Its standard error, for the number of stars", "mag", "float", 4),
    Column("recovered", "Fraction with at least that S/N among stars within 0.24 mag of the limit",
           "", "float", 3),
    Column("stars", "How many stars were measured", dtype="int"),
)  # fmt: skip
NEAREST: Final = 10
"""The limits of this many sources around tell how bright the stars should be."""


@dataclass(frozen=True, eq=False)
class Field:
    """What has been measured of a field in one filter.

    Parameters
    ----------
    frames : iterable of Frame
        Its frames, as the fit saw them.
    joint : Joint
        Its sources in every frame.
    notes : sequence of FrameNote
        One for each frame.
    found : Measurements
        Its sources in every exposure.
    mjd, times : (exposures,) ndarray of float64
        Middle and length of the exposures.
    groups : sequence of (str, str, sequence of int)
        Level, name and exposures of every limit that is wanted.
    loss : Loss or None
        Light that the detector does not count, and that was made good in `found`.
    compared : mapping
        How frames were compared for cosmic rays, arguments of `artificial_stars`.
    """

    frames: Iterable[Frame]
    joint: Joint
    notes: Sequence[FrameNote]
    found: Measurements
    mjd: NDArray[np.float64]
    times: NDArray[np.float64]
    groups: Sequence[tuple[str, str, Sequence[int]]]
    loss: Loss | None = None
    compared: Mapping[str, Any] = dataclass_field(default_factory=dict)


def groups_of(
    roots: Sequence[str], visits: Mapping[str, str], epochs: Mapping[str, str]
) -> list[tuple[str, str, list[int]]]:
    """Return every exposure, visit and epoch and all together, as lists of numbers.

    Parameters
    ----------
    roots : sequence of str
        Root names of the exposures.
    visits, epochs : mapping of str to str
        Visit and epoch of each.

    Returns
    -------
    list of (str, str, list of int)
        Level, name, and numbers of the exposures.
    """
    found = [("exposure", root, [number]) for number, root in enumerate(roots)]
    for level, names in (("visit", visits), ("epoch", epochs)):
        found += [
            (level, name, [i for i, root in enumerate(roots) if names[root] == name])
            for name in dict.fromkeys(names[root] for root in roots)
        ]
    return [*found, ("filter", "", list(range(len(roots))))]


def write_limits(
    path: Path,
    field: Field,
    targets: Mapping[str, Sequence[float]],
    options: FitOptions,
    *,
    number: int,
    radius_arcsec: float,
    nsigma: float,
    meta: Mapping[str, Any],
) -> None:
    """Measure artificial stars around every target, and write their limits.

    Parameters
    ----------
    path : Path
        New ECSV file.
    field : Field
        What has been measured.
    targets : mapping of str to (float, float)
        Positions in degrees.
    options : FitOptions
        How it was measured.
    number : int
        Stars for each target.
    radius_arcsec : float
        How far from it.
    nsigma : float
        S/N of the limits.
    meta : mapping
        What the table is about.
    """
    import numpy as np

    from hst123r.photometry.magnitudes import MAGNITUDE, magnitude_ab
    from hst123r.sources.artificial import SEED, artificial_stars, crossing
    from hst123r.sources.measured import mean_fluxes

    rows = []
    for name, place in targets.items():
        made = artificial_stars(
            field.frames, field.joint, field.notes, len(field.mjd), (place[0], place[1]),
            _limits(field, place, nsigma), options, number=number, radius_arcsec=radius_arcsec,
            loss=field.loss, **field.compared,
        )  # fmt: skip
        for level, group, members in field.groups:
            mean = mean_fluxes(made.found, members, field.mjd, field.times, nsigma).combined
            # stars that are not on all of these exposures are not about them
            whole = np.where(mean.exposures == len(members), mean.flux, np.nan)
            limit = crossing(made.flux_njy, whole, mean.error, nsigma)
            rows.append(
                {
                    "target": name,
                    "level": level,
                    "name": group,
                    "limit_ab": float(magnitude_ab(limit.flux_njy)),
                    "limit_err": float(MAGNITUDE * limit.error),
                    "recovered": limit.recovered,
                    "stars": limit.stars,
                }
            )
    about = {**meta, "seed": SEED, "radius_arcsec": radius_arcsec}
    tables.write(tables.build(COLUMNS, rows, about), path)


def _limits(field: Field, place: Sequence[float], nsigma: float) -> NDArray[np.float64]:
    """Return limits of single exposures and of their mean around a place, nanojansky."""
    import numpy as np

    from hst123r.algorithms.sphere import separation_arcsec
    from hst123r.photometry.limits import limiting_flux

    found = field.found
    single = limiting_flux(found.flux, found.error, found.photon_slope, nsigma)
    measured = np.asarray(np.isfinite(single).any(axis=0))
    distance = separation_arcsec(place[0], place[1], field.joint.ra_deg, field.joint.dec_deg)
    near = np.argsort(np.where(measured, distance, np.inf), kind="stable")[:NEAREST]
    near = near[np.asarray(measured)[near]]
    if near.size == 0:
        return np.zeros(0)
    each = np.array([np.median(row[np.isfinite(row)]) for row in single[:, near] if
                     np.isfinite(row).any()])  # fmt: skip
    return np.append(each, np.sum(each**-2.0) ** -0.5)


def with_artificial_limits(
    rows: Sequence[Mapping[str, Any]], photometry: Sequence[Product], target: str
) -> list[dict[str, Any]] | None:
    """Return rows of light curves with the limits from artificial stars.

    Parameters
    ----------
    rows : sequence of mapping
        As `light_curve` gives them.
    photometry : sequence of Product
        Results of the stage `photometry`.
    target : str
        Name of the target.

    Returns
    -------
    list of dict or None
        With other limits, and their method; None where there were no artificial stars.
    """
    import math

    from hst123r.sources.artificial import METHOD

    known: dict[tuple[str, ...], float] = {}
    for product in photometry:
        if "artificial" not in product.files:
            return None
        band = product.labels["detector"], product.labels["filter"]
        needs = ("target", "level", "name", "limit_ab")
        for row in tables.read(product.files["artificial"], needs):
            if str(row["target"]) == target:
                key = (*band, str(row["level"]), str(row["name"]))
                known[key] = float(row["limit_ab"])
    done = []
    for entry in rows:
        name = "" if entry["level"] == "filter" else entry[entry["level"]]
        limit = known.get((entry["detector"], entry["filter"], entry["level"], name), math.nan)
        value = limit if math.isfinite(limit) else None
        done.append({**entry, "limit_ab": value, "limit_method": METHOD})
    return done

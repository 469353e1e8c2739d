"""What an exposure was made from: the answers that measurements are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hst123r.simulation.geometry import ChipFrame
from hst123r.simulation.render import Conversion, Pixels
from hst123r.simulation.scene import Scene
from hst123r.simulation.schedule import PlannedExposure

if TYPE_CHECKING:
    from astropy.table import Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChipStars:
    """The sources on one chip.

    Parameters
    ----------
    index : (n,) ndarray of int64
        Rows of the scene.
    x, y : (n,) ndarray of float64
        Zero-based pixel positions through the true WCS.
    """

    index: Integers
    x: Floats
    y: Floats

    def on(self, frame: ChipFrame) -> ChipStars:
        """Return those whose centre is on the frame."""
        rows, columns = frame.shape
        inside = (self.x >= -0.5) & (self.x < columns - 0.5)
        inside &= (self.y >= -0.5) & (self.y < rows - 0.5)
        return ChipStars(self.index[inside], self.x[inside], self.y[inside])


def exposure_truth(
    planned: PlannedExposure,
    scene: Scene,
    magnitudes: Floats,
    change: Conversion,
    frames: Sequence[ChipFrame],
    stars: Sequence[ChipStars],
    pixels: Sequence[Pixels],
) -> Table:
    """Return the truth of one exposure.

    Parameters
    ----------
    planned : PlannedExposure
        The exposure.
    scene : Scene
        The sources.
    magnitudes : (n,) ndarray of float64
        Their AB magnitudes in this filter at this time.
    change : Conversion
        Photometric conversion.
    frames : sequence of ChipFrame
        The chips at their true pointing.
    stars : sequence of ChipStars
        The sources on and near each.
    pixels : sequence of Pixels
        What was made of each.

    Returns
    -------
    `astropy.table.Table`
        One row for each source whose centre is on a chip: ``star``, ``ra``, ``dec`` (true,
        deg), ``magnitude`` (AB), ``flux`` (electrons in this exposure, infinite aperture),
        ``rate`` (header units per second), ``chip``, ``extver``, ``x``, ``y`` (zero-based
        pixels of the frame through the true WCS). The metadata hold the pointing error that
        the header has, the zeropoint, and the pixels hit by cosmic rays and saturated by
        EXTVER.
    """
    from astropy import units as u
    from astropy.table import Table

    on = [item.on(frame) for item, frame in zip(stars, frames, strict=True)]
    index = np.concatenate([item.index for item in on])
    sizes = [item.index.size for item in on]
    flux = change.electrons(magnitudes[index])
    table = Table(
        {
            "star": scene.number[index],
            "ra": scene.ra_deg[index] * u.deg,
            "dec": scene.dec_deg[index] * u.deg,
            "magnitude": magnitudes[index] * u.mag,
            "flux": flux * u.electron,
            "rate": flux / (change.gain * change.exposure_time_s),
            "chip": np.repeat([frame.number for frame in frames], sizes),
            "extver": np.repeat([frame.extver for frame in frames], sizes),
            "x": np.concatenate([item.x for item in on]) * u.pix,
            "y": np.concatenate([item.y for item in on]) * u.pix,
        }
    )
    table.meta = {
        "root": planned.root,
        "detector": planned.detector,
        "filter": planned.filter,
        "visit": planned.visit,
        "start_mjd": planned.start_mjd,
        "exposure_time_s": planned.exposure_time_s,
        "pa_v3_deg": planned.pa_v3_deg,
        "error_east_arcsec": planned.error.east_arcsec,
        "error_north_arcsec": planned.error.north_arcsec,
        "error_roll_deg": planned.error.roll_deg,
        "zeropoint_ab": change.zeropoint_ab,
        "cosmic_ray_pixels": {
            frame.extver: int(chip.cosmic_rays.sum())
            for frame, chip in zip(frames, pixels, strict=True)
        },
        "saturated_pixels": {
            frame.extver: chip.saturated for frame, chip in zip(frames, pixels, strict=True)
        },
    }
    return table


def catalogue(scene: Scene, pivots_angstrom: Mapping[str, float], mjd: float) -> Table:
    """Return all sources with their magnitudes in some filters at a date.

    Parameters
    ----------
    scene : Scene
        The sources.
    pivots_angstrom : mapping of str to float
        Pivot wavelength by filter.
    mjd : float
        Modified Julian date, for transients.

    Returns
    -------
    `astropy.table.Table`
        ``star``, ``ra``, ``dec`` (deg), ``transient``, and ``magnitude_<filter>`` (AB).
    """
    from astropy import units as u
    from astropy.table import Table

    table = Table(
        {
            "star": scene.number,
            "ra": scene.ra_deg * u.deg,
            "dec": scene.dec_deg * u.deg,
            "transient": np.isin(scene.number, list(scene.transients)),
        }
    )
    for name, pivot in pivots_angstrom.items():
        table[f"magnitude_{name}"] = scene.magnitudes(name, pivot, mjd) * u.mag
    table.meta = {"mjd": mjd}
    return table

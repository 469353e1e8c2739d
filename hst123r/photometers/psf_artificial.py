"""Limits by artificial stars around the targets, put into the pixels of the built-in engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r.photometers.params import PhotometryParams
from hst123r.records.exposure import Exposure
from hst123r.stage.context import Context
from hst123r.stage.contract import Job

if TYPE_CHECKING:
    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.joint import Joint
    from hst123r.sources.measured import FrameNote, Loss, Measurements


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the engine measured, and how.

    Parameters
    ----------
    frames : Sequence of Frame
        Frames with the PSF that was used.
    joint : Joint
        The fit.
    notes : list of FrameNote
        About the frames.
    found : Measurements
        Fluxes.
    options : FitOptions
        How stars are fitted.
    loss : Loss or None
        Light that the detector does not count, and that was made good in the fluxes.
    compared : mapping
        How frames were compared for cosmic rays, arguments of `artificial_stars`.
    """

    frames: Any
    joint: Joint
    notes: list[FrameNote]
    found: Measurements
    options: FitOptions
    loss: Loss | None = None
    compared: Mapping[str, Any] = field(default_factory=dict)


def write_artificial(
    job: Job,
    params: PhotometryParams,
    context: Context,
    exposures: list[Exposure],
    measured: Measured,
) -> Path:
    """Write the limits from artificial stars around each target.

    Parameters
    ----------
    job : Job
        With the arguments ``targets``, ``visits`` and ``epochs``.
    params : PhotometryParams
        How many stars, and how far from the target.
    context : Context
        Gives the path.
    exposures : list of Exposure
        Of the job, in the order of the frames.
    measured : Measured
        What was measured without them.

    Returns
    -------
    Path
        An ECSV table.
    """
    import numpy as np

    from hst123r.products.artificial_limits import Field, groups_of, write_limits

    roots = [exposure.root for exposure in exposures]
    arguments = job.arguments
    path = context.product(f"{job.label}_artificial.ecsv")
    field = Field(
        measured.frames,
        measured.joint,
        measured.notes,
        measured.found,
        np.array([exposure.middle_mjd for exposure in exposures]),
        np.array([exposure.exposure_time_s for exposure in exposures]),
        groups_of(roots, arguments["visits"], arguments["epochs"]),
        measured.loss,
        measured.compared,
    )
    write_limits(
        path, field, arguments["targets"], measured.options, number=params.artificial_stars,
        radius_arcsec=params.artificial_radius.to("arcsec"), nsigma=params.limit_snr,
        meta={"limit_snr": params.limit_snr, **job.labels},
    )  # fmt: skip
    return path

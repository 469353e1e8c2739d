"""The simulated archive: exposures with known answers, for any target of a recipe.

A recipe says what the archive should hold (:class:`Simulation`); what is made depends on nothing
else, so the same recipe makes the same files everywhere. The truth is written beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from hst123r.errors import InputError
from hst123r.records.amount import Amount
from hst123r.records.dates import parse as parse_date
from hst123r.records.params import (
    Angle,
    Date,
    DetectorName,
    Duration,
    FilterName,
    Magnitudes,
    Params,
    Pixels,
    SurfaceBrightness,
)
from hst123r.records.target import Target

if TYPE_CHECKING:
    from hst123r.simulation.model import Programme
    from hst123r.simulation.schedule import PlannedExposure

TRUTH: Final = "_truth.ecsv"
FIRST_PROPOSAL: Final = 99900
MAX_TARGETS: Final = 36
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Observation(Params):
    """One setting of the telescope, repeated at some dates."""

    detector: DetectorName = Field(description="Detector")
    filter: FilterName = Field(description="Filter")
    dates: list[Date] = Field(
        min_length=1, description="Start of each epoch; observations of one date share a visit"
    )
    exposures: int = Field(3, ge=1, le=30, description="Dithered exposures per epoch")
    exposure_time: Duration = Field(Amount(500.0, "s"), description="Time of each exposure")
    size: Pixels | None = Field(
        None, description="Side of the part of each chip that is kept; the full chip by default"
    )


class Stars(Params):
    """A random field of stars around each target."""

    number: int = Field(400, ge=0, le=200_000, description="Stars within the radius")
    radius: Angle = Field(Amount(60.0, "arcsec"), description="Radius of the field")
    brightest: Magnitudes = Field(Amount(18.0, "mag"), description="Bright end, AB")
    faintest: Magnitudes = Field(Amount(27.0, "mag"), description="Faint end, AB")
    slope: float = Field(0.25, ge=0, le=2, description="d log N / d magnitude")
    colour: Magnitudes = Field(
        Amount(0.6, "mag"), description="Mean colour, 555 nm less 814 nm, AB"
    )
    colour_scatter: Magnitudes = Field(Amount(0.3, "mag"), description="Its standard deviation")
    separation: Angle = Field(
        Amount(0.0, "arcsec"), description="No two stars are closer than this"
    )
    catalog: str | None = Field(
        None,
        description="Table of stars instead of random ones, relative to the recipe: columns ra, "
        "dec, and mag (AB, all filters) or mag_<filter>",
    )


class TransientSource(Params):
    """The source at the target, whose brightness changes."""

    dates: list[Date] = Field(min_length=1, description="Dates of the light curve")
    magnitudes: list[Magnitudes] = Field(
        min_length=1, description="AB magnitudes at 555 nm on these dates, straight in between"
    )
    colour: Magnitudes = Field(Amount(0.0, "mag"), description="555 nm less 814 nm, AB")
    east: Angle = Field(Amount(0.0, "arcsec"), description="Offset from the target")
    north: Angle = Field(Amount(0.0, "arcsec"), description="Offset from the target")


class VisitError(Params):
    """By how much the header's WCS of one visit is wrong."""

    east: Angle = Field(Amount(0.0, "arcsec"), description="Shift to the east")
    north: Angle = Field(Amount(0.0, "arcsec"), description="Shift to the north")
    roll: Angle = Field(Amount(0.0, "deg"), description="Rotation about the target")


class Simulation(Params):
    """What the simulated archive holds for each target."""

    observations: list[Observation] = Field(min_length=1, description="What is observed")
    seed: int = Field(1, ge=0, le=2**31, description="Seed of all random numbers")
    stars: Stars = Field(default_factory=Stars, description="The field of stars")
    transient: TransientSource | None = Field(
        None, description="A transient at the first target, or at each one named in `at`"
    )
    at: list[str] | None = Field(None, description="Targets that are observed; all by default")
    pointing_error: Angle = Field(
        Amount(0.3, "arcsec"), description="Error of each visit's pointing, rms along each axis"
    )
    roll_error: Angle = Field(Amount(0.01, "deg"), description="Error of each visit's roll, rms")
    errors: list[VisitError] = Field(
        default_factory=list, description="Errors of the visits in time, instead of random ones"
    )
    pa_v3: Angle = Field(Amount(60.0, "deg"), description="Roll of the telescope, first epoch")
    roll_per_epoch: Angle = Field(Amount(0.0, "deg"), description="Added at each later epoch")
    dither: Angle = Field(Amount(1.3, "arcsec"), description="Size of the dither steps")
    sky: SurfaceBrightness | None = Field(
        Amount(22.3, "mag/arcsec2"), description="Sky, AB; null for a dark sky"
    )
    cosmic_rays: bool = Field(True, description="Cosmic rays, on detectors that keep them")
    bad_pixels: bool = Field(True, description="Hot pixels and bad columns, flagged in DQ")
    noise: bool = Field(True, description="Photon and read noise")
    template: str | None = Field(
        None,
        description="A real exposure whose WCS, lookup tables included, is used, relative to the "
        "recipe",
    )


def programmes(
    simulation: Simulation, targets: tuple[Target, ...], folder: Path
) -> dict[str, Programme]:
    """Return what the archive makes, by target.

    Parameters
    ----------
    simulation : Simulation
        What the recipe says.
    targets : tuple of Target
        The targets of the recipe.
    folder : Path
        Where relative paths start.

    Returns
    -------
    dict of str to Programme
        One programme for each observed target, with root names of its own.

    Raises
    ------
    InputError
        If a target, a catalogue or a light curve is wrong.
    """
    known = [target.name for target in targets]
    wanted = simulation.at if simulation.at is not None else known
    for name in wanted:
        if name not in known:
            raise InputError(
                f"the simulation observes {name!r}, which is no target of the recipe",
                hint=f"Targets are {', '.join(known)}",
            )
    if len(wanted) > MAX_TARGETS:
        raise InputError(f"at most {MAX_TARGETS} targets can be simulated, there are {len(wanted)}")
    chosen = [target for target in targets if target.name in wanted]
    return {
        target.name: _programme(simulation, target, number, folder)
        for number, target in enumerate(chosen)
    }


def planned(programme: Programme) -> list[PlannedExposure]:
    """Return the exposures of a programme, in the order of time."""
    from hst123r import instruments
    from hst123r.simulation.schedule import plan

    return plan(programme, instruments.get)


def make(programme: Programme, root: str, out: Path, template: Path | None) -> dict[str, Path]:
    """Make one exposure and its truth.

    Parameters
    ----------
    programme : Programme
        What it belongs to.
    root : str
        Its root name.
    out : Path
        Existing folder for the files.
    template : Path or None
        A real exposure whose WCS is used.

    Returns
    -------
    dict of str to Path
        ``science``, ``dq`` where data quality is a file of its own, and ``truth``.
    """
    from astropy.io import fits

    from hst123r import instruments
    from hst123r.simulation.exposure import expose
    from hst123r.simulation.pointing import template_from
    from hst123r.simulation.scene import build

    entry = next(item for item in planned(programme) if item.root == root)
    detector = instruments.get(entry.detector)
    shape = None
    if template is not None:
        with fits.open(template) as hdus:
            shape = template_from(detector, hdus)
    made = expose(entry, programme, build(programme), detector, shape)
    paths: dict[str, Path] = {}
    for role, (name, hdus) in zip(("science", "dq"), made.files.items(), strict=False):
        paths[role] = out / name
        hdus.writeto(paths[role])
    paths["truth"] = out / f"{root}{TRUTH}"
    made.truth.write(paths["truth"], format="ascii.ecsv", delimiter=",")
    return paths


def _programme(simulation: Simulation, target: Target, number: int, folder: Path) -> Programme:
    from hst123r.simulation import model

    place: dict[str, Any] = {
        "ra_deg": target.position.ra_deg,
        "dec_deg": target.position.dec_deg,
    }
    stars = simulation.stars
    try:
        return model.Programme(
            target_name=target.name,
            **place,
            observations=[_observation(item) for item in simulation.observations],
            seed=simulation.seed + 1000 * number,
            proposal=FIRST_PROPOSAL + number,
            program=f"si{_DIGITS[number]}",
            pa_v3_deg=simulation.pa_v3.to("deg") % 360.0,
            roll_per_epoch_deg=simulation.roll_per_epoch.to("deg"),
            dither_arcsec=simulation.dither.to("arcsec"),
            pointing_rms_arcsec=simulation.pointing_error.to("arcsec"),
            roll_rms_deg=simulation.roll_error.to("deg"),
            errors=[_error(item) for item in simulation.errors],
            field=model.StarField(
                stars=0 if stars.catalog else stars.number,
                radius_arcsec=stars.radius.to("arcsec"),
                brightest_ab=stars.brightest.to("mag"),
                faintest_ab=stars.faintest.to("mag"),
                slope=stars.slope,
                colour=stars.colour.to("mag"),
                colour_scatter=stars.colour_scatter.to("mag"),
                separation_arcsec=stars.separation.to("arcsec"),
            ),
            stars=_catalogue(folder / stars.catalog) if stars.catalog else [],
            transients=_transients(simulation, target) if number == 0 or simulation.at else [],
            sky=model.Sky(
                brightness_ab=simulation.sky.to("mag/arcsec2") if simulation.sky else None,
                photon_noise=simulation.noise,
                read_noise=simulation.noise,
                cosmic_rays=simulation.cosmic_rays,
                bad_pixels=simulation.bad_pixels,
            ),
        )
    except ValueError as error:
        raise InputError(
            f"the simulation cannot be made: {_first(error)}", where="fetch"
        ) from error


def _observation(item: Observation) -> Any:
    from hst123r.simulation import model

    return model.Observation(
        detector=item.detector,
        filter=item.filter,
        dates_mjd=sorted(parse_date(date) for date in item.dates),
        exposures=item.exposures,
        exposure_time_s=item.exposure_time.to("s"),
        size_pix=None if item.size is None else round(item.size.to("pix")),
    )


def _error(item: VisitError) -> Any:
    from hst123r.simulation import model

    return model.PointingError(
        east_arcsec=item.east.to("arcsec"),
        north_arcsec=item.north.to("arcsec"),
        roll_deg=item.roll.to("deg"),
    )


def _transients(simulation: Simulation, target: Target) -> list[Any]:
    import math

    from hst123r.simulation import model

    source = simulation.transient
    if source is None:
        return []
    dec = target.position.dec_deg + source.north.to("deg")
    ra = target.position.ra_deg + source.east.to("deg") / math.cos(math.radians(dec))
    return [
        model.Transient(
            ra_deg=ra % 360.0,
            dec_deg=dec,
            dates_mjd=[parse_date(date) for date in source.dates],
            magnitudes_ab=[magnitude.to("mag") for magnitude in source.magnitudes],
            colour=source.colour.to("mag"),
        )
    ]


def _catalogue(path: Path) -> list[Any]:
    from astropy.table import Table

    from hst123r.simulation import model

    try:
        table = Table.read(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the catalogue cannot be read: {_first(error)}", where=str(path)
        ) from error
    bands = [name for name in table.colnames if name.lower().startswith("mag_")]
    missing = [name for name in ("ra", "dec") if name not in table.colnames]
    if missing or not (bands or "mag" in table.colnames):
        needed = "ra, dec, and mag or mag_<filter>"
        raise InputError(f"the catalogue lacks columns; needed are {needed}", where=str(path))
    return [
        model.Star(
            ra_deg=float(row["ra"]),
            dec_deg=float(row["dec"]),
            magnitude_ab=float(row["mag"] if "mag" in table.colnames else row[bands[0]]),
            by_filter={name[4:].upper(): float(row[name]) for name in bands},
        )
        for row in table
    ]


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

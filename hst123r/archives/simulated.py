"""The simulated archive: exposures with known answers, for any target of a recipe.

A recipe says what the archive should hold (:class:`Simulation`); what is made depends on nothing
else, so the same recipe makes the same files everywhere. The truth is written beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from hst123r.archives.simulation import MAX_TARGETS, Observation, Simulation, VisitError
from hst123r.errors import InputError
from hst123r.records.dates import parse as parse_date
from hst123r.records.target import Target

if TYPE_CHECKING:
    from hst123r.simulation.model import Programme
    from hst123r.simulation.schedule import PlannedExposure

TRUTH: Final = "_truth.ecsv"
FIRST_PROPOSAL: Final = 99900
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


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
        If the catalogue of stars is wrong.
    """
    known = [target.name for target in targets]
    wanted = simulation.at if simulation.at is not None else known
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


def make(
    programme: Programme,
    root: str,
    out: Path,
    template: Path | None = None,
    psf_grid: Path | None = None,
) -> dict[str, Path]:
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
    psf_grid : Path or None
        File of the STDPSF library from which its stars get their shape.

    Returns
    -------
    dict of str to Path
        ``science``, ``dq`` where data quality is a file of its own, and ``truth``.
    """
    from astropy.io import fits

    from hst123r import instruments
    from hst123r.files.psf_library import read_grid
    from hst123r.simulation.exposure import expose
    from hst123r.simulation.pointing import template_from
    from hst123r.simulation.scene import build

    entry = next(item for item in planned(programme) if item.root == root)
    detector = instruments.get(entry.detector)
    shape = None
    if template is not None:
        with fits.open(template) as hdus:
            shape = template_from(detector, hdus)
    psfs = read_grid(psf_grid, detector, entry.filter) if psf_grid is not None else None
    made = expose(entry, programme, build(programme), detector, shape, psfs)
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
    bands = {item.filter for item in simulation.observations}
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
            stars=_catalogue(folder / stars.catalog, bands) if stars.catalog else [],
            transients=_transients(simulation, target) if number == 0 or simulation.at else [],
            sky=model.Sky(
                brightness_ab=simulation.sky.to("mag/arcsec2") if simulation.sky else None,
                photon_noise=simulation.noise,
                read_noise=simulation.noise,
                cosmic_rays=simulation.cosmic_rays,
                bad_pixels=simulation.bad_pixels,
            ),
        )
    except ValidationError as error:
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
    from hst123r.simulation import model

    source = simulation.transient
    if source is None:
        return []
    place = target.position.offset(source.east.to("deg"), source.north.to("deg"))
    return [
        model.Transient(
            ra_deg=place.ra_deg,
            dec_deg=place.dec_deg,
            dates_mjd=[parse_date(date) for date in source.dates],
            magnitudes_ab=[magnitude.to("mag") for magnitude in source.magnitudes],
            colour=source.colour.to("mag"),
        )
    ]


def template_of(simulation: Simulation, folder: Path) -> Path | None:
    """Return the path of the template, None where there is none.

    Parameters
    ----------
    simulation : Simulation
        What the recipe says.
    folder : Path
        Where relative paths start.

    Returns
    -------
    Path or None
        An existing file.

    Raises
    ------
    InputError
        If it is not there.
    """
    if simulation.template is None:
        return None
    path = (folder / simulation.template).absolute()
    if not path.is_file():
        raise InputError("there is no such template", where=str(path))
    return path


def grid_of(simulation: Simulation, folder: Path, entry: PlannedExposure) -> Path | None:
    """Return the path of the measured PSFs of an exposure, None where they are computed.

    Parameters
    ----------
    simulation : Simulation
        What is simulated.
    folder : Path
        The recipe's folder.
    entry : PlannedExposure
        The exposure.

    Returns
    -------
    Path or None
        An existing file.

    Raises
    ------
    InputError
        If it is not there.
    """
    from hst123r import instruments
    from hst123r.files.psf_library import find_grid

    if simulation.psf_grids is None:
        return None
    detector = instruments.get(entry.detector)
    return find_grid(folder / simulation.psf_grids, detector, entry.filter)


def _catalogue(path: Path, filters: set[str]) -> list[Any]:
    from astropy.table import Table

    try:
        table = Table.read(path)
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"the catalogue cannot be read: {reason}", where=str(path)) from error
    bands = {name[4:].upper(): name for name in table.colnames if name.lower().startswith("mag_")}
    missing = [name for name in ("ra", "dec") if name not in table.colnames]
    # without `mag`, a filter without a column would get the magnitudes of another
    if "mag" not in table.colnames:
        missing += [f"mag_{name}" for name in sorted(filters - set(bands))]
    if missing:
        raise InputError(
            f"the catalogue has no column {', '.join(missing)}",
            where=str(path),
            hint="It needs ra, dec, and mag for every filter or mag_<filter> for each observed one",
        )
    return [_star(row, number, bands, path) for number, row in enumerate(table, 1)]


def _star(row: Any, number: int, bands: dict[str, str], path: Path) -> Any:
    from numpy.ma import masked

    from hst123r.simulation import model

    by_filter = {name: row[column] for name, column in bands.items() if row[column] is not masked}
    every = row["mag"] if "mag" in row.colnames else next(iter(by_filter.values()), masked)
    if masked in (row["ra"], row["dec"], every):
        raise InputError(f"a value is missing in row {number}", where=str(path))
    try:
        return model.Star(
            ra_deg=float(row["ra"]),
            dec_deg=float(row["dec"]),
            magnitude_ab=float(every),
            by_filter={name: float(value) for name, value in by_filter.items()},
        )
    except ValidationError as error:
        raise InputError(f"row {number}: {_first(error)}", where=str(path)) from error
    except (TypeError, ValueError) as error:
        raise InputError(f"row {number}: {error}", where=str(path)) from error


def _first(error: ValidationError) -> str:
    """The first of a validator's errors: which value, and what about it."""
    found = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in found["loc"])
    return f"{place}: {found['msg']}" if place else found["msg"]

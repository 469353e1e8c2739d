"""Where artificial stars are put, in which filters, and what they need before anything is done."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.external.dolphot_installation import BASE_VARIABLE
from hst123r.instruments.dolphot_parameters import table
from hst123r.photometers.dolphot_field import Field
from hst123r.photometers.dolphot_images import ChipPlace
from hst123r.photometers.dolphot_params import FakeParams
from hst123r.records.exposure import band
from hst123r.stage.contract import Job

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE: Final = "filters.dat"
"""Of a module; it has the filters in its order."""


def filter_order(field: Field) -> list[tuple[str, str]]:
    """Return modules and filters in DOLPHOT's order, each once.

    Detectors of one module share its filters, and a star has one magnitude in them.

    Raises
    ------
    InputError
        If a module has several filters, and its table does not tell their order.
    """
    found: dict[str, set[str]] = {}
    folder: dict[str, Path] = {}
    for place in field.chips:
        module = instruments.get(place.exposure.detector).dolphot.mask.module
        found.setdefault(module, set()).add(place.exposure.band)
        path = field.installed.get(f"{module}/data/{TABLE}")
        if path is not None:
            folder[module] = path
    result = []
    for module in sorted(found, key=table().modules.index):
        names = sorted(found[module])
        if len(names) > 1:
            names = _listed(names, folder.get(module), module, field.job.label)
        result += [(module, name) for name in names]
    return result


def _listed(names: list[str], path: Path | None, module: str, where: str) -> list[str]:
    """Return filters in the order of the table of a module, which no name tells."""
    lines: list[str] = []
    if path is not None:
        text = path.read_text(encoding="ascii", errors="replace")
        lines = [line.strip() for line in text.splitlines()]
    listed = list(dict.fromkeys(line for line in lines if line in names))
    if unknown := [name for name in names if name not in listed]:
        what = ", ".join(unknown)
        text = f"it has no {what}" if path is not None else "DOLPHOT's folder is not known"
        raise InputError(
            f"the order of the magnitudes of artificial stars is that of {module}/data/{TABLE}, "
            f"and {text}",
            where=where, hint=f"Name the folder in {BASE_VARIABLE}, or measure one filter",
        )  # fmt: skip
    return listed


def main_filter(fake: FakeParams, job: Job, names: set[str]) -> str:
    """Return the filter that magnitudes are in.

    Raises
    ------
    InputError
        If no image is in it.
    """
    main = fake.filter or band((job.inputs["stack"] or job.inputs["exposure"])[0].labels["filter"])
    if main not in names:
        raise InputError(
            f"there is no image in {main}, the filter of artificial stars",
            where=job.label,
            hint=f"Set `fake: {{filter: ...}}` to one that is measured: {', '.join(sorted(names))}",
        )
    return main


def check_fake(fake: FakeParams, job: Job, chips: Sequence[ChipPlace], installed: set[str]) -> None:
    """Check what artificial stars need before anything is done, which may take hours.

    Parameters
    ----------
    fake : FakeParams
        What is wanted.
    job : Job
        The job.
    chips : sequence of ChipPlace
        The images.
    installed : set of str
        Names of DOLPHOT's files that are there.

    Raises
    ------
    InputError
        If no image is in their filter, no target is on any, or the order of filters is not known.
    """
    main_filter(fake, job, {place.exposure.band for place in chips})
    if fake.positions == "target":
        # the first image is the reference where there is no stack
        shown = chips if job.inputs["stack"] else chips[:1]
        if not any(place.chip.targets for place in shown):
            raise InputError(
                "artificial stars are wanted around targets, and no target is on "
                + ("any chip" if job.inputs["stack"] else "the first chip, the reference"),
                where=job.label, hint="Take `fake: {positions: uniform}`, or another reference",
            )  # fmt: skip
    bands: dict[str, set[str]] = {}
    for place in chips:
        module = instruments.get(place.exposure.detector).dolphot.mask.module
        bands.setdefault(module, set()).add(place.exposure.band)
    for module, names in sorted(bands.items()):
        if len(names) > 1 and f"{module}/data/{TABLE}" not in installed:
            _listed(sorted(names), None, module, job.label)


def places(
    field: Field, fake: FakeParams, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the stars are put, in DOLPHOT's pixels of the reference."""
    import numpy as np

    from hst123r.products.dolphot.measurements import dolphot_positions

    rows, columns = field.shape
    if fake.positions == "uniform":
        return random.uniform(0, columns, fake.number), random.uniform(0, rows, fake.number)
    if fake.positions == "grid":
        step = math.sqrt(rows * columns / fake.number)
        x, y = np.meshgrid(np.arange(step / 2, columns, step), np.arange(step / 2, rows, step))
        return x.ravel(), y.ravel()
    targets = np.array(list(field.job.arguments["targets"].values()), float).reshape(-1, 2)
    which = targets[np.arange(fake.number) % max(len(targets), 1)] if len(targets) else targets
    distance = fake.radius.to("deg") * np.sqrt(random.uniform(0, 1, len(which)))
    angle = random.uniform(0, 2 * np.pi, len(which))
    dec = which[:, 1] + distance * np.cos(angle)
    ra = which[:, 0] + distance * np.sin(angle) / np.cos(np.radians(which[:, 1]))
    x, y = dolphot_positions(field.wcs, field.shape, ra, dec)
    on = np.isfinite(x) & np.isfinite(y)
    if not on.any():
        raise InputError("no target is on the reference", where=field.job.label)
    return x[on], y[on]


def on_images(field: Field, images: Iterable[int], x: Any, y: Any) -> NDArray[np.bool_]:
    """Return which places are on at least one of some images.

    Parameters
    ----------
    field : Field
        The field.
    images : iterable of int
        Numbers of its images.
    x, y : (n,) ndarray of float64
        DOLPHOT's pixels of the reference.

    Returns
    -------
    (n,) ndarray of bool
        Whether a filter with these images can have found a star there.
    """
    import numpy as np

    from hst123r.photometry.geometry import sky_to_pixel
    from hst123r.products.dolphot.measurements import sky_positions
    from hst123r.products.exposures import open_chips

    ra, dec = sky_positions(field.wcs, x, y)
    result = np.zeros(ra.shape, bool)
    for number in images:
        place = field.chips[number]
        science = field.job.inputs["exposure"][place.number].files["science"]
        rows, columns = place.chip.shape[0], place.chip.shape[1]
        wcs = open_chips(science, place.exposure)[place.chip.extver]
        px, py = sky_to_pixel(wcs, (rows, columns), ra, dec)
        with np.errstate(invalid="ignore"):
            result |= (np.abs(px - (columns - 1) / 2) <= columns / 2) & (
                np.abs(py - (rows - 1) / 2) <= rows / 2
            )
    return result

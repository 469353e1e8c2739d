"""The images of a run of DOLPHOT, and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.dolphot_parameters import Value, preset
from hst123r.photometers.dolphot_params import TRANSFER
from hst123r.photometers.params import PhotometryParams
from hst123r.products.dolphot.parameter_set import RunImage, run_parameters
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.stage.contract import Job

REFERENCE: Final = "reference"
"""Name of the reference image in the folder."""
ANALYTIC: Final[dict[str, Value]] = {
    # magnitudes mean nothing by themselves
    "Zero": 25.0,
    # DOLPHOT 2.0 ended with an assertion of its own where the sky could be below zero
    "NegSky": 0.0,
    "FPSF": "G+L", "SubPixel": 1.0, "EPSF": 1.0, "PSFsol": 1.0, "PSFStep": 0.25, "MinS": 1.0,
    "MaxS": 9.0, "MaxE": 0.5,
}  # fmt: skip
"""What the generic mode reads besides; values of the parameter file that comes with DOLPHOT 2.0."""
WIDTHS: Final = (("PSFa", 3.0), ("PSFb", 3.0), ("PSFc", 0.0))
"""Likewise, where its analytic PSF begins."""

Own = Callable[[str, str], PhotometryParams]
"""Returns the parameters for a detector and a filter."""


@dataclass(frozen=True, slots=True)
class ChipPlace:
    """A chip of an exposure, which is an image of the run.

    Parameters
    ----------
    number : int
        Number of the exposure, from 0.
    exposure : Exposure
        Its record.
    chip : Chip
        The chip.
    """

    number: int
    exposure: Exposure
    chip: Chip

    @property
    def name(self) -> str:
        """Its name in the run."""
        return f"{self.exposure.root}.chip{self.chip.extver}"


def chosen_chips(job: Job, params: PhotometryParams) -> list[ChipPlace]:
    """Return the chips to measure, in the order of exposures.

    Raises
    ------
    InputError
        If no target is on any chip, and only such chips are wanted.
    """
    places = [
        ChipPlace(number, exposure, chip)
        for number, product in enumerate(job.inputs["exposure"])
        for exposure in [Exposure.own(product.facts)]
        for chip in exposure.chips
    ]
    if params.dolphot.chips == "target":
        places = [place for place in places if place.chip.targets]
        if not places:
            raise InputError(
                "no target is on any chip", where=job.label,
                hint="Take `dolphot: {chips: all}`",
            )  # fmt: skip
    return places


def image_values(
    chips: Sequence[ChipPlace], stack: Product | None, own: Own, *, analytic: bool
) -> dict[str, Value]:
    """Return the user's parameters of each image, and those that the generic mode needs.

    Parameters
    ----------
    chips : sequence of ChipPlace
        The images.
    stack : Product or None
        The reference.
    own : callable
        Returns the parameters for a detector and a filter.
    analytic : bool
        Whether DOLPHOT runs in its generic mode.

    Returns
    -------
    dict of str to value
        By names such as ``img2_RAper``.
    """
    about = [
        (n, c.exposure.detector, c.exposure.filter, _pixel_arcsec(c))
        for n, c in enumerate(chips, 1)
    ]
    if stack is not None:
        detector = stack.labels["detector"]
        scale = instruments.get(detector).pixel_scale.value
        about.insert(0, (0, detector, stack.labels["filter"], scale))
    values: dict[str, Value] = {}
    for number, detector, through, scale in about:
        given: dict[str, Value] = dict(own(detector, through).dolphot.image_parameters)
        if analytic:
            known = {name.lower() for name in given}
            given["aprad"] = round(instruments.get(detector).dolphot.aperture / scale, 2)
            for name, first in WIDTHS:
                if name.lower() not in known:
                    given[name] = [first, *[0.0] * 5]
        values.update({f"img{number}_{name}": value for name, value in given.items()})
    return values


def _pixel_arcsec(place: ChipPlace) -> float:
    facts = instruments.get(place.exposure.detector).chips
    return next(chip.pixel_arcsec for chip in facts if chip.number == place.chip.number)


def parameters_of(
    chips: Sequence[ChipPlace],
    stack: Product | None,
    params: PhotometryParams,
    values: dict[str, Value],
) -> dict[str, str]:
    """Return all parameters of a run as its file has them.

    Parameters
    ----------
    chips, stack : sequence of ChipPlace, Product or None
        The images, and the reference.
    params : PhotometryParams
        Those of the stage.
    values : dict of str to value
        Those of images, and of this run.

    Returns
    -------
    dict of str to str
        By name, in the order of the file.

    Raises
    ------
    InputError
        All that is wrong at once.
    """
    dolphot = params.dolphot
    images = [RunImage(place.name, place.exposure.detector) for place in chips]
    reference = None if stack is None else RunImage(REFERENCE, stack.labels["detector"])
    analytic = dolphot.psf == "analytic"
    general: dict[str, Value] = {
        name: 0.0 for name in preset(dolphot.preset).values if name.lower().endswith(TRANSFER)
    }
    given = {name.lower() for name in dolphot.parameters}
    if analytic:
        general |= {name: value for name, value in ANALYTIC.items() if name.lower() not in given}
    own: dict[str, Value] = {**general, **dolphot.parameters, **values}
    return run_parameters(images, own, reference, dolphot.preset, analytic=analytic)

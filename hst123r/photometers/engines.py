"""The engines behind one interface, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hst123r.errors import InputError
from hst123r.photometers import dolphot, psf
from hst123r.photometers.params import PhotometryParams
from hst123r.records.outcome import Outcome, Product
from hst123r.stage.context import Context
from hst123r.stage.contract import Job, Scope
from hst123r.stage.resources import Cores


@dataclass(frozen=True, slots=True)
class Engine:
    """A module that measures.

    Products of the kind ``photometry`` are of one field, detector and filter each, with the files
    ``catalog``, ``epochs`` and ``measurements`` and the fact ``targets``: the positions of the
    targets of the field by name. Sources have the same numbers in all products of a field, and a
    target that nothing was found at has a row with its name.

    Parameters
    ----------
    divide, memory_mb, cores, run : callable
        As those of a stage.
    """

    divide: Callable[[dict[str, list[Product]], PhotometryParams, Scope], Iterator[Job]]
    memory_mb: Callable[[Job, PhotometryParams], float]
    cores: Callable[[Job, PhotometryParams], Cores]
    run: Callable[[Job, PhotometryParams, Context], Outcome]


ENGINES: Final[Mapping[str, Engine]] = {
    "psf": Engine(psf.divide, psf.memory_mb, psf.cores, psf.run),
    "dolphot": Engine(dolphot.divide, dolphot.memory_mb, dolphot.cores, dolphot.run),
}
"""By the name in recipes."""


OF_ALL: Final = ("limit_snr", "max_chi")
"""Parameters of all engines that DOLPHOT's engine has one value of for a field."""
OF_IMAGES: Final = "image_parameters"
"""What of DOLPHOT may differ by detector and filter."""


def one_engine(inputs: dict[str, list[Product]], params: PhotometryParams, scope: Scope) -> None:
    """Demand the same engine for all detectors and filters: sources are numbered by it.

    Raises
    ------
    InputError
        If a block of the recipe names another, or sets what DOLPHOT has one value of.
    """
    if scope.varied is None:
        return
    for product in inputs["exposure"]:
        detector, name = product.labels["detector"], product.labels["filter"]
        own = scope.varied(detector, name)
        if not isinstance(own, PhotometryParams):
            continue
        if own.engine != params.engine:
            raise InputError(
                f"the engine of {detector} {name} is {own.engine}, of the stage {params.engine}",
                hint="Set `engine` for the whole stage, not in a block",
            )
        if params.engine == "dolphot" and (named := _for_all(own, params)):
            raise InputError(
                f"{', '.join(named)} of {detector} {name} differs from that of the stage, and "
                "DOLPHOT measures all images in one run",
                hint="Set it for the whole stage; a block can have `dolphot: {image_parameters}`",
            )


def _for_all(own: PhotometryParams, params: PhotometryParams) -> list[str]:
    """Return what differs and would do nothing: DOLPHOT's run has one value for all images."""
    named = [name for name in OF_ALL if getattr(own, name) != getattr(params, name)]
    return named + [
        f"dolphot.{name}"
        for name in type(params.dolphot).model_fields
        if name != OF_IMAGES and getattr(own.dolphot, name) != getattr(params.dolphot, name)
    ]

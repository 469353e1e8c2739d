"""The parameters of a run of DOLPHOT: from a preset and the user's own, checked before the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hst123r import instruments
from hst123r.errors import InputError, did_you_mean
from hst123r.instruments.dolphot_parameters import (
    Value,
    defaults,
    parameters,
    preset,
    wrong_value,
)

LONGEST_NAME: Final = 70
"""DOLPHOT 2.0 keeps names of files in 81 characters, and puts endings such as .sky.fits behind."""
MOST_IMAGES: Final = 100
"""MAXNIMG, which it is built with unless the user changed it."""
_IMAGE: Final = re.compile(r"img(\d*)_(\w+)", re.IGNORECASE)
_SMALL_SKY: Final = 2
"""The value of FitSky that uses RSky2 and wants room for it in the PSF."""


@dataclass(frozen=True, slots=True)
class RunImage:
    """An image of a run.

    Parameters
    ----------
    name : str
        Its file without ``.fits``, in the folder that DOLPHOT runs in.
    detector : str
        Name of its detector.
    """

    name: str
    detector: str


def run_parameters(
    images: Sequence[RunImage],
    values: Mapping[str, Value] | None = None,
    reference: RunImage | None = None,
    preset_name: str = "hst123",
    *,
    analytic: bool = False,
) -> dict[str, str]:
    """Return all parameters of a run, in the order of its file.

    Parameters
    ----------
    images : sequence of RunImage
        At least one.
    values : mapping of str to number, text or list of numbers, optional
        The user's own: ``FitSky``, ``img_RAper`` for all images, ``img2_RAper`` for the second.
    reference : RunImage, optional
        What the others are aligned to; the first image without one.
    preset_name : str
        Where all others come from.
    analytic : bool
        Whether DOLPHOT runs in its generic mode, with a PSF that it fits to the images: it uses
        more parameters then, and no library of PSFs.

    Returns
    -------
    dict of str to str
        Values as DOLPHOT reads them.

    Raises
    ------
    InputError
        All that is wrong at once: unknown names, impossible values, and what DOLPHOT would
        refuse or change without a word.
    """
    chosen = preset(preset_name)
    own = dict(values or {})
    listed = [*([(0, reference)] if reference else []), *enumerate(images, 1)]
    wrong = [
        *_wrong_images(images, reference),
        *_wrong_values(own, len(images), reference, analytic),
    ]
    if wrong:
        raise InputError("; ".join(wrong), where="DOLPHOT's parameters")
    mine = _by_case(own)
    general = {
        # DOLPHOT reads a file of its own folder before this one: what is not here, it decides
        **defaults(image=False),
        **_by_case(chosen.values),
        **{n: v for n, v in mine.items() if "_" not in n},
    }
    by_image: dict[int, dict[str, Value]] = {}
    for number, image in listed:
        facts = chosen.detectors.get(
            image.detector, instruments.get(image.detector).dolphot.parameters
        )
        by_image[number] = {f"img_{name}": value for name, value in defaults(image=True).items()}
        by_image[number].update(_by_case(facts))
        for begin in ("img_", f"img{number}_"):
            by_image[number].update(
                (f"img_{n.removeprefix(begin)}", v) for n, v in mine.items() if n.startswith(begin)
            )
    wrong = [
        sentence
        for number, image in listed
        for sentence in _wrong_together(by_image[number], general, image, analytic)
    ]
    if wrong:
        raise InputError("; ".join(wrong), where="DOLPHOT's parameters")
    lines: dict[str, str] = {"Nimg": str(len(images))}
    for number, image in listed:
        lines[f"img{number}_file"] = image.name
        for name, value in by_image[number].items():
            lines[f"img{number}_{name[4:]}"] = _written(value)
    lines.update((name, _written(value)) for name, value in general.items())
    return lines


def _by_case(values: Mapping[str, Value]) -> dict[str, Value]:
    """Give names the spelling of the table."""
    return {_spelled(name): value for name, value in values.items()}


def _spelled(name: str) -> str:
    """Return a known name as the table spells it, with the number of an image as DOLPHOT has it."""
    found = _IMAGE.fullmatch(name)
    spelled = parameters()[(found[2] if found else name).lower()].name
    if found is None:
        return spelled
    return f"img{int(found[1])}_{spelled}" if found[1] else f"img_{spelled}"


def _wrong_images(images: Sequence[RunImage], reference: RunImage | None) -> Iterator[str]:
    if not 0 < len(images) <= MOST_IMAGES:
        yield f"{len(images)} images are not 1 to {MOST_IMAGES}"
    names = [image.name for image in (*images, *([reference] if reference else []))]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{name} is there {names.count(name)} times"
        if len(name) > LONGEST_NAME:
            yield f"{name[:20]}… has {len(name)} characters, more than {LONGEST_NAME}"
        if "/" in name or re.search(r"[\s#=]", name) or name.endswith(".fits"):
            yield f"{name!r} is no name of an image: no folder, no space, no # or =, no .fits"


def _wrong_values(
    own: Mapping[str, Value], count: int, reference: RunImage | None, analytic: bool
) -> Iterator[str]:
    known = parameters()
    seen: dict[str, str] = {}
    for name, value in own.items():
        found = _IMAGE.fullmatch(name)
        bare = found[2] if found else name
        parameter = known.get(bare.lower())
        spelling = [f"img_{p.name}" if p.image else p.name for p in known.values()]
        if parameter is not None and parameter.image and not found:
            yield f"{name} is a parameter of an image; write img_{parameter.name} for all of them"
        elif parameter is None or parameter.image != bool(found):
            yield f"DOLPHOT has no parameter {name!r}, {did_you_mean(name, spelling)}"
        elif parameter.generic and not analytic:
            yield f"{name} does nothing for images of Hubble"
        elif found and found[1] and int(found[1]) > count:
            yield f"{name} is about image {found[1]} of {count}"
        elif found and found[1] and int(found[1]) == 0 and reference is None:
            yield f"{name} is about the reference image, and there is none"
        elif (first := seen.setdefault(_spelled(name), name)) != name:
            yield f"{first} and {name} are one parameter"
        else:
            yield from wrong_value(name, parameter, value)


def _wrong_together(
    image: Mapping[str, Value], general: Mapping[str, Value], which: RunImage, analytic: bool
) -> Iterator[str]:
    """Say what DOLPHOT would stop for with exit status 0, or change without a word."""

    def numbers(name: str) -> list[float]:
        value = image[f"img_{name}"]
        return [float(v) for v in (value if isinstance(value, list) else [value])]

    (aperture,), (size,), (chi,) = numbers("RAper"), numbers("RPSF"), numbers("RChi")
    small = general.get("FitSky") == _SMALL_SKY
    about = f"{which.name}: "
    if size < aperture + (2 if small else 0):
        room = ", with FitSky 2 at least 2 more" if small else ""
        yield f"{about}RPSF {size:g} is too small for RAper {aperture:g}{room}"
    most = instruments.get(which.detector).dolphot.largest_rpsf
    if size > most and not analytic:
        yield f"{about}RPSF {size:g} is above {most}, which the library of PSFs goes to"
    if chi > aperture:
        yield f"{about}RChi {chi:g} is above RAper {aperture:g}, and would be that"
    for name in ("RSky", "RSky2", "apsky"):
        inner, outer = numbers(name)
        if outer <= inner:
            yield f"{about}{name} goes from {inner:g} to {outer:g}"
    first = numbers("RSky")[0]
    if first < aperture + 0.5:
        yield f"{about}RSky begins at {first:g}, less than 0.5 outside RAper {aperture:g}"


def _written(value: Value) -> str:
    if isinstance(value, list):
        return " ".join(_written(number) for number in value)
    return value if isinstance(value, str) else f"{value:.10g}"

"""The ``.info`` file of a DOLPHOT run: its images, their alignment and aperture corrections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hst123r.errors import InputError
from hst123r.products.dolphot.text import ends_whole, numbers, read_lines

_SECTION: Final = re.compile(r"EXTENSION (\d+) CHIP (\d+)")
_CAMERA: Final = re.compile(r"\* (\S+)-specific info")
_IMAGE: Final = re.compile(r"\* image (\d+): (\S+) (-?\d+) (\S+)")
LIMITS, ALIGNMENT, PSF, APERTURES = (
    "Limits", "Alignment", "PSF solution", "Aperture corrections",
)  # fmt: skip
"""The headings of the parts of a section."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What DOLPHOT found out about an image from its header.

    Parameters
    ----------
    camera : str
        Name of the module of DOLPHOT that knows the instrument.
    filter : str
        The filter.
    chip : int
        The module's own number of detector and chip.
    exposure_time_s : float
        Exposure time.
    """

    camera: str
    filter: str
    chip: int
    exposure_time_s: float


@dataclass(slots=True)
class Section:
    """What a run found out about one extension and chip; empty where the run stopped before.

    Parameters
    ----------
    extension, chip : int
        Number of the extension, 0 for the primary one, and of the plane from 1.
    limits : tuple of int
        First and last column, first and last row, in DOLPHOT's pixels.
    setups : dict of int to Setup
        By the number of the image, from 1; none in the generic mode.
    alignment : list of tuple of float
        One for each image, shift along x and y, scale, cubic distortion and rotation in degrees;
        40 coefficients with ``Align=4``.
    psf : list of tuple of float
        Analytic PSF of the generic mode, three for each image.
    aperture_corrections : list of float
        In magnitudes, what is added to the magnitude of each image. DOLPHOT writes 0 for an image
        without stars to find it from, and for all with ``ApCor=0``.
    """

    extension: int
    chip: int
    limits: tuple[int, ...] = ()
    setups: dict[int, Setup] = field(default_factory=dict)
    alignment: list[tuple[float, ...]] = field(default_factory=list)
    psf: list[tuple[float, ...]] = field(default_factory=list)
    aperture_corrections: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Info:
    """A ``.info`` file.

    Parameters
    ----------
    images : tuple of str
        Names of the images without ``.fits``, in the order of the parameter file.
    mjd : tuple of float
        Their modified Julian dates, 0 where the header had none.
    sections : tuple of Section
        One for each extension and chip that was worked on.
    source : str
        The file it was read from, for messages.
    """

    images: tuple[str, ...]
    mjd: tuple[float, ...]
    sections: tuple[Section, ...]
    source: str = "its .info file"


def read_info(path: str | Path) -> Info:
    """Read a ``.info`` file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Info
        What it says.

    Raises
    ------
    InputError
        If it cannot be read, is not such a file, or was cut off; with its line.
    """
    lines = read_lines(path)
    images, dates = _images(lines, path)
    sections: list[Section] = []
    camera = part = ""
    for number, line in lines:
        where = f"{path}:{number}"
        if found := _SECTION.fullmatch(line):
            sections.append(Section(int(found[1]), int(found[2])))
            camera = part = ""
        elif not sections:
            raise InputError(f"there is no section before {line[:60]!r}", where=where)
        elif line in {LIMITS, ALIGNMENT, PSF, APERTURES}:
            part = line
        elif found := _CAMERA.fullmatch(line):
            camera = found[1]
        elif found := _IMAGE.fullmatch(line):
            (time,) = numbers(found[4], where)
            sections[-1].setups[int(found[1])] = Setup(camera, found[2], int(found[3]), time)
        else:
            _take(sections[-1], part, numbers(line, where), where)
    if not sections:
        raise InputError(
            "it says nothing about any image", where=str(path),
            hint="It was cut off; run DOLPHOT again",
        )  # fmt: skip
    for section in sections:
        _check(section, len(images), str(path))
    if not ends_whole(path):
        raise InputError(
            "its last line has no end", where=str(path),
            hint="It was cut off; run DOLPHOT again",
        )  # fmt: skip
    return Info(images, dates, tuple(sections), str(path))


def _images(
    lines: Iterator[tuple[int, str]], path: str | Path
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    number, first = next(lines, (1, ""))
    count, _, rest = first.partition(" ")
    if rest != "sets of output data" or not count.isdigit():
        raise InputError(
            f"it should begin with the number of images, not with {first[:60]!r}",
            where=f"{path}:{number}", hint="It should be the .info file of a DOLPHOT run",
        )  # fmt: skip
    names: list[str] = []
    dates: list[float] = []
    for _ in range(int(count)):
        number, name = next(lines, (number, ""))
        number, date = next(lines, (number, ""))
        if not date:
            raise InputError(
                f"it lists {len(names)} of {count} images", where=f"{path}:{number}",
                hint="It was cut off; run DOLPHOT again",
            )  # fmt: skip
        names.append(name)
        dates.append(numbers(date, f"{path}:{number}")[0])
    return tuple(names), tuple(dates)


def _take(section: Section, part: str, values: tuple[float, ...], where: str) -> None:
    if part == LIMITS:
        section.limits = tuple(int(value) for value in values)
    elif part == ALIGNMENT:
        section.alignment.append(values)
    elif part == PSF:
        section.psf.append(values)
    elif part == APERTURES:
        section.aperture_corrections += values
    else:
        raise InputError("these numbers are under no heading", where=where)


def _check(section: Section, count: int, where: str) -> None:
    """Demand one aperture correction for each image, unless the run did not come to any."""
    found = len(section.aperture_corrections)
    if found and found != count:
        raise InputError(
            f"extension {section.extension}, chip {section.chip} has {found} aperture "
            f"corrections for {count} images", where=where,
            hint="It was cut off; run DOLPHOT again",
        )  # fmt: skip

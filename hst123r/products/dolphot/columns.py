"""What the columns of a DOLPHOT catalogue hold, from its ``.columns`` file and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hst123r.errors import InputError
from hst123r.products.dolphot.text import read_lines

GLOBALS: Final = (
    ("extension", "ext"),
    ("chip", "chip"),
    ("object x", "x"),
    ("object y", "y"),
    ("chi", "chi"),
    ("signal-to-noise", "snr"),
    ("object sharpness", "sharpness"),
    ("object roundness", "roundness"),
    ("direction of major axis", "major_axis"),
    ("crowding", "crowding"),
    ("object type", "type"),
    ("pass detected", "pass"),
)
"""How the text of a column about the object begins, in small letters, and its name here."""
QUANTITIES: Final = {
    "total counts": "counts",
    "measured counts": "counts",
    "total sky level": "sky",
    "measured sky level": "sky",
    "normalized count rate": "rate",
    "normalized count rate uncertainty": "rate_err",
    "instrumental vegamag magnitude": "mag",
    "instrumental magnitude": "mag",
    "transformed ubvri magnitude": "mag_transformed",
    "magnitude uncertainty": "mag_err",
    "chi": "chi",
    "signal-to-noise": "snr",
    "sharpness": "sharpness",
    "roundness": "roundness",
    "crowding": "crowding",
    "psf fwhm": "psf_fwhm",
    "psf eccentricity": "psf_eccentricity",
    "psf a parameter": "psf_a",
    "psf b parameter": "psf_b",
    "psf c parameter": "psf_c",
    "photometry quality flag": "flag",
}
"""Text of a column of a filter or an image, in small letters, and its name here."""
NEEDED: Final = (
    "counts", "sky", "rate", "rate_err", "mag", "mag_err", "chi", "snr", "sharpness", "roundness",
    "crowding", "flag",
)  # fmt: skip
"""What every block has, in every version and mode."""
_LINE: Final = re.compile(r"(\d+)\. (.+)")
_IMAGE: Final = re.compile(r"(?P<image>.+) \((?:(?P<band>\S+), )?(?P<time>\d+(?:\.\d*)?) sec\)")
_BAND: Final = re.compile(r"(?:(?P<camera>[A-Za-z0-9]+)_)?(?P<filter>[A-Za-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one image, or of all images of a filter together.

    Parameters
    ----------
    image : str
        Name of the image as DOLPHOT had it, without ``.fits``; empty for a filter.
    camera : str
        Prefix of the filter, e.g. the instrument; empty where this version writes none.
    filter : str
        The filter; empty in the generic mode, which knows none.
    exposure_time_s : float or None
        Exposure time, to a tenth of a second; None for a filter.
    columns : dict of str to int
        Place of every quantity, counted from 0.
    """

    image: str
    camera: str
    filter: str
    exposure_time_s: float | None
    columns: dict[str, int]

    @property
    def combined(self) -> bool:
        """Whether it is about a filter."""
        return not self.image


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a catalogue.

    Parameters
    ----------
    source : str
        The file they were read from, for messages.
    count : int
        Number of columns.
    objects : dict of str to int
        Place of the columns about the object, counted from 0.
    combined : tuple of Block
        One for each filter that several images were taken in; DOLPHOT writes none for a filter
        with one image, and none at all in the generic mode.
    images : tuple of Block
        One for each image, in the order of the parameter file.
    """

    source: str
    count: int
    objects: dict[str, int]
    combined: tuple[Block, ...]
    images: tuple[Block, ...]


def read_columns(path: str | Path) -> Layout:
    """Read a ``.columns`` file.

    Parameters
    ----------
    path : str or Path
        The file, of any version of DOLPHOT.

    Returns
    -------
    Layout
        Which column is what.

    Raises
    ------
    InputError
        If it cannot be read, is not such a file, or was cut off; with its line.
    """
    texts: list[str] = []
    places: list[str] = []
    for number, line in read_lines(path):
        if line.startswith("#"):
            # people put comments into it
            continue
        found = _LINE.fullmatch(line)
        if found is None or int(found[1]) != len(texts) + 1:
            raise InputError(
                f"this is not the description of column {len(texts) + 1}: {line[:60]!r}",
                where=f"{path}:{number}", hint="It should be the .columns file of a DOLPHOT run",
            )  # fmt: skip
        texts.append(found[2])
        places.append(f"{path}:{number}")
    if not texts:
        raise InputError("there is no column in it", where=str(path), hint="Run DOLPHOT again")
    first = next((i for i, text in enumerate(texts) if _is_counts(text)), len(texts))
    objects = _objects(texts[:first], str(path))
    blocks = _blocks(texts, first, places)
    images = tuple(block for block in blocks if not block.combined)
    if not images:
        raise InputError("it describes no image", where=str(path), hint="It was cut off")
    combined = tuple(block for block in blocks if block.combined)
    return Layout(str(path), len(texts), objects, combined, images)


def _is_counts(text: str) -> bool:
    quantity, comma, _ = text.partition(", ")
    return bool(comma) and QUANTITIES.get(quantity.lower()) == "counts"


def _objects(texts: list[str], where: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, text in enumerate(texts):
        name = next((n for begin, n in GLOBALS if text.lower().startswith(begin)), None)
        if name is not None and name not in found:
            found[name] = place
    missing = [name for _, name in GLOBALS[:11] if name not in found]
    if missing:
        raise InputError(
            f"there is no column for {', '.join(missing)} before the first image",
            where=where, hint="It should be the .columns file of a DOLPHOT run",
        )  # fmt: skip
    return found


def _blocks(texts: list[str], first: int, places: list[str]) -> list[Block]:
    blocks: list[Block] = []
    tails: list[str] = []
    for place, text in enumerate(texts[first:], first):
        quantity, _, tail = text.partition(", ")
        if _is_counts(text):
            blocks.append(_block(tail, places[place]))
            tails.append(tail)
        elif tail != tails[-1]:
            raise InputError(
                f"it is about {tail!r} within the columns of {tails[-1]!r}",
                where=places[place], hint="The file is damaged",
            )  # fmt: skip
        name = QUANTITIES.get(quantity.lower(), _plain(quantity))
        blocks[-1].columns[name] = place
    for block, tail in zip(blocks, tails, strict=True):
        missing = [name for name in NEEDED if name not in block.columns]
        if missing:
            raise InputError(
                f"{tail!r} has no column for {', '.join(missing)}",
                where=places[-1], hint="The file was cut off, or is of an unknown version",
            )  # fmt: skip
    return blocks


def _block(tail: str, where: str) -> Block:
    found = _IMAGE.fullmatch(tail)
    text = tail if found is None else found["band"] or ""
    band = _BAND.fullmatch(text)
    if text and band is None:
        raise InputError(f"{text!r} is no filter", where=where, hint="The file is damaged")
    camera = (band["camera"] or "") if band else ""
    name = band["filter"] if band else ""
    if found is None:
        return Block("", camera, name, None, {})
    return Block(found["image"], camera, name, float(found["time"]), {})


def _plain(quantity: str) -> str:
    """Return a name for a quantity of a version to come."""
    return re.sub(r"\W+", "_", quantity.lower()).strip("_")


def check_images(layout: Layout, images: Iterable[str], where: str) -> None:
    """Demand that columns and another file of a run are about the same images.

    Parameters
    ----------
    layout : Layout
        The columns.
    images : iterable of str
        Names of images in that other file, in its order.
    where : str
        That file, for the message.

    Raises
    ------
    InputError
        If they are not the same, in the same order.
    """
    here, there = [block.image for block in layout.images], list(images)
    if here == there:
        return
    for number, pair in enumerate(zip(here, there, strict=False), 1):
        if pair[0] != pair[1]:
            what = f"image {number} is {pair[0]!r} there and {pair[1]!r} here"
            break
    else:
        what = f"it has {len(there)} images and they have {len(here)}"
    raise InputError(
        f"it is of another run than {layout.source}: {what}", where=where,
        hint="Keep the files of one run together",
    )  # fmt: skip

"""Masks of the cosmic rays that were found with a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hst123r.products.on_stack import Place
from hst123r.products.quality import data_quality, read_mask, read_searched, write_mask
from hst123r.products.searched import pixels_on
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Measurement, Product, Quality


def found_masks(
    sources: list[Product],
    folder: Path,
    place: Place,
    bit: int,
    labels: Mapping[str, str],
    new: Callable[[str], Path],
) -> list[Product]:
    """Write down what was flagged in copies of exposures, where they were searched.

    Parameters
    ----------
    sources : list of Product
        The exposures.
    folder : Path
        Where the copies are, under the names of the exposures' files.
    place : Place
        The pixels of the stack. What lies beside it was compared with nothing, and is not flagged.
    bit : int
        The bit of the data quality for cosmic rays.
    labels : mapping of str to str
        Of the stack.
    new : callable
        Takes the name of a new file, and returns its path.

    Returns
    -------
    list of Product
        A mask for each exposure.
    """
    epochs = len({product.labels["epoch"] for product in sources})
    masks = []
    for source in sources:
        exposure = Exposure.own(source.facts)
        files = {role: str(folder / Path(path).name) for role, path in source.files.items()}
        searched = pixels_on(files["science"], exposure, place)
        flagged = {
            version: ((quality & bit) != 0) & searched[version]
            for version, quality in data_quality(files, exposure).items()
        }
        path = new(f"{exposure.root}_crmask.fits")
        write_mask(flagged, path, "CRMASK", searched)
        about = {**labels, "exposure": exposure.root}
        facts = {"epochs": epochs}
        masks.append(Product("cosmic-ray mask", exposure.root, about, {"mask": str(path)}, facts))
    return masks


def fractions(masks: list[Product], most: float) -> list[Measurement]:
    """Measure which part of the pixels that were searched is flagged.

    Parameters
    ----------
    masks : list of Product
        Found with a stack, or taken over.
    most : float
        A larger fraction is a caveat.

    Returns
    -------
    list of Measurement
        One for each exposure.
    """
    measured = []
    for mask in masks:
        flagged, searched = read_mask(mask.files["mask"]), read_searched(mask.files["mask"])
        pixels = sum(int(plane.sum()) for plane in searched.values())
        pixels = pixels or sum(plane.size for plane in flagged.values())
        fraction = sum(int(plane.sum()) for plane in flagged.values()) / pixels
        measured.append(
            Measurement(
                "cosmic_ray_fraction", fraction, high=most, fails=Quality.CAVEAT,
                subject=mask.name,
            )
        )  # fmt: skip
    return measured

"""Masks of cosmic rays that an earlier stage made, found and put to use again."""

from __future__ import annotations

from pathlib import Path

from hst123r.records.outcome import Product


def known_masks(members: list[Product], masks: list[Product]) -> list[Product]:
    """Return the masks of exposures that were found within one epoch, if every epoch has some.

    Against the median of several epochs a source that changed looks like a cosmic ray, so a
    stack of many epochs takes over what was found in each. An exposure without a mask among
    others of its epoch that have one was left out there, as it lay beside the stack or was
    flagged all over, and will be again; if not, :func:`hst123r.products.usable.usable` tells.

    Parameters
    ----------
    members : list of Product
        Exposures of a group.
    masks : list of Product
        Masks that there are, by exposure, with the number of epochs each was found in.

    Returns
    -------
    list of Product
        Of the members, in their order, or none at all.
    """
    known = {mask.name: mask for mask in masks if mask.facts["epochs"] == 1}
    masked = [product for product in members if product.name in known]
    searched = {product.labels["epoch"] for product in masked}
    if any(product.labels["epoch"] not in searched for product in members):
        return []
    return [known[product.name] for product in masked]


def flag_known(inputs: dict[str, list[Product]], folder: Path, bit: int) -> None:
    """Write what is known of cosmic rays into the data quality of copies of the exposures.

    Parameters
    ----------
    inputs : dict
        Products ``exposure`` and ``cosmic-ray mask`` of a job.
    folder : Path
        Where the copies are, under the names of the exposures' files.
    bit : int
        The bit of the data quality for cosmic rays.
    """
    from hst123r.products.quality import flag_pixels, read_mask

    masks = {mask.name: mask.files["mask"] for mask in inputs["cosmic-ray mask"]}
    for product in inputs["exposure"]:
        if product.name in masks:
            files = {role: folder / Path(path).name for role, path in product.files.items()}
            flag_pixels(files, read_mask(masks[product.name]), bit)

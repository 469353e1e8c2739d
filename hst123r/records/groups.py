"""How exposures are put into groups, one stack for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from hst123r.errors import InputError

if TYPE_CHECKING:
    from hst123r.records.drizzling import DrizzleParams
    from hst123r.records.outcome import Product
    from hst123r.records.params import Params


def by_time(product: Product) -> tuple[float, str]:
    """Return the place of an exposure in its group: what it is given in does not count."""
    return product.facts["start_mjd"], product.name


def labels_of(product: Product, per: Sequence[str]) -> list[dict[str, str]]:
    """Return what an exposure belongs to.

    Parameters
    ----------
    product : Product
        The exposure.
    per : sequence of str
        What groups differ in.

    Returns
    -------
    list of dict of str to str
        One; or one for each target on a chip, perhaps none, where `per` has targets.
    """
    labels = {**product.labels, "proposal": str(product.facts["proposal"])}
    if "target" not in per:
        return [labels]
    held = sorted({name for chip in product.facts["chips"] for name in chip["targets"]})
    return [{**labels, "target": name} for name in held]


def grouped(
    exposures: Sequence[Product], per: Sequence[str]
) -> tuple[tuple[str, ...], dict[tuple[str, ...], list[Product]], list[Product]]:
    """Put exposures into groups.

    Parameters
    ----------
    exposures : sequence of Product
        Of all fields.
    per : sequence of str
        What groups differ in beside field, detector and filter.

    Returns
    -------
    keys : tuple of str
        Names of the labels that groups differ in.
    groups : dict of tuple to list of Product
        Exposures in the order of time, by the values of these labels, sorted.
    left_out : list of Product
        Exposures of no group: without a target on a chip, where `per` has targets.

    Raises
    ------
    InputError
        If there are exposures, and none has a target on a chip.
    """
    more = [key for key in ("epoch", "visit", "target", "proposal") if key in per]
    keys = ("field", "detector", "filter", *more)
    groups: dict[tuple[str, ...], list[Product]] = {}
    left_out = []
    for product in sorted(exposures, key=by_time):
        found = labels_of(product, per)
        if not found:
            left_out.append(product)
        for labels in found:
            groups.setdefault(tuple(labels[key] for key in keys), []).append(product)
    if exposures and not groups:
        raise InputError(
            "no exposure has a target on a chip, so there is nothing to stack by target",
            hint="Leave target out of per",
        )
    return keys, dict(sorted(groups.items())), left_out


def outline(exposures: Sequence[Product], field: str) -> dict[str, Any]:
    """Return the corners of all exposures of a field, and the position angle of the first.

    Both are rounded, so that a new alignment by milliarcseconds moves no grid; what is lost
    (0.02 arcsec) is less than the empty pixels around.

    Parameters
    ----------
    exposures : sequence of Product
        Of all fields.
    field : str
        The field.

    Returns
    -------
    dict
        ``corners``, pairs of right ascension and declination, and ``rotation``, degrees.
    """
    members = sorted((p for p in exposures if p.labels["field"] == field), key=by_time)
    corners = {
        (round(ra, 5), round(dec, 5))
        for product in members
        for chip in product.facts["chips"]
        for ra, dec in chip["corners"]
    }
    angle = round(members[0].facts["chips"][0]["position_angle_deg"], 3)
    return {"corners": [list(corner) for corner in sorted(corners)], "rotation": angle}


def same_everywhere(
    exposures: Sequence[Product],
    params: DrizzleParams,
    varied: Callable[[str, str], Params] | None,
) -> None:
    """Refuse blocks that would group otherwise, and a shared grid of several scales.

    Parameters
    ----------
    exposures : sequence of Product
        All that are to be grouped.
    params : DrizzleParams
        Parameters of the stage.
    varied : callable or None
        Returns those for a detector and a filter; None where there are no others.

    Raises
    ------
    InputError
        What differs, and where.
    """
    if varied is None:
        return
    scales = {}
    for detector, band in sorted({(p.labels["detector"], p.labels["filter"]) for p in exposures}):
        own = cast("DrizzleParams", varied(detector, band))
        for name in ("per", "grid"):
            if getattr(own, name) != getattr(params, name):
                raise InputError(
                    f"{name} differs for {detector} {band}, and holds for the whole stage",
                    hint="Use the stage twice, with a name for each",
                )
        scales[f"{detector} {band}"] = own.scale.to("arcsec")
    if params.grid == "shared" and len(set(scales.values())) > 1:
        told = ", ".join(f"{label} {scale:g}" for label, scale in scales.items())
        raise InputError(
            f"a shared grid has one scale, and here are several: {told} arcsec",
            hint=f"Give `scale` to the stage, for example {min(scales.values()):g} arcsec",
        )

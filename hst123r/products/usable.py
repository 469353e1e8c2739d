"""Which exposures a stack can be made of: those with a pixel on it that is not flagged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hst123r.errors import StageError
from hst123r.products.on_stack import on_stack
from hst123r.products.quality import data_quality
from hst123r.products.searched import reaching_beyond
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    from hst123r.products.on_stack import Place
    from hst123r.records.outcome import Product

_MASK: Final = "cosmic-ray mask"


def usable(
    inputs: Mapping[str, list[Product]],
    place: Place,
    good_bits: int,
    *,
    found_anew: int = 0,
    sky: bool = True,
) -> tuple[dict[str, list[Product]], list[Caveat]]:
    """Leave exposures out that have nothing to give to a stack.

    Those that lie beside it, and those whose pixels are all flagged, as where the shutter stayed
    closed: drizzlepac measures no sky on these, and stops. Masks of cosmic rays are taken only if
    all that is left have one; where an exposure has none because it lay beside the stack that
    they were found with, and lies on this one, they have to be found anew. So it is where the stack
    that they were found with was smaller.

    Parameters
    ----------
    inputs : mapping of str to list of Product
        ``exposure`` and ``cosmic-ray mask``, by the same names.
    place : Place
        The pixels of the stack.
    good_bits : int
        Sum of the bits of the data quality that are accepted.
    found_anew : int
        Bits that say nothing because what they stand for is looked for again.
    sky : bool
        Whether skies are subtracted; they are measured on pixels without any flag.

    Returns
    -------
    dict of str to list of Product, list of Caveat
        What is left, and a caveat for each exposure that is not.

    Raises
    ------
    StageError
        If all pixels of all exposures are flagged, or those of one have flags that are accepted
        and no sky.
    """
    left, caveats = on_stack(inputs, place)
    free = [p for p in left["exposure"] if _is_free(p, good_bits | found_anew)]
    if not free:
        raise StageError(
            "every pixel of all its exposures is flagged in their data quality",
            hint="Leave the exposures out, or accept their flags with `bits`",
        )
    blind = [p.name for p in free if sky and not _is_free(p, found_anew)]
    if blind:
        raise StageError(
            f"no pixel of {', '.join(blind)} is without a flag, and on others no sky is measured",
            hint="Leave it out, or set `subtract_sky: false`",
        )
    names = {product.name for product in free}
    text = "has no pixel that is not flagged, and was left out"
    gone = sorted({product.name for product in left["exposure"]} - names)
    caveats += [Caveat("all_flagged", f"{root} {text}", root) for root in gone]
    left = {kind: [p for p in found if p.name in names] for kind, found in left.items()}
    if {mask.name for mask in left[_MASK]} != names:
        left[_MASK] = []
    beyond = reaching_beyond(left["exposure"], left[_MASK], place, good_bits | found_anew)
    if beyond:
        left[_MASK], caveats = [], caveats + beyond
    return left, caveats


def _is_free(product: Product, accepted: int) -> bool:
    """Return whether a pixel of an exposure has no flag but accepted ones."""
    planes = data_quality(product.files, Exposure.own(product.facts))
    return any(bool(((plane & ~accepted) == 0).any()) for plane in planes.values())

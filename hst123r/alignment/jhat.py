"""Method `jhat`: the JWST/HST Alignment Tool, fed our stars and catalogue, its solution taken over.

JHAT matches each star to the nearest of the catalogue, which is another one wherever a header is
off by more than half the distance between stars; and on a detector of one chip it turns the pixels
instead of the sky, so that of a wrong roll a shear is left where pixels are not square. So it
starts from the shift and rotation that our own match found; matches and fit are its own. Its own
finder measures on a stack of the single exposure and wants a table from the web, so it is given
stars that the stage `stars` measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.alignment.visit import Visit
from hst123r.errors import StageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.external.jhat import Star
    from hst123r.records.geometry import Geometry
    from hst123r.sources.alignment import Residual

START_PAIRS: Final = 6
"""Fewer pairs than this are nothing to start from: two for each number that is fitted."""


def fitted_by_jhat(chips: int) -> Geometry:
    """Return what JHAT fits.

    Parameters
    ----------
    chips : int
        How many chips an exposure has.

    Returns
    -------
    str
        It turns and shifts the pixels of one chip; several are given any linear terms.
    """
    return "rshift" if chips == 1 else "general"


def align(visit: Visit, moving: Mapping[int, Residual]) -> dict[int, NDArray[np.int64]]:
    """Call JHAT for one exposure after the other; see :class:`hst123r.alignment.methods.Method`."""
    import numpy as np

    from hst123r.external.jhat import version

    visit.context.logger.info("%s", version())
    fitted = {}
    for number, before in moving.items():
        if visit.count(number) < visit.params.least:
            continue
        if _align(visit, number, before):
            fitted[number] = np.zeros(0, np.int64)
    return fitted


def _align(visit: Visit, number: int, before: Residual) -> bool:
    """Align an exposure; return whether JHAT moved it."""
    from hst123r.external.jhat import jhat
    from hst123r.products.wcs_cards import take_over

    exposure, files = visit.exposures[number], visit.files[number]
    if "dq" in files:
        raise StageError(
            f"JHAT does not know files like {Path(files['science']).name}, with their data quality "
            "in another one",
            hint="Take `method: tweakwcs` for this detector, in a `for:` block",
        )
    folder = visit.context.folder(f"jhat-{exposure.root}")
    start = folder / Path(files["science"]).name
    shutil.copy(files["science"], start)
    begun = _begin(visit, start, number, before)
    # the reference may have been moved away from the headers
    moved = 0.0 if begun else visit.reference_of(number).moved_arcsec
    found = jhat(
        folder, start, len(exposure.chips), _stars(visit, number, start),
        visit.reference.as_star_list(),
        visit.params.search_radius.to("pix") * visit.scale_arcsec + moved,
    )  # fmt: skip
    if isinstance(found, str):
        visit.context.logger.warning("%s: JHAT gave up: %s", exposure.root, found)
    else:
        take_over(files, exposure, found, "JHAT")
    shutil.rmtree(folder)
    return not isinstance(found, str)


def _begin(visit: Visit, science: Path, number: int, before: Residual) -> bool:
    """Move a copy to where our own match puts it; return whether there is such a place."""
    from hst123r.products.own_alignment import align_exposure

    if before.pairs < START_PAIRS:
        return False
    frame, copied = replace(visit.frame, geometry="rshift"), {"science": str(science)}
    return align_exposure(copied, visit.exposures[number], before, frame) is not None


def _stars(visit: Visit, number: int, science: Path) -> list[Star]:
    """Return the stars of an exposure, where the WCS of a copy puts them."""
    from hst123r.external.jhat import Star
    from hst123r.products.exposures import open_chips

    wcs = open_chips(str(science), visit.exposures[number])
    found = []
    for version, chip in visit.stars[number].items():
        ra, dec = wcs[version].all_pix2world(chip.x, chip.y, 0)
        rows = zip(chip.x, chip.y, ra, dec, chip.rate, chip.rate_error, strict=True)
        found += [Star(*map(float, row)) for row in rows]
    return found

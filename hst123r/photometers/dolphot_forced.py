"""Targets that DOLPHOT did not find, measured where they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import EnvironmentProblem, InputError, StageError
from hst123r.photometers.dolphot_field import Field
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    from hst123r.products.dolphot.catalogue import Catalogue

FORCED: Final = "forced"
"""Name of the second run, and of the file of its places."""
NO_LIGHT: Final = "DOLPHOT gives no number, and there is no limit: its fit has less than no light"
NOT_THERE: Final = "where DOLPHOT measures nothing; `reference: deepest` covers all exposures"
SAME_PIX: Final = 1.5
"""DOLPHOT itself makes one of stars nearer than this (RCombine)."""


def add_targets(field: Field, catalogue: Catalogue) -> tuple[Catalogue, list[str], list[Caveat]]:
    """Measure the targets that no star was found at, with all stars found as neighbours.

    Parameters
    ----------
    field : Field
        The field, after its first run.
    catalogue : Catalogue
        What that found.

    Returns
    -------
    catalogue : Catalogue
        With a row for each such target behind the others.
    names : list of str
        Name of the target of each row, empty for the stars.
    caveats : list of Caveat
        If the second run failed: the first stays; for targets that have no row, those off the
        reference among them, and for places without light.
    """
    import numpy as np

    from hst123r.photometers.dolphot_matching import placed
    from hst123r.products.dolphot.catalogue import joined, read_catalogue

    none = [""] * len(catalogue)
    targets: dict[str, list[float]] = field.job.arguments["targets"]
    if not targets or not field.params.dolphot.forced:
        return catalogue, none, []
    stars = np.stack([catalogue.objects["x"], catalogue.objects["y"]], axis=1)
    unseen, off = _unseen(field, targets, stars)
    if not unseen:
        return catalogue, none, off
    places = [
        (float(a), float(b), int(kind), max(float(snr), 1.0))
        for (a, b), kind, snr in zip(
            stars, catalogue.objects["type"], catalogue.objects["snr"], strict=True
        )
    ]
    field.write_positions(f"{FORCED}.txt", [*places, *((a, b, 1, 1.0) for a, b in unseen.values())])
    # with UsePhot besides, which would spare the alignment, DOLPHOT 2.0 crashed
    more = {"xytfile": f"{FORCED}.txt", **field.keep_all()}
    try:
        finished = field.run(FORCED, more)
        again, _ = placed(read_catalogue(finished.catalogue, catalogue.layout))
    except (StageError, EnvironmentProblem, InputError) as error:
        text = f"{', '.join(unseen)} could not be measured, nothing was found there: {error}"
        return catalogue, none, [*off, Caveat("dolphot_not_forced", text)]
    rows, caveats = {}, off
    for name, place in unseen.items():
        row = _nearest(again, place)
        if row is None:
            text = f"{name} could not be measured, nothing was found there: DOLPHOT measured "
            text += f"nothing at {place[0]:.1f}, {place[1]:.1f}"
            caveats.append(Caveat("dolphot_not_forced", text, name))
        else:
            rows[name] = row
    if not rows:
        return catalogue, none, caveats
    there = again.rows(np.array(list(rows.values())))
    lit = np.any([np.isfinite(image["counts"]) for image in there.images], axis=0)
    caveats += [
        Caveat("dolphot_no_light", f"{NO_LIGHT} at {name}", name)
        for name, light in zip(rows, lit, strict=True)
        if not light
    ]
    return joined(catalogue, there), [*none, *rows], caveats


def _unseen(
    field: Field, targets: dict[str, list[float]], stars: Any
) -> tuple[dict[str, tuple[float, float]], list[Caveat]]:
    """Return where the targets are that no star was found at, and caveats for those off it all."""
    import numpy as np

    from hst123r.products.dolphot.measurements import dolphot_positions

    ra, dec = (np.array([place[i] for place in targets.values()], float) for i in (0, 1))
    x, y = dolphot_positions(field.wcs, field.shape, ra, dec)
    unseen, off = {}, []
    for name, a, b in zip(targets, x, y, strict=True):
        if not (np.isfinite(a) and np.isfinite(b)):
            text = f"{name} is off the reference, {NOT_THERE}"
            off.append(Caveat("dolphot_target_off", text, name))
        elif not (np.hypot(*(stars - (a, b)).T) <= SAME_PIX).any():
            unseen[name] = float(a), float(b)
    return unseen, off


def _nearest(catalogue: Catalogue, place: tuple[float, float]) -> int | None:
    """Return the row of a place that was asked for; DOLPHOT sorts them by brightness."""
    import numpy as np

    x, y = catalogue.objects["x"], catalogue.objects["y"]
    distance = np.hypot(x - place[0], y - place[1])
    row = int(np.argmin(distance)) if distance.size else -1
    return None if row < 0 or distance[row] > SAME_PIX else row

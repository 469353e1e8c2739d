"""What is said of a reference: how visits were added to it, and how it was tied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hst123r.algorithms.proper_motion import UNKNOWN_MAS_YR
from hst123r.records.outcome import Caveat, Measurement, Quality

STANDSTILL_MAS: Final = 5.0
"""A tenth of a pixel of 50 mas: what an alignment may be uncertain by, `align.max_error`."""

if TYPE_CHECKING:
    from hst123r.sources.absolute import Tie, TieOptions
    from hst123r.sources.apart import GroupFrame, Part
    from hst123r.sources.chain_link import ChainOptions, Link


def of_links(
    links: Sequence[Link], options: ChainOptions
) -> tuple[list[Measurement], list[Caveat]]:
    """Return what was measured of the visits that were to be added.

    Parameters
    ----------
    links : sequence of Link
        What became of them.
    options : ChainOptions
        The limits; a visit outside of them was not added.

    Returns
    -------
    list of Measurement, list of Caveat
        With the visits' names as subjects; a caveat for each that was not added, or whose stars
        may have moved since the reference was observed.
    """
    fails = Quality.CAVEAT
    measured: list[Measurement] = []
    for link in links:
        rms = math.hypot(*link.rms_mas) / math.sqrt(2.0)
        limit, subject = options.max_error_mas, link.label
        measured += [
            Measurement(
                "chain_matches", link.matches, low=options.min_matches, fails=fails, subject=subject
            ),
            Measurement("chain_rms", rms, "mas", subject=subject),
            Measurement(
                "chain_error", link.error_mas, "mas", high=limit, fails=fails, subject=subject
            ),
            Measurement("chain_links", link.links, subject=subject),
            Measurement("chain_added", link.added, subject=subject),
            Measurement("chain_moved_east", link.moved_arcsec[0], "arcsec", subject=subject),
            Measurement("chain_moved_north", link.moved_arcsec[1], "arcsec", subject=subject),
        ]
    caveats = [
        Caveat("not_linked", f"not tied to the reference: {_reason(link)}", link.label)
        for link in links
        if link.why_not
    ]
    return measured, caveats + [_of_motion(link) for link in links if _may_have_moved(link)]


def _reason(link: Link) -> str:
    return f"{link.why_not}; {link.instead}" if link.instead else link.why_not


def _may_have_moved(link: Link) -> bool:
    """Whether a motion is not known of a visit that was added, for the years between."""
    moved_mas = UNKNOWN_MAS_YR * abs(link.years)
    return not link.why_not and moved_mas > STANDSTILL_MAS and link.carried < link.stars


def _of_motion(link: Link) -> Caveat:
    """Return what is to be said of stars that may have moved since."""
    years = abs(link.years)
    when = "after" if link.years > 0 else "before"
    known = f"of {link.carried or 'none'} of its {link.stars} stars it is known how they move"
    return Caveat(
        "moved_since",
        f"observed {years:.1f} years {when} the reference, and {known}; one at "
        f"{UNKNOWN_MAS_YR:g} mas a year moves by {UNKNOWN_MAS_YR * years:.0f} mas in between",
        link.label,
    )


def of_group(part: Part, frame: GroupFrame, least: int) -> tuple[list[Measurement], list[Caveat]]:
    """Return what is to be said of a group that nothing connects with the reference.

    Parameters
    ----------
    part : Part
        The group.
    frame : GroupFrame
        How its frame stands to that of the reference.
    least : int
        Fewest stars.

    Returns
    -------
    list of Measurement, list of Caveat
        The number of its stars, with the group as subject and never bad; a caveat for each of its
        exposures.
    """
    fails = Quality.CAVEAT
    count = Measurement(
        "group_stars", int(part.catalogue.ra_deg.size), low=least, fails=fails, subject=part.subject
    )
    told = f"does not overlap the reference and belongs to {part.subject}"
    if part.why_apart:
        told = f"belongs to {part.subject}, as {part.why_apart}"
    if frame.why_not:
        code, text = (
            "not_connected",
            f"tied among themselves, not to the reference: {frame.why_not}",
        )
    else:
        code = "absolute_only"
        text = f"tied to the reference through {frame.frame} alone"
    caveats = [
        Caveat(code, f"{root} {told}, whose exposures are {text}", root) for root in part.members
    ]
    if len(part.exposures) == 1:
        text = f"{part.label} has one exposure, so cosmic rays can be in the catalogue"
        caveats.append(Caveat("single_exposure", text, part.subject))
    return [count], caveats


def of_tie(tied: Tie, options: TieOptions, subject: str = "") -> list[Measurement]:
    """Return what was measured of a tie; what is outside the limits was not done.

    Parameters
    ----------
    tied : Tie
        What became of the frame.
    options : TieOptions
        The limits.
    subject : str
        The group; empty for the reference.

    Returns
    -------
    list of Measurement
        None of them bad: exposures agree among themselves all the same.
    """
    fails = Quality.CAVEAT
    away = math.hypot(*tied.moved_arcsec)
    limited: list[tuple[str, float, str, float]] = [
        ("absolute_chi", tied.chi, "", options.max_chi),
        ("absolute_error", tied.error_mas, "mas", options.max_error_mas),
        ("absolute_distance", away, "arcsec", options.max_move_arcsec),
        ("absolute_rotation", abs(tied.rotation_deg), "deg", options.max_rotation_deg),
    ]
    found = [
        Measurement("absolute_matches", tied.matches, low=options.min_matches, fails=fails),
        *(Measurement(name, v, unit, high=high, fails=fails) for name, v, unit, high in limited),
        Measurement("absolute_rms_east", tied.rms_mas[0], "mas"),
        Measurement("absolute_rms_north", tied.rms_mas[1], "mas"),
        Measurement("absolute_moved_east", tied.moved_arcsec[0], "arcsec"),
        Measurement("absolute_moved_north", tied.moved_arcsec[1], "arcsec"),
    ]
    return [replace(item, subject=subject) for item in found]

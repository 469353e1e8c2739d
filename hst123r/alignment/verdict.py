"""Whether the alignment of an exposure can be trusted: measurements with limits, and caveats."""

from __future__ import annotations

from collections.abc import Sequence

from hst123r.alignment.solution import Agreement, Attempt, Solution
from hst123r.alignment.visit import Visit
from hst123r.records.outcome import Caveat, Measurement, Quality
from hst123r.sources.alignment import SIGNIFICANT


def measurements(
    visit: Visit, root: str, solution: Solution, moved_arcsec: tuple[float, float]
) -> list[Measurement]:
    """Return what was measured of an exposure, with limits unless nothing was to be fitted.

    Parameters
    ----------
    visit : Visit
        Its visit.
    root : str
        Its root name.
    solution : Solution
        What became of it.
    moved_arcsec : (float, float)
        How far its middle moved, towards east and north.

    Returns
    -------
    list of Measurement
        All about this exposure.
    """
    params, scale, residual = visit.params, visit.scale_arcsec * 1000, solution.residual
    gated = params.method != "none"
    error = params.max_error.to("pix") * scale if gated else None
    last = solution.attempts[-1] if gated else None
    least = last.min_matches if last and not solution.is_shared else None
    # stars that siblings stand in for cannot be asked for; those that are there count
    asked = gated and not (solution.is_shared and not residual.pairs)
    rms = params.max_rms.to("pix") * scale if asked else None
    found = [
        Measurement("matches", residual.pairs, low=least, subject=root),
        Measurement("residual_rms_east", residual.rms_mas[0], "mas", high=rms, subject=root),
        Measurement("residual_rms_north", residual.rms_mas[1], "mas", high=rms, subject=root),
        Measurement("residual_rms", residual.rms_pix, "pix", subject=root),
        Measurement("solution_error", solution.solution_error_mas, "mas", high=error, subject=root),
        Measurement("offset_left", residual.offset_mas, "mas", subject=root),
        Measurement("moved_east", moved_arcsec[0], "arcsec", subject=root),
        Measurement("moved_north", moved_arcsec[1], "arcsec", subject=root),
        Measurement("detected_stars", residual.stars, low=3, fails=Quality.CAVEAT, subject=root),
    ]
    if last and last.exposures > 1 and not solution.donor:
        low = last.min_matches
        found.append(Measurement("visit_matches", last.matches, low=low, subject=root))
    links, shared = visit.reference.chain_of(solution.reference_rows)
    if links:
        found.append(Measurement("links", links, subject=root))
    if shared:
        # the fit itself is as good as any, so what its frame may be off by is not bad
        found.append(
            Measurement(
                "frame_error", shared * 1000, "mas",
                high=error, fails=Quality.CAVEAT, subject=root,
            )
        )  # fmt: skip
    if solution.check is not None and solution.check.size:
        left = residual.rms_of(solution.check)
        found.append(Measurement("check_rms", left, "mas", high=rms, subject=root))
    return found


def of_group(visit: Visit, number: int) -> list[Measurement]:
    """Return the group of the catalogue that an exposure lies on.

    Parameters
    ----------
    visit : Visit
        Its visit.
    number : int
        Which exposure.

    Returns
    -------
    list of Measurement
        None where it is the reference itself, or what was added to that.
    """
    group = visit.groups[number]
    return [Measurement("group", group, subject=visit.exposures[number].root)] if group else []


def is_good(visit: Visit, solution: Solution) -> bool:
    """Return whether all that was measured of a solution is within the limits of the recipe.

    Parameters
    ----------
    visit : Visit
        The visit.
    solution : Solution
        That of one of its exposures.

    Returns
    -------
    bool
        Others may be tied to it only then.
    """
    found = measurements(visit, "", solution, (0.0, 0.0))
    return all(item.quality is not Quality.BAD for item in found)


def against_sibling(visit: Visit, root: str, agreement: Agreement) -> list[Measurement]:
    """Return how an exposure differs from a sibling, with limits where that was measured.

    Parameters
    ----------
    visit : Visit
        Their visit.
    root : str
        Root name of the exposure.
    agreement : Agreement
        What was found.

    Returns
    -------
    list of Measurement
        Matches alone where the two have no stars in common.
    """
    params, scale = visit.params, visit.scale_arcsec * 1000
    found = [Measurement("sibling_matches", agreement.matches, subject=root)]
    if not agreement.matches:
        return found
    offset = turn = None
    if params.method != "none":
        noise = SIGNIFICANT * agreement.offset_error_mas
        offset = max(params.max_sibling_offset.to("pix") * scale, noise)
        noise = SIGNIFICANT * agreement.rotation_error_deg
        turn = max(params.max_sibling_rotation.to("deg"), noise)
    value, rotation = agreement.offset_mas, abs(agreement.rotation_deg)
    found.append(Measurement("sibling_offset", value, "mas", high=offset, subject=root))
    found.append(Measurement("sibling_rotation", rotation, "deg", high=turn, subject=root))
    return found


def agrees(visit: Visit, agreement: Agreement) -> bool:
    """Return whether an exposure differs from a sibling by no more than the recipe allows.

    Parameters
    ----------
    visit : Visit
        Their visit.
    agreement : Agreement
        What was found.

    Returns
    -------
    bool
        True where the two have no stars in common, which speaks against neither.
    """
    found = against_sibling(visit, "", agreement)
    return all(item.quality is not Quality.BAD for item in found)


def caveats(visit: Visit, solutions: Sequence[Solution]) -> list[Caveat]:
    """Return what a user of the visit should know.

    Parameters
    ----------
    visit : Visit
        The visit.
    solutions : sequence of Solution
        For every exposure.

    Returns
    -------
    list of Caveat
        One for every exposure whose own stars do not put it on the reference, and one for each
        that they put on a group whose frame is another.
    """
    if visit.params.method == "none":
        text = "exposures stand where their headers put them; nothing was fitted"
        return [Caveat("not_aligned", text)]
    told = []
    for number, (exposure, solution) in enumerate(zip(visit.exposures, solutions, strict=True)):
        told += _beside(visit, number) if solution.state != "failed" else []
        pairs = solution.residual.pairs
        own = f"{pairs} of its own stars confirm it" if pairs else "no star of its own confirms it"
        if solution.state == "sibling":
            text = f"tied to the stars of {solution.donor} of the same visit; {own}"
            told.append(Caveat("tied_to_sibling", text, exposure.root))
        elif solution.state == "inherited":
            text = f"too few stars for a fit, moved as {solution.donor} of the same visit; {own}"
            told.append(Caveat("inherited", text, exposure.root))
        elif solution.state == "failed":
            why = "; ".join(_short(attempt) for attempt in solution.attempts)
            text = f"not tied to the reference, stands where its header puts it: {why}"
            told.append(Caveat("not_tied", text, exposure.root))
        elif solution.is_shared and not pairs:
            text = (
                f"moved with the merged stars of {solution.attempts[-1].exposures} exposures; {own}"
            )
            told.append(Caveat("not_confirmed", text, exposure.root))
        elif solution.attempts[0].asked != solution.attempts[-1].asked:
            first, last = solution.attempts[0], solution.attempts[-1]
            text = (
                f"only {last.geometry} was fitted, to {last.matches} matches: {first.geometry} had "
                f"{first.matches} of the {first.min_matches} it needs"
            )
            told.append(Caveat("simpler_fit", text, exposure.root))
    return told


def _beside(visit: Visit, number: int) -> list[Caveat]:
    """Say that an exposure lies on a group that is not on the frame of the reference."""
    group = visit.groups[number]
    if not group or not visit.reference.groups[group - 1].why_not:
        return []
    why_not = visit.reference.groups[group - 1].why_not
    text = f"tied to group {group} of the catalogue, and that not to the reference: {why_not}"
    return [Caveat("not_connected", text, visit.exposures[number].root)]


def _short(attempt: Attempt) -> str:
    """Say what a try had of what it needs, and why it had no more."""
    whose = f" of {attempt.exposures} exposures together" if attempt.exposures > 1 else ""
    had = f"{attempt.matches} of the {attempt.min_matches} matches it needs"
    text = f"{attempt.geometry}{whose} had {had}"
    return f"{text}, {attempt.why_not}" if attempt.why_not else text

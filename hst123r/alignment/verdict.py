"""Whether the alignment of an exposure can be trusted: measurements with limits, and caveats."""

from __future__ import annotations

from hst123r.alignment.params import AlignParams
from hst123r.alignment.solve import Solution
from hst123r.alignment.visit import Visit
from hst123r.records.outcome import Caveat, Measurement, Quality


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
    rms = params.max_rms.to("pix") * scale if gated else None
    error = params.max_error.to("pix") * scale if gated else None
    least = params.min_matches if gated else None
    found = [
        Measurement("matches", residual.pairs, low=least, subject=root),
        Measurement("residual_rms_east", residual.rms_mas[0], "mas", high=rms, subject=root),
        Measurement("residual_rms_north", residual.rms_mas[1], "mas", high=rms, subject=root),
        Measurement("residual_rms", residual.rms_pix, "pix", subject=root),
        Measurement("solution_error", residual.error_mas, "mas", high=error, subject=root),
        Measurement("offset_left", residual.offset_mas, "mas", subject=root),
        Measurement("moved_east", moved_arcsec[0], "arcsec", subject=root),
        Measurement("moved_north", moved_arcsec[1], "arcsec", subject=root),
        Measurement("detected_stars", residual.stars, low=3, fails=Quality.CAVEAT, subject=root),
    ]
    if solution.check is not None and solution.check.size:
        left = residual.rms_of(solution.check)
        found.append(Measurement("check_rms", left, "mas", high=rms, subject=root))
    return found


def caveats(params: AlignParams) -> list[Caveat]:
    """Return what a user of the visit should know."""
    if params.method == "none":
        text = "exposures stand where their headers put them; nothing was fitted"
        return [Caveat("not_aligned", text)]
    return []

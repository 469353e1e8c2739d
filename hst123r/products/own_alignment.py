"""An exposure brought onto the reference by a fit of our own: its stars in, its headers changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import StageError
from hst123r.products.exposures import open_chips
from hst123r.products.wcs_cards import copy_wcs, write_wcs
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    from hst123r.algorithms.transform import PlaneTransform
    from hst123r.sources.alignment import Frame, Residual
    from hst123r.sources.corrections import Correction

FLOOR_PIX: Final = 0.005
"""What the places of bright stars are wrong by, whatever their noise: with weights of the noise
alone the few brightest decide, and their error is that of the PSF."""


def align_exposure(
    files: Mapping[str, str], exposure: Exposure, residual: Residual, frame: Frame
) -> Correction | None:
    """Fit the pairs of an exposure and correct the WCS in its files.

    Parameters
    ----------
    files : mapping of str to str
        Working copies by role; their headers are changed.
    exposure : Exposure
        Its record.
    residual : Residual
        Its pairs, by the WCS that is in the files.
    frame : Frame
        What is fitted.

    Returns
    -------
    Correction or None
        None, and nothing changed, where there are no pairs.

    Raises
    ------
    StageError
        If the WCS is none that tweakwcs can correct.
    """
    from hst123r.sources.corrections import fit_pairs

    if residual.pairing is None:
        return None
    found = fit_pairs(residual.pairing, frame.geometry, FLOOR_PIX * frame.scale_arcsec)
    steps = [(found.transform, residual.pairing.centre_deg)]
    move(files, exposure, steps, hint="Take `method: tweakreg` for it")
    return found


def move_alike(
    files: Mapping[str, str], exposure: Exposure, moved: tuple[str, str], donor: Exposure
) -> None:
    """Correct the WCS of an exposure as that of another one was.

    Parameters
    ----------
    files : mapping of str to str
        Working copies of the exposure by role; their headers are changed unless the other one
        did not move.
    exposure : Exposure
        Its record.
    moved : (str, str)
        Science file of the other exposure before and after.
    donor : Exposure
        The record of that.

    Raises
    ------
    StageError
        If the WCS is none that tweakwcs can correct.
    """
    from hst123r.products.wcs_cards import movement

    found = movement(*moved, donor)
    if found is None:
        return
    hint = f"Leave it out with `on_bad: exclude`, or align without {exposure.root}"
    move(files, exposure, [found], hint=hint)


def move(
    files: Mapping[str, str],
    exposure: Exposure,
    steps: Sequence[tuple[PlaneTransform, tuple[float, float]]],
    *,
    hint: str,
) -> None:
    """Correct the WCS of an exposure by some transformations, one after the other.

    Parameters
    ----------
    files : mapping of str to str
        Working copies by role; their headers are changed unless there is no step.
    exposure : Exposure
        Its record.
    steps : sequence of (PlaneTransform, (float, float))
        In arcsec on the tangent plane, and right ascension and declination of its tangent point
        in degrees.
    hint : str
        What to try where that cannot be done.

    Raises
    ------
    StageError
        If the WCS is none that tweakwcs can correct.
    """
    from hst123r.sources.corrections import correct

    if not steps:
        return
    new: Mapping[int, Any] = open_chips(files["science"], exposure)
    try:
        for transform, centre in steps:
            new = correct(new, transform, centre)
    except ValueError as error:
        raise StageError(
            f"the WCS of {exposure.root} cannot be corrected: {error}", hint=hint
        ) from error
    write_wcs(files["science"], new)
    if "dq" in files:
        copy_wcs(files["science"], files["dq"])

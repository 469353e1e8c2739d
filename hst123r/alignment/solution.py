"""What became of an exposure, and how it stands against its siblings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.sources.alignment import Residual


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to put an exposure on the reference, with what it was made with.

    Parameters
    ----------
    geometry : str
        What was fitted.
    min_matches : int
        How many matches were asked for.
    search_pix, tolerance_pix : float
        How far stars might be from where the header puts them, and how well agree then.
    matches : int
        How many there were.
    why_not : str
        Why there were none.
    exposures : int
        How many exposures had their stars merged for it.
    """

    geometry: str
    min_matches: int
    search_pix: float
    tolerance_pix: float
    matches: int
    why_not: str = ""
    exposures: int = 1

    @property
    def asked(self) -> tuple[str, int]:
        """What was fitted, and how many matches that takes."""
        return self.geometry, self.min_matches


@dataclass(frozen=True, eq=False)
class Solution:
    """What became of an exposure.

    Parameters
    ----------
    state : str
        ``none``, nothing was to be fitted; ``kept``, it was right; ``visit``, moved by a fit of
        the merged stars of its visit; ``sibling``, tied to the stars of another exposure of the
        visit; ``inherited``, moved as another exposure of the visit was; ``failed``; or the method.
    residual : Residual
        How it stands now.
    check : ndarray of int64, optional
        Rows of its stars that were left out of the fit, to check it.
    donor : str
        Root name of the exposure of the visit that it was tied to or moved as.
    error_mas : float, optional
        Standard error of the solution where it is not that of the residual.
    attempts : tuple of Attempt
        All tries to put it on the reference, in turn.
    rows : ndarray of int64, optional
        Rows of the catalogue it stands by where these are not those of its own stars.
    """

    state: str
    residual: Residual
    check: NDArray[np.int64] | None = None
    donor: str = ""
    error_mas: float | None = None
    attempts: tuple[Attempt, ...] = ()
    rows: NDArray[np.int64] | None = None

    @property
    def reference_rows(self) -> NDArray[np.int64]:
        """Rows of the catalogue whose stars put it where it is, its own or others'."""
        return self.residual.reference if self.rows is None else self.rows

    @property
    def is_fitted(self) -> bool:
        """Whether stars put it on the reference, its own or those of its visit together."""
        return self.state not in {"none", "failed", "sibling", "inherited"}

    @property
    def is_shared(self) -> bool:
        """Whether it stands by more than its own stars, which may be too few for a match."""
        return bool(self.donor) or bool(self.attempts and self.attempts[-1].exposures > 1)

    @property
    def solution_error_mas(self) -> float:
        """Standard error of the solution at the edge of the frame, NaN without one."""
        return self.residual.error_mas if self.error_mas is None else self.error_mas


@dataclass(frozen=True, slots=True)
class Agreement:
    """An exposure against another one of its visit, each by its WCS as it is now.

    Parameters
    ----------
    sibling : str
        Root name of the other one.
    matches : int
        Stars that both have.
    offset_mas, offset_error_mas : float
        Length of the mean difference, and its standard error; NaN without matches.
    rotation_deg, rotation_error_deg : float
        Rotation between them, and its standard error; NaN without matches.
    """

    sibling: str
    matches: int
    offset_mas: float
    offset_error_mas: float
    rotation_deg: float
    rotation_error_deg: float

"""The methods of alignment behind one interface, one module each, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from hst123r.alignment import jhat, own_fit, tweakreg
from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.sources.alignment import Residual


class Method(Protocol):
    """Fits exposures of a visit to its reference."""

    def __call__(
        self, visit: Visit, moving: Mapping[int, Residual]
    ) -> dict[int, NDArray[np.int64]]:
        """Correct the WCS in the working copies of some exposures.

        Whether the fits are right is not for the method to say: all exposures are compared with
        the reference afterwards, whoever fitted them.

        Parameters
        ----------
        visit : Visit
            The visit; its exposures' stars, and the catalogue.
        moving : mapping of int to Residual
            The exposures to fit by number, each as it stands before.

        Returns
        -------
        dict of int to ndarray of int64
            Exposures that were fitted, each with the rows of its stars that were left out of
            the fit to check it, empty where the method leaves out none. Exposures that are
            not named are as they were, names of their WCS included.

        Raises
        ------
        StageError
            If the method itself failed.
        """


METHODS: Final[Mapping[str, Method]] = {
    "tweakwcs": own_fit.align,
    "tweakreg": tweakreg.align,
    "jhat": jhat.align,
}
"""By the name in recipes; ``none`` is none of them."""

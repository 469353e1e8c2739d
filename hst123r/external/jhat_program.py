"""What runs in the environment of JHAT: one exposure, one catalogue, no network.

A program of its own, because JHAT brings the pipeline of another telescope with it. It is started
by path in a private folder and imports nothing of hst123r. It reads `order.json` and leaves
`answer.json`, with what JHAT said if it gave up.
"""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""
ORDER: Final = "order.json"
ANSWER: Final = "answer.json"
SOLVED: Final = "solved"
ENCIRCLED: Final = 0.85
"""Share of the light within the aperture. JHAT fetches a table of it from the web for its
magnitudes, which decide nothing here: the catalogue is matched by place."""


def block_network() -> None:
    """Let nothing in this process reach another machine."""

    def refuse(*arguments: Any, **keywords: Any) -> NoReturn:
        del arguments, keywords
        raise OSError("hst123r runs JHAT without a network")

    for holder, name in (
        (socket, "getaddrinfo"),
        (socket, "create_connection"),
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket.socket, "sendto"),
    ):
        setattr(holder, name, refuse)


def align(order: dict[str, Any]) -> dict[str, Any]:
    """Align an exposure.

    Parameters
    ----------
    order : dict
        ``science``, ``catalogue`` (columns ra, dec, mag) and what
        :class:`hst123r.external.jhat.Settings` holds.

    Returns
    -------
    dict
        ``solved``, the file that JHAT made, or ``error``, what it said.
    """
    import jhat
    import numpy as np
    from jhat import simple_jwst_phot

    # the only thing that it looks up on the web without being asked
    simple_jwst_phot.hst_get_ee_corr = lambda *_: np.array([ENCIRCLED])
    try:
        jhat.st_wcs_align().run_all(
            order["science"],
            telescope="hst",
            outsubdir=SOLVED,
            overwrite=True,
            refcatname=order["catalogue"],
            refcat_racol="ra",
            refcat_deccol="dec",
            refcat_magcol="mag",
            use_dq=False,
            d2d_max=order["search_arcsec"],
            SNR_min=order["min_snr"],
            find_stars_threshold=order["threshold_sigma"],
            Nbright=order["brightest"],
            sharpness_lim=order["sharpness"],
            roundness1_lim=order["roundness"],
            iterate_with_xyshifts=True,
            showplots=0,
            saveplots=0,
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, hst123r says it to the user)
        import traceback

        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}
    return {"solved": str(next(iter(Path(SOLVED).glob("*_jhat.fits")), ""))}


def main() -> None:
    """Do what is ordered; die with the job, however that is killed."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    block_network()
    order = json.loads(Path(ORDER).read_text(encoding="utf-8"))
    Path(ANSWER).write_text(json.dumps(align(order)), encoding="utf-8")


if __name__ == "__main__":
    main()

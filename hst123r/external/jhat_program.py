"""What runs in the environment of JHAT: one exposure with its stars, one catalogue, no network.

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
MEASURED: Final = "phot.txt"
"""End of the name under which JHAT keeps the stars that it has measured, and finds them again."""


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
        ``science``; ``catalogue`` with the columns ra, dec and mag; ``stars`` with x, y, ra, dec,
        mag and dmag; and ``search_arcsec``.

    Returns
    -------
    dict
        ``solved``, the file that JHAT made, or ``error``, what it said.
    """
    import jhat
    from jhat import simple_jwst_phot

    _on_the_stack(simple_jwst_phot.hst_photclass)
    place = Path(SOLVED)
    place.mkdir()
    root = Path(order["science"]).stem.rpartition("_")[0]
    Path(order["stars"]).replace(place / f"{root}.{MEASURED}")
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
            # our stars stand where it would look for its own of an earlier time
            load_photcat_if_exists=True,
            rematch_refcat=True,
            d2d_max=order["search_arcsec"],
            iterate_with_xyshifts=True,
            showplots=0,
            saveplots=0,
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, hst123r says it to the user)
        import traceback

        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}
    return {"solved": str(next(iter(Path(SOLVED).glob("*_jhat.fits")), ""))}


def _on_the_stack(photometry: Any) -> None:
    """Have stars put on the stack that JHAT makes of an exposure with several chips.

    It takes all places to be on that, and nobody knows it before it is made.
    """
    load = photometry.load_image

    def load_image(self: Any, *arguments: Any, **keywords: Any) -> Any:
        found = load(self, *arguments, **keywords)
        if self.do_driz:
            stars = self.t
            stars["x"], stars["y"] = self.sci_wcs.all_world2pix(stars["ra"], stars["dec"], 0)
        return found

    photometry.load_image = load_image


def main() -> None:
    """Do what is ordered; die with the job, however that is killed."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    block_network()
    order = json.loads(Path(ORDER).read_text(encoding="utf-8"))
    Path(ANSWER).write_text(json.dumps(align(order)), encoding="utf-8")


if __name__ == "__main__":
    main()

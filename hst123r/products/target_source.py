"""The source of a target: which of those that were measured it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.table import Table


@dataclass(frozen=True, slots=True)
class Found:
    """The source of a target.

    Parameters
    ----------
    source : int
        Its number.
    ra_deg, dec_deg : float
        Its position in the frame of the reference.
    separation_arcsec : float
        How far from the target.
    detected : bool
        Whether it was found in a stack; otherwise fluxes are forced at the target's position.
    others : int
        Number of other detected sources within the radius.
    """

    source: int
    ra_deg: float
    dec_deg: float
    separation_arcsec: float
    detected: bool
    others: int

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return asdict(self)


def find_sources(
    sources: Table, ra_deg: float, dec_deg: float, radius_arcsec: float, which: str, target: str
) -> list[Found]:
    """Choose the sources of a target: one, or for ``all`` every detected one within the radius.

    Parameters
    ----------
    sources, ra_deg, dec_deg, radius_arcsec, target
        As for :func:`find_source`.
    which : str
        ``all``, or as for :func:`find_source`.

    Returns
    -------
    list of Found
        The nearest first; for ``all`` the target itself where there is none; empty where not even
        that was measured.
    """
    import numpy as np

    from hst123r.algorithms.sphere import separation_arcsec

    rest = ra_deg, dec_deg, radius_arcsec
    if which != "all":
        one = find_source(sources, *rest, which, target)
        return [] if one is None else [one]
    distance = separation_arcsec(
        ra_deg, dec_deg, np.asarray(sources["ra"]), np.asarray(sources["dec"])
    )
    detected = np.array([str(name) == "" for name in sources["target"]], np.bool_)
    near = np.flatnonzero((distance <= radius_arcsec) & detected)
    if near.size == 0:
        one = find_source(sources, *rest, "target", target)
        return [] if one is None else [one]
    return [
        Found(
            source=int(sources["source"][row]),
            ra_deg=float(sources["ra"][row]),
            dec_deg=float(sources["dec"][row]),
            separation_arcsec=float(distance[row]),
            detected=True,
            others=int(near.size) - 1,
        )
        for row in near[np.argsort(distance[near], kind="stable")]
    ]


def find_source(
    sources: Table, ra_deg: float, dec_deg: float, radius_arcsec: float, which: str, target: str
) -> Found | None:
    """Choose the source of a target.

    Parameters
    ----------
    sources : Table
        Sources of the field, with targets that nothing was found at.
    ra_deg, dec_deg : float
        Position of the target.
    radius_arcsec : float
        How far the source may be.
    which : str
        ``nearest``, ``brightest`` or ``target``.
    target : str
        Name of the target.

    Returns
    -------
    Found or None
        None where neither a source nor the target itself was measured.
    """
    import numpy as np

    from hst123r.algorithms.sphere import separation_arcsec

    distance = separation_arcsec(
        ra_deg, dec_deg, np.asarray(sources["ra"]), np.asarray(sources["dec"])
    )
    names = np.array([str(name) for name in sources["target"]])
    near = np.flatnonzero((distance <= radius_arcsec) & (names == ""))
    row: int | None = None
    if near.size and which != "target":
        snr = np.asarray(sources["snr"])
        row = int(
            near[np.argmax(snr[near])] if which == "brightest" else near[np.argmin(distance[near])]
        )
    else:
        # the target's own row; where a detection stands on the target there is none
        own = np.flatnonzero(names == target)
        if own.size:
            row = int(own[0])
        elif near.size:
            row = int(near[np.argmin(distance[near])])
    if row is None:
        return None
    detected = bool(names[row] == "")
    return Found(
        source=int(sources["source"][row]),
        ra_deg=float(sources["ra"][row]),
        dec_deg=float(sources["dec"][row]),
        separation_arcsec=float(distance[row]),
        detected=detected,
        others=int(near.size) - int(detected and row in near),
    )

"""Where an object of a name is: asked of MAST, which asks SIMBAD, NED and others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from hst123r.archives.endpoints import Endpoints
from hst123r.archives.patience import Patience, Stop
from hst123r.archives.replies import Replies
from hst123r.errors import ArchiveError, InputError
from hst123r.records.position import SkyPosition

SERVICE: Final = "Mast.Name.Lookup"
SAME_ARCSEC: Final = 5.0
"""Catalogues place one object that far apart: M 101 differs by 0.8 arcsec between SIMBAD and NED,
and galaxies with no sharp centre by more. Further apart they mean two objects."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a name was found.

    Parameters
    ----------
    asked : str
        The name that was looked up.
    position : SkyPosition
        Where.
    service : str
        Which catalogue knew it.
    called : str
        What it calls the object.
    """

    asked: str
    position: SkyPosition
    service: str
    called: str


def look_up(
    name: str, endpoints: Endpoints, replies: Replies, patience: Patience | None = None
) -> Resolved:
    """Look up a name.

    Parameters
    ----------
    name : str
        Name of an object: ``NGC 4993``, ``SN 2019yvr``.
    endpoints : Endpoints
        Addresses of MAST.
    replies : Replies
        Answers that are kept.
    patience : Patience, optional
        Limits of waiting.

    Returns
    -------
    Resolved
        Where it is.

    Raises
    ------
    InputError
        If nobody knows it, or it could be several.
    ArchiveError
        If MAST gives no answer.
    """
    question = {"service": "names", "name": name, "server": endpoints.server}
    (body,) = replies.get("names", question, lambda: [_ask(name, endpoints, patience)])
    found = [item for row in _rows(body, endpoints) if (item := _read(name, row)) is not None]
    if not found:
        raise InputError(
            f"nobody whom MAST asks knows {name!r}",
            where="targets",
            hint="Check the name, or give `position` in its place",
        )
    first, *others = found
    apart = [item for item in others if _distance_arcsec(first, item) > SAME_ARCSEC]
    if apart:
        told = "; ".join(
            f"{item.position.decimal} ({item.called}, {item.service})" for item in (first, *apart)
        )
        raise InputError(
            f"{name!r} could be any of several: {told}",
            where="targets",
            hint="Give the `position` of the one that is meant",
        )
    return first


def _ask(name: str, endpoints: Endpoints, patience: Patience | None) -> str:
    import requests

    from hst123r.archives.patient_adapter import PatientAdapter

    request = {"service": SERVICE, "params": {"input": name, "format": "json"}}
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, PatientAdapter(patience or Patience(), Stop()))
        try:
            response = session.post(endpoints.invoke, data={"request": json.dumps(request)})
        except requests.RequestException as error:
            raise ArchiveError(str(error), where=endpoints.server) from error
    if response.status_code != 200:
        text = f"the archive answered {response.status_code}"
        raise ArchiveError(text, where=endpoints.server, hint="Try again later")
    _rows(response.text, endpoints)
    return str(response.text)


def _rows(body: str, endpoints: Endpoints) -> list[dict[str, Any]]:
    """Return what was found; an answer without that list is none, and is not kept."""
    rows = json.loads(body).get("resolvedCoordinate")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ArchiveError(
            "the archive's answer about a name makes no sense",
            where=endpoints.server,
            hint="Try again later, or give `position`",
        )
    return rows


def _read(name: str, row: dict[str, Any]) -> Resolved | None:
    ra, dec = row.get("ra"), row.get("decl")
    if not isinstance(ra, int | float) or not isinstance(dec, int | float):
        return None
    if not 0 <= ra < 360 or not -90 <= dec <= 90:
        return None
    called = str(row.get("canonicalName") or name)
    return Resolved(name, SkyPosition(float(ra), float(dec)), str(row.get("resolver")), called)


def _distance_arcsec(one: Resolved, other: Resolved) -> float:
    from hst123r.archives.footprint import Footprint

    place = one.position
    point = Footprint(circles=((place.ra_deg, place.dec_deg, 0.0),))
    return point.distance_arcsec(other.position.ra_deg, other.position.dec_deg)

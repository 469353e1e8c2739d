"""What the services of the portal answer."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from loopback.sky import distance_arcsec

CONTINUOUS = {
    "s_ra", "s_dec", "t_min", "t_max", "t_exptime", "em_min", "em_max", "t_obs_release",
    "distance", "calib_level",
}  # fmt: skip
IDENTIFIERS = {"obsid", "objID", "obsID", "parent_obsid"}


def columns_config(rows):
    """Return the description of columns that the client asks for before its first query."""
    names = {name for row in rows for name in row}
    return {
        name: {"text": name, "vot.datatype": "double"}
        if name in CONTINUOUS
        else {"text": name, "vot.datatype": "char", "separator": ";"}
        for name in sorted(names)
    }


def invoke(body, holdings):
    """Answer one request of the portal.

    Parameters
    ----------
    body : str
        The form that was posted.
    holdings : Holdings
        What there is.

    Returns
    -------
    dict
        The reply.
    """
    request = json.loads(parse_qs(body)["request"][0])
    service, params = request["service"], request["params"]
    if service == "Mast.Name.Lookup":
        return {"resolvedCoordinate": holdings.names.get(params["input"].lower(), []), "status": ""}
    if service.startswith("Mast.Caom.Filtered"):
        rows = [row for row in holdings.observations if _matches(row, params["filters"])]
        if service.endswith("Position"):
            ra, dec, radius = map(float, params["position"].split(","))
            rows = [{**row, "distance": distance_arcsec(ra, dec, row["s_region"])} for row in rows]
            rows = [row for row in rows if row["distance"] <= radius * 3600]
    elif service == "Mast.Caom.Products":
        wanted = set(str(params["obsid"]).split(","))
        rows = [row for row in holdings.products if str(row["parent_obsid"]) in wanted]
    else:
        return {"status": "ERROR", "msg": f"no service {service}", "data": [], "fields": []}
    return page_of(rows, int(request["page"]), int(request["pagesize"]))


def page_of(rows, page, size):
    """Return one page of some rows as the portal does."""
    shown = rows[(page - 1) * size : page * size]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {
        "status": "COMPLETE", "msg": "",
        "data": [{name: row.get(name) for name in names} for row in shown],
        "fields": [{"name": name, "type": _type(name, rows)} for name in names],
        "paging": {"page": page, "pageSize": size, "pagesFiltered": max(1, -(-len(rows) // size)),
                   "rows": len(shown), "rowsFiltered": len(rows), "rowsTotal": len(rows)},
    }  # fmt: skip


def _type(name, rows):
    if name in IDENTIFIERS:
        return "string"
    values = [row.get(name) for row in rows if row.get(name) is not None]
    if values and isinstance(values[0], bool):
        return "boolean"
    if values and all(isinstance(value, int) for value in values):
        return "int"
    if values and all(isinstance(value, int | float) for value in values):
        return "float"
    return "string"


def _matches(row, filters):
    for entry in filters:
        value = row.get(entry["paramName"])
        for wanted in entry["values"]:
            if isinstance(wanted, dict):
                low, high = float(wanted["min"]), float(wanted["max"])
                if value is not None and low <= value <= high:
                    break
            elif str(value) == str(wanted):
                break
        else:
            return False
    return True

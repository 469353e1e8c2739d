"""MAST's search of one mission: columns, datasets around a place, products, and files.

Names, types and shapes are those of recorded replies about Hubble (in the tests of astroquery). A
place is searched around the aperture, and footprints are not known here.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from astropy.time import Time

from loopback.sky import distance_arcsec

ROOT = "/search/"
COLUMNS_OF = f"{ROOT}util/api/v0.1/column_list"
HST = f"{ROOT}hst/api/v0.1/"
COLUMNS = {
    "sci_data_set_name": ("VARCHAR", "string"), "sci_targname": ("VARCHAR", "string"),
    "sci_ra": ("FLOAT", "ra"), "sci_dec": ("FLOAT", "dec"), "sci_instrume": ("VARCHAR", "string"),
    "sci_spec_1234": ("VARCHAR", "string"), "sci_pep_id": ("INTEGER", "integer"),
    "sci_start_time": ("DATETIME", "datetime"), "sci_actual_duration": ("FLOAT", "float"),
    "sci_aec": ("VARCHAR", "string"), "sci_expflag": ("VARCHAR", "string"),
    "sci_status": ("VARCHAR", "string"),
}  # fmt: skip


def answer(handler, body):
    """Answer one request."""
    holdings = handler.archive.holdings
    parts = urlsplit(handler.path)
    asked = parse_qs(parts.query)
    if parts.path == COLUMNS_OF and asked["mission"] == ["hst"]:
        return handler.json([column(name) for name in COLUMNS])
    if parts.path == f"{HST}search":
        return _search(handler, rows_of(holdings), json.loads(body))
    if parts.path == f"{HST}post_list_products":
        wanted = set(json.loads(body)["dataset_ids"])
        rows = [product(row, holdings) for row in holdings.products]
        return handler.json({"products": [row for row in rows if row["dataset"] in wanted]})
    if parts.path == f"{HST}retrieve_product":
        name = asked["product_name"][0].rpartition("/")[2]
        return handler.file(f"mast:HST/product/{name}")
    return handler.send(404, b"{}")


def column(name):
    """Return the description of a column."""
    return {
        "field_name": name, "description": f"The column {name}    ", "column_name": name,
        "queryable": "yes", "qual_type": COLUMNS[name][1], "default_output": "yes",
        "indexed": "no", "datatype": "char",
    }  # fmt: skip


def rows_of(holdings):
    """Return one row for each exposure, as those of observations have it."""
    exposures = {(row["parent_obsid"], row["obs_id"]) for row in holdings.products}
    by_id = {row["obsid"]: row for row in holdings.observations}
    return [
        {
            "sci_data_set_name": root.upper(), "sci_targname": row["target_name"],
            "sci_ra": row["s_ra"], "sci_dec": row["s_dec"],
            # padded to six letters, as the real one does
            "sci_instrume": f"{row['instrument_name'].partition('/')[0]:<6}",
            "sci_spec_1234": row["filters"], "sci_pep_id": int(row["proposal_id"]),
            "sci_start_time": Time(row["t_min"], format="mjd").isot,
            "sci_actual_duration": row["t_exptime"], "sci_aec": row["intentType"][0].upper(),
            "sci_expflag": "NORMAL",
            "sci_status": "PUBLIC" if row["dataRights"] == "PUBLIC" else "PROPRIETARY",
        }
        for obsid, root in sorted(exposures)
        if (row := by_id.get(obsid)) is not None
    ]  # fmt: skip


def _search(handler, rows, asked):
    known = {*COLUMNS, "ang_sep"}
    for condition in asked.get("conditions", []):
        for name, text in condition.items():
            if name not in known:
                return handler.send(400, b'{"message": "unknown column"}')
            values = {value.strip() for value in str(text).split(",")}
            rows = [row for row in rows if str(row[name]).strip() in values]
    for place in asked.get("target", []):
        ra, dec = map(float, place.split())
        circles = [f"CIRCLE ICRS {row['sci_ra']} {row['sci_dec']} 0" for row in rows]
        rows = [
            {**row, "search_pos": place, "ang_sep": distance_arcsec(ra, dec, circle) / 60}
            for row, circle in zip(rows, circles, strict=True)
        ]
        rows = [row for row in rows if row["ang_sep"] * 60 <= asked["radius"]]
    names = asked.get("select_cols") or list(COLUMNS)
    begin = asked.get("offset", 0)
    shown = rows[begin : begin + asked["limit"]]
    return handler.json(
        {
            "messages": [], "search_params": asked, "totalResults": len(rows),
            "info": [{"name": name, "type": COLUMNS[name][0]} for name in names],
            "results": [
                {key: row[key] for key in (*names, "search_pos", "ang_sep") if key in row}
                for row in shown
            ],
        }
    )  # fmt: skip


def product(row, holdings):
    """Return a product as this service describes it."""
    name, dataset = row["productFilename"], row["obs_id"].upper()
    held = holdings.files.get(row["dataURI"])
    return {
        "product_key": f"{dataset}_{name}", "access": row["dataRights"], "dataset": dataset,
        "instrument_name": "ACS   ", "filters": row["filters"], "filename": name,
        "uri": f"{dataset}/{name}", "authz_primary_identifier": dataset,
        "authz_secondary_identifier": "CAL",
        "file_suffix": row["productSubGroupDescription"], "category": "CALIBRATED",
        "size": None if held is None else len(held.data), "type": "science",
    }  # fmt: skip

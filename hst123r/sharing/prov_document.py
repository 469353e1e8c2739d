"""A run as W3C PROV, through the package prov."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from hst123r.errors import EnvironmentProblem

NAME: Final = "prov.json"
NAMESPACE: Final = "urn:hst123r:"
INSTALL: Final = "Install it with `pip install 'hst123r[share]'`"


def document(extract: Mapping[str, Any]) -> dict[str, Any]:
    """Return PROV-JSON of a run: files are entities, jobs activities, hst123r the agent.

    Parameters
    ----------
    extract : mapping
        What the run rests on, see :func:`hst123r.provenance.extract.extract`.

    Returns
    -------
    dict
        PROV-JSON, the same for the same run.

    Raises
    ------
    EnvironmentProblem
        If prov is not installed.
    """
    try:
        from prov.model import ProvDocument
    except ImportError as error:
        raise EnvironmentProblem("the package prov is not installed", hint=INSTALL) from error

    made = ProvDocument()
    made.add_namespace("h", NAMESPACE)
    versions = extract["environment"]["packages"]
    made.agent("h:hst123r", {"prov:type": "prov:SoftwareAgent", "h:versions": _text(versions)})
    run = f"h:run/{extract['run']['uid']}"
    made.activity(run, extract["run"]["started"], extract["run"]["ended"])
    made.wasAssociatedWith(run, "h:hst123r")
    known: set[str] = set()

    def entity(path: str, digest: str | None, **more: str) -> str:
        # equal bytes at two places are two files
        name = f"h:file/{path}/{digest or 'unknown'}"
        if name not in known:
            known.add(name)
            made.entity(name, {"prov:label": path, "h:digest": digest or "", **more})
        return name

    for job in extract["jobs"]:
        activity = f"h:job/{job['stage']}/{job['label']}"
        parts = {
            f"h:{part['name']}": str(part["value"])
            for part in job["parts"]
            if part["kind"] == "param"
        }
        made.activity(activity, other_attributes={"h:key": job["key"] or "", **parts})
        made.wasInformedBy(activity, run)
        uris = {item["sha256"]: item["uri"] for item in job["downloads"] if item["sha256"]}
        for item in job["inputs"]:
            if item["path"] is not None:
                made.used(activity, entity(item["path"], item["digest"]))
        for product in job["products"]:
            for file in product["files"]:
                if not file["owned"]:
                    continue
                uri = uris.get(file["sha256"])
                more = {"h:uri": uri} if uri else {}
                name = entity(file["path"], file["digest"], **more)
                made.wasGeneratedBy(name, activity)
    text = made.serialize(format="json")
    plain: dict[str, Any] = json.loads(text)
    return plain


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

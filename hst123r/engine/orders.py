"""What a worker is told to do, from a plan that may be hours old by then."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from hst123r.engine.decide import differences
from hst123r.engine.handover import Order
from hst123r.engine.keys import Identities, build_key
from hst123r.engine.planned import Planned
from hst123r.files.content import Signature
from hst123r.provenance.contents import Known
from hst123r.provenance.rows import InputRow
from hst123r.stage import registry


def order_of(
    planned: Planned,
    job_id: int,
    home: Path,
    stamps: dict[str, str],
    signatures: dict[str, Signature | None],
    *,
    offline: bool,
    cores: int,
) -> Order:
    """Write down a job for a worker.

    Parameters
    ----------
    planned : Planned
        The job.
    job_id : int
        Row of the attempt.
    home : Path
        Folder its products are published in.
    stamps : dict of str to str
        Header stamps of its products.
    signatures : dict of str to Signature or None
        Its input files, taken before they were compared with the key.
    offline : bool
        Whether sockets are forbidden.
    cores : int
        How many it may use.

    Returns
    -------
    Order
        With everything the worker needs.
    """
    key = planned.key
    return Order(
        job_id=job_id,
        stage=planned.instance.name,
        handler=planned.stage.name,
        job=planned.job,
        values=planned.resolved.values,
        home=str(home),
        stamps=stamps if planned.stage.stamped else {},
        cores=cores,
        offline=offline,
        key=key.digest,
        parts=key.parts,
        inputs=key.inputs,
        signatures=signatures,
    )


def row_of(planned: Planned, run_id: int) -> dict[str, Any]:
    """Return the row of a new attempt at a job."""
    return {
        "run_id": run_id,
        "stage": planned.instance.name,
        "handler": planned.stage.name,
        "label": planned.job.label,
        "labels": planned.job.labels,
        "version": planned.stage.version,
        "reasons": [[reason.code.value, reason.text] for reason in planned.decision.reasons],
        "handler_digest": _handler_digest(planned.stage.name),
    }


def renew(planned: Planned, identities: Identities) -> str:
    """Compare what a job is about to read with what its key says, and renew the key.

    A user's file may change while the job waits: the job then reads it as it is now, and its key
    says so. A product that somebody changed is no result of the job that made it, so nothing is
    made from it.

    Parameters
    ----------
    planned : Planned
        The job; its key and the reasons to run it are brought up to date.
    identities : Identities
        Contents of files.

    Returns
    -------
    str
        Why the job cannot run, empty when it can.
    """
    changed = False
    for row in planned.key.inputs:
        if row.path is None or row.content_id is None:
            continue
        now = identities.contents.look(row.path)
        shown = identities.contents.relative(row.path)
        if now is None:
            return f"{shown} is not there any more. Run again, and it is looked for or made anew"
        if now.id == row.content_id:
            continue
        if identities.made(row.path):
            what = _facets(row, now)
            if what:
                return f"{shown} was changed after it was made ({what}). Run again to make it anew"
            identities.renew(row.path, now)
        changed = True
    if changed:
        before = planned.key
        planned.key = build_key(
            planned.stage, planned.job, planned.resolved, identities, planned.varied, read=True
        )
        said = {reason.text for reason in planned.decision.reasons}
        planned.decision.reasons += [
            reason
            for reason in differences(planned.key.parts, before.parts)
            if reason.text not in said
        ]
    return ""


def _facets(row: InputRow, now: Known) -> str:
    """Name the facets in which a file differs from what a job was to read."""
    return ", ".join(name for name, then in row.identity.items() if now.facet(name) != then)


@cache
def _handler_digest(stage: str) -> str:
    """Digest of a stage's source, recorded for information; it decides nothing."""
    source = Path(registry.__file__).parent.parent / "stages" / f"{stage}.py"
    return f"sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}"

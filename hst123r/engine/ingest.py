"""Taking in what a worker left: publish by rename, then say `done`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.engine.handover import OUT, Order, Result
from hst123r.engine.keys import key_digest
from hst123r.engine.unknown import put_unknown_aside
from hst123r.errors import STAGE_FAILED, StageError
from hst123r.files.content import Content, Signature
from hst123r.files.publish import machine_errors, make_folder, sync
from hst123r.provenance.adopted import CODE, STAGE
from hst123r.provenance.contents import Known
from hst123r.provenance.rows import InputRow, Made, Part, product_quality
from hst123r.provenance.store import Store
from hst123r.records.outcome import Caveat, Outcome, Quality


@dataclass(slots=True)
class Taken:
    """A result that has been taken in.

    Parameters
    ----------
    made : list of Made
        Products with final paths and contents; empty for a failure.
    quality : Quality or None
        Verdict; None for a failure.
    error : str
        Why it failed, empty for success.
    exit_code : int
        What a failure ends the run with.
    """

    made: list[Made]
    quality: Quality | None
    error: str = ""
    exit_code: int = 0


def take_in(
    store: Store,
    order: Order,
    result: Result,
    folder: Path,
    usage: dict[str, Any],
    *,
    again: bool = False,
) -> Taken:
    """Take in a worker's result.

    Parameters
    ----------
    store : Store
        The store.
    order : Order
        What the worker was told.
    result : Result
        What it answered.
    folder : Path
        The attempt's scratch directory.
    usage : dict
        ``cpu_seconds`` and ``peak_memory_mb``.
    again : bool
        Whether a part may have been published before a crash; the caller has compared every file
        with the result.

    Returns
    -------
    Taken
        The products, or the failure.

    Raises
    ------
    EnvironmentProblem
        If the machine refuses to publish (disk full, permission).
    """
    if result.outcome is None:
        return fail(store, order.job_id, result.error, usage)
    changed = [path for path, then in order.signatures.items() if Signature.of(path) != then]
    if changed:
        names = ", ".join(store.contents.relative(path) for path in changed)
        text = f"input changed while the job ran: {names}. Run again when nothing writes to it"
        error = {"error_kind": StageError.__name__, "error": text, "exit_code": STAGE_FAILED}
        return fail(store, order.job_id, error, usage)
    # what was made elsewhere and read here is told with the result, whatever the stage says
    told = [Caveat(CODE, text) for text in order.job.notes.get(STAGE, [])]
    result.outcome.caveats += [item for item in told if item not in result.outcome.caveats]
    stale = _stale_files(store, order, result)
    # after a crash some may be in their places, and no store knows that yet
    waiting = [final for name, final in result.moves.items() if (folder / OUT / name).exists()]
    put_unknown_aside(store, order.job_id, waiting)
    _publish(result, folder, again=again)
    with store.transaction():
        if order.key is None:
            _describe_late(store, order, result)
        files = _contents(store, result)
        store.jobs.finish(order.job_id, result.outcome, files, usage)
        for path in result.contents:
            signature = Signature.of(path)
            known = files[path]
            if signature is not None and isinstance(known, Content):
                store.contents.remember(path, signature, store.contents.add(known))
        store.contents.flush()
    _remove(stale)
    return Taken(_made(store, order.job_id, result.outcome), result.outcome.quality)


def fail(store: Store, job_id: int, error: dict[str, Any], usage: dict[str, Any]) -> Taken:
    """Record a failure.

    Parameters
    ----------
    store : Store
        The store.
    job_id : int
        Row of the attempt.
    error : dict
        ``error_kind``, ``error``, ``exit_code``.
    usage : dict
        ``cpu_seconds`` and ``peak_memory_mb``.

    Returns
    -------
    Taken
        The failure.
    """
    with store.transaction():
        store.jobs.fail(job_id, "failed", error, usage)
    return Taken([], None, error["error"], error["exit_code"])


def _publish(result: Result, folder: Path, *, again: bool) -> None:
    homes = set()
    for name, final in result.moves.items():
        destination = Path(final)
        source = folder / OUT / name
        with machine_errors("publish a product", destination):
            make_folder(destination.parent)
            if source.exists() or not again:
                source.replace(destination)
            homes.add(destination.parent)
    for home in homes:
        sync(home)


def _stale_files(store: Store, order: Order, result: Result) -> list[str]:
    """Files that earlier attempts at the job made and this one did not make again.

    One that another job made since, e.g. under a new name of the stage, is not ours any more.
    """
    rows = store.db.execute(
        """
        with mine as
            (select f.path, max(j.id) as job from product_file f
             join product p on p.id = f.product_id join job j on j.id = p.job_id
             where f.owned = 1 and j.stage = :stage and j.label = :label and j.id < :job
             group by f.path)
        select mine.path from mine where not exists
            (select 1 from product_file f join product p on p.id = f.product_id
             join job j on j.id = p.job_id
             where f.path = mine.path and f.owned = 1 and j.id > mine.job and j.state = 'done'
               and (j.stage != :stage or j.label != :label))
        """,
        {"stage": order.stage, "label": order.job.label, "job": order.job_id},
    )
    paths = (store.contents.absolute(row[0]) for row in rows)
    return [path for path in paths if path not in result.contents]


def _remove(paths: list[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)


def _contents(store: Store, result: Result) -> dict[str, Content | Known]:
    files: dict[str, Content | Known] = dict(result.contents)
    if result.outcome is None:
        return files
    for product in result.outcome.products:
        for path in product.files.values():
            if path not in files:
                known = store.contents.look(path)
                if known is None:
                    raise StageError(f"a product refers to a file that is not there: {path}")
                files[path] = known
    return files


def _describe_late(store: Store, order: Order, result: Result) -> None:
    """Complete the key of a job whose inputs nobody had looked at before it ran."""
    rows = []
    for row in order.inputs:
        if row.path is None or row.content_id is not None:
            rows.append(row)
            continue
        looked = result.looked.get(row.path)
        signature = order.signatures.get(row.path)
        known = store.contents.add(looked) if looked else store.contents.look(row.path)
        if known is None:
            raise StageError(f"an input is not there any more: {row.path}")
        if looked and signature is not None:
            store.contents.remember(row.path, signature, known)
        identity = {name: known.facet(name) for name in row.identity if known.facets}
        rows.append(
            InputRow(
                row.kind, row.name, row.role, row.position, row.path, known.id,
                identity or {"bytes": known.digest},
            )
        )  # fmt: skip
    parts = [part for part in order.parts if part.kind != "input"]
    inputs = [
        Part("input", f"{row.kind}/{row.name}/{row.role}/{facet}", digest)
        for row in rows
        for facet, digest in row.identity.items()
    ]
    store.jobs.describe(order.job_id, parts, rows, key_digest([*parts, *inputs]))


def _made(store: Store, job_id: int, outcome: Outcome) -> list[Made]:
    made = store.jobs.made([job_id]).get(job_id, [])
    for item in made:
        item.product.quality = product_quality(item.product, outcome)
    return made

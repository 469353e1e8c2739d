"""Run or reuse: the key of a job, part by part, and every reason to run it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hst123r.engine.environment import version
from hst123r.files.content import Signature, digest_bytes
from hst123r.provenance.contents import Contents, Known
from hst123r.provenance.rows import InputRow, Made, Part, Record
from hst123r.recipe.resolve import Resolved
from hst123r.records.outcome import Product, State
from hst123r.stage.contract import Job, Need
from hst123r.stage.registry import AnyStage

LONGEST_VALUE: Final = 400
"""Longer values of key parts are stored as their digest."""


class Action(StrEnum):
    """What is to be done about a job."""

    RUN = "run"
    REUSE = "reuse"
    MAYBE = "maybe"
    BLOCKED = "blocked"


class Code(StrEnum):
    """Kinds of reasons, as ``--ignore`` takes them."""

    NO_RECORD = "no-record"
    INPUT = "input"
    PARAMETER = "parameter"
    ARGUMENT = "argument"
    VERSION = "stage-version"
    TOOL = "tool-version"
    REFERENCE = "reference-file"
    MISSING = "product-missing"
    ALTERED = "product-altered"
    FAILED = "last-attempt"
    ASKED = "asked"
    WAITS = "waits"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for an action.

    Parameters
    ----------
    code : Code
        Its kind.
    text : str
        The sentence, with old and new values.
    """

    code: Code
    text: str


@dataclass(slots=True)
class Decision:
    """What is to be done about a job, and all reasons.

    Parameters
    ----------
    action : Action
        What.
    reasons : list of Reason
        Why; empty for a plain reuse.
    """

    action: Action
    reasons: list[Reason] = field(default_factory=list)


@dataclass(slots=True)
class Key:
    """A job's key with its named parts.

    Parameters
    ----------
    digest : str or None
        None while an input is unknown.
    parts : list of Part
        All named parts, inputs included.
    inputs : list of InputRow
        What the job reads.
    uncertain : bool
        Whether an input is still to be made, so that the key may change.
    """

    digest: str | None
    parts: list[Part]
    inputs: list[InputRow]
    uncertain: bool = False


class Identities:
    """What is known of the files jobs read: contents by path, and paths still to be made.

    Parameters
    ----------
    contents : Contents
        The store's contents.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._by_path: dict[str, Known] = {}
        self._pending: set[str] = set()

    def set(self, made: Made) -> None:
        """Note the contents of a product's files."""
        for role, path in made.product.files.items():
            self._by_path[path] = made.contents[role]
            self._pending.discard(path)

    def expect(self, made: Made) -> None:
        """Note that a product is going to be made again, perhaps with other contents."""
        self._pending.update(made.product.files.values())

    def pending(self, path: str) -> bool:
        """Whether a file is still to be made."""
        return path in self._pending

    def of(self, path: str, *, read: bool) -> Known | None:
        """Return the content of a file.

        Parameters
        ----------
        path : str
            Absolute path.
        read : bool
            Read a file that is new or looks changed; otherwise None for such files.
        """
        known = self._by_path.get(path)
        if known is not None:
            return known
        return self.contents.look(path) if read else self.contents.peek(path)


def build_key(
    stage: AnyStage, job: Job, resolved: Resolved, identities: Identities, *, read: bool
) -> Key:
    """Build a job's key.

    Parameters
    ----------
    stage : Stage
        The stage.
    job : Job
        The job.
    resolved : Resolved
        Its parameters.
    identities : Identities
        Contents of files.
    read : bool
        Read input files that are new to the store; otherwise the key stays unknown.

    Returns
    -------
    Key
        With its digest, unless an input is unknown.
    """
    parts = [Part("version", stage.name, str(stage.version))]
    parts += [
        Part("param", name, short(value), resolved.origins[name])
        for name, value in resolved.values.items()
    ]
    parts += [Part("label", name, value) for name, value in sorted(job.labels.items())]
    parts += [Part("argument", name, short(value)) for name, value in sorted(job.arguments.items())]
    parts += [Part("tool", name, version(name)) for name in stage.tools]
    rows: list[InputRow] = []
    complete, uncertain = True, False
    for need in stage.needs:
        products = job.inputs.get(need.kind, [])
        if len(products) > 1:
            parts.append(Part("order", need.kind, short([item.name for item in products])))
        for position, product in enumerate(products):
            found, whole, sure = _identify(need, position, product, identities, read=read)
            rows += found
            complete &= whole
            uncertain |= not sure
    parts += [
        Part("input", f"{row.kind}/{row.name}/{row.role}/{facet}", digest)
        for row in rows
        for facet, digest in row.identity.items()
    ]
    digest = key_digest(parts) if complete else None
    return Key(digest, parts, rows, uncertain)


def _identify(
    need: Need, position: int, product: Product, identities: Identities, *, read: bool
) -> tuple[list[InputRow], bool, bool]:
    """Return the rows of one input, whether all contents are known, and whether they are sure."""
    facts = (
        product.facts
        if need.facts == ("*",)
        else {name: product.facts.get(name) for name in need.facts}
    )
    quality = product.quality.value
    if product.caveats:
        quality += ":" + ",".join(sorted({caveat.code for caveat in product.caveats}))
    about = {"quality": quality}
    if facts:
        about["facts"] = digest_bytes(_canonical(facts))
    rows = [InputRow(need.kind, product.name, "facts", position, None, None, about)]
    complete = sure = True
    if not need.facets:
        return rows, complete, sure
    for role, path in product.files.items():
        sure &= not identities.pending(path)
        known = identities.of(path, read=read)
        if known is None:
            complete = False
            wanted = dict.fromkeys(need.facets, "")
            rows.append(InputRow(need.kind, product.name, role, position, path, None, wanted))
            continue
        identity = {facet: known.facet(facet) for facet in need.facets if known.facets}
        identity = identity or {"bytes": known.digest}
        rows.append(InputRow(need.kind, product.name, role, position, path, known.id, identity))
    return rows, complete, sure


def key_digest(parts: Iterable[Part]) -> str:
    """Return the digest of a job's named parts; origins take no part in it."""
    return digest_bytes(_canonical(sorted([p.kind, p.name, p.value] for p in parts)))


def decide(
    record: Record | None,
    key: Key,
    then: Iterable[Part] | None,
    made: list[Made],
    contents: Contents,
    *,
    asked: bool,
) -> Decision:
    """Decide about one job, and say all reasons.

    Parameters
    ----------
    record : Record or None
        The last attempts at it.
    key : Key
        Its key now.
    then : iterable of Part or None
        Parts of the key of the last done attempt; only read when the keys differ.
    made : list of Made
        Products of the last done attempt.
    contents : Contents
        To look at the products on disk.
    asked : bool
        Whether the user asked for it to run again.

    Returns
    -------
    Decision
        RUN with reasons, REUSE without, or MAYBE when an input is still to be made.
    """
    reasons: list[Reason] = []
    if asked:
        reasons.append(Reason(Code.ASKED, "asked for with --redo"))
    if record is None or record.done_id is None:
        reasons.append(Reason(Code.NO_RECORD, "no record of it"))
    if record is not None and (record.done_id is None or record.last_id > record.done_id):
        if record.last_state == State.FAILED:
            reasons.append(Reason(Code.FAILED, f"the last attempt failed: {record.error}"))
        elif record.last_state in (State.INTERRUPTED, State.RUNNING):
            reasons.append(Reason(Code.FAILED, "the last attempt was interrupted"))
    if record is not None and record.done_id is not None:
        if key.digest != record.key and then is not None:
            reasons += differences(key.parts, then)
        reasons += check_products(made, contents)
    if key.uncertain and not any(reason.code is Code.NO_RECORD for reason in reasons):
        sure = [r for r in reasons if r.code is not Code.INPUT]
        return Decision(Action.RUN if sure else Action.MAYBE, reasons)
    return Decision(Action.RUN if reasons else Action.REUSE, reasons)


def differences(now: Iterable[Part], then: Iterable[Part]) -> list[Reason]:
    """Compare the parts of two keys as a full outer join.

    Parameters
    ----------
    now, then : iterable of Part
        The parts, old and new.

    Returns
    -------
    list of Reason
        One for every part that was added, removed or changed; facets of one file together.
    """
    new = {(part.kind, part.name): part for part in now}
    old = {(part.kind, part.name): part for part in then}
    changed = [
        (name, old.get(name), new.get(name))
        for name in [*old, *(name for name in new if name not in old)]
        if name not in old or name not in new or old[name].value != new[name].value
    ]
    reasons = [
        _difference(kind, name, before, after)
        for (kind, name), before, after in changed
        if kind != "input"
    ]
    return reasons + _input_differences(
        [(name, before, after) for (kind, name), before, after in changed if kind == "input"]
    )


def _difference(kind: str, name: str, before: Part | None, after: Part | None) -> Reason:
    old = before.value if before else "nothing"
    new = after.value if after else "nothing"
    origin = f" ({after.origin})" if after and after.origin else ""
    if kind == "param":
        return Reason(Code.PARAMETER, f"parameter {name}: {old} → {new}{origin}")
    if kind == "version":
        return Reason(Code.VERSION, f"version of the stage: {old} → {new}")
    if kind == "tool":
        return Reason(Code.TOOL, f"{name}: {old} → {new}")
    if kind == "order":
        return Reason(Code.INPUT, f"inputs of kind {name}: {old} → {new}")
    return Reason(Code.ARGUMENT, f"{name}: {old} → {new}")


def _input_differences(changed: list[tuple[str, Part | None, Part | None]]) -> list[Reason]:
    grouped: dict[tuple[str, str], dict[str, list[str]]] = {}
    for name, before, after in changed:
        kind, rest = name.split("/", 1)
        item, role, facet = rest.rsplit("/", 2)
        what = "added" if before is None else "removed" if after is None else "changed"
        about = facet if role in {"facts", "science", "file"} else f"{facet} of {role}"
        grouped.setdefault((kind, item), {}).setdefault(what, []).append(about)
    reasons = []
    for (kind, item), found in grouped.items():
        for what, facets in found.items():
            detail = f" ({', '.join(sorted(set(facets)))})" if what == "changed" else ""
            reasons.append(Reason(Code.INPUT, f"input {kind} {item} {what}{detail}"))
    return reasons


def check_products(made: list[Made], contents: Contents) -> list[Reason]:
    """Compare the files a job made with what is on disk.

    Parameters
    ----------
    made : list of Made
        Products of the last done attempt.
    contents : Contents
        To look at the files; one `stat` each where nothing changed.

    Returns
    -------
    list of Reason
        One for every file that is missing or altered. A file of which only volatile facets
        differ counts as unaltered.
    """
    reasons = []
    for item in made:
        for role, path in item.product.files.items():
            if not item.owned[role]:
                continue
            shown = contents.relative(path)
            then = item.contents[role]
            now = contents.look(path)
            if now is None:
                reasons.append(Reason(Code.MISSING, f"product {shown} is missing"))
                continue
            changed = [name for name in then.changed_facets(now) if name != "volatile"]
            if changed:
                what = ", ".join(changed)
                reasons.append(Reason(Code.ALTERED, f"product {shown} was altered ({what})"))
    return reasons


def signatures(rows: Iterable[InputRow]) -> dict[str, Signature | None]:
    """Return what the file system says about every input file of a job."""
    return {row.path: Signature.of(row.path) for row in rows if row.path is not None}


def short(value: Any) -> str:
    """Return a value as text for the store, its digest where it is long."""
    text = value if isinstance(value, str) else _canonical(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{digest_bytes(text.encode())} ({len(text)})"


def _canonical(value: Any) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()

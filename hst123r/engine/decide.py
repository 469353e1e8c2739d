"""Run or reuse: the decision about a job, and every reason for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hst123r.engine.keys import Key, short
from hst123r.engine.printed import PARAMETERS
from hst123r.engine.subkeys import changes
from hst123r.files.content import ALGORITHM
from hst123r.provenance.contents import Contents
from hst123r.provenance.rows import Made, Part, Record
from hst123r.records.outcome import State


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
    INCOMPLETE = "incomplete"
    LOCK = "lock"
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

    @property
    def why(self) -> str:
        """All reasons as one sentence, empty for a plain reuse."""
        return "; ".join(reason.text for reason in self.reasons)


def decide(
    record: Record | None,
    key: Key,
    then: Iterable[Part] | None,
    made: list[Made],
    contents: Contents,
    *,
    asked: bool,
    pins: Mapping[str, str] | None = None,
    lasting: bool = False,
    printed: str = "",
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
    pins : mapping of str to str, optional
        By role, the sha256 that the lock has for its files.
    lasting : bool
        Whether what was done stays good when a later attempt with the same key came to nothing: so
        it is with files of an archive, which may not give them a second time.
    printed : str, optional
        How the parameters of the recipe changed, for a job that prints them.

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
    tried = record is not None and (record.done_id is None or record.last_id > record.done_id)
    if record is not None and tried and not (lasting and _as_done(record, key)):
        if record.last_state == State.FAILED:
            reasons.append(Reason(Code.FAILED, f"the last attempt failed: {record.error}"))
        elif record.last_state in (State.INTERRUPTED, State.RUNNING):
            reasons.append(Reason(Code.FAILED, "the last attempt was interrupted"))
    if record is not None and record.done_id is not None:
        if key.digest != record.key and then is not None:
            reasons += differences(key.parts, then, printed)
        reasons += check_products(made, contents)
        reasons += _unlike_the_lock(made, contents, pins or {})
        if record.incomplete:
            reasons.append(Reason(Code.INCOMPLETE, record.incomplete))
    if key.uncertain and not any(reason.code is Code.NO_RECORD for reason in reasons):
        sure = [r for r in reasons if r.code is not Code.INPUT]
        return Decision(Action.RUN if sure else Action.MAYBE, reasons)
    return Decision(Action.RUN if reasons else Action.REUSE, reasons)


def _as_done(record: Record, key: Key) -> bool:
    return record.done_id is not None and key.digest is not None and record.key == key.digest


def differences(now: Iterable[Part], then: Iterable[Part], printed: str = "") -> list[Reason]:
    """Compare the parts of two keys as a full outer join.

    Parameters
    ----------
    now, then : iterable of Part
        The parts, old and new.
    printed : str, optional
        How the parameters of the recipe changed, of which the parts hold only a digest.

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
        if name not in old or name not in new or short(old[name].value) != short(new[name].value)
    ]
    reasons = [
        Reason(Code.ARGUMENT, f"the recipe, whose parameters it prints: {printed}")
        if printed and (kind, name) == ("argument", PARAMETERS)
        else _difference(kind, name, before, after)
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
        return Reason(Code.PARAMETER, f"parameter {changes(name, old, new)}{origin}")
    if kind == "version":
        return Reason(Code.VERSION, f"version of the stage: {old} → {new}")
    if kind == "tool":
        return Reason(Code.TOOL, f"{name}: {old} → {new}")
    if kind == "order":
        return Reason(Code.INPUT, f"inputs of kind {name}: {old} → {new}")
    if new.startswith(ALGORITHM) or old.startswith(ALGORITHM):
        # too long to be shown, and a digest says nothing
        return Reason(Code.ARGUMENT, f"{name.replace('_', ' ')} changed")
    return Reason(Code.ARGUMENT, f"{name.replace('_', ' ')}: {old} → {new}")


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
        One for every file that is missing or altered. A file of which only volatile cards
        differ counts as unaltered; any other byte counts, also one that no facet covers.
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


def _unlike_the_lock(made: list[Made], contents: Contents, pins: Mapping[str, str]) -> list[Reason]:
    reasons = []
    for item in made if pins else []:
        for role, path in item.product.files.items():
            now = contents.sha256(item.contents[role]) if role in pins else None
            if now is not None and now != pins[role]:
                shown = contents.relative(path)
                text = f"{shown} is not the locked version ({now[:12]}…, {pins[role][:12]}…)"
                reasons.append(Reason(Code.LOCK, text))
    return reasons

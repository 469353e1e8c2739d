"""Doing again some jobs that were done, as they were, and nothing else."""

from __future__ import annotations

from hst123r.engine.decide import Action, Code, Decision, Reason
from hst123r.engine.keys import Key
from hst123r.engine.options import Options
from hst123r.provenance.contents import Contents
from hst123r.provenance.rows import Made, Record

BROKEN = {Code.MISSING, Code.ALTERED, Code.FAILED, Code.INCOMPLETE}
"""Reasons that say nothing against making a result again as it was."""


def untouched(options: Options, stage: str, label: str) -> bool:
    """Whether a repair leaves a job as it is, whatever else would speak for running it."""
    return options.mend is not None and (stage, label) not in options.mend


def narrowed(
    options: Options, stage: str, label: str, decision: Decision, record: Record | None, key: Key
) -> Decision:
    """Return what a repair does about a job.

    Parameters
    ----------
    options : Options
        With the jobs to mend.
    stage, label : str
        The job.
    decision : Decision
        What a run would do about it.
    record : Record or None
        The last attempts at it.
    key : Key
        Its key now.

    Returns
    -------
    Decision
        REUSE for all jobs but those to mend. These RUN where their key is as it was, and are
        BLOCKED where it is not: what they would make is something else than what is broken. Where
        only the form in which a part of the key is written is another, it is as it was.
    """
    if options.mend is None:
        return decision
    if untouched(options, stage, label):
        return Decision(Action.REUSE)
    unlike = [reason for reason in decision.reasons if reason.code not in BROKEN]
    if record is None or (unlike and record.key != key.digest and not key.uncertain):
        return Decision(Action.BLOCKED, unlike or [Reason(Code.NO_RECORD, "no record of it")])
    return Decision(Action.RUN, [Reason(Code.ALTERED, options.mend[stage, label])])


def recorded(made: list[Made], contents: Contents) -> dict[str, str]:
    """Return what files from an archive have to be, so that they are mended and not replaced.

    Parameters
    ----------
    made : list of Made
        Products of the attempt whose files are broken.
    contents : Contents
        Knows digests of what was made.

    Returns
    -------
    dict of str to str
        Hexadecimal sha256 by role; nothing of files whose sha256 was never taken.
    """
    found = {role: contents.sha256(known) for item in made for role, known in item.contents.items()}
    return {role: sha256 for role, sha256 in found.items() if sha256 is not None}

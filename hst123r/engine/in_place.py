"""Files in ``raw/`` that a job would bring and that are there already."""

from __future__ import annotations

from typing import Any, Final

from hst123r.engine.decide import Action, Code, Decision
from hst123r.provenance.contents import Contents
from hst123r.provenance.rows import Made

HARMLESS: Final = {
    Code.VERSION, Code.TOOL, Code.FAILED, Code.MISSING, Code.ALTERED, Code.INCOMPLETE,
}  # fmt: skip
"""Reasons to do a job again that do not say that its archive has other files by now."""


def in_place(
    decision: Decision, made: list[Made], pins: dict[str, str], contents: Contents
) -> dict[str, dict[str, Any]]:
    """Return which files need not be asked for where they stand in ``raw/`` as they were.

    Parameters
    ----------
    decision : Decision
        What is to be done about the job.
    made : list of Made
        Products of its last done attempt.
    pins : dict of str to str
        By role, the sha256 that the lock has.
    contents : Contents
        Knows digests of what was made.

    Returns
    -------
    dict of str to dict
        By role, the ``sha256`` that counts, and ``facts`` of the product if it is the recorded
        one. Empty where nothing runs, and where the user or an update asks for the files anew.
    """
    codes = {reason.code for reason in decision.reasons}
    if decision.action is not Action.RUN or Code.ASKED in codes:
        return {}
    found: dict[str, dict[str, Any]] = {
        role: {"sha256": sha256, "facts": {}} for role, sha256 in pins.items()
    }
    for item in made:
        for role, known in item.contents.items():
            sha256 = contents.sha256(known)
            counts = pins[role] == sha256 if role in pins else codes <= HARMLESS
            if sha256 is not None and counts:
                found[role] = {"sha256": sha256, "facts": dict(item.product.facts)}
    return found

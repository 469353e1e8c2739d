"""Recipes of all calls in a script: those that differ by their target alone become one."""

from __future__ import annotations

from hst123r.recipe.hst123.draft import Draft
from hst123r.recipe.hst123.script import read_script
from hst123r.recipe.hst123.translate import translate


def recipes(script: str, name: str) -> list[Draft]:
    """Make recipes of the calls in a script.

    Parameters
    ----------
    script : str
        A shell script, or one command line.
    name : str
        Its name, for messages.

    Returns
    -------
    list of Draft
        At least one; targets of one recipe have different names.

    Raises
    ------
    InputError
        As :func:`~hst123r.recipe.hst123.script.read_script` and
        :func:`~hst123r.recipe.hst123.translate.translate` do.
    """
    found: list[Draft] = []
    for call in read_script(script, name):
        draft = translate(call, name)
        same = next((other for other in found if other.same_but_targets(draft)), None)
        if same is None:
            found.append(draft)
        elif draft.targets[0] not in same.targets:
            same.targets.append(draft.targets[0])
    for draft in found:
        _tell_apart(draft)
    return found


def _tell_apart(draft: Draft) -> None:
    """Give targets of one name numbers, and leave out what only one of them can be called."""
    if len(draft.targets) == 1:
        return
    for entry in draft.stages:
        entry.values.pop("object", None)
    names = [name for name, _ in draft.targets]
    draft.targets = [
        (f"{name}-{number}" if names.count(name) > 1 else name, position)
        for number, (name, position) in enumerate(draft.targets, 1)
    ]

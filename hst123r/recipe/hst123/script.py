"""Calls of hst123 in a shell script."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath
from typing import Final

from hst123r.errors import InputError
from hst123r.recipe.hst123.options import PROGRAM, Call, read_call

_NAMES: Final = {PROGRAM, f"{PROGRAM}.py"}
_BEFORE: Final = re.compile(r"python[0-9.]*|nohup|time|nice|env|exec|-m|-u")
"""Words that may stand before the program."""
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_ENDS: Final = re.compile(r"&&|\|\|?|;|&|\(|\)")
_REDIRECTION: Final = re.compile(r"(?:^|\s)(?:\d|&)?(?:>{1,2}|<)\s*(?:&\d|\S+)")
_EXPANDED: Final = re.compile(r"[$`*]")


def read_script(text: str, name: str) -> list[Call]:
    """Find the calls of hst123 in a shell script.

    Parameters
    ----------
    text : str
        The script, or one command line.
    name : str
        Its name, for messages.

    Returns
    -------
    list of Call
        In their order, at least one.

    Raises
    ------
    InputError
        With the line, if a call cannot be understood, holds what only a shell knows, or if there
        is none.
    """
    calls = []
    for number, line in _lines(text):
        where = f"{name}:{number}"
        for words in _commands(line, where):
            found = _arguments(words)
            if found is None:
                continue
            unknown = [word for word in found if _EXPANDED.search(word)]
            if unknown:
                raise InputError(
                    f"only a shell knows what {unknown[0]} is", where=where,
                    hint="Write the values out, or give the command line itself",
                )  # fmt: skip
            calls.append(read_call(found, where))
    if not calls:
        raise InputError(f"there is no call of {PROGRAM}", where=name)
    return calls


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines with their numbers, those that go on joined."""
    joined: list[tuple[int, str]] = []
    goes_on = False
    for number, line in enumerate(text.splitlines(), 1):
        part = line.rstrip()
        more = part.endswith("\\")
        part = part[:-1] if more else part
        if goes_on:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {part}")
        else:
            joined.append((number, part))
        goes_on = more
    return joined


def _commands(line: str, where: str) -> list[list[str]]:
    """Return the commands of a line, each as words; nothing for lines without the program."""
    if PROGRAM not in line.split("#", maxsplit=1)[0]:
        return []
    lexer = shlex.shlex(_REDIRECTION.sub(" ", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        raise InputError(f"a quote is not closed: {error}", where=where) from error
    commands: list[list[str]] = [[]]
    for word in words:
        if _ENDS.fullmatch(word):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _arguments(words: list[str]) -> list[str] | None:
    """Return what follows the program, None where the command is another one."""
    for place, word in enumerate(words):
        if PurePath(word).name in _NAMES:
            return words[place + 1 :]
        if not (_BEFORE.fullmatch(PurePath(word).name) or _ASSIGNMENT.fullmatch(word)):
            return None
    return None

"""The errors of hst123r: a sentence for the user, and the exit code it ends with.

Every error a user can cause or meet is one of these classes. Its message says what
happened, ``where`` names the file, line or exposure, and ``hint`` says what to try.
Anything else that escapes is a bug and ends with exit code 1 and a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

GOOD: Final = 0
BUG: Final = 1
USER_INPUT: Final = 2
QUALITY: Final = 3
STAGE_FAILED: Final = 4
ARCHIVE: Final = 5
ENVIRONMENT: Final = 6
WORK_TO_DO: Final = 10
INTERRUPTED: Final = 130

EXIT_CODES: Final[dict[int, str]] = {
    GOOD: "all good; for `plan`, nothing to do; for `diff`, no difference",
    BUG: "a bug in hst123r",
    USER_INPUT: "your input: the recipe, an option, or a file you named",
    QUALITY: "finished, but some results are bad or were excluded",
    STAGE_FAILED: "a stage failed",
    ARCHIVE: "an archive or the network",
    ENVIRONMENT: "a tool is missing, or the machine refused (disk, memory, permission)",
    WORK_TO_DO: "for `plan`, `update --check` and `repair --check`, there is work to do; "
    "for `diff`, the two differ",
    INTERRUPTED: "interrupted by the user",
}


class Hst123rError(Exception):
    """What went wrong, where, and what to try.

    Parameters
    ----------
    message : str
        What happened, as a sentence without a final full stop.
    where : str, optional
        The file, ``file:line:column``, exposure or job it happened in.
    hint : str, optional
        What to try.
    """

    exit_code: ClassVar[int] = STAGE_FAILED

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}. {self.hint}" if self.hint else text


class InputError(Hst123rError):
    """The recipe, an option or a file of the user's cannot be used."""

    exit_code = USER_INPUT


class StageError(Hst123rError):
    """A stage could not make its products."""

    exit_code = STAGE_FAILED


class ArchiveError(Hst123rError):
    """An archive or the network did not give what was asked for."""

    exit_code = ARCHIVE


class EnvironmentProblem(Hst123rError):
    """A tool is missing, or the machine refused: disk full, no permission, no memory."""

    exit_code = ENVIRONMENT


class Busy(Hst123rError):
    """Another run holds the work directory."""

    exit_code = ENVIRONMENT


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a misspelled one is nearly, whatever its case.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str or None
        The first of the nearest, None when none is near. A letter, and another for each eight
        that were written, may be missing, wrong, too many or swapped with its neighbour; or only
        the beginning of one word is there.
    """
    written, choices = word.lower(), list(known)
    ranked = [(_edits(written, choice.lower()), choice) for choice in choices]
    least, best = min(ranked, key=lambda item: item[0], default=(len(word), ""))
    if least <= 1 + len(word) // 8:
        return best if len(word) > least else None
    begun = [choice for choice in choices if choice.lower().startswith(written)]
    return begun[0] if len(begun) == 1 and len(word) > 2 else None


def _edits(one: str, other: str) -> int:
    """Count letters to insert, remove, replace or swap (Damerau-Levenshtein distance)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelled word, or the list of what is known.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        ``did you mean 'pixfrac'?`` or ``known are …``.
    """
    choices = list(known)
    found = closest(word, choices)
    if found is not None:
        return f"did you mean {found!r}?"
    if len(choices) > 24:
        return f"known are {', '.join(choices[:24])}, …"
    return f"known are {', '.join(choices)}" if choices else "nothing is allowed here"

"""What is wrong with a recipe: where, what, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hst123r.errors import InputError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a recipe.

    Parameters
    ----------
    line, column : int
        One-based place in the file; 0 when the whole file is meant.
    path : str
        Where in the recipe, e.g. ``stages[3].drizzle.pixfrac``.
    message : str
        What is wrong and what would be right.
    """

    line: int
    column: int
    path: str
    message: str

    def in_file(self, name: str) -> str:
        """Return the problem as one line that editors can jump to.

        Parameters
        ----------
        name : str
            Name of the recipe file as the user gave it.

        Returns
        -------
        str
            ``file:line:column: path: message``.
        """
        place = f"{name}:{self.line}:{self.column}" if self.line else name
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class RecipeError(InputError):
    """A recipe with problems, all of them.

    Parameters
    ----------
    problems : iterable of Problem
        At least one.
    name : str
        Name of the recipe file as the user gave it.
    """

    def __init__(self, problems: Iterable[Problem], name: str) -> None:
        self.problems = sorted(problems)
        self.name = name
        super().__init__("\n".join(problem.in_file(name) for problem in self.problems))

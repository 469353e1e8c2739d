"""Options that several commands share, and opening what they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hst123r.errors import InputError

if TYPE_CHECKING:
    from hst123r.engine.workspace import Workspace
    from hst123r.recipe.model import Recipe

F = TypeVar("F", bound=Callable[..., Any])


def recipe_argument(function: F) -> F:
    """Add the argument RECIPE."""
    return click.argument("recipe", metavar="RECIPE")(function)


def work_dir(function: F) -> F:
    """Add ``--work-dir``."""
    return click.option(
        "-C",
        "--work-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Work directory. Default: for a recipe, a folder with its name in the current one.",
    )(function)


def settings(function: F) -> F:
    """Add ``--set``."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="STAGE.PARAM=VALUE",
        help="Override a parameter, e.g. --set fetch.path=data; STAGE is its name in the recipe. "
        "May be repeated.",
    )(function)


def as_json(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")(
        function
    )


def readers(function: F) -> F:
    """Add ``--jobs`` of commands that read many files."""
    return click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Files read at once. Default: the number of cores.",
    )(function)


def choice_of_jobs(function: F) -> F:
    """Add the options that ``run`` and ``plan`` share."""
    for option in reversed(
        (
            click.option("--until", metavar="STAGE", help="Stop after this stage."),
            click.option(
                "--only", metavar="STAGE", help="Run this stage only; others must be up to date."
            ),
            click.option(
                "--redo", multiple=True, metavar="STAGE[:JOB]",
                help="Run a stage, or one job of it, again; 'all' for everything.",
            ),
            click.option(
                "--ignore", multiple=True, metavar="REASON",
                help="Do not run a job again for this kind of reason, e.g. tool-version.",
            ),
            click.option("--offline", is_flag=True, help="Open no socket."),
            click.option(
                "--locked", is_flag=True, help="Refuse when something is not as the lock has it."
            ),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def open_recipe(name: str, given: tuple[str, ...]) -> Recipe:
    """Read a recipe: a file, or the name of one that ships with hst123r.

    Parameters
    ----------
    name : str
        Path of a recipe file, or the name of a shipped recipe.
    given : tuple of str
        ``--set`` options.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    InputError
        If there is no such recipe, or it has problems.
    """
    from hst123r.recipe.load import load
    from hst123r.resources import shipped_recipes

    path = Path(name)
    if path.is_file():
        return load(path, given, shown=name)
    shipped = shipped_recipes()
    if path.stem in shipped and path.parent in {Path(), Path("recipes")}:
        return load(shipped[path.stem], given, shown=name)
    if path.is_dir():
        found = sorted(p.name for p in path.glob("*.y*ml") if not p.name.endswith(".lock.yaml"))
        inside = f"In it are {', '.join(found[:8])}" if found else "There is none in it"
        raise InputError("this is a folder; a recipe is one file", where=name, hint=inside)
    hint = f"Recipes that ship with hst123r: {', '.join(shipped)}" if shipped else ""
    raise InputError("there is no such recipe", where=name, hint=hint)


def workspace_of(recipe: Recipe, given: Path | None) -> Workspace:
    """Return the work directory of a recipe."""
    from hst123r.engine.workspace import Workspace

    return Workspace((given or Path(recipe.name)).expanduser().resolve())

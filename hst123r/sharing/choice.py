"""Which files of a run go into a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.files.content import look

RESULTS: Final = "results/"
"""Folder of the results in a bundle; in it they are as in the work directory."""
LEFT_OUT: Final = frozenset({"file", "truth", "selected"})
"""Kinds of products that an archive gives again."""
LARGE: Final = frozenset({"exposure", "stack", "cosmic-ray mask", "cosmic rays", "stars"})
"""Kinds of products that are images, and are made again; their headerlets and pictures stay."""
SMALL_ROLES: Final = frozenset({"headerlet", "preview", "plot", "regions", "table", "matches"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file of a bundle.

    Parameters
    ----------
    path : Path
        Where it is now.
    name : str
        Where it is in the bundle.
    digest : str
        What it has to be.
    kind, role : str
        Of the product.
    job : str
        ``stage:label`` of the job that made it.
    """

    path: Path
    name: str
    digest: str
    kind: str
    role: str
    job: str


def chosen(extract: Mapping[str, Any], folder: Path, *, images: bool) -> list[Chosen]:
    """Return the files of a run that go into a bundle.

    Parameters
    ----------
    extract : mapping
        What the run rests on.
    folder : Path
        The work directory.
    images : bool
        Whether exposures, stacks and masks go too.

    Returns
    -------
    list of Chosen
        In the order of their names, each once.

    Raises
    ------
    InputError
        If one is missing or not what the run made.
    """
    found = {item.name: item for item in _wanted(extract, folder, images=images)}
    wrong = [item for item in found.values() if not _is_right(item)]
    if wrong:
        names = ", ".join(item.name for item in wrong[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise InputError(
            f"the files of this run are no longer as it made them: {names}{more}",
            where=str(folder),
            hint="A later run made them again, or they were changed; bundle the latest run, or "
            "run the recipe again",
        )
    return [found[name] for name in sorted(found)]


def _wanted(extract: Mapping[str, Any], folder: Path, *, images: bool) -> Iterator[Chosen]:
    for job in extract["jobs"]:
        for product in job["products"]:
            if product["kind"] in LEFT_OUT:
                continue
            for file in product["files"]:
                large = product["kind"] in LARGE and file["role"] not in SMALL_ROLES
                if not file["owned"] or (large and not images) or _outside(file["path"]):
                    continue
                yield Chosen(
                    folder / file["path"],
                    f"{RESULTS}{file['path']}",
                    file["digest"],
                    product["kind"],
                    file["role"],
                    f"{job['stage']}:{job['label']}",
                )


def _outside(path: str) -> bool:
    return path.startswith("outside/")


def _is_right(item: Chosen) -> bool:
    return item.path.is_file() and look(item.path).digest == item.digest

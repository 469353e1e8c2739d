"""The page that says where each number of a run comes from, as a file beside the report."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hst123r.engine.origins import origins, rests_on
from hst123r.engine.sides import side_of
from hst123r.files.publish import machine_errors, write
from hst123r.products.anchors import ORIGINS
from hst123r.products.origins_page import mark, page
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store
from hst123r.sharing.impersonal import impersonal

HEAD: Final = 1000
"""Bytes of a page in which its mark is."""


def page_of(store: Store, run: str, *, for_others: bool = False) -> str:
    """Return the page.

    Parameters
    ----------
    store : Store
        The store.
    run : str
        Number or tag of the run, empty for the last one.
    for_others : bool
        Whether it is to say nothing of the history that the run has here: neither numbers and times
        nor earlier runs. Then it is the same for all who made the same.

    Returns
    -------
    str
        HTML without a path of this machine. It leads to the reports of the run unless a later run
        has put others in their place.

    Raises
    ------
    InputError
        If there is no such run.
    """
    about = origins(store, run, editions=not for_others)
    records = store.jobs.records()
    reports = sorted(
        f"{job['label']}.html" for job in about["jobs"]
        if job["own"] and any(product["kind"] == "report" for product in job["products"])
        and records[job["stage"], job["label"]].done_id == job["job"]
    )  # fmt: skip
    return page(impersonal(about) if for_others else about, reports=reports)


def is_of(store: Store, run: str, path: Path) -> bool:
    """Whether a file is the page of a run, or of one with the very same results.

    Parameters
    ----------
    store : Store
        The store.
    run : str
        As for :func:`page_of`.
    path : Path
        The file; it need not be there.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError:
        return False
    return mark(rests_on(side_of(store, run))).encode() in head


def write_page(folder: Path, run: str, output: Path | None = None) -> Path:
    """Write the page; it appears whole or not at all.

    Parameters
    ----------
    folder : Path
        The work directory.
    run : str
        Number or tag of the run, empty for the last one.
    output : Path, optional
        Where to; beside the report by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If there is no such run.
    EnvironmentProblem
        If the file cannot be written.
    """
    path = folder / ORIGINS if output is None else output
    with reading(folder) as store:
        save(store, run, path)
    return path


def page_of_run(folder: Path, run: str) -> str:
    """Return the page of a run for others, see :func:`page_of`."""
    with reading(folder) as store:
        return page_of(store, run, for_others=True)


def save(store: Store, run: str, path: Path) -> None:
    """Write the page of a store that is open.

    Parameters
    ----------
    store : Store
        The store.
    run : str
        As for :func:`page_of`.
    path : Path
        Where to.

    Raises
    ------
    EnvironmentProblem
        If the file cannot be written.
    """
    text = page_of(store, run)
    with machine_errors("write the page", path):
        write(path, text.encode())

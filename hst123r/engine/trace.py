"""From a file to its rows in the store: by its path, or by the stamps in its header."""

from __future__ import annotations

import os
from pathlib import Path

from hst123r.errors import Hst123rError
from hst123r.provenance import known, queries
from hst123r.provenance.stamps import attempt, digits, read_stamps
from hst123r.provenance.store import Store


def stored_path(store: Store, path: Path) -> str:
    """Return a path as the store has it.

    Parameters
    ----------
    store : Store
        The store.
    path : Path
        As the user wrote it: from the current folder or from the work directory, perhaps
        through links and ``..``.

    Returns
    -------
    str
        A path the store knows where there is one, else one that exists, else the first choice;
        relative to the work directory where it is inside it.
    """
    given = path.expanduser()
    places = [given.absolute(), store.folder / given]
    choices = [
        store.contents.relative(str(choice))
        for place in places
        for choice in (place, place.parent.resolve() / place.name)
    ]
    for choice in choices:
        if known.knows(store.db, choice):
            return choice
    real = {os.path.realpath(place) for place in places}
    for other in known.paths_named(store.db, given.name):
        if os.path.realpath(store.contents.absolute(other)) in real:
            return other
    there = (choice for choice in choices if os.path.lexists(store.contents.absolute(choice)))
    return next(there, choices[1])


def by_stamp(store: Store, path: Path) -> int | None:
    """Find the job of a file that was moved or renamed, by the stamps in its header.

    Parameters
    ----------
    store : Store
        The store.
    path : Path
        Any file.

    Returns
    -------
    int or None
        The attempt; None where the file has no stamps, or those of another work directory.
    """
    try:
        stamps = read_stamps(path)
    except Hst123rError:
        return None
    number = attempt(stamps)
    jobs = [] if number is None else queries.jobs(store.db, job_id=number)
    if not jobs:
        return None
    (run,) = queries.runs(store.db, run_id=jobs[0]["run"])
    if stamps.get("H123RUN") != run["uid"]:
        return None
    # a job whose inputs nobody had looked at before it ran has no key yet in its stamps
    key = stamps.get("H123KEY", "")
    return number if not key or key == digits(jobs[0]["key"] or "") else None

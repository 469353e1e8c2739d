"""Exposures as a lock has them, whatever the archive lists by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hst123r.archives.mast import Answer
from hst123r.archives.product_choice import Chosen, Listed
from hst123r.errors import ArchiveError

Row = dict[str, Any]
RENEW = "`hst123r update RECIPE` takes what MAST has now"


def obeyed(
    ask: Callable[[], Answer],
    products: Iterable[Row],
    *,
    rules: bool,
    strict: bool,
    tell: Callable[[str], object],
) -> Answer:
    """Return what a lock says is to be fetched, and tell in what the archive differs.

    Parameters
    ----------
    ask : callable
        Asks the archive, or finds an answer that is kept.
    products : iterable of dict
        The files of the lock.
    rules : bool
        Whether the lock says which exposures there are; otherwise it only says which version of a
        file is meant.
    strict : bool
        Whether nothing is to be said of an archive that was not asked.
    tell : callable
        Tells the user a sentence.

    Returns
    -------
    Answer
        The exposures, and what is left out.

    Raises
    ------
    ArchiveError
        If the archive gives no answer and the lock does not rule.
    """
    rows = list(products)
    then = {item.root: item for item in exposures_of(rows)}
    try:
        answer = ask()
    except ArchiveError as error:
        if not rules or not then:
            raise
        if not strict:
            tell(f"{error.message}; the lock says what is fetched")
        return Answer(list(then.values()), [])
    for line in differences(then, answer, rules=rules):
        tell(f"{line}; {RENEW}")
    now = {item.root: item for item in answer.exposures}
    for root, item in then.items():
        if root in now:
            # who may have it now does not change what it is, nor does where it is kept
            item.cell = now[root].cell or item.cell
            item.rights, item.release_mjd = now[root].rights, now[root].release_mjd
    if rules and then:
        return Answer(
            list(then.values()), [item for item in answer.left_out if item.subject not in then]
        )
    known = {item.uri: item for chosen in then.values() for item in chosen.files.values()}
    for chosen in answer.exposures:
        chosen.files = {role: known.get(f.uri, f) for role, f in chosen.files.items()}
    return answer


def exposures_of(rows: Iterable[Row]) -> list[Chosen]:
    """Return exposures from the files of a lock.

    Parameters
    ----------
    rows : iterable of dict
        As in `Scope.locked`.

    Returns
    -------
    list of Chosen
        In the order of their root names; what a lock does not know is empty.
    """
    found: dict[str, Chosen] = {}
    for row in sorted(rows, key=lambda row: (str(row["exposure"]), str(row["role"]))):
        if not row["uri"]:
            continue
        chosen = found.setdefault(
            row["exposure"],
            Chosen(
                row["exposure"],
                "",
                {},
                row["rights"],
                row["release_mjd"],
                "",
                "",
                "",
                [],
                row["cell"],
            ),
        )
        chosen.files[row["role"]] = Listed(
            row["uri"], row["name"], row["size"], row["version"], row["sha256"]
        )
    for chosen in found.values():
        # as they are fetched without a lock: the image first
        chosen.files = dict(sorted(chosen.files.items(), key=lambda item: item[0] != "science"))
    return list(found.values())


def rows_of(chosen: Chosen) -> list[Row]:
    """Return the files of an exposure as a lock has them.

    Parameters
    ----------
    chosen : Chosen
        The exposure.
    """
    return [
        {
            "exposure": chosen.root, "role": role, "name": item.name, "uri": item.uri,
            "version": item.version, "rights": chosen.rights, "release_mjd": chosen.release_mjd,
            "cell": chosen.cell,
        }
        for role, item in chosen.files.items()
    ]  # fmt: skip


def files_of(chosen: Chosen) -> dict[str, Row]:
    """Return what decides about the files of an exposure, by role.

    Parameters
    ----------
    chosen : Chosen
        The exposure.
    """
    return {
        role: {"uri": item.uri, "name": item.name, "version": item.version}
        for role, item in chosen.files.items()
    }


def notes_of(chosen: Chosen) -> Row:
    """Return what is to be known of an exposure when it is fetched, and decides nothing.

    Parameters
    ----------
    chosen : Chosen
        The exposure.
    """
    files = chosen.files.items()
    return {
        "public": chosen.public,
        "withheld": chosen.withheld,
        "cell": chosen.cell,
        "sizes": {role: item.size for role, item in files},
        "sha256": {role: item.sha256 for role, item in files if item.sha256 is not None},
        "listed": rows_of(chosen),
    }


def differences(then: dict[str, Chosen], answer: Answer, *, rules: bool) -> Iterator[str]:
    """Yield in what an archive's list differs from a lock.

    Parameters
    ----------
    then : dict of str to Chosen
        Exposures of the lock by root name.
    answer : Answer
        What the archive has now.
    rules : bool
        Whether the lock says which exposures there are.
    """
    now = {item.root: item for item in answer.exposures}
    if rules:
        for root in sorted(now.keys() - then.keys()):
            yield f"MAST has {root}, which the lock does not have; it is not fetched"
        for root in sorted(then.keys() - now.keys()):
            yield f"MAST does not list {root} any more, which the lock has"
    for root in sorted(now.keys() & then.keys()):
        listed = {item.uri: item for item in now[root].files.values()}
        for item in then[root].files.values():
            there = listed.get(item.uri)
            if there is None:
                yield f"MAST lists other files for {root} than {item.name}, which the lock has"
            elif there.version != item.version:
                yield f"MAST lists {item.name} by {there.version}, the lock by {item.version}"
            elif None not in (there.size, item.size) and there.size != item.size:
                yield f"MAST lists {item.name} with {there.size} bytes, the lock has {item.size}"

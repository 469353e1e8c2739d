"""Every raw file and product against its digest: what was altered, is missing, or is not ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from hst123r.archives.partial import INCOMING
from hst123r.engine.workspace import Workspace
from hst123r.files.content import look
from hst123r.provenance import queries
from hst123r.provenance.contents import Known
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store

Heard = Callable[[int, int], object]
"""Told how many bytes are done, and of how many."""


@dataclass(slots=True)
class Checked:
    """A file as it is, beside what the store has of it.

    Parameters
    ----------
    state : str
        ``ok``, ``altered``, ``missing``, ``unreadable``, ``forgotten`` or ``not ours``.
    file : str
        Path as the store has it.
    what : str
        The job that made it, or what changed.
    stage, label : str
        The job whose result it is; empty for ``forgotten`` and ``not ours``.
    content_id : int
        The content it should have, 0 where that is not known.
    job_id : int
        The attempt whose result counts, 0 where there is none.
    """

    state: str
    file: str
    what: str
    stage: str = ""
    label: str = ""
    content_id: int = 0
    job_id: int = 0


def verify(
    folder: Path, *, quick: bool = False, jobs: int = 1, tell: Heard | None = None
) -> list[dict[str, str]]:
    """Compare every file of a work directory with its digest.

    Parameters
    ----------
    folder : Path
        The work directory.
    quick : bool
        Take a file whose device, inode, size and times are as when it was last looked at for
        unchanged, and read the others only. Otherwise no signature is trusted, and every byte of
        every file is read.
    jobs : int
        How many files are read at once.
    tell : callable, optional
        Told the bytes that are done, and all bytes that have to be read.

    Returns
    -------
    list of dict
        ``state`` (``ok``, ``altered``, ``missing``, ``unreadable``, ``forgotten`` or
        ``not ours``), ``file`` and ``what``.
    """
    with reading(folder) as store:
        found = check(store, Workspace(folder), quick=quick, jobs=jobs, tell=tell)
    return [{"state": row.state, "file": row.file, "what": row.what} for row in found]


def check(
    store: Store,
    workspace: Workspace,
    *,
    quick: bool = False,
    jobs: int = 1,
    tell: Heard | None = None,
) -> list[Checked]:
    """Compare every file with its digest, for who wants to go on from there.

    Parameters
    ----------
    store : Store
        The store, which is only read.
    workspace : Workspace
        Its work directory.
    quick, jobs, tell
        As of `verify`.

    Returns
    -------
    list of Checked
        One for each file that counts, and for what else lies in ``raw/``, ``products/`` and
        ``adopted/``.
    """
    entries = queries.current_files(store.db)
    paths = [Path(store.contents.absolute(entry["path"])) for entry in entries]
    then = [store.contents.get(entry["content_id"]) for entry in entries]
    verdicts: dict[int, tuple[str, str]] = {}
    if quick:
        for place, (path, known) in enumerate(zip(paths, then, strict=True)):
            now = store.contents.peek(str(path))
            if now is not None and now.id == known.id:
                verdicts[place] = ("ok", "")
    open_ = [place for place in range(len(entries)) if place not in verdicts]
    verdicts |= _compare_all({place: (paths[place], then[place]) for place in open_}, jobs, tell)
    rows = []
    for place, entry in enumerate(entries):
        state, what = verdicts[place]
        stage, label = entry["stage"], entry["label"]
        rows.append(
            Checked(
                state, entry["path"], what or f"made by {stage}:{label}", stage, label,
                entry["content_id"], entry["job"],
            )
        )  # fmt: skip
    ours = {str(path) for path in paths}
    for name in _files(workspace):
        if name not in ours:
            shown = store.contents.relative(name)
            state, what = _without_digest(queries.makers(store.db, shown))
            rows.append(Checked(state, shown, what))
    return rows


def _compare_all(
    wanted: dict[int, tuple[Path, Known]], jobs: int, tell: Heard | None
) -> dict[int, tuple[str, str]]:
    """Compare files, several at once: hashing needs no interpreter, so threads are enough."""
    total = sum(known.size for _, known in wanted.values())
    done = 0
    found: dict[int, tuple[str, str]] = {}
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        waiting: dict[Future[tuple[str, str]], int] = {
            pool.submit(_compare, path, known): place for place, (path, known) in wanted.items()
        }
        while waiting:
            ended, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                place = waiting.pop(future)
                found[place] = future.result()
                done += wanted[place][1].size
            if tell is not None:
                tell(done, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _compare(path: Path, then: Known) -> tuple[str, str]:
    try:
        if not path.is_file():
            return "missing", ""
        found = look(path)
    except OSError as error:
        return "unreadable", f"cannot be read: {error.strerror or error}"
    now = Known(-1, found.digest, found.size, found.facets)
    changed = then.changed_facets(now)
    if not changed:
        return "ok", ""
    what = ", ".join(changed)
    if then.facets and now.facets and changed == ["bytes"]:
        what = "bytes (padding, comments or structure)"
    return "altered", f"{what} changed ({then.size} → {now.size} bytes)"


def _without_digest(makers: list[str]) -> tuple[str, str]:
    """Say what a file is that no current result holds."""
    if not makers:
        return "not ours", "no job made it"
    return "forgotten", f"made by {makers[-1]}, whose result counts no more"


def _files(workspace: Workspace) -> Iterator[str]:
    arriving = str(workspace.raw / INCOMING)
    for top in (workspace.raw, workspace.products, workspace.adopted):
        for folder, _, names in os.walk(top):
            if folder == arriving:
                # what a killed transfer left is gone on with, and nobody takes it for a file
                continue
            for name in sorted(names):
                yield os.path.join(folder, name)  # noqa: PTH118  (walk gives texts)

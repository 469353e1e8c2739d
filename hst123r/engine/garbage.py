"""What no kept run needs: shown first, and removed only when it is said so."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from hst123r.engine.recover import recover
from hst123r.engine.workspace import Workspace
from hst123r.files.publish import machine_errors
from hst123r.provenance import held
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store


def look(workspace: Workspace, last: int) -> dict[str, Any]:
    """Say what each run holds, and what could be removed; change nothing.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    last : int
        How many complete runs of each recipe are kept.

    Returns
    -------
    dict
        ``runs`` with what each holds on disk, ``files`` that no kept run needs with ``path``,
        ``bytes`` and ``state`` (``unneeded``, or ``altered``: it is left alone), ``scratch`` with
        what interrupted attempts left, and ``bytes`` that would be free.
    """
    with reading(workspace.folder) as store:
        return _look(workspace, store, last)


def _look(workspace: Workspace, store: Store, last: int) -> dict[str, Any]:
    runs: list[dict[str, Any]] = held.runs(store.db, last)
    had = held.files(store.db)
    there: dict[str, int | None] = {}
    for row in had:
        if row["path"] not in there:
            actual = store.contents.absolute(row["path"])
            content = store.contents.look(actual) if Path(actual).is_file() else None
            there[row["path"]] = None if content is None else _id(store, content.digest)
    holders: dict[str, set[int]] = {}
    for row in had:
        if there[row["path"]] == row["content_id"]:
            holders.setdefault(row["path"], set()).add(row["run"])
    sizes = {row["path"]: row["size"] for row in had if there[row["path"]] == row["content_id"]}
    for run in runs:
        mine = [path for path in holders if run["run"] in holders[path]]
        run["made"] = len({row["path"] for row in had if row["run"] == run["run"]})
        run["files"] = len(mine)
        run["bytes"] = sum(sizes[path] for path in mine)
        run["alone_bytes"] = sum(sizes[path] for path in mine if len(holders[path]) == 1)
    needed = held.named(store.db, [run["run"] for run in runs if run["kept"]])
    files: list[dict[str, Any]] = []
    for path in sorted({row["path"] for row in had}):
        if path in needed or not path.startswith(f"{workspace.products.name}/"):
            continue
        place = Path(store.contents.absolute(path))
        if place.is_file():
            state = "unneeded" if path in sizes else "altered"
            files.append({"path": path, "bytes": place.stat().st_size, "state": state})
    scratch: list[dict[str, Any]] = [
        {"path": f"{workspace.scratch.name}/{path.name}", "bytes": _size(path)}
        for path in sorted(workspace.scratch.glob("*"))
    ]
    free = [row["bytes"] for row in files if row["state"] == "unneeded"]
    return {
        "runs": runs, "files": files, "scratch": scratch,
        "bytes": sum(free) + sum(row["bytes"] for row in scratch),
    }  # fmt: skip


def _id(store: Store, digest: str) -> int | None:
    row = store.db.execute("select id from content where digest = ?", [digest]).fetchone()
    return None if row is None else int(row[0])


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(found.lstat().st_size for found in path.rglob("*") if not found.is_dir())


def remove(workspace: Workspace, store: Store, last: int) -> dict[str, Any]:
    """Remove what `look` says, and forget the results whose files are gone.

    A result of an interrupted attempt that is whole is taken in first, as the next run would do.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    store : Store
        Its store, held for writing.
    last : int
        How many complete runs of each recipe are kept.

    Returns
    -------
    dict
        As of `look`, and ``removed``, the number of files.
    """
    scratch = _look(workspace, store, last)["scratch"]
    recover(store, workspace)
    found = _look(workspace, store, last)
    gone = [row["path"] for row in found["files"] if row["state"] == "unneeded"]
    # first the rows, so that a kill in between leaves files that nobody names and not the reverse
    held.forget(store.db, held.makers(store.db, gone))
    for path in gone:
        place = Path(store.contents.absolute(path))
        with machine_errors("remove the file", place):
            place.unlink(missing_ok=True)
        _prune(place.parent, workspace.products)
    free = sum(row["bytes"] for row in [*found["files"], *scratch] if row.get("state") != "altered")
    return {**found, "scratch": scratch, "bytes": free, "removed": len(gone)}


def _prune(folder: Path, top: Path) -> None:
    """Remove empty folders up to the products' own."""
    while folder != top and folder.is_relative_to(top):
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106  (it fails where something is left, which is wanted)
        if folder.exists():
            return
        folder = folder.parent

"""Every raw file and product against its digest: what was altered, is missing, or is not ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hst123r.engine.workspace import Workspace
from hst123r.files.content import look
from hst123r.provenance import queries
from hst123r.provenance.contents import Known
from hst123r.provenance.reading import reading


def verify(folder: Path) -> list[dict[str, str]]:
    """Read every file of a work directory and compare it with its digest.

    Signatures are not trusted here: every byte is read, and every byte counts.

    Parameters
    ----------
    folder : Path
        The work directory.

    Returns
    -------
    list of dict
        ``state`` (``ok``, ``altered``, ``missing``, ``unreadable``, ``forgotten`` or
        ``not ours``), ``file`` and ``what``.
    """
    workspace = Workspace(folder)
    rows = []
    ours = set()
    with reading(folder) as store:
        for entry in queries.current_files(store.db):
            path = Path(store.contents.absolute(entry["path"]))
            ours.add(str(path))
            state, what = _compare(path, store.contents.get(entry["content_id"]))
            job = f"{entry['stage']}:{entry['label']}"
            rows.append({"state": state, "file": entry["path"], "what": what or f"made by {job}"})
        for found in _files(workspace):
            if found not in ours:
                shown = store.contents.relative(found)
                rows.append({"file": shown, **_without_digest(queries.makers(store.db, shown))})
    return rows


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


def _without_digest(makers: list[str]) -> dict[str, str]:
    """Say what a file is that no current result holds."""
    if not makers:
        return {"state": "not ours", "what": "no job made it"}
    return {"state": "forgotten", "what": f"made by {makers[-1]}, whose result counts no more"}


def _files(workspace: Workspace) -> Iterator[str]:
    for top in (workspace.raw, workspace.products):
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                yield os.path.join(folder, name)  # noqa: PTH118  (walk gives texts)

"""What files hold, remembered by path so that an unchanged file costs one `stat`.

A path whose device, inode, size and times are as when its content was looked at is not read
again. The signature is refreshed whenever a file is looked at, dry runs included, so a `touch`
costs one reading and not one at every run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.files.content import Content, Signature, digest_bytes, look
from hst123r.files.publish import machine_errors
from hst123r.provenance.sqlite import Database
from hst123r.records.dates import utc_now

BYTES: Final = "bytes"
"""All of a file that counts, where a name of a facet is asked for."""
GRANULARITY_NS: Final = 50_000_000
"""A file changed this recently could change again without its time stamp showing it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A content the store knows.

    Parameters
    ----------
    id : int
        Its row.
    digest : str
        Digest of its bytes.
    size : int
        Size in bytes.
    facets : dict of str to str
        Digests by facet, empty where there are none.
    """

    id: int
    digest: str
    size: int
    facets: dict[str, str]

    def facet(self, name: str) -> str:
        """Return the digest of a facet; for files without facets that of their bytes.

        ``bytes`` of a file with facets is all of them but what is volatile: its bytes hold our
        stamps, which are others for each who makes the same.
        """
        if name == BYTES and self.facets:
            counts = sorted(item for item in self.facets.items() if item[0] != "volatile")
            return digest_bytes(json.dumps(counts).encode())
        return self.facets.get(name, self.digest)

    def changed_facets(self, other: Known) -> list[str]:
        """Return the facets in which two contents differ.

        ``bytes`` stands for files without facets, and for what no facet covers: padding,
        comments of cards, structural cards, blocks behind the last HDU.
        """
        if self.digest == other.digest:
            return []
        changed = [
            name
            for name in self.facets
            if other.facets and self.facets[name] != other.facets.get(name)
        ]
        return changed or [BYTES]


class Contents:
    """The tables ``content``, ``path_state`` and ``header``.

    Parameters
    ----------
    db : Database
        The store.
    folder : Path
        The work directory; paths inside it are kept relative, so that it can be moved.
    read_only : bool
        Never write; what is found in files is collected in `looked`.

    Attributes
    ----------
    looked : dict of str to (Signature, Content)
        Files that had to be read and did not change meanwhile, by absolute path, for `keep`.
    """

    def __init__(self, db: Database, folder: Path, *, read_only: bool = False) -> None:
        self.db = db
        self.folder = folder
        self.read_only = read_only
        self.looked: dict[str, tuple[Signature, Content]] = {}
        self._root = f"{folder}/"
        self._by_id: dict[int, Known] = {}
        self._states: dict[str, tuple[Signature, int]] | None = None
        self._dirty: dict[str, tuple[Signature, int]] = {}
        self._reading = False
        self._stopped = False

    def stop(self) -> None:
        """Have the reading of files end; to be called from a signal handler.

        Raises
        ------
        KeyboardInterrupt
            At once while a file is being read, which changes nothing in the store; otherwise by
            the next `look` that would read one.
        """
        self._stopped = True
        if self._reading:
            raise KeyboardInterrupt

    def _read(self, path: str) -> Content:
        self._reading = True
        try:
            if self._stopped:
                raise KeyboardInterrupt
            return look(Path(path))
        finally:
            self._reading = False

    def relative(self, path: str) -> str:
        """Return a path relative to the work directory where it is inside it."""
        return path.removeprefix(self._root)

    def absolute(self, path: str) -> str:
        """Return the absolute path of a path of the store."""
        return path if path.startswith("/") else self._root + path

    def get(self, content_id: int) -> Known:
        """Return a content by its row."""
        if not self._by_id:
            self._load()
        if content_id not in self._by_id:
            row = self.db.execute(
                "select id, digest, size, facets from content where id = ?", [content_id]
            ).fetchone()
            self._by_id[content_id] = Known(row[0], row[1], row[2], json.loads(row[3]))
        return self._by_id[content_id]

    def sha256(self, known: Known) -> str | None:
        """Return the sha256 of a content, None where it was never taken."""
        row = self.db.execute("select sha256 from content where id = ?", [known.id]).fetchone()
        return None if row is None else row[0]

    def forget(self) -> None:
        """Drop what is remembered in memory, after writes to the store were undone."""
        self._by_id.clear()
        self._states = None
        self._dirty.clear()

    def _load(self) -> None:
        rows = self.db.execute("select id, digest, size, facets from content").fetchall()
        self._by_id = {row[0]: Known(row[0], row[1], row[2], json.loads(row[3])) for row in rows}

    def _known_states(self) -> dict[str, tuple[Signature, int]]:
        if self._states is None:
            rows = self.db.execute(
                "select path, device, inode, size, mtime_ns, ctime_ns, content_id from path_state"
            ).fetchall()
            self._states = {row[0]: (Signature(*row[1:6]), row[6]) for row in rows}
        return self._states

    def peek(self, path: str) -> Known | None:
        """Return the content of a file if its signature is unchanged, without reading it.

        Parameters
        ----------
        path : str
            Absolute path.

        Returns
        -------
        Known or None
            None if the file is missing, new to the store, or looks changed.
        """
        state = self._known_states().get(self.relative(path))
        if state is None:
            return None
        signature = Signature.of(path)
        return self.get(state[1]) if signature == state[0] else None

    def look(self, path: str) -> Known | None:
        """Return the content of a file, reading it if its signature changed.

        Parameters
        ----------
        path : str
            Absolute path.

        Returns
        -------
        Known or None
            None if there is no such file.

        Raises
        ------
        EnvironmentProblem
            If the file cannot be read.
        """
        with machine_errors("read the file", path):
            known = self.peek(path)
            if known is not None:
                return known
            before = Signature.of(path)
            if before is None:
                return None
            if path in self.looked and self.looked[path][0] == before:
                return _unstored(self.looked[path][1])
            content = self._read(path)
            steady = Signature.of(path) == before
        if self.read_only:
            if steady:
                self.looked[path] = (before, content)
            return _unstored(content)
        known = self.add(content)
        if steady:
            self.remember(path, before, known)
        return known

    def keep(self, looked: Mapping[str, tuple[Signature, Content]]) -> None:
        """Write what a read-only store found in files.

        Parameters
        ----------
        looked : mapping of str to (Signature, Content)
            By absolute path.
        """
        for path, (signature, content) in looked.items():
            self.remember(path, signature, self.add(content))
        self.flush(wait=True)

    def add(self, content: Content) -> Known:
        """Record a content, once.

        Parameters
        ----------
        content : Content
            What was found in a file.

        Returns
        -------
        Known
            Its row.
        """
        found = self.db.execute(
            "select id, sha256 from content where digest = ?", [content.digest]
        ).fetchone()
        if found is not None:
            if content.sha256 and not found[1]:
                self.db.table("content").update(found[0], {"sha256": content.sha256})
            return self.get(int(found[0]))
        row = {
            "digest": content.digest,
            "size": content.size,
            "kind": content.kind,
            "facets": json.dumps(content.facets),
            "sha256": content.sha256,
        }
        content_id = insert(self.db, "content", row)
        self.db.table("header").insert_all(
            {
                "content_id": content_id,
                "hdu": header.hdu,
                "name": header.name,
                "version": header.version,
                "cards": json.dumps(header.cards),
            }
            for header in content.headers
        )
        self._by_id[content_id] = Known(content_id, content.digest, content.size, content.facets)
        return self._by_id[content_id]

    def remember(self, path: str, signature: Signature, known: Known) -> None:
        """Note that a path with this signature holds this content.

        Parameters
        ----------
        path : str
            Absolute path.
        signature : Signature
            Taken before the file was read, and found unchanged after.
        known : Known
            Its content.
        """
        name = self.relative(path)
        self._known_states()[name] = (signature, known.id)
        self._dirty[name] = (signature, known.id)

    def flush(self, *, wait: bool = False) -> None:
        """Write the remembered signatures to the store.

        A file changed within the granularity of the file system's clock could change again
        without a trace, so it is written only when it has rested for that long.

        Parameters
        ----------
        wait : bool
            Wait for files that were changed just now; otherwise they stay for a later flush.
        """
        if self.read_only or not self._dirty:
            return
        if wait and any(_young(signature) for signature, _ in self._dirty.values()):
            time.sleep(GRANULARITY_NS / 1e9)
        ready = {p: (s, c) for p, (s, c) in self._dirty.items() if not _young(s)}
        checked = utc_now()
        rows: list[dict[str, Any]] = [
            {
                "path": path,
                "device": signature.device,
                "inode": signature.inode,
                "size": signature.size,
                "mtime_ns": signature.mtime_ns,
                "ctime_ns": signature.ctime_ns,
                "content_id": content_id,
                "checked": checked,
            }
            for path, (signature, content_id) in ready.items()
            if Signature.of(self.absolute(path)) == signature
        ]
        if rows:
            self.db.table("path_state").upsert_all(rows, pk="path")
        for path in ready:
            del self._dirty[path]


def _unstored(content: Content) -> Known:
    return Known(-1, content.digest, content.size, content.facets)


def _young(signature: Signature) -> bool:
    return time.time_ns() - max(signature.mtime_ns, signature.ctime_ns) < GRANULARITY_NS


def insert(db: Database, table: str, row: dict[str, Any]) -> int:
    """Insert one row and return its id."""
    key = db.table(table).insert(row).last_pk
    if not isinstance(key, int):
        raise TypeError(f"the table {table} has no whole-number key")
    return key

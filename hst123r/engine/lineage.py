"""The lineage of a target, a file, a job or a point of a light curve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hst123r.engine.trace import by_stamp, stored_path
from hst123r.errors import InputError, did_you_mean
from hst123r.provenance import known, lineage, queries
from hst123r.provenance.lineage import Link
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store


@dataclass(slots=True)
class Root:
    """Where a lineage begins.

    Parameters
    ----------
    how : str
        What was found, as a phrase.
    jobs : list of int
        Attempts.
    path : str
        The file that is asked about, empty for none.
    points : list of dict
        Rows of light curves that are asked about.
    """

    how: str
    jobs: list[int] = field(default_factory=list)
    path: str = ""
    points: list[dict[str, Any]] = field(default_factory=list)

    def wants(self, link: Link) -> bool:
        """Whether what a first job read has to do with what is asked about."""
        if not self.points:
            return True
        return any(
            all(link.labels.get(label) in (None, point[label]) for label in ("filter", "detector"))
            for point in self.points
            if point["job_id"] == link.job
        )


def trace(
    folder: Path, what: str, *, up: bool = True, down: bool = True, every: bool = False
) -> dict[str, Any]:
    """Follow something back to the archive, and forward to all that depends on it.

    Parameters
    ----------
    folder : Path
        Work directory.
    what : str
        ``TARGET``, ``TARGET/FILTER``, ``TARGET/FILTER/EPOCH`` (or an exposure's root for the
        epoch), ``STAGE:LABEL``, ``#NUMBER``, or a file: its path, its name alone, or a file that
        was renamed or moved.
    up, down : bool
        Which ways to go.
    every : bool
        Forward also through attempts that count no more.

    Returns
    -------
    dict
        ``what``, ``found``, ``roots`` (numbers of jobs), ``points``, ``jobs``, ``links``, ``ends``
        (files that nothing here was made from) and ``leads_to`` (files that nothing else reads).

    Raises
    ------
    InputError
        If there is no such thing.
    """
    with reading(folder) as store:
        root = _root(store, what)
        back = _behind(store, root) if up else []
        forth = _ahead(store, root, every=every) if down else []
        numbers = {*root.jobs, *(link.job for link in [*back, *forth])}
        numbers |= {link.made_by for link in back if link.made_by is not None}
        jobs = lineage.jobs(store.db, numbers)
        return {
            "what": what,
            "found": root.how,
            "path": root.path or None,
            "roots": root.jobs,
            "points": root.points,
            "jobs": list(jobs.values()),
            "links": [_as_json(link, "up") for link in back]
            + [_as_json(link, "down") for link in forth],
            "ends": _ends(store, root, back) if up else [],
            "leads_to": _leads_to(store, root, forth) if down else [],
        }


def _behind(store: Store, root: Root) -> list[Link]:
    first = [link for link in lineage.links(store.db, root.jobs) if root.wants(link)]
    if not root.points:
        return lineage.links(store.db, lineage.behind(store.db, root.jobs))
    makers = {link.made_by for link in first if link.made_by is not None}
    rest = [job for job in lineage.behind(store.db, makers) if job not in root.jobs]
    return first + lineage.links(store.db, rest)


def _ahead(store: Store, root: Root, *, every: bool) -> list[Link]:
    if root.path:
        maker = root.jobs[0] if root.jobs else None
        first = lineage.readers(store.db, root.path, maker, every=every)
    else:
        first = root.jobs
    reached = set(lineage.ahead(store.db, first, every=every))
    through = reached | set(root.jobs)
    readers = sorted(reached - (set(root.jobs) - set(first)))
    made = lineage.makers(store.db, readers)
    # a job that was reached read other things as well, which are not asked about
    return [
        link
        for found in lineage.links(store.db, readers)
        for link in [_through(found, made, through)]
        if (link.made_by in through and (link.made_by not in root.jobs or not root.path))
        or (root.path and link.path == root.path)
    ]


def _through(link: Link, made: dict[tuple[Any, ...], list[int]], through: set[int]) -> Link:
    """Return a link to the attempt over which the way leads, where a later one made the same."""
    if link.made_by is None or link.made_by in through:
        return link
    about = (link.job, link.kind, link.name, link.role, link.path)
    equal = [maker for maker in made.get(about, ()) if maker in through]
    return replace(link, made_by=equal[-1]) if equal else link


def _ends(store: Store, root: Root, back: list[Link]) -> list[dict[str, Any]]:
    """Return the files at which the way back ends, each once."""
    fed = {link.job for link in back}
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    uris = lineage.downloads(
        store.db, {*root.jobs, *(link.made_by for link in back if link.made_by is not None)}
    )

    def add(path: str, digest: str | None, sha256: str | None, made_by: int | None) -> None:
        uri = None if made_by is None else uris.get((made_by, path.rpartition("/")[2]))
        found[path, digest] = {
            "path": path, "digest": digest, "sha256": sha256, "made_by": made_by, "uri": uri,
        }  # fmt: skip

    for link in back:
        if link.path is not None and (link.made_by is None or link.made_by not in fed):
            add(link.path, link.digest, link.sha256, link.made_by)
    alone = [job for job in root.jobs if job not in fed]
    for row in lineage.owned_files(store.db, alone):
        if root.path in ("", row["path"]):
            add(row["path"], row["digest"], row["sha256"], row["job"])
    if root.path and not root.jobs:
        add(root.path, None, None, None)
    return [found[key] for key in sorted(found, key=lambda key: key[0])]


def _leads_to(store: Store, root: Root, forth: list[Link]) -> list[dict[str, Any]]:
    """Return the files that depend on the root and that no other job reads."""
    jobs = {link.job for link in forth}
    # the bytes of what was made again need not be those that were read
    read = {(link.path, link.made_by) for link in forth}
    return [
        {"path": row["path"], "digest": row["digest"], "made_by": row["job"]}
        for row in lineage.owned_files(store.db, jobs if root.path else {*jobs, *root.jobs})
        if (row["path"], row["job"]) not in read
    ]


def _as_json(link: Link, way: str) -> dict[str, Any]:
    return {
        "way": way, "job": link.job, "made_by": link.made_by, "kind": link.kind,
        "name": link.name, "role": link.role, "path": link.path, "digest": link.digest,
    }  # fmt: skip


def _root(store: Store, what: str) -> Root:
    if what.startswith("#") and what[1:].isdecimal():
        if not queries.jobs(store.db, job_id=int(what[1:])):
            raise InputError(f"there is no job {what}", where=str(store.folder))
        return Root("a job", [int(what[1:])])
    stage, colon, label = what.partition(":")
    if colon:
        done = [
            job["job"]
            for job in queries.jobs(store.db, stage=stage, label=label)
            if job["state"] == "done" and not job["forgotten"]
        ]
        if done:
            return Root("a job", done[-1:])
    return _target(store, what) or _file(store, what)


def _target(store: Store, what: str) -> Root | None:
    """Return a target, or points of its light curves; None where no target is named."""
    # the name of a target may hold a slash itself
    names = [name for name in known.targets(store.db) if f"{what}/".startswith(f"{name}/")]
    if not names:
        return None
    target = max(names, key=len)
    rest = what[len(target) + 1 :].split("/") if what != target else []
    through, when, more = [*rest, "", "", ""][:3]
    points = [] if more else lineage.points(store.db, target, through, when)
    if points:
        how = "points of a light curve" if through else "all light curves of a target"
        return Root(how, sorted({row["job_id"] for row in points}), points=points)
    if rest:
        if Path(what).expanduser().exists():
            return None
        have = {
            f"{target}/{row['filter']}/{row['epoch'] if row['level'] == 'epoch' else ''}".rstrip(
                "/"
            )
            for row in lineage.points(store.db, target, "", "")
        }
        raise InputError(
            f"no light curve has the point {what!r}, {did_you_mean(what, sorted(have))}"
        )
    return Root("all jobs about a target", lineage.jobs_about(store.db, target))


def _file(store: Store, what: str) -> Root:
    path = Path(what).expanduser()
    if "/" not in what and not path.exists():
        named = known.paths_named(store.db, what)
        if len(named) > 1:
            raise InputError(f"several files have the name {what}: {', '.join(sorted(named)[:8])}")
        if not named:
            names = [*known.targets(store.db), *known.job_names(store.db)]
            raise InputError(
                f"there is no target, job or file {what!r}, {did_you_mean(what, names)}"
            )
        stored = named[0]
    else:
        stored = stored_path(store, path)
    if known.knows(store.db, stored):
        maker = queries.maker_of(store.db, stored)
        return Root("a file, by its path", [] if maker is None else [maker], stored)
    if path.is_dir():
        raise InputError("this is a folder; name a file in it", where=what)
    if not path.is_file():
        raise InputError("there is no such file, and the store knows none", where=what)
    return _moved(store, path)


def _moved(store: Store, path: Path) -> Root:
    """Find a file that is not where it was made: by its bytes, or by its stamps."""
    content = store.contents.look(str(path.absolute()))
    same = [] if content is None else lineage.jobs_of_content(store.db, content.digest)
    if same:
        return Root("a file, by its bytes", [same[0][0]], same[0][1])
    maker = by_stamp(store, path)
    if maker is None:
        raise InputError(
            "this file was not made here: neither its bytes nor stamps are known",
            where=str(path),
            hint="Name the work directory it is of with --work-dir",
        )
    made = [row["path"] for row in lineage.owned_files(store.db, [maker])]
    fits = [name for name in made if name.endswith(path.suffix)]
    return Root("a file, by the stamps in its header", [maker], fits[0] if len(fits) == 1 else "")

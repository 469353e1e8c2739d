"""Restore, fetch or make again what `verify` found broken, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from hst123r.engine.aside import Aside
from hst123r.engine.copies import Listed, find, part_of, publish
from hst123r.engine.decide import Action
from hst123r.engine.dry import plan
from hst123r.engine.options import Options
from hst123r.engine.pieces import Group, Piece, Repaired, Wanted
from hst123r.engine.planned import Planned, Progress
from hst123r.engine.recover import recover
from hst123r.engine.report import Listener, Report
from hst123r.engine.run import Runner
from hst123r.engine.verify import Checked, check
from hst123r.engine.workspace import Workspace
from hst123r.errors import GOOD, INTERRUPTED, QUALITY, Hst123rError
from hst123r.provenance import copies
from hst123r.provenance.contents import BYTES
from hst123r.provenance.lineage import downloads
from hst123r.provenance.store import Store
from hst123r.recipe.load import load_text
from hst123r.records.outcome import State
from hst123r.stage import registry

BROKEN: Final = ("altered", "missing")


class _Repair:
    """Broken files of one work directory, with all that is known of them."""

    def __init__(self, store: Store, workspace: Workspace, wanted: Wanted) -> None:
        self.store, self.workspace, self.wanted = store, workspace, wanted
        rows = check(
            store, workspace, quick=wanted.quick, jobs=wanted.jobs, tell=wanted.tell
        )  # fmt: skip
        self.broken = [row for row in rows if row.state in BROKEN]
        self.unreadable = [row.file for row in rows if row.state == "unreadable"]
        self.copies: dict[str, Path] = {}
        self.whole = True
        listed: Listed = {}
        for row in self.broken:
            known = store.contents.get(row.content_id)
            found = find(store, row.file, known, wanted.folders, listed)
            if found is not None:
                self.copies[row.file] = found
        self.pieces = {row.file: self._piece(row) for row in self.broken}

    def _piece(self, row: Checked) -> Piece:
        piece = Piece(row.file, row.state, row.what, f"{row.stage}:{row.label}")
        if row.file in self.copies:
            piece.action = "restore"
            piece.source = self.store.contents.relative(str(self.copies[row.file]))
        return piece

    def rest(self) -> list[Checked]:
        """Return the broken files that no copy can replace."""
        return [row for row in self.broken if row.file not in self.copies]

    def groups(self) -> Iterator[Group]:
        """Yield the jobs of files without a copy, by the run that asked for them last."""
        rest = self.rest()
        runs = copies.last_runs(self.store.db, [row.job_id for row in rest])
        found: dict[tuple[str, str, tuple[str, ...]], Group] = {}
        for row in rest:
            asked = copies.asked(self.store.db, runs[row.job_id])
            key = (asked["path"], asked["text"], asked["set"])
            if key not in found:
                found[key] = self._group(*key)
            texts = found[key].mend
            what = row.what if row.state == "altered" else "missing"
            said = f"{row.file}: {what}"
            name = (row.stage, row.label)
            texts[name] = f"{texts[name]}; {said}" if name in texts else f"to repair {said}"
        yield from found.values()

    def _group(self, path: str, text: str, settings: tuple[str, ...]) -> Group:
        if not path:
            return Group(None, why="it was adopted, and cannot be made here")
        try:
            return Group(load_text(self._place(Path(path), text), text, settings))
        except Hst123rError as error:
            return Group(None, why=f"its recipe cannot be read any more: {error}")

    def _place(self, path: Path, text: str) -> Path:
        """Return where a recipe is now: beside the work directory, if it was moved with it."""
        here = self.workspace.folder.parent / path.name
        with suppress(OSError, UnicodeDecodeError):
            # what cannot be read is not the recipe
            if here.read_text(encoding="utf-8-sig") == text:
                return here
        return path if path.parent.is_dir() else here

    def of(self, group: Group) -> list[Piece]:
        """Return the files of a group."""
        return [
            self.pieces[row.file] for row in self.rest() if (row.stage, row.label) in group.mend
        ]

    def intend(self, group: Group, progress: Sequence[Progress]) -> None:
        """Say of the files of a group what is to be done, from a plan."""
        jobs = _jobs(progress)
        addresses = downloads(self.store.db, [row.job_id for row in self.rest()])
        by_file = {row.file: row.job_id for row in self.rest()}
        for piece in self.of(group):
            planned = jobs.get(piece.job)
            if group.recipe is None or planned is None or planned.decision.action is Action.BLOCKED:
                piece.source = why_not(group, planned, piece, progress)
                continue
            fetched = registry.get(planned.stage.name).home == "raw"
            piece.action = "fetch" if fetched else "make"
            piece.source = addresses.get((by_file[piece.file], Path(piece.file).name), "")

    def options(self, group: Group) -> Options:
        """Return the options of a run that does the jobs of a group and nothing else."""
        return Options(jobs=self.wanted.jobs, offline=self.wanted.offline, mend=group.mend)


def _jobs(progress: Sequence[Progress]) -> dict[str, Planned]:
    return {job.name: job for item in progress for job in item.jobs}


def why_not(
    group: Group, planned: Planned | None, piece: Piece, progress: Sequence[Progress]
) -> str:
    """Say why a file cannot be made again as it was."""
    if group.recipe is None:
        return group.why
    if planned is not None:
        return f"it cannot be made again as it was: {planned.decision.why}"
    errors = [f"{item.instance.name}: {item.error}" for item in progress if item.error is not None]
    if errors:
        return "; ".join(errors)
    return f"its recipe has no job {piece.job} any more"


def look(store: Store, workspace: Workspace, wanted: Wanted) -> Repaired:
    """Say what is broken and what a repair would do; change nothing.

    Parameters
    ----------
    store : Store
        The store, opened to read.
    workspace : Workspace
        Its work directory.
    wanted : Wanted
        What the user asks for.

    Returns
    -------
    Repaired
        Files with ``action`` and without ``outcome``.
    """
    work = _Repair(store, workspace, wanted)
    for group in work.groups():
        progress = []
        if group.recipe is not None:
            progress = plan(group.recipe, workspace, work.options(group))
        work.intend(group, progress)
    return Repaired(list(work.pieces.values()), work.unreadable)


def repair(
    store: Store,
    workspace: Workspace,
    wanted: Wanted,
    listener: Listener,
    run: Callable[[Runner], Report] = Runner.run,
) -> Repaired:
    """Mend what is broken, and nothing else.

    An equal copy is put in place of a file where there is one, byte for byte. The job of any other
    is done again if its key is as it was; all other jobs are left as they are. What was altered is
    moved to ``aside/`` first, and moved back where nothing came to take its place.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    workspace : Workspace
        Its work directory.
    wanted : Wanted
        What the user asks for.
    listener : Listener
        Who wants to know.
    run : callable
        Runs a `Runner`, for who wants to end it in order.

    Returns
    -------
    Repaired
        Every file with what was done.
    """
    for line in recover(store, workspace):
        listener.said(line)
    work = _Repair(store, workspace, wanted)
    done = Repaired(list(work.pieces.values()), work.unreadable)
    aside = Aside(workspace)
    for row in work.broken:
        if row.file in work.copies:
            _restore(work, row, aside)
    for group in work.groups():
        if group.recipe is None:
            work.intend(group, [])
            continue
        report = _make(work, group, aside, listener, run)
        if report is None:
            continue
        done.runs.append(report.run_id)
        if report.state == "interrupted":
            done.exit_code = INTERRUPTED
            break
    for piece in done.pieces:
        piece.outcome = piece.outcome or "left as it is"
        piece.aside = aside.shown(piece.file)
    left = any(piece.outcome == "left as it is" for piece in done.pieces)
    if done.exit_code == GOOD and (left or not work.whole):
        done.exit_code = QUALITY
    return done


def _restore(work: _Repair, row: Checked, aside: Aside) -> None:
    """Put an equal copy in the place of a file; first the copy is whole, then the file goes."""
    store, piece = work.store, work.pieces[row.file]
    known = store.contents.get(row.content_id)
    place = Path(store.contents.absolute(row.file))
    never_written = (work.workspace.raw, work.workspace.adopted)
    read_only = any(place.is_relative_to(top) for top in never_written)
    try:
        copy = work.copies[row.file]
        part = part_of(copy, work.workspace, place, known, read_only=read_only)
        try:
            aside.put(row.file)
            publish(part, place)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            # also when it was interrupted; what has its file again is left where it is
            aside.put_back()
    except Hst123rError as error:
        piece.action, piece.source = "none", str(error)
        return
    store.contents.look(str(place))
    store.contents.flush(wait=True)
    _tell(store, row, f"{row.file} was restored from {piece.source} ({row.what})")
    piece.outcome = "restored"


def _tell(store: Store, row: Checked, text: str) -> None:
    """Note with the job what was done about a file of its result."""
    (run,) = store.db.execute("select run_id from job where id = ?", [row.job_id]).fetchone()
    store.event(run, "info", "repaired", text, row.job_id)


def _put_aside(work: _Repair, group: Group, aside: Aside) -> None:
    """Put altered files out of the way; jobs whose files cannot be moved are left as they are."""
    for piece in work.of(group):
        if piece.state != "altered":
            continue
        try:
            aside.put(piece.file)
        except Hst123rError as error:
            for other in work.of(group):
                if other.job == piece.job:
                    other.action, other.source = "none", str(error)
            group.mend = {job: why for job, why in group.mend.items() if ":".join(job) != piece.job}


def _make(
    work: _Repair, group: Group, aside: Aside, listener: Listener, run: Callable[[Runner], Report]
) -> Report | None:
    assert group.recipe is not None
    try:
        _put_aside(work, group, aside)
        if not group.mend:
            return None
        mine = work.of(group)
        options = work.options(group)
        report = run(Runner(group.recipe, work.workspace, work.store, options, listener))
    finally:
        aside.put_back()
    work.intend(group, report.progress)
    jobs = _jobs(report.progress)
    for piece in mine:
        planned = jobs.get(piece.job)
        if planned is None or planned.state is State.BLOCKED:
            continue
        if planned.state is not State.DONE:
            piece.source = planned.error or "it was interrupted"
            continue
        piece.outcome, whole = _outcome(work, piece)
        work.whole = work.whole and whole
    return report


def _outcome(work: _Repair, piece: Piece) -> tuple[str, bool]:
    """Say how a file that was made again compares with what it was, and whether it is that."""
    store = work.store
    row = next(row for row in work.broken if row.file == piece.file)
    done = "fetched again" if piece.action == "fetch" else "made again"
    now = store.contents.look(store.contents.absolute(piece.file))
    if now is None:
        return f"{done}, but there is no such file any more", False
    then = store.contents.get(row.content_id)
    changed = [name for name in then.changed_facets(now) if name != "volatile"]
    if now.digest == then.digest:
        return f"{done}, the same bytes", True
    if not changed:
        return f"{done}, equal but for dates", True
    if changed == [BYTES] and not now.facets:
        # pictures and reports name their run, and nothing is measured on them
        return f"{done}, with other bytes", copies.names_its_run(store.db, row.job_id, row.file)
    return f"{done}, but {', '.join(changed)} differ", False

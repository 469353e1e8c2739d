"""Taking in results that were made elsewhere, as such: never as made by us."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hst123r.engine import environment, without_recipe
from hst123r.engine.keys import key_digest
from hst123r.engine.workspace import Workspace
from hst123r.errors import GOOD, INTERRUPTED, STAGE_FAILED, Hst123rError, InputError
from hst123r.files.content import Content, look
from hst123r.files.publish import READ_ONLY, copy, machine_errors, make_folder, move
from hst123r.products.recognised import recognise
from hst123r.provenance.adopted import CODE, STAGE
from hst123r.provenance.rows import InputRow, Part
from hst123r.provenance.stamps import read_stamps
from hst123r.provenance.store import Store
from hst123r.records.outcome import Caveat, Outcome, Product
from hst123r.stage.contract import Job

VERSION = 1
"""Of what is recorded of an adopted file."""
OTHERS_FILE = "file made elsewhere"
"""Kind of what an adoption reads: the file where it was found."""


@dataclass(slots=True)
class Taken:
    """A file, and whether it was taken in.

    Parameters
    ----------
    source : str
        Where it was found.
    state : str
        ``adopted``, ``known`` (these bytes were adopted before) or ``left``.
    kind : str
        What it is, empty where that cannot be told.
    file : str
        Where it is now, from the work directory.
    why : str
        Why it was left.
    job : int
        The job that stands for it, 0 for none.
    """

    source: str
    state: str
    kind: str = ""
    file: str = ""
    why: str = ""
    job: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


@dataclass(slots=True)
class Found:
    """A file that could be adopted.

    Parameters
    ----------
    source : Path
        Where it is.
    name : str
        The name it gets below ``adopted/``.
    why : str
        Why it cannot be adopted, empty when it can.
    beside : dict of str to Path
        Files that belong to it, by role, e.g. the list of columns of a catalogue.
    facts : dict
        What else is known of it; plain values.
    """

    source: Path
    name: str
    why: str = ""
    beside: dict[str, Path] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def candidates(given: Sequence[Path]) -> list[Found]:
    """Find the files that could be adopted.

    Parameters
    ----------
    given : sequence of Path
        Files, and folders that are searched.

    Returns
    -------
    list of Found
        Each file.

    Raises
    ------
    InputError
        If a file that was named itself cannot be adopted, or a folder has none that can.
    """
    found: list[Found] = []
    for path in given:
        if path.is_dir():
            inside = list(_inside(path))
            if all(item.why for item in inside):
                raise InputError("there is nothing in this folder to adopt", where=str(path))
            found += inside
            continue
        if not path.is_file():
            raise InputError("there is no such file", where=str(path))
        recognise(path)
        found.append(Found(path, path.name))
    return found


def _inside(top: Path) -> Iterator[Found]:
    for path in sorted(top.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(top).parts):
            continue
        name = f"{top.resolve().name}/{path.relative_to(top).as_posix()}"
        why = ""
        try:
            recognise(path)
        except InputError as error:
            why = error.message
        yield Found(path, name, why)


def adopt(store: Store, workspace: Workspace, wanted: Sequence[Found], note: str) -> list[Taken]:
    """Copy files into ``adopted/`` and record them as what they are.

    Each is a job of its own in a run of its own, so that a file that is there is in the store or
    can be adopted again.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    workspace : Workspace
        Its work directory.
    wanted : sequence of Found
        The files.
    note : str
        What the user says of how and by whom they were made.

    Returns
    -------
    list of Taken
        One for each file.

    Raises
    ------
    InputError
        If another file has the name of one of them already.
    EnvironmentProblem
        If the machine refuses.
    """
    run_id = without_recipe.begin(store, "adopt", STAGE, "adopted")
    found = []
    state, code = "failed", STAGE_FAILED
    try:
        for item in wanted:
            if item.why:
                found.append(Taken(str(item.source), "left", why=item.why))
            else:
                found.append(_take(store, workspace, run_id, item, note))
        state, code = "done", GOOD
    except KeyboardInterrupt:
        state, code = "interrupted", INTERRUPTED
        raise
    except Hst123rError as error:
        code = error.exit_code
        raise
    finally:
        made = sum(row.state == "adopted" for row in found)
        store.contents.flush(wait=True)
        store.end_run(run_id, state=state, exit_code=code, ran=made, reused=[], blocked=[])
    return found


def _take(store: Store, workspace: Workspace, run_id: int, item: Found, note: str) -> Taken:
    source = item.source.absolute()
    place = workspace.adopted / item.name
    kind = recognise(source)
    folder = place.parent
    sources = {"file": (source, place)}
    sources |= {role: (path.absolute(), folder / path.name) for role, path in item.beside.items()}
    copies = {role: _copied(*pair, workspace) for role, pair in sources.items()}
    shown = str(place.relative_to(workspace.folder))
    known = _known(store, shown, copies["file"], note)
    if known:
        return Taken(str(source), "known", kind, shown, job=known)
    job_id = _record(store, run_id, sources, kind, copies, {"note": note, **item.facts})
    return Taken(str(source), "adopted", kind, shown, job=job_id)


def _copied(source: Path, place: Path, workspace: Workspace) -> Content:
    """Copy a file unless it is there; another one of its name is an error."""
    if not place.is_file():
        return _copy(source, place, workspace)
    content = look(place, sha256=True)
    if content.digest != look(source).digest:
        name = place.relative_to(workspace.adopted)
        raise InputError(
            f"another file of this name was adopted before: {name}", where=str(source),
            hint="Rename one of them; nothing is written over",
        )  # fmt: skip
    return content


def _known(store: Store, path: str, content: Content, note: str) -> int:
    """Return the job that stands for a file, 0 where there is none or a note says more."""
    row = store.db.execute(
        "select max(j.id) from job j join product p on p.job_id = j.id "
        "join product_file f on f.product_id = p.id join content c on c.id = f.content_id "
        "where j.stage = ? and j.forgotten = 0 and j.state = 'done' and f.path = ? "
        "and c.digest = ?",
        [STAGE, path, content.digest],
    ).fetchone()
    if note and row[0]:
        told = store.db.execute(
            "select value from job_param where job_id = ? and name = 'note'", [row[0]]
        ).fetchone()
        if told is None or note not in told[0]:
            return 0
    return int(row[0] or 0)


def _copy(source: Path, place: Path, workspace: Workspace) -> Content:
    with machine_errors("adopt a file", source):
        make_folder(place.parent)
        part = workspace.part(place)
        part.unlink(missing_ok=True)
        try:
            content = copy(source, part, sha256=True)
            part.chmod(READ_ONLY)
            move(part, place)
        except BaseException:
            # also when it is interrupted
            with suppress(OSError):
                part.unlink()
            raise
    return content


def _record(
    store: Store,
    run_id: int,
    sources: Mapping[str, tuple[Path, Path]],
    kind: str,
    copies: Mapping[str, Content],
    facts: dict[str, Any],
) -> int:
    place = sources["file"][1]
    label = place.relative_to(store.folder / "adopted").as_posix()
    stamps = read_stamps(place) if copies["file"].kind == "fits" else {}
    note, by = facts["note"], environment.user()
    text = f"{place.name} was made elsewhere and adopted"
    text += f": {note}" if note else "; nobody said how it was made"
    facts |= {"by": by, "host": environment.host()}
    facts |= {"stamps": stamps} if stamps else {}
    files = {role: str(pair[1]) for role, pair in sources.items()}
    product = Product(f"adopted {kind}", place.name, {}, files, facts)
    outcome = Outcome([product], caveats=[Caveat(CODE, text, place.name)])
    with store.transaction():
        parts = [
            Part("version", STAGE, str(VERSION)),
            Part("argument", "kind", kind),
            Part("argument", "note", note),
            Part("argument", "by", by),
        ]
        rows = [
            InputRow(
                OTHERS_FILE, place.name, role, 0, str(sources[role][0]),
                store.contents.add(content).id, {"bytes": content.digest},
            )
            for role, content in copies.items()
        ]  # fmt: skip
        read = [Part("input", role, content.digest) for role, content in copies.items()]
        key = key_digest([*parts, *read])
        job_id = store.jobs.start(
            {
                "run_id": run_id, "stage": STAGE, "handler": STAGE, "label": label, "labels": {},
                "version": VERSION, "key": key, "reasons": [["adopted", text]], "log": None,
            }
        )  # fmt: skip
        store.jobs.describe(job_id, parts, rows, key)
        store.jobs.finish(job_id, outcome, {files[r]: content for r, content in copies.items()}, {})
    for path in files.values():
        store.contents.look(path)
    return job_id


def mark(job: Job, known: Mapping[str, Caveat], store: Store) -> None:
    """Give what a job reads of adopted files the caveat that says so.

    Parameters
    ----------
    job : Job
        A job; caveats of what it reads go into its key and on to what it makes. Its notes have the
        texts under ``adopted``, for its own record.
    known : mapping of str to Caveat
        By path as the store has it, see `provenance.adopted.caveats`.
    store : Store
        The store.
    """
    # a path may lead through a link
    top = os.path.realpath(store.folder / STAGE) + os.sep
    for products in job.inputs.values() if known else ():
        for product in products:
            for path in product.files.values():
                real = os.path.realpath(path)
                inside = f"{STAGE}/{real.removeprefix(top)}" if real.startswith(top) else ""
                caveat = known.get(store.contents.relative(path)) or known.get(inside)
                if caveat is not None and caveat not in product.caveats:
                    product.caveats.append(caveat)
                    job.notes.setdefault(STAGE, []).append(caveat.text)

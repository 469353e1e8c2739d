"""Taking in results that were made elsewhere, as such: never as made by us."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hst123r.engine import environment
from hst123r.engine.keys import key_digest
from hst123r.engine.workspace import Workspace
from hst123r.errors import InputError
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
NO_RECIPE = "# adopted: there is no recipe\n"
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
class Told:
    """What a user says of the files.

    Parameters
    ----------
    note : str
        How and by whom they were made.
    facts : mapping
        More to be kept with each of them.
    """

    note: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def candidates(given: Sequence[Path]) -> list[tuple[Path, str, str]]:
    """Find the files that could be adopted.

    Parameters
    ----------
    given : sequence of Path
        Files, and folders that are searched.

    Returns
    -------
    list of (Path, str, str)
        Each file with the name it gets below ``adopted/``, and why it cannot be adopted.

    Raises
    ------
    InputError
        If a file that was named itself cannot be adopted, or a folder has none that can.
    """
    found: list[tuple[Path, str, str]] = []
    for path in given:
        if path.is_dir():
            inside = list(_inside(path))
            if not any(not why for _, _, why in inside):
                raise InputError("there is nothing in this folder to adopt", where=str(path))
            found += inside
            continue
        if not path.is_file():
            raise InputError("there is no such file", where=str(path))
        recognise(path)
        found.append((path, path.name, ""))
    return found


def _inside(top: Path) -> Iterator[tuple[Path, str, str]]:
    for path in sorted(top.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(top).parts):
            continue
        name = f"{top.resolve().name}/{path.relative_to(top).as_posix()}"
        why = ""
        try:
            recognise(path)
        except InputError as error:
            why = error.message
        yield path, name, why


def adopt(
    store: Store, workspace: Workspace, wanted: Sequence[tuple[Path, str, str]], told: Told
) -> list[Taken]:
    """Copy files into ``adopted/`` and record them as what they are.

    Each is a job of its own in a run of its own, so that a file that is there is in the store or
    can be adopted again.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    workspace : Workspace
        Its work directory.
    wanted : sequence of (Path, str, str)
        As of `candidates`.
    told : Told
        What the user says of them.

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
    run_id = _begin(store)
    found = []
    state, code = "failed", 2
    try:
        for source, name, why in wanted:
            if why:
                found.append(Taken(str(source), "left", why=why))
            else:
                found.append(_take(store, workspace, run_id, source, name, told))
        state, code = "done", 0
    finally:
        made = sum(row.state == "adopted" for row in found)
        store.contents.flush(wait=True)
        store.end_run(run_id, state=state, exit_code=code, ran=made, reused=[], blocked=[])
    return found


def _begin(store: Store) -> int:
    return store.begin_run(
        recipe={"name": STAGE, "path": "", "text": NO_RECIPE, "canonical": {}},
        environment=environment.describe(),
        run={
            "uid": f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}",
            "command": environment.command(),
            "folder": str(Path.cwd()),
            "user": environment.user(),
            "host": environment.host(),
            "pid": 0,
            "options": {"what": "adopt"},
            "parameters": [],
        },
    )


def _take(
    store: Store, workspace: Workspace, run_id: int, source: Path, name: str, told: Told
) -> Taken:
    source = source.absolute()
    place = workspace.adopted / name
    kind = recognise(source)
    if place.is_file():
        content = look(place, sha256=True)
        if content.digest != look(source).digest:
            raise InputError(
                f"another file of this name was adopted before: {name}", where=str(source),
                hint="Rename one of them; nothing is written over",
            )  # fmt: skip
        known = _known(store, store.contents.relative(str(place)), content)
        if known:
            return Taken(str(source), "known", kind, f"adopted/{name}", job=known)
    else:
        content = _copy(source, place)
    job_id = _record(store, run_id, source, place, kind, content, told)
    return Taken(str(source), "adopted", kind, f"adopted/{name}", job=job_id)


def _known(store: Store, path: str, content: Content) -> int:
    row = store.db.execute(
        "select max(j.id) from job j join product p on p.job_id = j.id "
        "join product_file f on f.product_id = p.id join content c on c.id = f.content_id "
        "where j.stage = ? and j.forgotten = 0 and j.state = 'done' and f.path = ? "
        "and c.digest = ?",
        [STAGE, path, content.digest],
    ).fetchone()
    return int(row[0] or 0)


def _copy(source: Path, place: Path) -> Content:
    part = place.with_name(f".{place.name}.part")
    with machine_errors("adopt a file", source):
        make_folder(place.parent)
        part.unlink(missing_ok=True)
        try:
            content = copy(source, part, sha256=True)
            part.chmod(READ_ONLY)
            move(part, place)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
    return content


def _record(
    store: Store, run_id: int, source: Path, place: Path, kind: str, content: Content, told: Told
) -> int:
    label = place.relative_to(store.folder / "adopted").as_posix()
    stamps = read_stamps(place) if content.kind == "fits" else {}
    by = environment.user()
    text = f"{place.name} was made elsewhere and adopted by {by}"
    text += f": {told.note}" if told.note else ", who did not say how it was made"
    facts = {"note": told.note, "by": by, "host": environment.host(), **told.facts}
    facts |= {"stamps": stamps} if stamps else {}
    product = Product(f"adopted {kind}", place.name, {}, {"file": str(place)}, facts)
    outcome = Outcome([product], caveats=[Caveat(CODE, text, place.name)])
    with store.transaction():
        known = store.contents.add(content)
        parts = [
            Part("version", STAGE, str(VERSION)),
            Part("argument", "kind", kind),
            Part("argument", "note", told.note),
            Part("argument", "by", by),
        ]
        row = InputRow(
            OTHERS_FILE, place.name, "file", 0, str(source), known.id, {"bytes": content.digest}
        )
        key = key_digest([*parts, Part("input", "file", content.digest)])
        job_id = store.jobs.start(
            {
                "run_id": run_id, "stage": STAGE, "handler": STAGE, "label": label, "labels": {},
                "version": VERSION, "key": key, "reasons": [["adopted", text]], "log": None,
            }
        )  # fmt: skip
        store.jobs.describe(job_id, parts, [row], key)
        store.jobs.finish(job_id, outcome, {str(place): content}, {})
    store.contents.look(str(place))
    return job_id


def mark(job: Job, known: Mapping[str, Caveat], store: Store) -> None:
    """Give what a job reads of adopted files the caveat that says so.

    Parameters
    ----------
    job : Job
        A job; caveats of what it reads go into its key and on to what it makes.
    known : mapping of str to Caveat
        By path as the store has it, see `provenance.adopted.caveats`.
    store : Store
        The store.
    """
    for products in job.inputs.values() if known else ():
        for product in products:
            for path in product.files.values():
                caveat = known.get(store.contents.relative(path))
                if caveat is not None and caveat not in product.caveats:
                    product.caveats.append(caveat)

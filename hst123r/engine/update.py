"""Renewing a lock: what archives have made anew, and what is different by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from hst123r.engine.naming import placed
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned
from hst123r.engine.planner import Planner
from hst123r.engine.report import Listener, Report
from hst123r.engine.run import Runner
from hst123r.engine.workspace import Workspace
from hst123r.errors import ArchiveError
from hst123r.provenance import queries
from hst123r.provenance.contents import Known
from hst123r.provenance.store import Store
from hst123r.recipe import lock as lock_file
from hst123r.recipe.lock import Difference
from hst123r.recipe.model import Recipe

AT_ONCE: Final = 4
"""Questions that are asked at once: as many as files are fetched."""
WORDS: Final = {
    "pixels": "pixels", "dq": "data quality", "wcs": "WCS", "science": "header",
    "alternates": "other WCS solutions", "volatile": "dates and versions",
    "bytes": "padding, comments or structure",
}  # fmt: skip
"""What facets of a file are called."""
_LITTLE: Final = {"volatile", "alternates"}


@dataclass(frozen=True, slots=True)
class Redelivered:
    """A file that its archive has made anew.

    Parameters
    ----------
    stage, label : str
        The job that fetched it.
    file : str
        Its name in ``raw/``.
    why : str
        How that shows.
    """

    stage: str
    label: str
    file: str
    why: str


@dataclass(slots=True)
class Checked:
    """What MAST says of the files that are here.

    Parameters
    ----------
    redelivered : list of Redelivered
        Files that were made anew, in the order of the jobs.
    gone : list of str
        Names of files that MAST does not have any more; those that are here are as good as before.
    unknown : list of str
        Names of files of which it cannot be told: they came without a date and an ETag, or MAST
        gives neither.
    """

    redelivered: list[Redelivered] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Updated:
    """What an update came to.

    Parameters
    ----------
    report : Report
        The run that fetched.
    lock : Path
        The lock.
    differences : list of Difference
        What the new lock has otherwise than the old one.
    checked : Checked
        What MAST said of the files that were here.
    failed : list of str
        Names of files that were made anew and did not come; the old ones stay.
    changed : dict of str to str
        What is different in them, by file, in words.
    first : bool
        Whether there was no lock before.
    """

    report: Report
    lock: Path
    differences: list[Difference] = field(default_factory=list)
    checked: Checked = field(default_factory=Checked)
    failed: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    first: bool = False


def check(
    recipe: Recipe, store: Store, options: Options, heard: dict[str, list[str]] | None = None
) -> Checked:
    """Ask MAST which of the files that are here it has made anew.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    store : Store
        The store of its work directory; it is only read.
    options : Options
        With `Options.update`.
    heard : dict of str to list of str, optional
        What archives have answered already; added to.

    Returns
    -------
    Checked
        What it says.

    Raises
    ------
    ArchiveError
        If MAST does not answer, or must not be asked.
    """
    if options.offline:
        raise ArchiveError(
            "whether files were made anew only MAST can tell, and --offline forbids to ask it",
            hint="Run without --offline",
        )
    from hst123r.archives import endpoints, mast_token
    from hst123r.archives.redelivery import Asker, Held, Standing

    recipe = placed(recipe, store.folder, options)
    planner = Planner(recipe, store, options, dry=True)
    planner.heard = {} if heard is None else heard
    planner.divide_all()
    for progress in planner.progress.values():
        if progress.error is not None:
            raise progress.error
    found = Checked()
    asked: list[tuple[Planned, Held]] = []
    places, bucket = endpoints.mast(), endpoints.bucket()
    for planned in (job for item in planner.progress.values() for job in item.jobs):
        files = {row["name"]: row for row in planned.job.notes.get("listed", [])}
        for made in planned.made:
            for role, path in made.product.files.items():
                name = Path(path).name
                if name not in files:
                    continue
                facts = made.product.facts
                # each server has dates and ETags of its own
                server = bucket if facts.get(f"source_{role}") == "s3" else places
                url = server.download(files[name]["uri"])
                then = [facts.get(f"{about}_{role}", "") for about in ("etag", "last_modified")]
                asked.append((planned, Held(name, url, made.contents[role].size, *then)))
    private = any(not job.job.notes.get("public", True) for job, _ in asked)
    asker = Asker(places.host, mast_token.find() if private else None)
    answers = asker.ask([held for _, held in asked], AT_ONCE) if asked else []
    for (planned, held), (standing, why) in zip(asked, answers, strict=True):
        listed = [r.text for r in planned.decision.reasons if r.code.value == "argument"]
        text = why or ("its place in MAST's list is another" if listed else "")
        if standing is Standing.GONE:
            # it cannot be had again, so that asking for it would only fail
            found.gone.append(held.name)
        elif text:
            row = Redelivered(planned.instance.name, planned.job.label, held.name, text)
            found.redelivered.append(row)
        elif standing is Standing.UNKNOWN:
            found.unknown.append(held.name)
    return found


def update(
    recipe: Recipe, workspace: Workspace, store: Store, options: Options, listener: Listener
) -> Runner:
    """Return the run that brings the files of archives up to date and writes the lock anew.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    store : Store
        Its store, held by us.
    options : Options
        What the user asked for.
    listener : Listener
        Who wants to know.
    """
    options = replace(options, update=True)
    recipe = placed(recipe, workspace.folder, options)
    return Runner(recipe, workspace, store, options, listener)


def renewed(runner: Runner) -> Updated:
    """Run an update.

    Parameters
    ----------
    runner : Runner
        As `update` gives it.

    Returns
    -------
    Updated
        What it came to.

    Raises
    ------
    ArchiveError
        If MAST does not answer.
    """
    locking, store = runner.locking, runner.store
    if locking.broken:
        runner.listener.said(f"{locking.path.name} is made anew: {locking.broken}")
    before = _contents(store)
    found = Checked()
    if not runner.options.offline and before:
        with runner.waiting():
            found = check(runner.recipe, store, runner.options, runner.heard)
    redo = tuple(dict.fromkeys(f"{item.stage}:{item.label}" for item in found.redelivered))
    runner.options = replace(runner.options, redo=redo)
    report = runner.run()
    after = _contents(store)
    changed = {
        Path(path).name: _words(before[path], known)
        for path, known in after.items()
        if path in before and before[path].digest != known.digest
    }
    done = Updated(report, locking.path, checked=found, changed=changed)
    broken = {job.name for item in report.progress for job in item.jobs if job.error}
    done.failed = [
        item.file for item in found.redelivered if f"{item.stage}:{item.label}" in broken
    ]
    new = lock_file.read(locking.path) if report.state == "done" else None
    done.first = locking.old is None
    if new is not None and locking.old is not None:
        done.differences = lock_file.differences(locking.old, new)
    return done


def _contents(store: Store) -> dict[str, Known]:
    return {
        row["path"]: store.contents.get(row["content_id"])
        for row in queries.current_files(store.db)
        if row["path"].startswith("raw/")
    }


def _words(then: Known, now: Known) -> str:
    facets = then.changed_facets(now)
    if "wcs" in facets and not set(facets) - {"wcs", *_LITTLE}:
        return "WCS only"
    return ", ".join(WORDS.get(name, name) for name in facets)

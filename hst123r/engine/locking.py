"""A run and its lock: what it obeys, what is not as it was locked, and the lock it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hst123r.engine.handover import Result
from hst123r.engine.lock_content import before, built, completed, head_of, queries, wanted_digest
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned, Progress
from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance.store import Store
from hst123r.recipe import lock as lock_file
from hst123r.recipe.lock import Difference, Lock
from hst123r.recipe.model import Instance, Recipe
from hst123r.resources import shipped_recipes
from hst123r.stage.contract import Locked

if TYPE_CHECKING:
    from hst123r.engine.planner import Planner

SHOWN = 6
"""Differences that are told one by one; of more the number is told."""


@dataclass(slots=True)
class Told:
    """What there is to tell after a run.

    Parameters
    ----------
    lines : list of str
        Sentences.
    refused : bool
        Whether something is not as it was locked, and had to be.
    """

    lines: list[str] = field(default_factory=list)
    refused: bool = False


class Locking:
    """The lock of a recipe, as a run obeys and writes it.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    folder : Path
        The work directory; the lock of a recipe that ships with hst123r stands there.
    options : Options
        What the user asked for.

    Raises
    ------
    InputError
        If there is a lock that cannot be used, but for an update, which makes it anew.
    """

    def __init__(self, recipe: Recipe, folder: Path, options: Options) -> None:
        self.recipe = recipe
        self.options = options
        self.path = path_of(recipe, folder)
        self.old: Lock | None = None
        self.broken = ""
        # read now: while a run goes on, somebody may write another one
        self._found = self._read_text()
        self._kept = None if options.update else self._found
        try:
            self.old = self._read()
        except InputError as error:
            if not options.update:
                raise
            self.broken = error.message
        if options.locked and self.old is None:
            raise InputError(
                "there is no lock, and --locked needs one",
                where=str(self.path),
                hint="Run once without --locked; the lock is written when the run has gone well",
            )

    def _read(self) -> Lock | None:
        found = lock_file.read(self.path)
        if found is not None and found.recipe.name != self.recipe.name:
            raise InputError(
                f"the lock is of the recipe {found.recipe.name}, this one is {self.recipe.name}",
                where=str(self.path),
                hint="Remove the lock, or run `hst123r update RECIPE` to make it anew",
            )
        return found

    def text(self) -> str | None:
        """Return the lock that the run obeyed or left, for the history; None without one."""
        return self._kept

    def _read_text(self) -> str | None:
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            # `_read` says what is wrong
            return None

    @property
    def lock(self) -> Lock | None:
        """The lock to obey; an update obeys none."""
        return None if self.options.update else self.old

    def pins(self, instance: Instance) -> Locked | None:
        """Return what the lock has of a stage that fetches.

        Parameters
        ----------
        instance : Instance
            The stage.
        """
        if self.lock is None or not self.lock.wanted(instance.name):
            return None
        products = [item.as_json() for item in self.lock.of_stage(instance.name)]
        rules = self.lock.wanted(instance.name) == wanted_digest(self.recipe, instance)
        return Locked(rules, self.options.locked, products)

    def refuse(self, store: Store) -> None:
        """Compare everything that can be compared before a run with the lock.

        Parameters
        ----------
        store : Store
            The store; it is not written.

        Raises
        ------
        InputError
            With every difference.
        """
        from hst123r.engine.planner import Planner

        planner = Planner(self.recipe, store, self.options, dry=True)
        planner.locking = self
        planner.divide_all()
        for progress in planner.progress.values():
            if progress.stage.home == "raw" and progress.error is not None:
                raise progress.error
        found = self.against(planner, store)
        if found:
            lines = "\n  ".join(map(str, found))
            raise InputError(
                f"not everything is as it was locked:\n  {lines}",
                where=str(self.path),
                hint="Run without --locked, or run `hst123r update RECIPE` to lock what there is",
            )

    def against(self, planner: Planner, store: Store) -> list[Difference]:
        """Return in what a plan is not as it was locked, as far as that can be known.

        Parameters
        ----------
        planner : Planner
            With the stages that fetch divided.
        store : Store
            The store.

        Returns
        -------
        list of Difference
            Empty also where there is no lock.
        """
        if self.lock is None:
            return []
        same = {name: getattr(self.lock, name) for name in ("products", "references")}
        jobs = [job for progress in planner.progress.values() for job in progress.jobs]
        # what is kept here may be another answer than the locked one; what is not kept is as it was
        asked = {(row["service"], row["what"]): row for row in queries(jobs)}
        answers = [
            item if item.service == "mast" else asked.get((item.service, item.what), item)
            for item in self.lock.queries
        ]
        now = Lock.model_validate({**head_of(self.recipe, planner), **same, "queries": answers})
        found = lock_file.differences(self.lock, now)
        for progress in planner.progress.values():
            found += self._of_stage(progress, store)
        return found

    def of_stage(self, progress: Progress, store: Store) -> list[str]:
        """Return sentences about files of a stage that are not as they were locked.

        Parameters
        ----------
        progress : Progress
            A stage that was divided.
        store : Store
            The store.
        """
        found = self._of_stage(progress, store)
        if not found:
            return []
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        told = "; ".join(f"{item.name}: {item.text}" for item in found[:SHOWN])
        return [f"not as locked: {told}{more}. `hst123r update RECIPE` locks what there is"]

    def _of_stage(self, progress: Progress, store: Store) -> list[Difference]:
        name = progress.instance.name
        if self.lock is None or progress.stage.home != "raw" or not progress.divided:
            return []
        if progress.error is not None or not self.lock.wanted(name):
            return []
        then = {item.name: item for item in self.lock.of_stage(name)}
        now = {row["name"]: row for job in progress.jobs for row in before(job, store)}
        found = []
        for file, row in now.items():
            if file not in then:
                found.append(Difference("products", f"{name} {file}", "new"))
            elif row.get("digest") and then[file].digest not in (None, row["digest"]):
                text = f"its content is not the locked one (size {then[file].size} → {row['size']})"
                found.append(Difference("products", f"{name} {file}", text))
        makes = {job.job.label for job in progress.jobs}
        for file, item in then.items():
            # of exposures that are still to be made nobody knows the files, but their name
            if file not in now and item.exposure not in makes and item.sha256 is not None:
                found.append(Difference("products", f"{name} {file}", "gone"))
        rules = self.lock.wanted(name) == wanted_digest(self.recipe, progress.instance)
        if not rules and not self.options.locked:
            # where something else is wanted, other files are no news
            return [item for item in found if "content" in item.text]
        return found

    def unlike(self, planned: Planned, result: Result) -> str:
        """Say which file of a job that ended is not the locked one, where it has to be.

        Parameters
        ----------
        planned : Planned
            The job.
        result : Result
            What it made.

        Returns
        -------
        str
            A sentence, empty where all is well.
        """
        if not self.options.locked or self.lock is None or planned.stage.home != "raw":
            return ""
        then = {item.name: item.sha256 for item in self.lock.of_stage(planned.instance.name)}
        for path, content in result.contents.items():
            wanted = then.get(Path(path).name)
            if wanted is not None and content.sha256 != wanted:
                return (
                    f"{Path(path).name} is not the locked one (sha256 {str(content.sha256)[:12]}…, "
                    f"{wanted[:12]}… is locked). Run without --locked to take it"
                )
        return ""

    def after(self, planner: Planner, store: Store) -> Told:
        """Write the lock after a run of the whole recipe that went well, where there is news.

        A lock of the same recipe is completed and never changed; that takes an update. One of
        an earlier version of the recipe was obeyed as far as it went, and gives way.

        Parameters
        ----------
        planner : Planner
            With the jobs of the run.
        store : Store
            The store.

        Returns
        -------
        Told
            What to say.
        """
        part = self.options.until or self.options.only or self.recipe.settings
        if part and not self.options.update:
            return Told()
        new = built(planner, store)
        if self.lock is None:
            if self.old == new:
                self._kept = self._found
                return Told()
            return Told([self._save(new)])
        found = lock_file.differences(self.lock, new)
        if self.lock.recipe.digest == new.recipe.digest:
            full = completed(self.lock, new)
            found = lock_file.differences(full, new)
            found = [item for item in found if not _of_no_account(item)]
            if self.options.locked:
                return Told([f"not as locked: {item}" for item in found], refused=bool(found))
            lines = [self._save(full)] if full != self.lock else []
            changed = [item for item in found if item.section in ("references", "queries")]
            lines += [f"not as locked: {item}" for item in changed[:SHOWN]]
            versions = [f"{d.name} {d.text}" for d in found if d.section == "software"]
            if versions:
                lines.append(f"software is not as locked: {'; '.join(versions[:SHOWN])}")
            return Told(lines)
        return Told([self._save(new)] if found else [])

    def _save(self, lock: Lock) -> str:
        try:
            lock_file.save(lock, self.path)
        except EnvironmentProblem as error:
            return f"the lock could not be written: {error}"
        self._kept = lock_file.as_text(lock)
        verb = "renewed" if self.old is not None else "written"
        return f"{verb} {self.path.name}: {len(lock.products)} files"


def _of_no_account(item: Difference) -> bool:
    """Whether a difference is none that a run is to tell: it is about a question.

    What was not asked this time is as it was; and of MAST's lists fetching has told what matters.
    """
    return item.section == "queries" and (item.text == "gone" or item.name.startswith("mast "))


def path_of(recipe: Recipe, folder: Path) -> Path:
    """Return where the lock of a recipe stands.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    folder : Path
        Its work directory.

    Returns
    -------
    Path
        Beside the recipe; in the work directory for one that ships with hst123r.
    """
    beside = lock_file.path_beside(recipe)
    shipped = recipe.path.resolve() in {path.resolve() for path in shipped_recipes().values()}
    return folder / beside.name if shipped else beside

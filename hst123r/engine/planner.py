"""Which jobs there are, and what is to be done about each.

Stages are divided into jobs one after another, because what a stage makes decides how the next
one is divided. In a run a stage is divided when everything before it has settled; in a plan the
products of the last run stand in for those still to be made, and what depends on them is `maybe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hst123r.engine import printed
from hst123r.engine.adopt import mark
from hst123r.engine.decide import Action, Code, Decision, Reason, decide
from hst123r.engine.environment import software
from hst123r.engine.failures import failures_of, vital
from hst123r.engine.flow import inherit, stops, usable_products, way_out
from hst123r.engine.in_place import in_place
from hst123r.engine.keys import Identities, Key, build_key
from hst123r.engine.mending import narrowed, recorded, untouched
from hst123r.engine.offline import forbidden
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned, Progress, conflict, summary
from hst123r.engine.resolutions import Resolutions
from hst123r.errors import Hst123rError, InputError
from hst123r.provenance import adopted, queries
from hst123r.provenance.rows import Made, Record
from hst123r.provenance.store import Store
from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import selection
from hst123r.records.exposure import band
from hst123r.records.outcome import Product, Quality, State
from hst123r.stage import registry
from hst123r.stage.contract import Job, Scope

if TYPE_CHECKING:
    from hst123r.engine.locking import Locking


class Planner:
    """Divides stages into jobs and decides about them.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    store : Store
        The store of its work directory.
    options : Options
        What the user asked for.
    dry : bool
        Make a plan only.
    """

    def __init__(self, recipe: Recipe, store: Store, options: Options, *, dry: bool) -> None:
        self.recipe = recipe
        self.store = store
        self.options = options
        self.dry = dry
        self.waiting: Callable[[], AbstractContextManager[None]] = nullcontext
        self.tell: Callable[[str], object] = str
        self.heard: dict[str, list[str]] = {}
        self.locking: Locking | None = None
        self.identities = Identities(store.contents)
        self.progress = {
            item.name: Progress(item, registry.get(item.stage)) for item in recipe.instances
        }
        self._records = store.jobs.records()
        self._adopted = adopted.caveats(store.db)
        self.resolutions = Resolutions(recipe)
        self._owners: dict[str, str] = {}
        self._old = self._load_made()
        self._leave_out()

    def _load_made(self) -> dict[int, list[Made]]:
        return self.store.jobs.made(
            record.done_id for record in self._records.values() if record.done_id is not None
        )

    def _leave_out(self) -> None:
        names = list(self.progress)
        kept = set(names)
        if self.options.update:
            kept = {name for name, item in self.progress.items() if item.stage.home == "raw"}
        if self.options.until is not None:
            kept &= set(names[: names.index(self.options.until) + 1])
        if self.options.only is not None:
            # what it stands on has to be up to date; nothing else is looked at
            only = self.progress[self.options.only]
            kept &= {only.instance.name, *(item.instance.name for item in self._ancestors(only))}
        for name in names:
            self.progress[name].skipped = name not in kept

    def divide_ready(self) -> Iterator[Progress]:
        """Divide every stage that can be divided now.

        Yields
        ------
        Progress
            Each stage that was divided, its jobs decided.
        """
        for progress in self.progress.values():
            if progress.divided or progress.skipped:
                continue
            sources = self.sources(progress)
            ready = all(source.divided if self.dry else source.settled for source in sources)
            if ready:
                self._divide(progress, sources)
                yield progress

    def divide_all(self) -> None:
        """Divide all that can be divided before anything has run."""
        with forbidden(when=self.options.offline):
            while any(True for _ in self.divide_ready()):
                pass

    def sources(self, progress: Progress) -> list[Progress]:
        """Return the stages that supply a stage; all earlier ones for those that sum up."""
        names = list(self.progress)
        if progress.stage.wants_summaries:
            return [self.progress[n] for n in names[: names.index(progress.instance.name)]]
        wanted = {name for found in progress.instance.sources.values() for name in found}
        return [self.progress[name] for name in names if name in wanted]

    def _before(self, name: str) -> list[Progress]:
        return self._ancestors(self.progress[name])

    def _ancestors(self, progress: Progress) -> list[Progress]:
        """All stages that a stage depends on, directly or through others."""
        found: dict[str, Progress] = {}
        waiting = self.sources(progress)
        while waiting:
            source = waiting.pop()
            if source.instance.name not in found:
                found[source.instance.name] = source
                waiting += self.sources(source)
        return [found[name] for name in self.progress if name in found]

    def _divide(self, progress: Progress, sources: list[Progress]) -> None:
        progress.divided = True
        # what is missing may be missing because of something long before
        upstream = self._ancestors(progress)
        # where only a part is made anew the rest has to be sound
        partly = self.options.only is not None or self.options.mend is not None
        stands_on = upstream if partly else vital(progress, upstream, self._before)
        failed = [job for source in stands_on for job in source.jobs if stops(job)]
        broken = [source for source in stands_on if source.error is not None]
        if broken:
            names = ", ".join(source.instance.name for source in broken)
            progress.error = Hst123rError(f"it needs {names}, which could not be divided into jobs")
            return
        # in a run all that comes before has settled, be it without a product
        unknown = [job for source in upstream for job in source.jobs if job.open and not job.made]
        if self.dry:
            makers = {job.instance.name for job in unknown}
            progress.waits_for = [
                source.instance.name
                for source in sources
                if source.waits_for or source.instance.name in makers
            ]
        inputs = self._inputs(progress)
        if progress.waits_for and not any(inputs.values()):
            return
        try:
            jobs = list(self._jobs(progress, sources, inputs))
        except Hst123rError as error:
            # what is missing may only be missing because it has not been made yet
            if not progress.waits_for and not failed:
                progress.error = error
            return
        refused = [
            job.forecast.refused
            for job in jobs
            if job.open
            and job.forecast is not None
            # a stand-in from the last run may be larger than what is made in its place
            and not (job.key.uncertain or _concern(job, unknown))
        ]
        if any(refused):
            progress.error = InputError("; ".join(filter(None, refused)))
            return
        for planned in jobs:
            self._settle(planned, failed, unknown)
        progress.jobs = jobs

    def _jobs(
        self, progress: Progress, sources: list[Progress], inputs: dict[str, list[Product]]
    ) -> Iterator[Planned]:
        instance, stage = progress.instance, progress.stage
        seen: set[str] = set()
        for job in stage.divide(
            inputs, self.resolutions.of(instance).params, self._scope(progress, sources)
        ):
            if job.label in seen:
                raise ValueError(f"{instance.name} has two jobs labelled {job.label!r}")
            seen.add(job.label)
            mark(job, self._adopted, self.store)
            about = {name: job.labels.get(name) for name in stage.varies_by}
            through = about.get("filter")
            resolved = self.resolutions.of(
                instance, about.get("detector"), None if through is None else band(through)
            )
            # what the job will only find in its file, it chooses by
            varied = self.resolutions.variants(instance) if None in about.values() else []
            job.variants = [variant for variant, _ in varied]
            record = self._records.get((instance.name, job.label))
            done = record.done_id if record is not None else None
            if done is None and self.options.mend is not None:
                continue  # nothing of it can be broken
            key = build_key(stage, job, resolved, self.identities, varied, read=done is not None)
            if stage.wants_summaries and any(job.open for source in sources for job in source.jobs):
                key.uncertain = True
            made = self._old.get(done, []) if done is not None else []
            decision = self._decide(instance, job, key, record, made)
            if stage.home == "raw":
                pins = job.notes.get("sha256", {})
                if self.options.mend is not None:
                    # whatever a lock says by now: what is broken is what was here
                    pins = job.notes["sha256"] = recorded(made, self.store.contents)
                job.notes["here"] = in_place(decision, made, pins, self.store.contents)
            yield Planned(
                instance, stage, job, resolved, key, decision, record, made, varied, job_id=done,
                forecast=stage.forecast(job, resolved.params),
            )  # fmt: skip

    def _inputs(self, progress: Progress) -> dict[str, list[Product]]:
        return {
            need.kind: [
                product
                for name in progress.instance.sources.get(need.kind, [])
                for product in usable_products(self.progress[name], need.kind)
            ]
            for need in progress.stage.needs
        }

    def _scope(self, progress: Progress, sources: list[Progress]) -> Scope:
        summaries = [summary(job) for source in sources for job in source.jobs]
        wants = progress.stage.wants_summaries
        told = wants or progress.stage.wants_parameters
        recipe_folder = str(self.recipe.path.resolve().parent)
        folders = {str(self.store.folder): "the work directory", recipe_folder: "beside the recipe"}
        return Scope(
            recipe_name=self.recipe.name,
            recipe_text=self.recipe.text,
            recipe_folder=recipe_folder,
            targets=self.recipe.targets,
            instance=progress.instance.name,
            software=software() if told else {},
            parameters=self.resolutions.parameters() if told else [],
            upstream=[self._with_details(item) for item in summaries] if wants else [],
            failures=[{**failure} for failure in failures_of(sources, folders)] if wants else [],
            varied=lambda detector, through: (
                self.resolutions.of(progress.instance, detector, band(through)).params
            ),
            selection=lambda detector, through: selection(self.recipe, detector, through),
            work_folder=str(self.store.folder),
            offline=self.options.offline,
            dry=self.dry,
            excluded=self._excluded(sources),
            waiting=self.waiting,
            locked=None if self.locking is None else self.locking.pins(progress.instance),
            renew=self.options.update and not self.options.offline,
            tell=self.tell,
            heard=self.heard,
        )

    def _excluded(self, sources: list[Progress]) -> frozenset[str]:
        jobs = [job.job_id for source in sources for job in source.jobs if job.job_id is not None]
        left = queries.rejects(self.store.db, jobs)
        return frozenset(row["subject"] for row in left if row["code"] == "excluded")

    def _with_details(self, found: dict[str, Any]) -> dict[str, Any]:
        from hst123r.provenance.queries import job_details

        return {**found, **job_details(self.store.db, found["job_id"])}

    def _decide(
        self, instance: Instance, job: Job, key: Key, record: Record | None, made: list[Made]
    ) -> Decision:
        then, told = None, ""
        if record is not None and record.done_id is not None and record.key != key.digest:
            then = self.store.jobs.parts(record.done_id)
            if printed.PARAMETERS in job.arguments:
                old = printed.then(self.store.db, record.done_id, then)
                told = printed.in_words(old, job.arguments[printed.PARAMETERS])
        asked = self.options.asks_for(instance.name, job.label)
        if record is not None and self.options.offline:
            # what an archive withheld cannot be had now
            record = replace(record, incomplete="")
        pins = job.notes.get("sha256", {})
        decision = decide(
            record, key, then, made, self.store.contents,
            asked=asked, pins=pins, lasting=self.progress[instance.name].stage.home == "raw",
            printed=told,
        )  # fmt: skip
        if self.options.mend is not None:
            return narrowed(self.options, instance.name, job.label, decision, record, key)
        kept = [item for item in decision.reasons if item.code.value not in self.options.ignore]
        if decision.action is Action.RUN and decision.reasons and not kept and made:
            return Decision(Action.REUSE)
        return replace(decision, reasons=kept)

    def _settle(self, planned: Planned, failed: list[Planned], unknown: list[Planned]) -> None:
        """Set state and identities after a decision, from what its sources came to."""
        if untouched(self.options, planned.instance.name, planned.job.label):
            failed, unknown = [], []
        in_the_way = _concern(planned, failed)
        awaited = _concern(planned, unknown)
        decision = planned.decision
        if decision.action is Action.BLOCKED:
            planned.state = State.BLOCKED
            return
        if in_the_way:
            text = f"{', '.join(job.name for job in in_the_way)} did not give a usable result"
            planned.decision = Decision(
                Action.BLOCKED, [Reason(Code.UPSTREAM, text + way_out(in_the_way))]
            )
            planned.state = State.BLOCKED
            return
        only_inputs = all(reason.code is Code.INPUT for reason in decision.reasons)
        if awaited and only_inputs:
            names = ", ".join(dict.fromkeys(job.instance.name for job in awaited))
            planned.decision = Decision(Action.MAYBE, [Reason(Code.WAITS, f"waits for {names}")])
        if planned.decision.action is Action.MAYBE and not planned.decision.reasons:
            planned.decision.reasons.append(Reason(Code.WAITS, "an input is made again"))
        if planned.decision.action is Action.REUSE:
            planned.state = State.REUSED
            if planned.record is not None and planned.record.quality is not None:
                planned.quality = Quality(planned.record.quality)
            self.settle_products(planned)
        elif self.options.only is not None and planned.instance.name != self.options.only:
            text = f"it has to run first; run without --only {self.options.only}"
            planned.decision.reasons.append(Reason(Code.UPSTREAM, text))
            planned.decision.action = Action.BLOCKED
            planned.state = State.BLOCKED
        else:
            self.settle_products(planned)
            for item in planned.made:
                self.identities.expect(item)

    def ahead(self) -> list[Instance]:
        """Return the stages of this run that were never done in this work directory."""
        done = {stage for (stage, _), record in self._records.items() if record.done_id is not None}
        return [
            progress.instance
            for name, progress in self.progress.items()
            if not progress.skipped and name not in done
        ]

    def settle_products(self, planned: Planned) -> None:
        """Note the products of a job that is done or reused, for those that come after it."""
        inherit(planned)
        for item in planned.made:
            self.identities.set(item)
            for role, path in item.product.files.items():
                if item.owned[role]:
                    self._owners.setdefault(path, planned.name)

    def others(self, planned: Planned, paths: Iterable[str]) -> str:
        """Say which other job of the recipe has made a file that a job wants to publish.

        Parameters
        ----------
        planned : Planned
            The job.
        paths : iterable of str
            Final paths of its files.

        Returns
        -------
        str
            A sentence, empty when there is none.
        """
        for path in paths:
            owner = self._owners.get(path, planned.name)
            if owner != planned.name:
                shown = self.store.contents.relative(path)
                return (
                    f"{shown} is what {owner} made, and two jobs cannot make one file. Leave one "
                    "of the two stages out of the recipe, or what both would bring"
                )
        return ""


def _concern(planned: Planned, others: Iterable[Planned]) -> list[Planned]:
    """Return those of some earlier jobs that a job may have to do with."""
    labels = planned.job.labels
    return [other for other in others if not conflict(other.job.labels, labels)]

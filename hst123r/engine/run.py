"""A run: plan, decide and execute until nothing is left to do, and leave a true record."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hst123r import errors, log
from hst123r.engine import environment
from hst123r.engine.decide import Action
from hst123r.engine.handover import OUT, Order, Result
from hst123r.engine.ingest import Taken, fail, take_in
from hst123r.engine.job_records import Kept
from hst123r.engine.keys import signatures
from hst123r.engine.locking import Locking
from hst123r.engine.offline import forbidden
from hst123r.engine.options import Options
from hst123r.engine.orders import order_of, renew, row_of
from hst123r.engine.planned import Planned, Progress
from hst123r.engine.planner import Planner
from hst123r.engine.pool import Pool, cause_of_death
from hst123r.engine.recover import clear, recover
from hst123r.engine.report import Listener, Report
from hst123r.engine.tidings import heard
from hst123r.engine.workspace import Workspace, remove_tree
from hst123r.external.template import Ended
from hst123r.files.content import digest_bytes
from hst123r.files.publish import machine_errors
from hst123r.provenance import queries
from hst123r.provenance.stamps import stamps_of
from hst123r.provenance.store import Store
from hst123r.recipe.load import describe
from hst123r.recipe.model import Recipe
from hst123r.records.outcome import Quality, State
from hst123r.stage import registry

WAIT_SECONDS: Final = 0.5
_log = log.get("engine")


class Runner:
    """Runs a recipe in a work directory.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        The directory.
    store : Store
        Its store, held by us.
    options : Options
        What the user asked for.
    listener : Listener
        Who wants to know.
    """

    def __init__(
        self,
        recipe: Recipe,
        workspace: Workspace,
        store: Store,
        options: Options,
        listener: Listener,
    ) -> None:
        self.recipe = recipe
        self.workspace = workspace
        self.store = store
        self.options = options
        self.listener = listener
        self.uid = environment.new_uid()
        self.run_id = 0
        self._pool: Pool | None = None
        self._queue: list[Planned] = []
        self._running: dict[int, tuple[Planned, Order, float]] = {}
        self._ran = 0
        self._stopping = False
        self._waiting = False
        self.locking = Locking(recipe, workspace.folder, options)
        self.kept = Kept(store, workspace, listener.said)
        self.heard: dict[str, list[str]] = {}

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Let the first request to end take effect at once, while a server is asked."""
        self._waiting = True
        try:
            self._end_if_asked()
            yield
        finally:
            self._waiting = False

    def stop(self) -> None:
        """Ask the run to end: jobs are stopped, and what is done is kept.

        Takes effect between two steps of bookkeeping, never within one; to be called from a
        signal handler. Asked for again, it ends at once.

        Raises
        ------
        KeyboardInterrupt
            While a file is being read or a server is asked, which can stop anywhere, and the
            second time.
        """
        second, self._stopping = self._stopping, True
        if second or self._waiting:
            raise KeyboardInterrupt
        # a file that is being read is read again by the next run; all else ends in good order
        self.store.contents.stop()

    def run(self) -> Report:
        """Run until nothing is left to do.

        Returns
        -------
        Report
            What it came to; also for an interrupted run.
        """
        for line in recover(self.store, self.workspace):
            self.listener.said(line)
        planner = Planner(self.recipe, self.store, self.options, dry=False)
        planner.waiting, planner.tell = self.waiting, self.listener.said
        planner.locking, planner.heard = self.locking, self.heard
        if self.options.locked:
            self.locking.refuse(self.store)
        self._begin(planner)
        handler = log.to_file(self.workspace.run_log(self.run_id))
        state, code, broken = "failed", errors.BUG, True
        try:
            with forbidden(when=self.options.offline):
                self._loop(planner)
            state, code = self._verdict(planner)
            state, code = self._lock(planner, state, code)
            broken = False
        except KeyboardInterrupt:
            state, code, broken = "interrupted", errors.INTERRUPTED, False
            self.listener.said("stopping; what is done is kept")
        except (errors.Hst123rError, sqlite3.Error) as error:
            code = getattr(error, "exit_code", errors.ENVIRONMENT)
            raise
        finally:
            # whatever happened, no process is left behind and the run has an end. On a full disk
            # that cannot be written either; the next run will say so instead
            with contextlib.suppress(sqlite3.Error) if broken else contextlib.nullcontext():
                self._interrupt()
                self._end(planner, state, code)
            log.close(handler)
        progress = list(planner.progress.values())
        jobs = [job.job_id for item in progress for job in item.jobs if job.job_id is not None]
        left_out = queries.rejects(self.store.db, jobs)
        return Report(
            self.run_id, state, code, progress, left_out, queries.caveats(self.store.db, jobs)
        )

    def _lock(self, planner: Planner, state: str, code: int) -> tuple[str, int]:
        """Write the lock after a run that went well, and say what is not as it was locked."""
        if state != "done" or self.options.mend is not None:
            return state, code
        told = self.locking.after(planner, self.store)
        for line in told.lines:
            self.listener.said(line)
        if told.refused:
            return "failed", errors.USER_INPUT
        return state, code

    def _begin(self, planner: Planner) -> None:
        self.run_id = self.store.begin_run(
            recipe={
                "name": self.recipe.name,
                "path": str(self.recipe.path.resolve()),
                "text": self.recipe.text,
                "canonical": describe(self.recipe),
            },
            environment=environment.describe(),
            run={
                "uid": self.uid,
                **environment.asker(),
                "pid": os.getpid(),
                "options": {**self.options.as_json(), "set": self.recipe.settings},
                "parameters": planner.resolutions.parameters(),
            },
        )
        self.kept.run(self.run_id)

    def _end(self, planner: Planner, state: str, code: int) -> None:
        jobs = [job for progress in planner.progress.values() for job in progress.jobs]
        reused = [job.job_id for job in jobs if job.state is State.REUSED]
        blocked = [
            {"stage": job.instance.name, "label": job.job.label, "why": job.decision.why}
            for job in jobs
            if job.state is State.BLOCKED
        ]
        self.store.contents.flush(wait=True)
        self.store.end_run(
            self.run_id,
            state=state,
            exit_code=code,
            ran=self._ran,
            reused=[number for number in reused if number is not None],
            blocked=blocked,
            lock=self.locking.text(),
        )
        self.kept.run(self.run_id)

    def _loop(self, planner: Planner) -> None:
        while True:
            self._end_if_asked()
            divided = 0
            for progress in planner.divide_ready():
                self._divided(planner, progress)
                divided += 1
                self._end_if_asked()
            if self._start_what_fits(planner):
                continue  # what it settled may be what the next stages wait for
            if self._pool is None or self._pool.running == 0:
                waiting = [p.instance.name for p in planner.progress.values() if not p.settled]
                if not waiting:
                    return
                if not divided:
                    raise RuntimeError(f"nothing runs, and these never settle: {waiting}")
                continue
            # while no job ends, there is nothing new to divide or to start
            while not (reports := self._pool.wait(WAIT_SECONDS)):
                self._end_if_asked()
                self._tick()
            for ended in reports:
                self._take(planner, ended)
            self._end_if_asked()
            self.listener.tick()

    def _tick(self) -> None:
        for job_id, (planned, _, _) in self._running.items():
            tiding = heard(self.workspace.attempt(job_id))
            if tiding is not None:
                self.listener.moved(planned, tiding)
        self.listener.tick()

    def _end_if_asked(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt

    def _divided(self, planner: Planner, progress: Progress) -> None:
        self.listener.divided(progress)
        for line in self.locking.of_stage(progress, self.store):
            self.listener.said(line)
        _log.info("%s: %d jobs", progress.instance.name, len(progress.jobs))
        if progress.error is not None:
            text = str(progress.error)
            self.store.event(
                self.run_id, "error", "not-divided", f"{progress.instance.name}: {text}"
            )
            return
        ready = [job for job in progress.jobs if job.decision.action is Action.RUN]
        self._queue += ready
        if ready and self._pool is None:
            self._pool = Pool(self.options.jobs, self.workspace.logs)
            # what stages that never ran will need is imported while the first jobs run
            self._pool.prepare(progress.stage.preload)
            for instance in planner.ahead():
                self._pool.prepare(registry.get(instance.stage).preload)

    def _start_what_fits(self, planner: Planner) -> bool:
        """Start jobs; whether one of them was settled without running."""
        settled = False
        while self._queue and self._pool is not None:
            planned = self._queue[0]
            needed = planned.stage.memory_mb(planned.job, planned.resolved.params)
            at_once = planned.stage.at_once(planned.resolved.params)
            if not self._pool.has_room(needed, at_once, planned.instance.stage):
                break
            self._queue.pop(0)
            wanted = planned.stage.cores(planned.job, planned.resolved.params)
            cores = self._pool.cores_for(wanted, needed, len(self._queue))
            self._start(planner, planned, needed + (cores - 1) * wanted.memory_mb, cores)
            settled = settled or planned.state is not State.RUNNING
        return settled

    def _start(self, planner: Planner, planned: Planned, needed: float, cores: int) -> None:
        assert self._pool is not None
        stage, job = planned.stage, planned.job
        signed = signatures(planned.key.inputs)
        refused = renew(planned, planner.identities)
        job_id, path = self._record(planned)
        if refused:
            _settle(planner, planned, _failure(self.store, job_id, refused))
            self.listener.ended(planned, 0.0)
            return
        folder = self.workspace.attempt(job_id)
        home = self.workspace.home(stage.home, planned.instance.name, job.label)
        recipe = digest_bytes(self.recipe.text.encode())
        stamps = stamps_of(
            run=self.uid, job_id=job_id, name=planned.name, key=planned.key.digest, recipe=recipe
        )
        offline = self.options.offline
        order = order_of(planned, job_id, home, stamps, signed, offline=offline, cores=cores)
        with machine_errors("prepare a job", folder):
            remove_tree(folder)
            for part in (folder / "work", folder / OUT, path.parent):
                part.mkdir(parents=True, exist_ok=True)
            order.save(folder)
        why = planned.decision.why
        _log.info("%s#%d started, cores: %d: %s", planned.name, job_id, cores, why)
        planned.state = State.RUNNING
        self._running[job_id] = (planned, order, time.monotonic())
        self.listener.started(planned)
        name = planned.instance.stage
        self._pool.start(job_id, stage.preload, folder, path, needed, name, cores)

    def _record(self, planned: Planned) -> tuple[int, Path]:
        """Record that a job starts; return its row and the path of its log."""
        key = planned.key
        with self.store.transaction():
            job_id = self.store.jobs.start(row_of(planned, self.run_id))
            path = self.workspace.job_log(planned.instance.name, planned.job.label, job_id)
            self.store.db.table("job").update(
                job_id, {"log": str(path.relative_to(self.workspace.folder))}
            )
            if key.digest is not None:
                self.store.jobs.describe(job_id, key.parts, key.inputs, key.digest)
        planned.job_id = job_id
        return job_id, path

    def _take(self, planner: Planner, ended: Ended) -> None:
        planned, order, since = self._running[ended.id]
        folder = self.workspace.attempt(ended.id)
        usage = {"cpu_seconds": ended.cpu_seconds, "peak_memory_mb": ended.peak_memory_mb}
        result = Result.load(folder)
        if result is None:
            assert self._pool is not None
            text = cause_of_death(ended, self._pool.memory_mb)
            error = {"error_kind": "Killed", "error": text, "exit_code": errors.STAGE_FAILED}
            taken = fail(self.store, ended.id, error, usage)
        elif others := (
            planner.others(planned, result.moves.values()) or self.locking.unlike(planned, result)
        ):
            taken = _failure(self.store, ended.id, others, errors.USER_INPUT)
        else:
            taken = take_in(self.store, order, result, folder, usage)
            for line in result.outcome.told if result.outcome is not None else []:
                self.listener.said(f"{planned.name}: {line}")
        self.kept.job(ended.id)
        # only now: an interrupt while it is taken in leaves it among those that did not end
        del self._running[ended.id]
        clear(self.workspace, folder)
        self._ran += 1
        _settle(planner, planned, taken)
        self.listener.ended(planned, time.monotonic() - since)

    def _interrupt(self) -> None:
        """End all processes, and say in the store which jobs were interrupted by that."""
        if self._pool is not None:
            self._pool.close()
        for job_id, (planned, _, _) in self._running.items():
            self.store.jobs.fail(job_id, "interrupted", {}, {})
            planned.state = State.INTERRUPTED
            clear(self.workspace, self.workspace.attempt(job_id))
        self._running.clear()

    def _verdict(self, planner: Planner) -> tuple[str, int]:
        progress = list(planner.progress.values())
        jobs = [job for item in progress for job in item.jobs]
        codes = [job.exit_code for job in jobs if job.state is State.FAILED]
        codes += [item.error.exit_code for item in progress if item.error is not None]
        if codes:
            return "failed", codes[0]
        if any(job.state is State.BLOCKED for job in jobs):
            stopped = any(job.instance.on_bad == "stop" and job.bad for job in jobs)
            return "failed", errors.QUALITY if stopped else errors.USER_INPUT
        bad = any(job.quality is Quality.BAD for job in jobs)
        return "done", errors.QUALITY if bad else errors.GOOD


def _settle(planner: Planner, planned: Planned, taken: Taken) -> None:
    if taken.error:
        planned.state, planned.error, planned.exit_code = State.FAILED, taken.error, taken.exit_code
        _log.error("%s failed: %s", planned.name, taken.error)
        return
    planned.state, planned.made, planned.quality = State.DONE, taken.made, taken.quality
    _log.info("%s done, %s", planned.name, taken.quality)
    planner.settle_products(planned)


def _failure(store: Store, job_id: int, text: str, code: int = errors.STAGE_FAILED) -> Taken:
    error = {"error_kind": "StageError", "error": text, "exit_code": code}
    return fail(store, job_id, error, {})

"""The history of a work directory: runs, jobs, and light curves over runs, by what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.engine.conditions import Condition, read
from hst123r.engine.trace import stored_path
from hst123r.errors import InputError, did_you_mean
from hst123r.provenance import found, known, queries
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store
from hst123r.records import dates
from hst123r.records.outcome import Quality, State

_HALF_A_MILLISECOND: Final = 0.5e-3 / 86400
"""A date of the calendar is not a round number of days in binary, and must not become earlier."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the history is asked for; all of it has to hold.

    Parameters
    ----------
    run : int or None
        Number of a run.
    stage, target, through : str or None
        Names of a stage in the recipe, of a target or field, of a filter.
    file : Path or None
        A file that was made or read.
    since, before : str or None
        ISO dates, of the start.
    state, quality : str or None
        Of jobs.
    caveat : str or None
        Code of a caveat of a job.
    where, measurement, software : tuple of str
        Conditions on parameters, on measurements, and on versions of packages.
    photometry : str or None
        A target, whose light curve in each run is wanted instead of jobs.
    """

    run: int | None = None
    stage: str | None = None
    target: str | None = None
    file: Path | None = None
    since: str | None = None
    through: str | None = None
    before: str | None = None
    state: str | None = None
    quality: str | None = None
    caveat: str | None = None
    where: tuple[str, ...] = ()
    measurement: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    photometry: str | None = None

    @property
    def about_jobs(self) -> bool:
        """Whether the answer is a list of jobs rather than of runs."""
        named = (self.run, self.stage, self.target, self.file, self.through, self.state,
                 self.quality, self.caveat)  # fmt: skip
        return any(item is not None for item in named) or bool(self.where or self.measurement)


def history(folder: Path, wanted: Filter) -> list[dict[str, Any]]:
    """Return runs; or jobs, or the light curve of a target in each run.

    Parameters
    ----------
    folder : Path
        Work directory.
    wanted : Filter
        What is asked for.

    Returns
    -------
    list of dict
        One for each run or attempt, the first one first.

    Raises
    ------
    InputError
        If the store has heard of no such run, stage, target, file, parameter and so on, or a
        date or condition is none.
    """
    since, before = _moment("--since", wanted.since), _moment("--before", wanted.before)
    with reading(folder) as store:
        if wanted.run is not None and not queries.runs(store.db, run_id=wanted.run):
            raise InputError(f"there is no run {wanted.run}", where=str(folder))
        _check_names(store, wanted)
        runs = _runs_with(store, wanted.software)
        if wanted.photometry is not None:
            rows = found.photometry(
                store.db, wanted.photometry, run_id=wanted.run, through=wanted.through, level=None
            )
            started = "run_started"
        elif wanted.about_jobs:
            rows, started = _jobs(store, wanted, since), "started"
        else:
            rows, started = queries.runs(store.db, since=since), "started"
        return [
            row
            for row in rows
            if (runs is None or row["run"] in runs)
            and (since is None or (row[started] or "") >= since)
            and (before is None or (row[started] or "") < before)
        ]


def _moment(option: str, text: str | None) -> str | None:
    """Return a date as the store writes it, to the second."""
    if text is None:
        return None
    try:
        return dates.iso(dates.parse(text) + _HALF_A_MILLISECOND)
    except ValueError as error:
        raise InputError(str(error), where=option) from error


def _check_names(store: Store, wanted: Filter) -> None:
    asked: tuple[tuple[str, str | None, Callable[[], Iterable[str]]], ...] = (
        ("--stage", wanted.stage, lambda: known.stages(store.db)),
        ("--target", wanted.target, lambda: known.targets(store.db)),
        ("--photometry", wanted.photometry, lambda: known.targets(store.db)),
        ("--filter", wanted.through, lambda: found.filters(store.db)),
        ("--caveat", wanted.caveat, lambda: found.caveat_codes(store.db)),
        ("--state", wanted.state, lambda: [item.value for item in State]),
        ("--quality", wanted.quality, lambda: [item.value for item in Quality]),
    )
    for option, given, names in asked:
        if given is not None:
            check(option, given, list(names()))


_WORDS: Final = {"--photometry": "target", "--where": "parameter", "--software": "package"}


def check(option: str, given: str, names: list[str]) -> None:
    """Raise an error about a word that the store has not heard of.

    Parameters
    ----------
    option : str
        The option it was given with; its name is what the word should be.
    given : str
        The word.
    names : list of str
        What there is.

    Raises
    ------
    InputError
        If it is not among them.
    """
    if given not in names:
        what = _WORDS.get(option, option.removeprefix("--"))
        raise InputError(
            f"{option} {given}: the store knows no such {what}, {did_you_mean(given, names)}"
        )


def _jobs(store: Store, wanted: Filter, since: str | None) -> list[dict[str, Any]]:
    path = None if wanted.file is None else stored_path(store, wanted.file)
    if path is not None and not known.knows(store.db, path):
        raise InputError("no job made or read this file", where=f"--file {wanted.file}")
    rows = queries.jobs(
        store.db, run_id=wanted.run, stage=wanted.stage, about=wanted.target, path=path, since=since
    )
    tests = list(_tests(store, wanted))
    kept = []
    for row in rows:
        matches = [matched.get(row["job"], []) for matched in tests]
        if (
            all(matches)
            and (wanted.through is None or row["labels"].get("filter") == wanted.through)
            and (wanted.state is None or row["state"] == wanted.state)
            and (wanted.quality is None or row["quality"] == wanted.quality)
        ):
            kept.append({**row, "matched": [text for match in matches for text in match]})
    return kept


def _tests(store: Store, wanted: Filter) -> Iterator[dict[int, list[str]]]:
    """Yield, for each condition, the jobs that fulfil it and what they have, as sentences."""
    for text in wanted.where:
        yield _with_parameter(store, read("--where", text))
    for text in wanted.measurement:
        yield _with_measurement(store, read("--measurement", text))
    if wanted.caveat is not None:
        jobs: dict[int, list[str]] = {}
        for row in found.caveats(store.db, wanted.caveat):
            about = f"{row['subject']}: " if row["subject"] else ""
            jobs.setdefault(row["job"], []).append(f"{about}{row['text']}")
        yield jobs


def _with_parameter(store: Store, condition: Condition) -> dict[int, list[str]]:
    rows = found.parameters(store.db, condition.name)
    if not rows:
        check("--where", condition.name, found.parameter_names(store.db))
    jobs: dict[int, list[str]] = {}
    verdicts = [(job, stage, name, text, condition.holds(text)) for job, stage, name, text in rows]
    for job, stage, name, text, holds in verdicts:
        if holds:
            jobs.setdefault(job, []).append(f"{stage}.{name} = {text}")
    if rows and all(holds is None for *_, holds in verdicts):
        raise InputError(
            f"{condition.name} is {rows[-1][3]} here, which cannot be compared with "
            f"{condition.value}",
            where=str(condition),
        )
    return jobs


def _with_measurement(store: Store, condition: Condition) -> dict[int, list[str]]:
    rows = found.measurements(store.db, condition.name)
    if not rows:
        check("--measurement", condition.name, found.measurement_names(store.db))
    jobs: dict[int, list[str]] = {}
    comparable = not rows
    for row in rows:
        if row["value"] is None:
            continue
        # a number without a unit is in the unit of the measurement
        text = f"{row['value']!r} {'' if condition.bare else row['unit']}".strip()
        holds = condition.holds(text)
        comparable |= holds is not None
        if holds:
            about = f"{row['subject']}: " if row["subject"] else ""
            shown = f"{row['value']:.4g} {row['unit']}".strip()
            jobs.setdefault(row["job"], []).append(f"{about}{row['name']} = {shown}")
    if not comparable:
        unit = rows[0]["unit"] or "a number without a unit"
        raise InputError(
            f"{condition.name} is measured in {unit}, which cannot be compared with "
            f"{condition.value}",
            where=str(condition),
        )
    return jobs


def _runs_with(store: Store, given: tuple[str, ...]) -> set[int] | None:
    """Return the runs whose versions of packages fulfil all conditions, None without any."""
    if not given:
        return None
    versions = found.packages(store.db)
    runs = set(versions)
    for text in given:
        condition = read("--software", text)
        names = sorted({name for packages in versions.values() for name in packages})
        check("--software", condition.name, names)
        runs = {
            run
            for run in runs
            if condition.name in versions[run]
            and condition.holds_version(versions[run][condition.name])
        }
    return runs

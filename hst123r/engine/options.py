"""What a user asks of one run, beside the recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hst123r.engine.decide import Code
from hst123r.errors import InputError, did_you_mean
from hst123r.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class Options:
    """Options of ``run`` and ``plan``.

    Parameters
    ----------
    until : str or None
        Last stage to do.
    only : str or None
        The one stage to run; the others must be up to date.
    redo : tuple of str
        Stages, or jobs as ``stage:label``, to run again; ``all`` for everything.
    ignore : tuple of str
        Kinds of reasons that do not count.
    jobs : int
        How many jobs run at once.
    offline : bool
        Whether sockets are forbidden.
    locked : bool
        Refuse to run when something is not as the lock has it.
    update : bool
        Ask the archives again, take what they have now and no account of the lock; nothing but
        their files is brought up to date.
    mend : mapping or None
        Only do jobs again whose files are broken: by stage and label, what is; None for a run.
    """

    until: str | None = None
    only: str | None = None
    redo: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    jobs: int = 1
    offline: bool = False
    locked: bool = False
    update: bool = False
    mend: Mapping[tuple[str, str], str] | None = None

    def check(self, recipe: Recipe) -> None:
        """Check that every name exists.

        Parameters
        ----------
        recipe : Recipe
            The recipe the options are for.

        Raises
        ------
        InputError
            If a stage or kind of reason is unknown.
        """
        names = [instance.name for instance in recipe.instances]
        redo = [name.partition(":")[0] for name in self.redo if name != "all"]
        for option, given in (("--until", [self.until]), ("--only", [self.only]), ("--redo", redo)):
            for name in given:
                if name is not None and name not in names:
                    raise InputError(
                        f"{option} {name}: there is no such stage in this recipe, "
                        f"{did_you_mean(name, names)}"
                    )
        known = [code.value for code in Code]
        for name in self.ignore:
            if name not in known:
                raise InputError(
                    f"--ignore {name}: there is no such reason, {did_you_mean(name, known)}"
                )
        if self.jobs < 1:
            raise InputError(f"--jobs {self.jobs}: at least one job has to run at a time")

    def check_jobs(self, known: Iterable[tuple[str, str]]) -> None:
        """Check that the jobs ``--redo`` names exist, for stages that have run before.

        Parameters
        ----------
        known : iterable of (str, str)
            Stage and label of every job that was ever attempted.

        Raises
        ------
        InputError
            If a stage has jobs, and none of that name.
        """
        labels: dict[str, list[str]] = {}
        for stage, label in known:
            labels.setdefault(stage, []).append(label)
        for name in self.redo:
            stage, colon, label = name.partition(":")
            if colon and stage in labels and label not in labels[stage]:
                raise InputError(
                    f"--redo {name}: {stage} never had such a job, "
                    f"{did_you_mean(label, labels[stage])}"
                )

    def asks_for(self, stage: str, label: str) -> bool:
        """Whether ``--redo`` names a job."""
        return any(name in ("all", stage, f"{stage}:{label}") for name in self.redo)

    def as_json(self) -> dict[str, Any]:
        """Return the options that differ from doing everything, for the record of the run."""
        found: dict[str, Any] = {
            "until": self.until,
            "only": self.only,
            "redo": list(self.redo),
            "ignore": list(self.ignore),
            "jobs": self.jobs,
            "offline": self.offline,
            "locked": self.locked,
            "update": self.update,
            "repair": sorted(map(":".join, self.mend or ())),
        }
        return {key: value for key, value in found.items() if value}

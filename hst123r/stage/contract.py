"""What a stage is: parameters, what it needs and makes, its jobs, and how one job runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeVar

from hst123r.records.outcome import Outcome, Product
from hst123r.records.params import Params
from hst123r.records.target import Target
from hst123r.stage.resources import Cores, Forecast

if TYPE_CHECKING:
    from pathlib import Path

    from hst123r.stage.context import Context

PIXELS: Final = "pixels"
DQ: Final = "dq"
WCS: Final = "wcs"
SCIENCE: Final = "science"
BYTES: Final = "bytes"
IMAGE: Final = (PIXELS, DQ, WCS, SCIENCE)
"""Facets of a FITS file that together make an image; see `provenance.facets`."""
TABLE: Final = (PIXELS, SCIENCE)
"""Likewise of tables, which have no WCS and no data quality."""

PSF_GRID: Final = "psf grid"
"""Kind of a file of the user's with measured PSFs."""
DOLPHOT_FILE: Final = "dolphot file"
"""Kind of a file that DOLPHOT was installed with: the program, a PSF, a table."""

ASTROPY: Final = ("astropy.io.fits", "astropy.table", "astropy.wcs")
"""What a worker imports beforehand for stages that read files."""
HEAVY: Final = (
    *ASTROPY, "drizzlepac.astrodrizzle", "drizzlepac.tweakreg", "photutils.detection",
    "photutils.background", "scipy.sparse.linalg", "scipy.ndimage", "matplotlib.figure",
    "matplotlib.font_manager", "matplotlib.backends.backend_agg",
)  # fmt: skip
"""Likewise for stages that drizzle, align or measure."""

Label = Literal["detector", "filter"]
P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of product a stage reads, and what about it counts.

    Parameters
    ----------
    kind : str
        Kind of product, e.g. ``exposure``.
    facets : tuple of str
        Facets of its files that take part in the job's key. A change of any other facet
        re-runs nothing.
    facts : tuple of str
        Names of its facts that take part in the key; ``("*",)`` means all.
    optional : bool
        Whether it also works without. A required kind that no stage makes has a default maker.
    every : bool
        Take the products of every earlier maker, not only of the latest one.
    """

    kind: str
    facets: tuple[str, ...] = IMAGE
    facts: tuple[str, ...] = ()
    optional: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Locked:
    """What a lock has of a stage that fetches.

    Parameters
    ----------
    rules : bool
        Whether the stage wants what it wanted then, so that its files are these and no others.
    strict : bool
        Whether nothing else is to be asked for.
    products : list of dict
        Its files: ``exposure``, ``role``, ``name``, ``uri``, ``version``, ``rights``,
        ``release_mjd``, ``size`` and ``sha256``, which is None for what could not be had.
    """

    rules: bool
    strict: bool
    products: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a stage may know of the recipe when it divides its work into jobs.

    Parameters
    ----------
    recipe_name : str
        Name of the recipe.
    recipe_text : str
        Its text, as it stands in the file.
    recipe_folder : str
        Absolute folder of the recipe file; relative paths of a recipe start there.
    targets : tuple of Target
        The targets.
    instance : str
        Name of this stage in the recipe (the stage's own name unless the recipe gives one).
    software : dict of str to str
        Versions of the packages that matter.
    parameters : list of dict
        Every resolved parameter of the recipe: stage, name, value, origin.
    upstream : list of dict
        Summaries of the earlier stages' jobs: stage, label, state, quality, measurements,
        caveats, rejects. Only given to stages that ask for it with `wants_summaries`.
    failures : list of dict
        What gave no usable result: ``job`` or stage, ``state``, ``why``. Given to the same stages.
    varied : callable or None
        Returns the parameters for a detector and a filter, where the division depends on them.
    selection : callable or None
        Returns the parameters of the stage `select` for a detector and a filter, None for all of
        them, as plain values; so that an archive is not asked for what will not be used.
    work_folder : str
        Absolute path of the work directory; empty where there is none.
    offline : bool
        Whether sockets are forbidden.
    dry : bool
        Whether this is for a plan, which changes nothing.
    excluded : frozenset of str
        Names that the stages before left out because the recipe says so.
    waiting : callable
        Returns a context in which Ctrl-C takes effect at once; for questions to a server.
    locked : Locked or None
        What the recipe's lock has of this stage; None where there is none.
    renew : bool
        Whether archives are asked again where their answers are kept.
    tell : callable
        Tells the user a sentence about the run as a whole.
    heard : dict of str to list of str
        What archives have answered to this command already, by question; added to.
    """

    recipe_name: str
    recipe_text: str
    recipe_folder: str
    targets: tuple[Target, ...]
    instance: str
    software: dict[str, str] = field(default_factory=dict)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    upstream: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    varied: Callable[[str, str], Params] | None = None
    selection: Callable[[str | None, str | None], dict[str, Any]] | None = None
    work_folder: str = ""
    offline: bool = False
    dry: bool = False
    excluded: frozenset[str] = frozenset()
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    locked: Locked | None = None
    renew: bool = False
    tell: Callable[[str], object] = str
    heard: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variant:
    """Parameters that differ for a detector, a filter, or a filter of a detector.

    Parameters
    ----------
    detector, filter : str or None
        What they are for.
    values : dict
        Parameters by name, plain JSON values.
    """

    detector: str | None
    filter: str | None
    values: dict[str, Any]

    def covers(self, detector: str, filter_name: str) -> bool:
        """Whether they are for a detector and filter."""
        return self.detector in (None, detector) and self.filter in (None, filter_name)

    @property
    def about(self) -> str:
        """What they are for, as a recipe has it: ``WFC3/IR F160W``."""
        return " ".join(part for part in (self.detector, self.filter) if part)


@dataclass(slots=True)
class Job:
    """One unit of work of a stage.

    Parameters
    ----------
    label : str
        Unique within the stage and usable in file names, e.g. ``acs_wfc-f606w``.
    labels : dict of str to str
        What the job belongs to; ``detector`` and ``filter`` choose detector suggestions and
        ``for:`` blocks.
    inputs : dict of str to list of Product
        Products by the kind they were needed as.
    arguments : dict
        Plain JSON values decided when the work was divided; part of the job's key.
    notes : dict
        Plain JSON values that are shown and decide nothing; they take no part in the key.
    variants : list of Variant
        What differs by a label that the stage varies by and the job has not: it is about a file
        that nobody has looked into yet. From weak to strong; set by the engine, part of the key.
    """

    label: str
    labels: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, list[Product]] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)

    def varied(self, params: P, detector: str, filter_name: str) -> P:
        """Return the parameters for a detector and filter that the job has found out.

        Parameters
        ----------
        params : Params
            The job's parameters.
        detector, filter_name : str
            What its file turned out to be.

        Returns
        -------
        Params
            With the variants that cover it.
        """
        values: dict[str, Any] = {}
        for variant in self.variants:
            if variant.covers(detector, filter_name):
                values.update(variant.values)
        return type(params).model_validate({**params.as_json(), **values}) if values else params


class Stage(ABC, Generic[P]):
    """A stage: one file in ``stages/`` with one subclass of this.

    Class attributes say what the engine, the schema and the docs need to know; `divide` cuts
    the work into jobs from labels and facts alone, and `run` does one job.
    """

    name: ClassVar[str]
    """Name in recipes; the name of the file."""
    params: ClassVar[type[Params]]
    """Parameter model."""
    version: ClassVar[int]
    """Raised when results change; never derived from the code."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """Kinds of products it reads."""
    makes: ClassVar[tuple[str, ...]] = ()
    """Kinds of products it makes."""
    implied: ClassVar[bool] = False
    """Whether it is inserted when a later stage needs what it makes."""
    per: ClassVar[str] = ""
    """Unit of work, for people: ``exposure``, ``visit``, ``group``, ``target``, ``recipe``."""
    varies_by: ClassVar[tuple[Label, ...]] = ()
    """Labels of its jobs, or facts of their files, that may change parameters: ``for:`` blocks and
    detector suggestions can be about these."""
    divides_by: ClassVar[tuple[str, ...]] = ()
    """Parameters that only decide which jobs there are, or whether they are allowed, and so take no
    part in their keys."""
    tools: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version takes part in the key."""
    preload: ClassVar[tuple[str, ...]] = ()
    """Modules a worker imports once, before it serves jobs of this stage; ASTROPY or HEAVY."""
    home: ClassVar[Literal["products", "raw", "top"]] = "products"
    """Where products are published: their own folder, ``raw/``, or the work directory."""
    stamped: ClassVar[bool] = True
    """Whether FITS products get our header stamps (archive files do not)."""
    wants_summaries: ClassVar[bool] = False
    """Whether `divide` reads the summaries of all earlier jobs, so that it comes last; those that
    failed, and supply none of its required needs, do not block it."""
    wants_parameters: ClassVar[bool] = False
    """Whether `divide` reads the parameters of all stages and the versions of software."""

    @abstractmethod
    def divide(self, inputs: dict[str, list[Product]], params: P, scope: Scope) -> Iterator[Job]:
        """Cut the work into jobs.

        Parameters
        ----------
        inputs : dict of str to list of Product
            Products by needed kind.
        params : Params
            Parameters of the stage without detector suggestions.
        scope : Scope
            The recipe around it.

        Yields
        ------
        Job
            In a stable order, with unique labels.
        """

    def software(self, params: P) -> tuple[str, ...]:
        """Return the distributions whose version takes part in the key, with these parameters.

        Parameters
        ----------
        params : Params
            Parameters of a job.

        Returns
        -------
        tuple of str
            Names as on the package index.
        """
        del params
        return self.tools

    @abstractmethod
    def run(self, job: Job, params: P, context: Context) -> Outcome:
        """Do one job, in a worker process with a fresh scratch directory.

        Parameters
        ----------
        job : Job
            The job; file paths are absolute.
        params : Params
            Its resolved parameters.
        context : Context
            Scratch directory, places for products, log.

        Returns
        -------
        Outcome
            Products, measurements, caveats, rejects.

        Raises
        ------
        StageError
            If the products cannot be made.
        """

    def rescue(self, job: Job, out: Path, home: Path) -> None:
        """Put away what an attempt that was ended has made and the next one can go on with.

        Parameters
        ----------
        job : Job
            The job.
        out : Path
            Where its products are, as far as it came; removed afterwards.
        home : Path
            Where products are published.
        """
        del job, out, home

    def memory_mb(self, job: Job, params: P) -> float:
        """Estimate the peak memory of a job in MB, for admission to the worker pool."""
        del job, params
        return 600.0

    def cores(self, job: Job, params: P) -> Cores:
        """Return how many cores a job can use; how many it gets must not change its results.

        Parameters
        ----------
        job : Job
            The job.
        params : Params
            Its resolved parameters.

        Returns
        -------
        Cores
            The most, and what each takes. `Context.cores` tells the job how many it has.
        """
        del job, params
        return Cores()

    def at_once(self, params: P) -> int:
        """Return how many of its jobs may run at once even where there are fewer cores.

        Parameters
        ----------
        params : Params
            Parameters of the stage.

        Returns
        -------
        int
            Above 0 for jobs that wait for the network and leave the cores alone.
        """
        del params
        return 0

    def forecast(self, job: Job, params: P) -> Forecast | None:
        """Say what a job will make and need, for a plan; a refusal keeps it from running."""
        del job, params
        return None

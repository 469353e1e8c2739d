"""A checked recipe: what the user asked for, with the place of every word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from hst123r.errors import InputError
from hst123r.recipe.validate import show
from hst123r.records import position
from hst123r.records.params import Misfit, Params, Position
from hst123r.records.target import Target

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$"
TARGET_PATTERN: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9+._ -]{0,62}[A-Za-z0-9+._-])?$"
INSTANCE_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,39}$"
VERSION: Final = 1
SELECT: Final = "select"
"""The stage whose parameters stand at the top level of a recipe."""


def _version(value: object) -> object:
    # to Python, true is 1
    if isinstance(value, bool) or value != VERSION:
        raise ValueError(
            f"this hst123r reads version {VERSION} of the recipe language, not {show(value)}"
        )
    return value


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
OnBad = Literal["stop", "exclude", "use"]


Asked = Annotated[str, StringConstraints(pattern=r"^\S(.{0,98}\S)?$")]


def _resolve(value: object) -> object:
    if not isinstance(value, bool | str):
        raise ValueError("it is true, or the name to look up")
    return value


class TargetEntry(Params):
    """A target as written in a recipe."""

    name: Annotated[str, StringConstraints(pattern=TARGET_PATTERN)] = Field(
        description="Name, used in file names and tables; blanks, which only a name that is "
        "looked up may have, are left out there"
    )
    position: Position | None = Field(
        None,
        description='Right ascension and declination, ICRS: "12:45:08.14 -00:27:32.8" (hours '
        'and degrees) or "191.2839167 -0.4591111" (degrees)',
    )
    resolve: Annotated[bool | Asked, BeforeValidator(_resolve)] = Field(
        False,
        description="Look the place up by name, once; true for `name`, or another name: "
        '"NGC 4993". The lock keeps it',
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what is too much or missing."""
        del targets
        if self.position is None and self.resolve is False:
            yield ("position",), "is missing here; or write `resolve: true` to look the name up"
        if self.position is not None and self.resolve is not False:
            yield ("resolve",), "`position` says where it is; leave one of them out"
        if " " in self.name and self.resolve is False:
            yield ("name",), f"{self.name!r}: a blank can stand only in a name that is looked up"

    @property
    def label(self) -> str:
        """Its name for files and tables."""
        return self.name.replace(" ", "")

    @property
    def asked(self) -> str:
        """What is to be looked up, empty for nothing."""
        return self.resolve if isinstance(self.resolve, str) else self.name if self.resolve else ""

    def target(self, places: Mapping[str, Place]) -> Target:
        """Return the target.

        Parameters
        ----------
        places : mapping of str to Place
            Places of names that were looked up.

        Raises
        ------
        InputError
            If it was not looked up.
        """
        if self.position is not None:
            return Target(self.label, position.parse(self.position))
        place = places.get(self.label)
        if place is None:
            raise InputError(
                f"where {self.asked} is has not been looked up",
                where="targets",
                hint="`hst123r run` does it, or give `position`",
            )
        return Target(self.label, position.SkyPosition(place.ra_deg, place.dec_deg))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name was found.

    Parameters
    ----------
    asked : str
        What was looked up.
    ra_deg, dec_deg : float
        Degrees, ICRS.
    service : str
        Who knew it.
    """

    asked: str
    ra_deg: float
    dec_deg: float
    service: str


class Paper(Params):
    """The paper a recipe belongs to."""

    doi: str | None = Field(None, description="Digital object identifier")
    bibcode: str | None = Field(None, description="ADS bibcode")
    arxiv: str | None = Field(None, description="arXiv number")
    title: str | None = Field(None, description="Title")


class Head(Params):
    """The top level of a recipe, without the stages' parameters."""

    hst123r: Annotated[Literal[1], BeforeValidator(_version)] = Field(
        description="Version of the recipe language, 1"
    )
    name: Name = Field(description="Name of the recipe; also of its work directory")
    title: str | None = Field(None, description="What the recipe is, in a few words")
    description: str | None = Field(None, description="More about it")
    authors: list[str] = Field(default_factory=list, description="Who wrote it")
    paper: Paper | None = Field(None, description="The paper it serves")
    targets: list[TargetEntry] = Field(min_length=1, description="What to measure")


@dataclass(slots=True)
class Instance:
    """One stage of a recipe.

    Parameters
    ----------
    name : str
        Its name in the recipe, unique.
    stage : str
        The stage it is an instance of.
    values : dict
        Parameters as given in the recipe, plain values.
    origins : dict of str to str
        Place of each given value by its path, ``simulation.seed``: ``recipe.yaml:12:9``.
    blocks : list of Block
        ``for:`` blocks, in the order of increasing precedence.
    overrides : dict
        Parameters given by ``--set``; they win over everything.
    set_origins : dict of str to str
        Paths of the values that ``--set`` gave.
    on_bad : str
        What to do with a bad result: ``stop``, ``exclude`` or ``use`` it.
    uses : list of str
        Names of earlier stages whose products it takes, where several make the same kind.
    implied : bool
        Whether hst123r inserted it because a later stage needs it.
    sources : dict of str to list of str
        By needed kind, the names of the earlier stages that supply it.
    path : str
        Where it stands in the recipe, ``stages[3].drizzle``.
    place : (int, int)
        Line and column of that.
    uses_places : list of (int, int)
        Lines and columns of the names in ``uses``.
    """

    name: str
    stage: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    set_origins: dict[str, str] = field(default_factory=dict)
    on_bad: OnBad = "exclude"
    uses: list[str] = field(default_factory=list)
    implied: bool = False
    sources: dict[str, list[str]] = field(default_factory=dict)
    path: str = ""
    place: tuple[int, int] = (0, 0)
    uses_places: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """A ``for:`` block: parameters for one detector, one filter, or one of both.

    Parameters
    ----------
    detector, filter : str or None
        What it is for.
    values : dict
        Parameters.
    origins : dict of str to str
        Their places in the recipe, by path.
    """

    detector: str | None
    filter: str | None
    values: dict[str, Any]
    origins: dict[str, str]

    def covers(self, detector: str | None, filter_name: str | None) -> bool:
        """Whether the block applies to a detector and filter."""
        return self.detector in (None, detector) and self.filter in (None, filter_name)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe.

    Parameters
    ----------
    path : Path
        Its file.
    text : str
        Its text.
    head : Head
        Name, title, paper, targets.
    instances : list of Instance
        The stages in order, those inserted by hst123r included.
    settings : list of str
        The ``--set`` options that were applied.
    select : Instance or None
        The selection at the top level, also where no stage of the recipe needs it.
    places : dict of str to Place
        Where names were found that had to be looked up, by the targets' names.
    """

    path: Path
    text: str
    head: Head
    instances: list[Instance]
    settings: list[str]
    select: Instance | None = None
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.head.name

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets."""
        return tuple(entry.target(self.places) for entry in self.head.targets)

    def instance(self, name: str) -> Instance | None:
        """Return the stage of a name, or None."""
        return next((item for item in self.instances if item.name == name), None)

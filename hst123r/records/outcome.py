"""What a job hands over: products, measurements with limits, caveats and rejects.

A job's *state* says whether it ran; its *quality* says whether the result can be trusted.
The two never mix: a job that ran well can have a bad result.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How far a job got."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    REUSED = "reused"
    FAILED = "failed"
    BLOCKED = "blocked"
    INTERRUPTED = "interrupted"


class Quality(StrEnum):
    """Whether a result can be trusted, from best to worst."""

    GOOD = "good"
    CAVEAT = "caveat"
    BAD = "bad"

    @classmethod
    def worst(cls, qualities: list[Quality]) -> Quality:
        """Return the worst of several qualities, GOOD when there are none."""
        order = list(cls)
        return max(qualities, key=order.index, default=cls.GOOD)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number about a result, with the limits within which the result is good.

    Parameters
    ----------
    name : str
        What was measured, lower_snake, e.g. ``residual_rms``.
    value : float
        The number. NaN means that it could not be measured, which is outside every limit.
    unit : str
        Unit, empty for counts and ratios.
    low, high : float or None
        The result is good for ``low <= value <= high``; None means no limit on that side.
    fails : Quality
        The verdict outside the limits.
    subject : str
        What it is about, when it is not the whole job: an exposure, a chip, a source.
    """

    name: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    fails: Quality = Quality.BAD
    subject: str = ""

    @property
    def quality(self) -> Quality:
        """GOOD within the limits, otherwise what :attr:`fails` says."""
        if self.low is None and self.high is None:
            return Quality.GOOD
        if math.isnan(self.value):
            return self.fails
        inside = (self.low is None or self.value >= self.low) and (
            self.high is None or self.value <= self.high
        )
        return Quality.GOOD if inside else self.fails

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        limits = []
        if self.low is not None:
            limits.append(f"at least {self.low:g}")
        if self.high is not None:
            limits.append(f"at most {self.high:g}")
        about = f"{self.subject}: " if self.subject else ""
        wanted = f" ({' and '.join(limits)}{unit})" if limits else ""
        return f"{about}{self.name} {self.value:.4g}{unit}{wanted}"


@dataclass(frozen=True, slots=True)
class Caveat:
    """A sentence a user of the result should know.

    Parameters
    ----------
    code : str
        Short lower_snake name, the same every time.
    text : str
        The sentence.
    subject : str
        What it is about, when it is not the whole job.
    """

    code: str
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """An exposure or file that was left out, and why.

    Parameters
    ----------
    subject : str
        Root name of the exposure, or name of the file.
    code : str
        The cut, e.g. ``exposure_time``.
    reason : str
        The sentence, with the value found and the value asked for.
    labels : dict of str to str
        Detector, filter and so on, for the table of rejects.
    """

    subject: str
    code: str
    reason: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Product:
    """One thing a job made: files under roles, with labels and facts.

    Parameters
    ----------
    kind : str
        What it is, e.g. ``exposure``, ``stack``, ``sources``. Stages name the kinds they need
        and make.
    name : str
        Which one it is; unique among the products of its kind that a stage makes.
    labels : dict of str to str
        What it belongs to: ``exposure``, ``detector``, ``filter``, ``epoch``, ``visit``,
        ``field``, ``target``. Jobs are divided by labels.
    files : dict of str to str
        Path by role. Inside a stage paths are absolute; in the store they are relative to the
        work directory.
    facts : dict
        Plain JSON values that later stages read.
    quality : Quality
        Verdict on it, set by the engine when the product flows into the next stage.
    caveats : list of Caveat
        What a user of it should know, likewise.
    """

    kind: str
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    quality: Quality = Quality.GOOD
    caveats: list[Caveat] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the product as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Product:
        """Rebuild the product from what :meth:`as_json` gave."""
        return cls(
            **{
                **data,
                "quality": Quality(data["quality"]),
                "caveats": [Caveat(**item) for item in data["caveats"]],
            }
        )


@dataclass(slots=True)
class Outcome:
    """All that a job hands over.

    Parameters
    ----------
    products : list of Product
        What it made.
    measurements : list of Measurement
        Numbers with limits.
    caveats : list of Caveat
        Sentences for the user.
    rejects : list of Reject
        What was left out.
    photometry : list of dict
        Rows for the store's table of photometry; columns as in `provenance`.
    references : list of dict
        Reference files used: keyword, name, digest.
    downloads : list of dict
        Files that an archive gave: uri, path, size, sha256, status, retrieved. A product's sha256
        is added where it is missing, by who looks at all products of a job.
    incomplete : str
        Why the next run has to try again, though this is a result to go on with; empty for a
        result that stays.
    told : list of str
        Sentences for who runs it, which say nothing about the result.
    """

    products: list[Product] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    caveats: list[Caveat] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    photometry: list[dict[str, Any]] = field(default_factory=list)
    references: list[dict[str, Any]] = field(default_factory=list)
    downloads: list[dict[str, Any]] = field(default_factory=list)
    incomplete: str = ""
    told: list[str] = field(default_factory=list)

    @property
    def quality(self) -> Quality:
        """The worst verdict of the measurements; a caveat makes it at least CAVEAT."""
        verdicts = [measurement.quality for measurement in self.measurements]
        if self.caveats:
            verdicts.append(Quality.CAVEAT)
        return Quality.worst(verdicts)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        """Rebuild the outcome from what :meth:`as_json` gave."""
        return cls(
            products=[Product.from_json(item) for item in data["products"]],
            measurements=[
                Measurement(**{**item, "fails": Quality(item["fails"])})
                for item in data["measurements"]
            ],
            caveats=[Caveat(**item) for item in data["caveats"]],
            rejects=[Reject(**item) for item in data["rejects"]],
            photometry=data["photometry"],
            references=data["references"],
            downloads=data.get("downloads", []),
            incomplete=data.get("incomplete", ""),
            told=data.get("told", []),
        )

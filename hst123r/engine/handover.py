"""What driver and worker hand each other, as files in the attempt's scratch directory.

The driver writes ``job.json``; the worker answers with ``result.json`` and products in ``out/``.
Because both are complete files, a result can be taken in even after the driver was killed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from hst123r.files.content import Content, Header, Signature
from hst123r.files.publish import write
from hst123r.provenance.rows import InputRow, Part
from hst123r.records.outcome import Outcome, Product
from hst123r.stage.contract import Job, Variant

JOB: Final = "job.json"
RESULT: Final = "result.json"
OUT: Final = "out"


@dataclass(slots=True)
class Order:
    """What a worker is told.

    Parameters
    ----------
    job_id : int
        Row of the attempt.
    stage, handler : str
        Name in the recipe, and of the stage.
    job : Job
        The job, paths absolute.
    values : dict
        Resolved parameters as plain values.
    home : str
        Folder its products are published in.
    stamps : dict of str to str
        Header stamps for its FITS products; empty for none.
    cores : int
        Cores it may use.
    offline : bool
        Whether sockets are forbidden.
    key : str or None
        Its key, None while an input has never been looked at.
    parts : list of Part
        Named parts of the key.
    inputs : list of InputRow
        What it reads.
    signatures : dict of str to Signature or None
        Its input files before it started.
    """

    job_id: int
    stage: str
    handler: str
    job: Job
    values: dict[str, Any]
    home: str
    stamps: dict[str, str]
    cores: int
    offline: bool
    key: str | None
    parts: list[Part]
    inputs: list[InputRow]
    signatures: dict[str, Signature | None]

    def save(self, folder: Path) -> None:
        """Write the order into an attempt's scratch directory."""
        write(folder / JOB, _encoded(self))

    @classmethod
    def load(cls, folder: Path) -> Order:
        """Read the order of an attempt."""
        data = json.loads((folder / JOB).read_bytes())
        job = data["job"]
        products = {
            kind: [Product.from_json(item) for item in items]
            for kind, items in job["inputs"].items()
        }
        variants = [Variant(**item) for item in job["variants"]]
        return cls(
            **{
                **data,
                "job": Job(
                    job["label"], job["labels"], products, job["arguments"], job["notes"], variants
                ),
                "parts": [Part(**part) for part in data["parts"]],
                "inputs": [InputRow(**row) for row in data["inputs"]],
                "signatures": {
                    path: Signature(**found) if found else None
                    for path, found in data["signatures"].items()
                },
            }
        )


@dataclass(slots=True)
class Result:
    """What a worker answers.

    Parameters
    ----------
    outcome : Outcome or None
        What the job handed over, product paths final; None when it failed.
    moves : dict of str to str
        Final path of every file in ``out/``, by its name there.
    contents : dict of str to Content
        Content of every file the job made, by final path.
    looked : dict of str to Content
        Content of input files the job looked at, by path.
    error : dict
        ``error_kind``, ``error``, ``exit_code`` of a failure.
    usage : dict
        ``cpu_seconds`` and ``peak_memory_mb`` as the worker saw them.
    """

    outcome: Outcome | None = None
    moves: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    looked: dict[str, Content] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the result, so that it is there whole or not at all."""
        write(folder / RESULT, _encoded(self))

    @classmethod
    def load(cls, folder: Path) -> Result | None:
        """Read the result of an attempt, None where there is none."""
        try:
            data = json.loads((folder / RESULT).read_bytes())
        except FileNotFoundError:
            return None
        return cls(
            outcome=Outcome.from_json(data["outcome"]) if data["outcome"] else None,
            moves=data["moves"],
            contents={path: _content(item) for path, item in data["contents"].items()},
            looked={path: _content(item) for path, item in data["looked"].items()},
            error=data["error"],
            usage=data["usage"],
        )


def _encoded(record: Order | Result) -> bytes:
    """Return a record as JSON, in one pass and without the copies that `asdict` makes."""
    return json.dumps(record, default=_as_dict).encode()


def _as_dict(record: Any) -> dict[str, Any]:
    return {item.name: getattr(record, item.name) for item in fields(record)}


def _content(data: dict[str, Any]) -> Content:
    return Content(**{**data, "headers": [Header(**item) for item in data["headers"]]})

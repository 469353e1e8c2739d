"""Named quality cuts with their sources, from one YAML file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from hst123r.instruments.facts import Facts, Text
from hst123r.resources import load_yaml

FILE: Final = Path(__file__).resolve().parent / "cuts" / "cuts.yaml"
ANY: Final = "any"


class Cut(Facts):
    """One named cut."""

    about: Text
    source: Text
    expressions: dict[str, Text] = Field(description="By detector, or for any")
    filters: int = Field(1, ge=1, le=2, description="How many filters it is about at once")
    both: dict[str, Literal["least", "greatest", "sum"]] = Field(
        {}, description="For two filters, what a column is of the two values"
    )

    def expression(self, detector: str) -> str | None:
        """Return the expression for a detector, None where the cut says nothing about it."""
        return self.expressions.get(detector, self.expressions.get(ANY))


@cache
def cuts() -> dict[str, Cut]:
    """Return the cuts by name."""
    return {name: Cut.model_validate(facts) for name, facts in load_yaml(FILE).items()}


def names() -> tuple[str, ...]:
    """Return the names of the cuts."""
    return tuple(cuts())

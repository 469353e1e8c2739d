"""What all parts of a detector file are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
"""Two numbers."""


class Facts(BaseModel):
    """Base of all parts: immutable; an unknown key is an error, and text is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Number(Facts):
    """A number with its unit and where it comes from."""

    value: float
    unit: Text = Field(description="Unit as Astropy reads it, '1' for a ratio or count")
    source: Text = Field(description="Document and section, reference file, or our measurement")

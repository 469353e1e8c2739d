"""What a recipe says of an absolute catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from hst123r.records.amount import Amount
from hst123r.records.params import Misfit, Params, PositiveAngle

if TYPE_CHECKING:
    from hst123r.sources.absolute import TieOptions

NO_FILE: Final = "`catalog: file` needs `file`, the catalogue"


class AbsoluteParams(Params):
    """An absolute catalogue that the frame of the reference is moved to."""

    catalog: Literal["gaia-dr3", "file"] = Field(
        "file",
        description="Whose frame; for gaia-dr3 without `file` its archive is asked, once",
    )
    file: str | None = Field(
        None,
        description="CSV, ECSV or FITS table with ra, dec, their errors, pmra, pmdec, ref_epoch "
        "and a magnitude, relative to the recipe; never written",
    )
    epoch: float | None = Field(
        None, ge=1900, le=2100, description="Julian year of the positions, if the file has none"
    )
    position_error: PositiveAngle | None = Field(
        None, description="Error of the positions along each axis, if the file has none"
    )
    search_radius: PositiveAngle = Field(
        Amount(3.0, "arcsec"), description="How far stars may be from where the headers put them"
    )
    tolerance: PositiveAngle = Field(
        Amount(0.1, "arcsec"), description="How far matched stars may be apart"
    )
    geometry: Literal["shift", "rshift", "rscale"] = Field(
        "rshift", description="What is fitted: shift, with rotation, with scale"
    )
    min_matches: int = Field(8, ge=6, description="With fewer matches the frame is not moved")
    floor: PositiveAngle = Field(
        Amount(2.0, "mas"), description="Error of our own positions beside the quoted ones"
    )
    max_chi: float = Field(
        3.0, gt=0, description="With residuals above this many of their errors it is not moved"
    )
    max_move: PositiveAngle = Field(
        Amount(3.0, "arcsec"), description="The frame is moved no further than this"
    )
    max_rotation: PositiveAngle = Field(
        Amount(0.2, "deg"), description="The frame is turned no more than this"
    )
    max_error: PositiveAngle = Field(
        Amount(20.0, "mas"), description="If the tie is less certain the frame is not moved"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say that there is no catalogue."""
        del targets
        if self.file is None and not self.asked:
            yield ("catalog",), NO_FILE
        if self.asked:
            for name in ("epoch", "position_error"):
                if getattr(self, name) is not None:
                    yield (name,), f"`{name}` is about `file`, and there is none"

    @property
    def asked(self) -> bool:
        """Whether an archive is asked for the stars."""
        return self.file is None and self.catalog != "file"

    def options(self) -> TieOptions:
        """Return how a frame is tied."""
        from hst123r.sources.absolute import TieOptions

        return TieOptions(
            search_arcsec=self.search_radius.to("arcsec"),
            tolerance_arcsec=self.tolerance.to("arcsec"),
            geometry=self.geometry,
            min_matches=self.min_matches,
            floor_mas=self.floor.to("mas"),
            max_chi=self.max_chi,
            max_move_arcsec=self.max_move.to("arcsec"),
            max_rotation_deg=self.max_rotation.to("deg"),
            max_error_mas=self.max_error.to("mas"),
        )

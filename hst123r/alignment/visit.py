"""The exposures of one visit and detector: their working copies, their stars, and the reference."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.alignment.params import COSMIC_RAYS, AlignParams
from hst123r.records.amount import Amount
from hst123r.records.boxes import in_degrees
from hst123r.records.exposure import Exposure
from hst123r.records.geometry import Geometry
from hst123r.stage.context import Context
from hst123r.stage.contract import Job

if TYPE_CHECKING:
    from hst123r.sources.alignment import Frame, ReferenceStars, Residual
    from hst123r.sources.stars import ChipStars


class Visit:
    """What the methods of alignment work on.

    Parameters
    ----------
    job : Job
        The job of the stage `align`.
    params : AlignParams
        Its parameters.
    context : Context
        Scratch directory and places for products.

    Attributes
    ----------
    exposures : list of Exposure
        Their records; everything else is listed in the same order.
    files : list of dict of str to str
        Path of the working copies by role; methods change their headers.
    hits : list of str or None
        Path of the mask of cosmic rays, where they were looked for.
    stars : list of dict of int to ChipStars
        Stars by EXTVER.
    reference : ReferenceStars
        The catalogue.
    groups : list of int
        The group of the catalogue that each exposure lies on, 0 for the reference.
    frame : Frame
        How exposures are compared with it.
    folder : Path
        Private folder with the working copies.
    """

    def __init__(self, job: Job, params: AlignParams, context: Context) -> None:
        from hst123r.products.reference_table import read_reference
        from hst123r.products.working_copy import working_copy
        from hst123r.sources.alignment import Frame

        self.job = job
        self.params = params
        self.context = context
        (reference,) = job.inputs["reference"]
        self.scale_arcsec = instruments.get(job.labels["detector"]).pixel_scale.value
        self.frame = Frame(
            scale_arcsec=self.scale_arcsec,
            search_pix=params.search_radius.to("pix"),
            tolerance_pix=params.tolerance.to("pix"),
            geometry=params.geometry,
            clip_sigma=params.sigma,
        )
        self.sources = job.inputs["exposure"]
        self.exposures = [Exposure.own(p.facts) for p in self.sources]
        # stars of a catalogue that knows how they move are where they were then
        when = sum(exposure.middle_mjd for exposure in self.exposures) / len(self.exposures)
        self.reference = read_reference(reference.files["catalog"], when)
        self.groups = [self._group(exposure) for exposure in self.exposures]
        # TweakReg leaves files of its own beside those it works on
        self.folder = context.folder("align")
        self.files = [working_copy(p.files, self.folder) for p in self.sources]
        masks = {p.name: p.files["mask"] for p in job.inputs.get(COSMIC_RAYS, [])}
        self.hits = [masks.get(p.name) for p in self.sources]
        measured = {p.name: p.files["stars"] for p in job.inputs["stars"]}
        self.stars = [
            self._stars(measured[p.name], mine, exposure)
            for p, mine, exposure in zip(self.sources, self.files, self.exposures, strict=True)
        ]

    def _stars(
        self, path: str, files: Mapping[str, str], exposure: Exposure
    ) -> dict[int, ChipStars]:
        """Return the stars of an exposure that are matched, where its WCS puts them now."""
        from hst123r.algorithms.boxes import outside
        from hst123r.products.exposures import open_chips
        from hst123r.products.star_lists import read_stars, select_stars
        from hst123r.sources.stars import by_wcs

        params, measured = self.params, read_stars(path)
        boxes, wcs = in_degrees(params.mask), open_chips(files["science"], exposure)
        # the exposure may have another WCS than when its stars were measured
        now = {
            chip.extver: by_wcs(measured[chip.extver], wcs[chip.extver], chip.shape)
            for chip in exposure.chips
        }
        return select_stars(
            {version: outside(stars, boxes) for version, stars in now.items()},
            exposure,
            brightest=params.brightest,
            magnitudes=(_magnitude(params.bright_limit), _magnitude(params.faint_limit)),
        )

    def _group(self, exposure: Exposure) -> int:
        """Return the group that has most stars around an exposure, or else the nearest one."""
        import numpy as np

        from hst123r.algorithms.sphere import middle, to_tangent_plane

        stars = self.reference
        corners = [corner for chip in exposure.chips for corner in chip.corners]
        if not (stars.groups and stars.group is not None and stars.group.size and corners):
            return 0
        sides = np.array(corners, np.float64)
        centre = middle(sides[:, 0], sides[:, 1])
        box = np.stack(to_tangent_plane(sides[:, 0], sides[:, 1], *centre), axis=1)
        place = np.stack(to_tangent_plane(stars.ra_deg, stars.dec_deg, *centre), axis=1)
        inside = np.all((place >= box.min(axis=0)) & (place <= box.max(axis=0)), axis=1)
        if inside.any():
            return int(np.bincount(stars.group[inside]).argmax())
        # stars a quarter of the sky away have no place on the plane
        return int(stars.group[np.nanargmin(np.nan_to_num(np.hypot(*place.T), nan=np.inf))])

    def reference_of(self, number: int) -> ReferenceStars:
        """Return the catalogue as an exposure searches it, by how far its group was moved."""
        return self.reference.seen_from(self.groups[number])

    def with_fit(self, geometry: Geometry, min_matches: int) -> Visit:
        """Return the same visit, files and all, as a method that fits something else sees it."""
        other = copy.copy(self)
        given = {"geometry": geometry, "min_matches": min_matches}
        other.params = self.params.model_copy(update=given)
        other.frame = replace(
            self.frame, geometry=geometry, minimum_pairs=min(min_matches, self.frame.minimum_pairs)
        )
        return other

    def count(self, number: int) -> int:
        """Return how many stars an exposure has."""
        return sum(chip.x.size for chip in self.stars[number].values())

    def residual(
        self,
        number: int,
        catalogue: ReferenceStars | None = None,
        frame: Frame | None = None,
    ) -> Residual:
        """Compare an exposure, by its WCS as it is now, with a catalogue.

        Parameters
        ----------
        number : int
            Which exposure.
        catalogue : ReferenceStars, optional
            The catalogue; that of the reference by default.
        frame : Frame, optional
            How; as all exposures of the visit by default.

        Returns
        -------
        Residual
            Without pairs where the two could not be matched.
        """
        from hst123r.products.exposures import open_chips
        from hst123r.sources.alignment import compare

        wcs = open_chips(self.files[number]["science"], self.exposures[number])
        wanted = self.reference_of(number) if catalogue is None else catalogue
        return compare(self.stars[number], wcs, wanted, frame or self.frame)

    def catalogue(self, number: int) -> ReferenceStars:
        """Return the stars of an exposure, by its WCS as it is now, as a catalogue."""
        from hst123r.products.exposures import open_chips
        from hst123r.sources.alignment import as_catalogue

        wcs = open_chips(self.files[number]["science"], self.exposures[number])
        return as_catalogue(self.stars[number], wcs)

    def restore(self, number: int) -> None:
        """Make the working copy of an exposure what the exposure was."""
        from hst123r.products.working_copy import working_copy

        self.files[number] = working_copy(self.sources[number].files, self.folder)


def _magnitude(limit: Amount | None) -> float | None:
    return None if limit is None else limit.to("mag")

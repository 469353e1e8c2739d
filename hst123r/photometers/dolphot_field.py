"""A field on its way through DOLPHOT: its folder, and the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.dolphot_parameters import Value
from hst123r.photometers.dolphot_images import (
    REFERENCE,
    chosen_chips,
    image_values,
    parameters_of,
)
from hst123r.photometers.params import PhotometryParams
from hst123r.records.exposure import Exposure
from hst123r.stage.context import Context
from hst123r.stage.contract import DOLPHOT_FILE, Job

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from hst123r.external.dolphot import Finished

RUN: Final = "run"
"""Name of the first run in the folder."""
POSITIONS: Final = "positions.txt"
KEPT: Final = {
    ".param": "parameters", ".phot": "catalog", ".phot.columns": "columns", ".phot.info": "info",
    ".phot.warnings": "warnings", ".phot.log": "log", ".phot.align": "alignment",
    ".phot.apcor": "aperture_corrections", ".phot.psfs": "psf_stars", ".phot.data": "data",
}  # fmt: skip
"""Roles of the files of a run that are kept, by how their names end; residual images are not."""

FAINTEST: Final = 0.001
"""For SigFinal: everything with light; DOLPHOT takes no 0, and gives what has less than none up."""


class Field:
    """The run of one field, in a folder of its own.

    Parameters
    ----------
    job : Job
        The job.
    params : PhotometryParams
        Those of the stage.
    context : Context
        Where it runs.
    """

    def __init__(self, job: Job, params: PhotometryParams, context: Context) -> None:
        self.job, self.params, self.context = job, params, context
        self.chips = chosen_chips(job, params)
        self.exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        self.stack = job.inputs["stack"][0] if job.inputs["stack"] else None
        self.values = image_values(
            self.chips, self.stack, lambda d, f: job.varied(params, d, f),
            analytic=params.dolphot.psf == "analytic",
        )  # fmt: skip
        self.folder = context.folder("dolphot")
        self.installed = {p.name: Path(p.files["file"]) for p in job.inputs[DOLPHOT_FILE]}
        self.written: set[str] = set()
        self.wcs: WCS = None
        self.shape: tuple[int, int] = (0, 0)

    @property
    def program(self) -> Path:
        """The program."""
        return self.installed["dolphot"]

    def prepare(self) -> None:
        """Write images, reference and sky maps."""
        from hst123r.photometers.dolphot_skies import write_skies
        from hst123r.products.dolphot.reference import write_reference

        self._images()
        tagged = self.params.dolphot.psf == "library"
        listed = [(place.name, place.exposure.detector) for place in self.chips]
        if self.stack is None:
            self._first()
        else:
            path = self.folder / f"{REFERENCE}.fits"
            detector = self.stack.labels["detector"]
            science = Path(self.stack.files["science"])
            self.wcs = write_reference(science, detector, path, tagged=tagged)
            rows, columns = self.stack.facts["shape"]
            self.shape = (rows, columns)
            listed.append((REFERENCE, detector))
        write_skies(
            [(self.folder / f"{name}.fits", instruments.get(detector).dolphot.calcsky)
             for name, detector in listed],
            self.context.cores,
        )  # fmt: skip
        self.context.logger.info("%d images and their sky maps are ready", len(listed))

    def _images(self) -> None:
        """Write the chips, masked, by our own code or by DOLPHOT's programs on copies."""
        from hst123r.products.dolphot.images import write_chips
        from hst123r.products.quality import read_mask

        dolphot = self.params.dolphot
        masks = {p.name: p.files["mask"] for p in self.job.inputs["cosmic-ray mask"]}
        if dolphot.mask == "external":
            from hst123r.photometers.dolphot_masks import mask_by_dolphot

            mask_by_dolphot(self.job, self.program, self.folder, keep=dolphot.cosmic_rays == "keep")
            return
        for product, exposure in zip(self.job.inputs["exposure"], self.exposures, strict=True):
            known = masks.get(product.name)
            write_chips(
                product.files, exposure, self.folder, self._areas(exposure),
                keep_cosmic_rays=dolphot.cosmic_rays == "keep",
                cosmic_rays=read_mask(known) if known else None,
                tagged=dolphot.psf == "library",
            )  # fmt: skip

    def _areas(self, exposure: Exposure) -> Path | None:
        """Return the folder with the maps of pixel areas, if they are wanted."""
        if self.params.dolphot.areas != "maps":
            return None
        mask = instruments.get(exposure.detector).dolphot.mask
        for name, path in self.installed.items():
            if name in {f"{mask.module}/data/{chip.area_file}" for chip in mask.chips}:
                return path.parent
        if all(chip.area_file is None for chip in mask.chips):
            return None
        raise InputError(
            "the maps of pixel areas are wanted, and DOLPHOT's folder is not known",
            hint="Name it in HST123R_DOLPHOT_BASE, or take `areas: wcs`",
        )

    def _first(self) -> None:
        """Take the first image for what positions refer to."""
        from hst123r.products.exposures import open_chips

        place = self.chips[0]
        files = self.job.inputs["exposure"][place.number].files
        self.wcs = open_chips(files["science"], place.exposure)[place.chip.extver]
        self.shape = (place.chip.shape[0], place.chip.shape[1])

    def measure(self) -> Finished:
        """Run DOLPHOT: find and measure stars, or measure at the sources of `detect`."""
        more: dict[str, Value] = {}
        if self.params.dolphot.positions == "sources":
            self.write_positions(POSITIONS, list(self._source_places()))
            more = {"xytfile": POSITIONS, **self.keep_all()}
        return self.run(RUN, more)

    def keep_all(self) -> dict[str, Value]:
        """Return the parameter with which nothing is left out for being faint."""
        given = {name.lower() for name in self.params.dolphot.parameters}
        return {} if "sigfinal" in given else {"SigFinal": FAINTEST}

    def align(self) -> Finished:
        """Run DOLPHOT until images are aligned."""
        from hst123r.external.dolphot import align

        return self._call(align, RUN, {"AlignOnly": 1})

    def run(self, name: str, more: dict[str, Value]) -> Finished:
        """Run DOLPHOT with some parameters of this run.

        Parameters
        ----------
        name : str
            Of its files.
        more : dict of str to value
            Parameters of this run.

        Returns
        -------
        Finished
            Its catalogue and log.
        """
        from hst123r.external.dolphot import run_dolphot

        return self._call(run_dolphot, name, more)

    def _call(
        self, function: Callable[..., Finished], name: str, more: dict[str, Value]
    ) -> Finished:
        """Call DOLPHOT in one way or the other, and keep its log however that ends."""
        self.write_parameters(name, more)
        try:
            return function(
                self.folder, f"{name}.phot", f"{name}.param", program=self.program,
                threads=self.context.cores,
            )  # fmt: skip
        finally:
            self._log(name)

    def write_parameters(self, name: str, more: dict[str, Value]) -> None:
        """Write the parameter file of a run.

        Parameters
        ----------
        name : str
            Of its files.
        more : dict of str to value
            Parameters of this run.
        """
        from hst123r.products.dolphot.parameters import write_parameters

        values = {**self.values, **more}
        found = parameters_of(self.chips, self.stack, self.params, values)
        write_parameters(self.folder / f"{name}.param", found)
        self.written |= set(found)

    def _log(self, name: str) -> None:
        """Take what DOLPHOT printed into the job's log: its folder goes with the job."""
        log = self.folder / f"{name}.phot.log"
        if log.is_file():
            text = log.read_text(encoding="utf-8", errors="replace").rstrip()
            self.context.logger.info("DOLPHOT said:\n%s", text)

    def _source_places(self) -> Iterator[tuple[float, float, int, float]]:
        import numpy as np

        from hst123r.products.dolphot.measurements import dolphot_positions
        from hst123r.products.source_table import read_sources

        sources = read_sources(self.job.inputs["sources"][0].files["catalog"])
        x, y = dolphot_positions(self.wcs, self.shape, sources["ra"], sources["dec"])
        for place in np.flatnonzero(np.isfinite(x) & np.isfinite(y)):
            yield float(x[place]), float(y[place]), 1, max(float(sources["snr"][place]), 1.0)

    def write_positions(self, name: str, places: Sequence[tuple[float, float, int, float]]) -> None:
        """Write places to measure at: x and y in DOLPHOT's pixels, type and S/N.

        A catalogue has two digits, and a star at its very edge is off the image in it.

        Raises
        ------
        InputError
            If there is none.
        """
        from hst123r.products.dolphot.measurements import EDGE_PIX

        if not places:
            raise InputError("there is no place to measure at", where=self.job.label)
        top, right = (length - EDGE_PIX for length in self.shape)
        lines = [
            f"0 1 {min(x, right):.3f} {min(y, top):.3f} {kind} {snr:.1f}\n"
            for x, y, kind, snr in places
        ]
        (self.folder / name).write_text("".join(lines), encoding="ascii")

    def kept(self, name: str) -> dict[str, Any]:
        """Return the files of a run that are kept, by role.

        Parameters
        ----------
        name : str
            Of the run.

        Returns
        -------
        dict of str to Path
            Copies among the products.
        """
        from hst123r.files.publish import copy

        found = {}
        for ending, role in KEPT.items():
            path = self.folder / f"{name}{ending}"
            if path.is_file():
                mine = self.context.product(f"{self.job.label}{ending}")
                copy(path, mine)
                found[role] = str(mine)
        return found

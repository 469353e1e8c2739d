"""Exposures masked and split by DOLPHOT's own programs, on copies."""

from __future__ import annotations

from pathlib import Path

from hst123r import instruments
from hst123r.external.astrodrizzle import CR_BIT
from hst123r.external.dolphot_programs import mask_exposure
from hst123r.products.quality import flag_pixels, read_mask
from hst123r.products.working_copy import working_copy
from hst123r.records.exposure import Exposure
from hst123r.stage.contract import Job


def mask_by_dolphot(job: Job, program: Path, folder: Path, *, keep: bool) -> None:
    """Mask and split the exposures of a job.

    Parameters
    ----------
    job : Job
        Its exposures, and masks of cosmic rays that are written into the copies before.
    program : Path
        DOLPHOT; its other programs stand beside it or on the search path.
    folder : Path
        Where ``<root>.chip<n>.fits`` are written.
    keep : bool
        Whether pixels hit by cosmic rays stay as they are.

    Raises
    ------
    EnvironmentProblem
        If a program is missing.
    StageError
        If one did not do its work.
    """
    masks = {p.name: p.files["mask"] for p in job.inputs["cosmic-ray mask"]}
    for product in job.inputs["exposure"]:
        exposure = Exposure.own(product.facts)
        mask = instruments.get(exposure.detector).dolphot.mask
        room = folder / exposure.root
        room.mkdir()
        copies = working_copy(product.files, room)
        if product.name in masks:
            paths = {role: Path(path) for role, path in copies.items()}
            flag_pixels(paths, read_mask(masks[product.name]), CR_BIT)
        science = Path(copies["science"]).rename(room / f"{exposure.root}.fits")
        names = [science.name]
        if "dq" in copies:
            names.append(Path(copies["dq"]).rename(room / f"{exposure.root}_dq.fits").name)
        mask_exposure(room, names, f"{mask.module}mask", program, keep=keep)
        for chip in exposure.chips:
            name = f"{exposure.root}.chip{chip.extver}.fits"
            (room / name).rename(folder / name)

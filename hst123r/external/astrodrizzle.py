"""AstroDrizzle, called so that it can be trusted.

What is done here that a plain call would not do, each against a fault that was seen:

* input files are copies with relative lower-case names in a private folder, because the flags of
  cosmic rays are written into them, and because absolute paths end up in the products' headers;
* everything is kept in memory: in file mode the static mask of one run can be taken by another;
* counts stay what they are: each chip in counts would be multiplied by a gain of its own, and the
  stack divided by that of the last chip, which makes 3 % of a chip whose gain differs;
* skies that cannot be matched are an error, where AstroDrizzle goes on without a word;
* one process, because the drizzling itself is not parallel and jobs are;
* success is the product on disk, because "no valid input" is only a line in the log.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hst123r.errors import StageError
from hst123r.external.rejection_noise import noise_in_electrons
from hst123r.external.updatewcs import answer_beforehand
from hst123r.files.publish import no_room

CR_BIT: Final = 4096
"""Data-quality bit that AstroDrizzle sets for cosmic rays it finds."""
OUTPUT: Final = "stack"


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixel grid of a stack: a tangent plane, north up unless rotated.

    Parameters
    ----------
    ra_deg, dec_deg : float
        Tangent point in degrees.
    crpix : (float, float)
        One-based pixel of the tangent point.
    shape : (int, int)
        Rows and columns.
    scale_arcsec : float
        Pixel scale.
    rotation_deg : float
        Position angle of the y axis, degrees east of north.
    """

    ra_deg: float
    dec_deg: float
    crpix: tuple[float, float]
    shape: tuple[int, int]
    scale_arcsec: float
    rotation_deg: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How to drizzle; names and meanings are AstroDrizzle's.

    Parameters
    ----------
    pixfrac : float
        Size of the drop, in input pixels.
    kernel : str
        Shape of the drop.
    good_bits : int
        Data-quality bits that are accepted as good.
    weight : str
        ``EXP``, ``ERR`` or ``IVM``.
    units : str
        ``cps`` or ``counts``.
    sky : bool
        Subtract and match the sky.
    reject_cosmic_rays : bool
        Find cosmic rays against the median of the exposures, and flag them anew; otherwise
        what is flagged already is left out.
    combine_type : str
        ``minmed`` or ``median``.
    combine_nhigh : int
        Number of high values left out of the median.
    cr_snr, cr_scale : str
        The two thresholds of the cosmic-ray search, in sigma, and their derivative factors.
    gain : float, optional
        Electrons per count of all chips, where exposures are in counts.
    more : mapping of str to Any
        Further keywords of AstroDrizzle by its own names, over the values set here.
    """

    pixfrac: float
    kernel: str
    good_bits: int
    weight: str
    units: str
    sky: bool
    reject_cosmic_rays: bool
    combine_type: str
    combine_nhigh: int
    cr_snr: str
    cr_scale: str
    gain: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def astrodrizzle(
    folder: Path, names: Sequence[str], grid: Grid, settings: Settings
) -> dict[str, Path]:
    """Drizzle exposures that lie in a folder.

    Parameters
    ----------
    folder : Path
        Private folder with copies of the exposures; flags of cosmic rays are set in them.
    names : sequence of str
        Names of the science files, in order.
    grid : Grid
        Where the output pixels lie.
    settings : Settings
        How to drizzle.

    Returns
    -------
    dict of str to Path
        ``science``, ``weight`` and ``context`` images.

    Raises
    ------
    StageError
        If there is no product, with what AstroDrizzle said.
    """
    from drizzlepac import astrodrizzle as module

    with contextlib.chdir(folder):
        try:
            prepare(names, settings)
            with noise_in_electrons():
                module.AstroDrizzle(list(names), **keywords(grid, settings))
        except (ValueError, TypeError, KeyError, IndexError, RuntimeError, OSError) as error:
            if no_room(error):
                raise
            raise StageError(f"AstroDrizzle failed: {type(error).__name__}: {error}") from error
    found = {
        role: path
        for role, suffix in (("science", "sci"), ("weight", "wht"), ("context", "ctx"))
        for path in folder.glob(f"{OUTPUT}_dr?_{suffix}.fits")
    }
    if set(found) != {"science", "weight", "context"}:
        raise StageError(
            "AstroDrizzle ended without a product", hint="The job's log holds what it said"
        )
    return found


def prepare(names: Sequence[str], settings: Settings) -> None:
    """Make copies and this process fit for drizzlepac: no questions, one gain for all chips.

    Parameters
    ----------
    names : sequence of str
        Names of the science files in the current folder.
    settings : Settings
        How to drizzle.
    """
    from astropy.io import fits

    for name in names:
        with fits.open(name, mode="update") as hdus:
            answer_beforehand(hdus[0].header)
    if settings.gain is not None:
        # its tables can be changed only once they are there
        from drizzlepac import processInput, wfpc2Data  # noqa: F401

        _one_gain(settings.gain)


def _one_gain(gain: float) -> None:
    """Give all chips in counts one gain, in this process; there is no parameter for it."""
    tables = [
        value
        for name, module in list(sys.modules.items())
        if name.startswith("drizzlepac.")
        for attribute, value in vars(module).items()
        if attribute.endswith("_GAINS")
    ]
    if not tables:
        raise StageError("this version of drizzlepac has no table of gains for pixels in counts")
    for table in tables:
        for chip in table.values():
            for setting in chip.values():
                setting[0] = gain


def keywords(grid: Grid, settings: Settings) -> dict[str, Any]:
    """Return the parameters by AstroDrizzle's names.

    Parameters
    ----------
    grid : Grid
        Where the output pixels lie.
    settings : Settings
        How to drizzle.

    Returns
    -------
    dict of str to Any
        All that is not AstroDrizzle's own default.
    """
    rows, columns = grid.shape
    common: Mapping[str, Any] = {
        "rot": grid.rotation_deg,
        "scale": grid.scale_arcsec,
        "ra": grid.ra_deg,
        "dec": grid.dec_deg,
        "crpix1": grid.crpix[0],
        "crpix2": grid.crpix[1],
        "outnx": columns,
        "outny": rows,
        "bits": settings.good_bits,
        "pixfrac": settings.pixfrac,
        "wcs": True,
        "fillval": None,
    }
    placed = {f"driz_sep_{key}": value for key, value in common.items()}
    placed |= {f"final_{key}": value for key, value in common.items()}
    cosmic_rays = settings.reject_cosmic_rays
    return {
        **placed,
        "output": OUTPUT,
        "runfile": "astrodrizzle.log",
        "context": True,
        "build": False,
        "preserve": False,
        "clean": True,
        "in_memory": True,
        "num_cores": 1,
        "resetbits": CR_BIT if cosmic_rays else 0,
        "static": cosmic_rays,
        "skysub": settings.sky,
        "skymethod": "globalmin+match",
        "skystat": "mode",
        "skylower": None,
        "skyupper": None,
        "driz_separate": cosmic_rays,
        "median": cosmic_rays,
        "combine_type": settings.combine_type,
        "combine_nhigh": settings.combine_nhigh,
        "combine_nlow": 0,
        "combine_maskpt": 0.2,
        "combine_nsigma": "4 3",
        "blot": cosmic_rays,
        "driz_cr": cosmic_rays,
        "driz_cr_corr": False,
        "driz_cr_snr": settings.cr_snr,
        "driz_cr_scale": settings.cr_scale,
        "driz_combine": True,
        "final_kernel": settings.kernel,
        "final_wht_type": settings.weight,
        "final_units": settings.units,
        # keywords of the exposures' headers that only a network could resolve are not used
        "mdriztab": False,
        "updatewcs": False,
        **settings.more,
    }

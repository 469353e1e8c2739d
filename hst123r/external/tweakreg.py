"""TweakReg, called so that it can be trusted.

It gets our own catalogues, because its finder is slow, hungry, and misjudges the noise of
drizzled references. The search radius is a whole number of pixels: with any other it starts from
a shift that is wrong by the fraction and can return a wrong WCS with success. The tolerance is at
least one pixel, because the first shift is only good to part of one. Whether it worked is read
from the shifts it writes, because a failed fit ends normally and even stamps its name on the WCS.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hst123r.errors import StageError

WCS_NAME: Final = "TWEAK"
SHIFTS: Final = "shifts.txt"
CATALOGUES: Final = "catalogues.txt"
REFERENCE: Final = "reference.cat"
NOWHERE: Final = ((-5000.0, -5000.0, 1e-3), (-5000.0, -4000.0, 1e-3), (-4000.0, -5000.0, 1e-3))
"""Stars that match none, for a chip with fewer than three: TweakReg draws a polygon around the
stars of each chip, and dies where it has no corners."""

StarList = Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Shift:
    """What TweakReg says it did to one exposure.

    Parameters
    ----------
    x_pix, y_pix : float
        Shift in pixels of the reference frame.
    rotation_deg, scale : float
        Rotation and change of scale.
    """

    x_pix: float
    y_pix: float
    rotation_deg: float
    scale: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How to align.

    Parameters
    ----------
    search_radius_pix : int
        How far a star may be from where the header puts it.
    tolerance_pix : float
        How far matched stars may be apart after the first shift, at least 1.
    separation_pix : float
        Stars closer together than this are not used.
    min_matches : int
        Fewer matches than this are no fit.
    geometry : str
        ``shift``, ``rscale`` or ``general``.
    clip : int
        Number of clipping iterations.
    sigma : float
        Clipping threshold.
    """

    search_radius_pix: int
    tolerance_pix: float
    separation_pix: float
    min_matches: int
    geometry: str
    clip: int
    sigma: float

    def __post_init__(self) -> None:
        if self.search_radius_pix < 1 or self.search_radius_pix != round(self.search_radius_pix):
            raise ValueError(f"a search radius of {self.search_radius_pix} pix is not whole")
        if self.tolerance_pix < 1:
            raise ValueError(f"a tolerance of {self.tolerance_pix} pix is below 1")


def tweakreg(
    folder: Path,
    stars: Mapping[str, Mapping[int, StarList]],
    reference: StarList,
    settings: Settings,
) -> dict[str, Shift | None]:
    """Align exposures that lie in a folder to a reference catalogue; their headers are updated.

    Parameters
    ----------
    folder : Path
        Private folder with copies of the exposures.
    stars : mapping of str to mapping of int to star list
        For every science file, by EXTVER, one-based x and y in pixels, and flux.
    reference : star list
        Right ascension and declination in degrees, and flux.
    settings : Settings
        How to align.

    Returns
    -------
    dict of str to Shift or None
        By file; None where TweakReg found no fit.

    Raises
    ------
    StageError
        If TweakReg itself failed.
    """
    from drizzlepac import tweakreg as module

    names = list(stars)
    _write_catalogues(folder, stars, reference)
    # where it gives up early it writes none, and that of an earlier call would speak for it
    (folder / SHIFTS).unlink(missing_ok=True)
    with contextlib.chdir(folder), _level_of_logging():
        try:
            module.TweakReg(
                names,
                catfile=CATALOGUES, xcol=1, ycol=2, fluxcol=3, fluxunits="counts",
                refcat=REFERENCE, refxcol=1, refycol=2, refxyunits="degrees", rfluxcol=3,
                rfluxunits="counts",
                searchrad=settings.search_radius_pix, searchunits="pixels",
                tolerance=settings.tolerance_pix, separation=settings.separation_pix,
                use2dhist=True, minobj=settings.min_matches, fitgeometry=settings.geometry,
                nclip=settings.clip, sigma=settings.sigma,
                updatehdr=True, updatewcs=False, wcsname=WCS_NAME, reusename=True,
                interactive=False, clean=True, writecat=False, enforce_user_order=True,
                expand_refcat=False, residplot="No plot", see2dplot=False,
                shiftfile=True, outshifts=SHIFTS, runfile="tweakreg.log",
            )  # fmt: skip
        except (ValueError, TypeError, KeyError, IndexError, RuntimeError, OSError,
                AssertionError, AttributeError, ZeroDivisionError) as error:  # fmt: skip
            raise StageError(f"TweakReg failed: {type(error).__name__}: {error}") from error
    return {name: _shift(folder / SHIFTS, name) for name in names}


@contextlib.contextmanager
def _level_of_logging() -> Iterator[None]:
    """Give the root logger its level back, which TweakReg sets for the whole process."""
    root = logging.getLogger()
    level = root.level
    try:
        yield
    finally:
        root.setLevel(level)


def _write_catalogues(
    folder: Path, stars: Mapping[str, Mapping[int, StarList]], reference: StarList
) -> None:
    lines = []
    for name, chips in stars.items():
        words = [name]
        for version, listed in sorted(chips.items()):
            catalogue = f"{Path(name).stem}_{version}.cat"
            _write_list(folder / catalogue, [*listed, *NOWHERE[len(listed) :]], digits=5)
            words.append(catalogue)
        lines.append(" ".join(words))
    (folder / CATALOGUES).write_text("\n".join(lines) + "\n", encoding="ascii")
    _write_list(folder / REFERENCE, reference, digits=10)


def _write_list(path: Path, listed: StarList, digits: int) -> None:
    lines = [f"{a:.{digits}f} {b:.{digits}f} {flux:.6g}" for a, b, flux in listed]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _shift(path: Path, name: str) -> Shift | None:
    """Read the line of a file in TweakReg's shift file."""
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words and words[0] == name and len(words) >= 5:
            numbers = [float(word) for word in words[1:5]]
            return Shift(*numbers) if all(map(math.isfinite, numbers)) else None
    return None

"""JHAT, the JWST/HST Alignment Tool, called as a program in an environment of its own.

It needs packages that do not agree with ours, so it is never imported here: the Python that has it
is found by a variable, and one exposure at a time is given to it in a private folder, with our
catalogue and our stars of the exposure as files, and without a network. Whether what it made is
right is for others to say.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from hst123r.errors import EnvironmentProblem, StageError
from hst123r.external import jhat_program

VARIABLE: Final = "HST123R_JHAT_PYTHON"
"""Names the Python of the environment that JHAT is in."""
INSTALL: Final = (
    "Make it an environment of its own, `python -m venv jhat && jhat/bin/pip install jhat "
    f"drizzlepac 'astropy<8'`, and set {VARIABLE} to its jhat/bin/python; or take another `method`"
)
ASK: Final = (
    "from importlib.metadata import version as v; "
    "print(', '.join(f'{n} {v(n)}' for n in ('jhat', 'drizzlepac', 'astropy', 'photutils')))"
)
CATALOGUE: Final = "reference.txt"
STARS: Final = "stars.txt"
SHARPNESS: Final = 0.6
ROUNDNESS: Final = 0.0
"""Of a star, in DAOFIND's measure. JHAT wants them for a plot; `stars` has chosen already."""
MAG_SNR: Final = 2.5 / math.log(10)
"""Error of a magnitude times S/N."""

StarList = Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Star:
    """A star of an exposure.

    Parameters
    ----------
    x, y : float
        Zero-based pixels of its chip.
    ra_deg, dec_deg : float
        Where the exposure's WCS puts it.
    flux, flux_error : float
        In any unit, positive.
    """

    x: float
    y: float
    ra_deg: float
    dec_deg: float
    flux: float
    flux_error: float


def find() -> Path | None:
    """Return the Python that has JHAT: that of the variable, else our own if it has it, else None.

    Raises
    ------
    EnvironmentProblem
        If the variable names no program.
    """
    named = os.environ.get(VARIABLE)
    if named:
        path = shutil.which(Path(named).expanduser())
        if path is None:
            raise EnvironmentProblem(f"{VARIABLE} names {named}, which is no program", hint=INSTALL)
        return Path(path).absolute()
    return Path(sys.executable) if importlib.util.find_spec("jhat") else None


def version() -> str:
    """Return the versions of JHAT and of what it measures with, as one text.

    Raises
    ------
    EnvironmentProblem
        If it is not installed.
    """
    python = find()
    if python is None:
        raise EnvironmentProblem("JHAT is not installed", hint=INSTALL)
    return _versions(python)


@cache
def _versions(python: Path) -> str:
    said = subprocess.run(
        [python, "-c", ASK], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if said.returncode:
        why = said.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise EnvironmentProblem(
            f"JHAT is not installed beside {python}, or not all of it: {why[0]}", hint=INSTALL
        )
    return said.stdout.strip()


def jhat(
    folder: Path, science: Path, chips: int, stars: Sequence[Star], reference: StarList,
    search_arcsec: float,
) -> Path | str:  # fmt: skip
    """Align an exposure to a catalogue.

    Parameters
    ----------
    folder : Path
        Private folder, empty; everything JHAT writes goes there.
    science : Path
        The exposure; it is copied.
    chips : int
        How many chips it has.
    stars : sequence of Star
        Stars of the exposure; JHAT looks for none itself.
    reference : star list
        Right ascension and declination in degrees, and flux.
    search_arcsec : float
        How far a star may be from where the header puts it; JHAT takes the nearest.

    Returns
    -------
    Path or str
        The file with the new WCS, or why there is none.

    Raises
    ------
    EnvironmentProblem
        If JHAT is not installed.
    StageError
        If the program ended without an answer.
    """
    version()
    python = find()
    assert python is not None
    # it tells exposures it has to drizzle first by their names
    mine = folder / f"exposure_{'flc' if chips > 1 else 'flt'}.fits"
    shutil.copy(science, mine)
    mine.chmod(0o644)
    write_catalogue(folder / CATALOGUE, reference)
    write_stars(folder / STARS, stars)
    order = {
        "science": mine.name, "catalogue": CATALOGUE, "stars": STARS,
        "search_arcsec": search_arcsec,
    }  # fmt: skip
    (folder / jhat_program.ORDER).write_text(json.dumps(order), encoding="utf-8")
    log = folder / "jhat.log"
    with log.open("wb") as out:
        ended = subprocess.run(
            [python, "-P", jhat_program.__file__],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
            # its own packages, not those that a path of ours would put before them
            env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")},
        )  # fmt: skip
    answer = folder / jhat_program.ANSWER
    if ended.returncode or not answer.is_file():
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise StageError(
            f"JHAT ended with code {ended.returncode} and no answer: {''.join(last)}", hint=INSTALL
        )
    said = json.loads(answer.read_text(encoding="utf-8"))
    if said.get("solved"):
        return folder / str(said["solved"])
    return str(said.get("error", "it made no file"))


def write_catalogue(path: Path, reference: StarList) -> None:
    """Write a catalogue as JHAT reads it: ra, dec and a magnitude, which it wants but is not used.

    Parameters
    ----------
    path : Path
        The file.
    reference : star list
        Right ascension and declination in degrees, and flux.
    """
    lines = ["ra dec mag"]
    for ra, dec, flux in reference:
        lines.append(f"{ra:.10f} {dec:.10f} {_magnitude(flux):.4f}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_stars(path: Path, stars: Sequence[Star]) -> None:
    """Write stars of an exposure as JHAT keeps those that it has measured.

    Parameters
    ----------
    path : Path
        The file.
    stars : sequence of Star
        The stars.
    """
    lines = ["x y ra dec mag dmag sharpness roundness1"]
    for star in stars:
        error = MAG_SNR * star.flux_error / star.flux
        lines.append(
            f"{star.x:.5f} {star.y:.5f} {star.ra_deg:.10f} {star.dec_deg:.10f} "
            f"{_magnitude(star.flux):.4f} {error:.5f} {SHARPNESS} {ROUNDNESS}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _magnitude(flux: float) -> float:
    """Return a magnitude with any zeropoint, faint for what has no light."""
    return 25.0 - 2.5 * math.log10(flux) if flux > 0 else 30.0

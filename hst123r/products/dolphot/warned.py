"""What DOLPHOT warned of, in its ``.warnings`` file, as caveats."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hst123r.products.dolphot.text import read_lines
from hst123r.records.outcome import Caveat

KINDS: Final = (
    ("dolphot_few_alignment_stars", r"Only \d+ (?:stars for alignment|alignment stars used)"),
    ("dolphot_not_aligned", r"No alignment stars (?:matched|trimmed)"),
    ("dolphot_alignment_scatter", r"Large alignment scatter"),
    ("dolphot_few_psf_stars", r"Only \d+ stars for PSF measurement"),
    ("dolphot_few_aperture_stars", r"Only \d+ aperture stars"),
    ("dolphot_truncated_image", r"\*\*Error: read past end"),
)
"""Code of a caveat, and how the sentences begin that it stands for."""
OTHER: Final = "dolphot_warning"
_IMAGE: Final = re.compile(r"image (?:\d+, )?(?P<image>\S+?)(?: \([^()]*sec\))?$")


def read_warnings(path: str | Path) -> list[Caveat]:
    """Read a ``.warnings`` file.

    Parameters
    ----------
    path : str or Path
        The file; it may be empty.

    Returns
    -------
    list of Caveat
        One for each different sentence, in the order of the file, with DOLPHOT's own words and
        the image they are about.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    caveats = {}
    for _, line in read_lines(path):
        code = next((code for code, begin in KINDS if re.match(begin, line)), OTHER)
        found = _IMAGE.search(line)
        caveats[line] = Caveat(code, f"DOLPHOT: {line}", found["image"] if found else "")
    return list(caveats.values())

"""Which calibration reference files the headers of an exposure name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hst123r.files.fits_blocks import COMMENTARY, walk

CONTEXT: Final = "CRDS_CTX"
"""Keyword of the CRDS context, the rules by which the reference files were chosen."""
_REFERENCE: Final = re.compile(r"[a-z]+\$[A-Za-z0-9_.+-]+")
"""How headers name a reference file: the variable of its folder, and its name."""


def reference_files(paths: Iterable[Path | str]) -> list[dict[str, str]]:
    """Return the reference files that FITS headers name, and the CRDS context.

    Parameters
    ----------
    paths : iterable of Path or str
        FITS files of one exposure; only their headers are read.

    Returns
    -------
    list of dict
        ``keyword`` and ``name`` as the header has it, e.g. ``jref$0461802ej_idc.fits``; each
        pair once.

    Raises
    ------
    InputError
        If a file is not FITS.
    """
    found: dict[tuple[str, str], None] = {}
    for path in paths:
        with Path(path).open("rb") as stream:
            for hdu in walk(stream, str(path)):
                for card in hdu.cards:
                    named = card.keyword == CONTEXT or _REFERENCE.fullmatch(str(card.value))
                    if named and card.keyword not in COMMENTARY and card.value:
                        found[card.keyword, str(card.value)] = None
    return [{"keyword": keyword, "name": name} for keyword, name in found]

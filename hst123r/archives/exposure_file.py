"""Whether a file from an archive is the exposure it was asked for, to its last byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hst123r.errors import InputError
from hst123r.files.fits_blocks import BLOCK, walk
from hst123r.files.verify import SCIENCE, verify_hdus


def verify(path: Path, *, root: str, names: Sequence[str] = SCIENCE) -> str:
    """Verify an exposure that has just arrived.

    Parameters
    ----------
    path : Path
        The file.
    root : str
        The root name it must have.
    names : sequence of str
        EXTNAMEs, of which it must have one with data.

    Returns
    -------
    str
        ``verified`` when the file carries checksums and they agree, ``absent`` when it has none.

    Raises
    ------
    InputError
        If it is not FITS, does not end where its last HDU ends, lacks extensions, is another
        exposure, or its checksums disagree.
    """
    with path.open("rb") as stream:
        hdus = list(walk(stream, path.name))
    checksums = verify_hdus(path, hdus, root, names)
    last = hdus[-1]
    end = last.data_start + -(-last.data_size // BLOCK) * BLOCK
    size = path.stat().st_size
    if size != end:
        raise InputError(f"its last HDU ends at byte {end}, the file at {size}", where=path.name)
    return checksums

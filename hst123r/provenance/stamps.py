"""Header stamps: with them a stray FITS file finds its row in the store.

``H123RUN`` is the column ``uid`` of the run, ``H123JOB`` the number of the attempt and the job's
name, ``H123KEY`` the first 16 digits of the job's key, ``H123RCP`` of the recipe's digest. Run
and key together tell whether a file is of this store or of another. Stamps are volatile: they take
part in no identity. They are written at the level of FITS blocks, because rewriting a 170 MB file
to add four cards would cost more than making them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from hst123r.files.content import STAMP_PREFIX
from hst123r.files.fits_blocks import BLOCK, CARD, CHUNK, walk

COMMENTS: Final = {
    "H123RUN": "hst123r run",
    "H123JOB": "hst123r job and attempt",
    "H123KEY": "digest of the job's key",
    "H123RCP": "digest of the recipe",
}

_ATTEMPT: Final = re.compile(r"^#(?P<new>\d+) |#(?P<old>\d+)$")
"""The number comes first; files of the first versions have it behind the name."""


def card(keyword: str, value: str) -> bytes:
    """Return a header card with a text value.

    Parameters
    ----------
    keyword : str
        At most 8 characters.
    value : str
        Value; cut where the card has no more room.

    Returns
    -------
    bytes
        80 characters.
    """
    room = CARD - 12
    while len(text := value.replace("'", "''")) > room:
        value = value[:-1]
    start = f"{keyword:<8}= '{text:<8}'"
    comment = f" / {COMMENTS.get(keyword, '')}"
    return (
        (start + comment if len(start) + len(comment) <= CARD else start)
        .ljust(CARD)
        .encode("ascii", "replace")
    )


def stamps_of(*, run: str, job_id: int, name: str, key: str | None, recipe: str) -> dict[str, str]:
    """Return the stamps of a job's products.

    Parameters
    ----------
    run : str
        Column ``uid`` of its run.
    job_id : int
        Number of the attempt.
    name : str
        ``stage:label``; behind the number, because long ones are cut.
    key : str or None
        Digest of its key, None while that is unknown.
    recipe : str
        Digest of the recipe's text, as in the table ``recipe``.

    Returns
    -------
    dict of str to str
        Value by keyword.
    """
    return {
        "H123RUN": run,
        "H123JOB": f"#{job_id} {name}",
        "H123KEY": digits(key or ""),
        "H123RCP": digits(recipe),
    }


def digits(digest: str) -> str:
    """Return the digits of a digest that stamps hold."""
    return digest.partition(":")[2][:16]


def attempt(stamps: dict[str, str]) -> int | None:
    """Return the number of the attempt that stamps name, None where they name none."""
    found = _ATTEMPT.search(stamps.get("H123JOB", ""))
    return int(found["new"] or found["old"]) if found else None


def stamp(path: Path, stamps: dict[str, str]) -> None:
    """Write stamps into the primary header of a FITS file, replacing older ones.

    Parameters
    ----------
    path : Path
        A FITS file.
    stamps : dict of str to str
        Value by keyword.

    Raises
    ------
    InputError
        If the file is not FITS.
    """
    with path.open("r+b") as stream:
        primary = next(walk(stream, str(path)))
        stream.seek(0)
        old = stream.read(primary.data_start)
        cards = [old[i : i + CARD] for i in range(0, len(old), CARD)]
        end = next(i for i, text in enumerate(cards) if text[:8] == b"END     ")
        prefix = STAMP_PREFIX.encode()
        kept = [text for text in cards[:end] if not text.startswith(prefix)]
        kept += [card(keyword, value) for keyword, value in stamps.items()]
        header = b"".join([*kept, b"END".ljust(CARD)])
        header = header.ljust(-(-len(header) // BLOCK) * BLOCK)
        if len(header) == len(old):
            stream.seek(0)
            stream.write(header)
            return
        part = path.with_name(path.name + ".stamped")
        with part.open("xb") as out:
            out.write(header)
            stream.seek(primary.data_start)
            while piece := stream.read(CHUNK):
                out.write(piece)
    os.replace(part, path)  # noqa: PTH105  (the pair of open and replace reads better so)


def read_stamps(path: Path) -> dict[str, str]:
    """Return the stamps of a FITS file.

    Parameters
    ----------
    path : Path
        A FITS file.

    Returns
    -------
    dict of str to str
        Value by keyword, empty when it has none.

    Raises
    ------
    InputError
        If the file is not FITS.
    """
    with path.open("rb") as stream:
        primary = next(walk(stream, str(path)))
    return {
        found.keyword: str(found.value)
        for found in primary.cards
        if found.keyword.startswith(STAMP_PREFIX)
    }

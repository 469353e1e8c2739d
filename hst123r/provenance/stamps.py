"""Header stamps: with them a stray FITS file finds its row in the store.

``H123RUN`` names the run, ``H123JOB`` the job and its attempt, ``H123KEY`` the first 16 digits of
the job's key and ``H123RCP`` those of the recipe's digest. Stamps are volatile: they take part in
no identity. They are written at the level of FITS blocks, because rewriting a 170 MB file to add
four cards would cost more than making them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hst123r.files.content import STAMP_PREFIX, digest_bytes
from hst123r.files.fits_blocks import BLOCK, CARD, CHUNK, walk

COMMENTS: Final = {
    "H123RUN": "hst123r run",
    "H123JOB": "hst123r job and attempt",
    "H123KEY": "digest of the job's key",
    "H123RCP": "digest of the recipe",
}
DIGITS: Final = 16
"""Of a digest, enough to find its row."""
ROOM: Final = CARD - 12
"""Characters of a value that fit into a card."""


def stamps_of(run: str, name: str, job_id: int, key: str, recipe: str) -> dict[str, str]:
    """Return the stamps of a job's products.

    Parameters
    ----------
    run : str
        The run's own name.
    name : str
        Stage and label; cut so that the number behind it has room.
    job_id : int
        Row of the attempt.
    key : str
        Digest of the job's key, empty while it is not known.
    recipe : str
        Text of the recipe.

    Returns
    -------
    dict of str to str
        Value by keyword.
    """
    number = f"#{job_id}"
    return {
        "H123RUN": run,
        "H123JOB": name[: ROOM - len(number)] + number,
        "H123KEY": key.partition(":")[2][:DIGITS],
        "H123RCP": digest_bytes(recipe.encode()).partition(":")[2][:DIGITS],
    }


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
    while len(text := value.replace("'", "''")) > ROOM:
        value = value[:-1]
    start = f"{keyword:<8}= '{text:<8}'"
    comment = f" / {COMMENTS.get(keyword, '')}"
    return (start + comment if len(start) + len(comment) <= CARD else start).ljust(CARD).encode()


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

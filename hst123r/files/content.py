"""The identity of a file: digests of its bytes, and for FITS of each facet that means something.

Facets let a re-made file with equal science re-run nothing, and let a reason say *what* changed:

``pixels``
    the data of every HDU but those below, with their names, shapes and scalings;
``dq``
    the data of the data-quality HDUs;
``wcs``
    the cards and lookup tables that place pixels on the sky;
``science``
    all other cards that mean something;
``alternates``
    WCS solutions that are not in use: alternate keywords, headerlets, their history table;
``volatile``
    dates, processing versions, checksums, HISTORY, COMMENT and our own stamps.

FITS checksums are not used as identity: their 32-bit sums ignore the order of words, so a flipped
image has the same DATASUM.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from blake3 import blake3

from hst123r.errors import InputError
from hst123r.files.fits_blocks import CHUNK, COMMENTARY, Card, HduBlocks, is_fits, walk

ALGORITHM: Final = "blake3"
FACETS: Final = ("pixels", "dq", "wcs", "science", "alternates", "volatile")
STAMP_PREFIX: Final = "H123"
DQ_NAMES: Final = frozenset({"DQ"})
TABLE_NAMES: Final = frozenset({"D2IMARR", "WCSDVARR"})
ALTERNATE_NAMES: Final = frozenset({"HDRLET", "WCSCORR"})
STRUCTURE: Final = frozenset(
    {"SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "NEXTEND", "EXTNAME",
     "EXTVER", "EXTLEVEL", "BSCALE", "BZERO", "TFIELDS", "THEAP", "INHERIT"}
)  # fmt: skip
VOLATILE: Final = frozenset(
    {"DATE", "PROCTIME", "CHECKSUM", "DATASUM", "IRAF-TLM", "OPUS_VER", "CSYS_VER", "AWSYSVER",
     "AWSDPVER", "ORIGIN", "UPWTIM", "UPWCSVER", "PYWCSVER", "HDRNAME", "RULESVER", "RULEFILE",
     "BLENDVER", "PREPIXEL"}
)  # fmt: skip
_WCS: Final = re.compile(
    r"(?:CRPIX|CRVAL|CDELT|CTYPE|CUNIT|CROTA|CRDER|CNAME)\d|(?:CD|PC|PV|PS|LTM)\d_\d|LTV\d|"
    r"LONPOLE|LATPOLE|WCSAXES|WCSNAME|WCSTYPE|RADESYS|EQUINOX|(?:A|B|AP|BP)_(?:\d_\d|ORDER|DMAX)|"
    r"D2IM\w*|D[PQ]\d|C[PQ]DIS\d|C[PQ]ERR\d|NPOLEXT|IDC\w*|OC[XY]\d+|TDD\w*|VAFACTOR|ORIENTAT|"
    r"RMS_(?:RA|DEC)|NMATCH(?:ES)?|FITGEOM|FITNAME|MJDREF"
)
_DRIZZLE_INPUT: Final = re.compile(r"D\d{3}(?:DATA|MASK|OUDA|OUWE|OUCO)")


@dataclass(frozen=True, slots=True)
class Header:
    """The cards of one HDU that mean something, for the store.

    Parameters
    ----------
    hdu : int
        Index of the HDU.
    name : str
        EXTNAME, ``PRIMARY`` for the first.
    version : int
        EXTVER.
    cards : list of [keyword, value, comment]
        All but commentary.
    """

    hdu: int
    name: str
    version: int
    cards: list[list[object]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Parameters
    ----------
    digest : str
        ``blake3:`` and 64 hexadecimal digits, of all bytes.
    size : int
        Size in bytes.
    kind : str
        ``fits`` or ``file``.
    facets : dict of str to str
        Digest by facet; empty for files that are not FITS.
    sha256 : str or None
        Hexadecimal sha256 where it was asked for.
    headers : list of Header
        For FITS.
    """

    digest: str
    size: int
    kind: str
    facets: dict[str, str] = field(default_factory=dict)
    sha256: str | None = None
    headers: list[Header] = field(default_factory=list)

    def facet(self, name: str) -> str:
        """Return the digest of a facet; for files without facets that of their bytes."""
        return self.facets.get(name, self.digest)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the file system says about a file without reading it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path | str) -> Signature | None:
        """Return the signature of a regular file, None when there is none."""
        try:
            found = os.stat(path)  # noqa: PTH116  (a thousand Path objects cost more than the stats)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def digest_bytes(data: bytes) -> str:
    """Return the digest of some bytes as ``blake3:…``."""
    return f"{ALGORITHM}:{blake3(data).hexdigest()}"


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes as ``blake3:…``."""
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update_mmap(path)
    return f"{ALGORITHM}:{hasher.hexdigest()}"


def look(
    path: Path, *, sha256: bool = False, tee: Callable[[bytes], object] | None = None
) -> Content:
    """Read a file once and return its identity.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : bool
        Compute a sha256 in the same read.
    tee : callable, optional
        Called with every piece of the file in order, e.g. a copy's `write`.

    Returns
    -------
    Content
        Digests, facets and header cards. A file that begins like FITS but is damaged has no
        facets; use `fits_blocks.walk` to be told what is wrong.
    """
    whole = blake3()
    second = hashlib.sha256() if sha256 else None
    size = 0

    def on_bytes(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        whole.update(piece)
        if second is not None:
            second.update(piece)
        if tee is not None:
            tee(piece)

    facets: dict[str, str] = {}
    headers: list[Header] = []
    with path.open("rb", buffering=0) as raw:
        start = raw.read(9)
        raw.seek(0)
        if is_fits(start):
            collector = _Collector()
            try:
                for hdu in walk(raw, str(path), on_bytes, collector.data):
                    collector.header(hdu)
            except InputError:
                collector.damaged = True
            if not collector.damaged:
                facets, headers = collector.facets(), collector.headers
        _rest(raw, on_bytes)
    return Content(
        digest=f"{ALGORITHM}:{whole.hexdigest()}",
        size=size,
        kind="fits" if facets else "file",
        facets=facets,
        sha256=second.hexdigest() if second else None,
        headers=headers,
    )


def _rest(raw: BinaryIO | object, on_bytes: Callable[[bytes], None]) -> None:
    """Pass on what stands behind the last HDU, or the whole of a file that is not FITS."""
    read = raw.read  # type: ignore[union-attr]
    while piece := read(CHUNK):
        on_bytes(piece)


class _Collector:
    """Collects the facets of a FITS file while it is walked through."""

    def __init__(self) -> None:
        self.damaged = False
        self.headers: list[Header] = []
        self._data: dict[int, blake3] = {}
        self._parts: dict[str, list[str]] = {name: [] for name in FACETS}

    def data(self, hdu: HduBlocks, piece: bytes) -> None:
        hasher = self._data.get(hdu.index)
        if hasher is None:
            hasher = self._data[hdu.index] = blake3()
        hasher.update(piece)

    def header(self, hdu: HduBlocks) -> None:
        place = f"{hdu.name},{hdu.version}"
        of_data = facet_of_hdu(hdu.name)
        if hdu.data_size:
            shape = [f"{c.keyword}={c.value!r}" for c in hdu.cards if _shapes_data(c.keyword)]
            digest = self._data[hdu.index].hexdigest()
            self._parts[of_data].append(f"{place}|{','.join(shape)}|{digest}")
        # the cards of a lookup table or headerlet belong to the facet of its data
        whole = of_data if of_data in {"wcs", "alternates"} else None
        lines: dict[str, list[str]] = {}
        for card in hdu.cards:
            if card.keyword in STRUCTURE or card.keyword.startswith("NAXIS"):
                continue
            facet = facet_of_card(card.keyword)
            if whole is not None and facet != "volatile":
                facet = whole
            lines.setdefault(facet, []).append(f"{card.keyword}={card.value!r}")
        for facet, found in lines.items():
            self._parts[facet].append(f"{place}|" + "\n".join(sorted(found)))
        cards: list[list[object]] = [
            [card.keyword, card.value, card.comment]
            for card in hdu.cards
            if card.keyword not in COMMENTARY
        ]
        self.headers.append(Header(hdu.index, hdu.name, hdu.version, cards))

    def facets(self) -> dict[str, str]:
        return {
            name: digest_bytes("\n\n".join(parts).encode()) for name, parts in self._parts.items()
        }


def facet_of_hdu(name: str) -> str:
    """Return the facet the data of an HDU belong to.

    Parameters
    ----------
    name : str
        EXTNAME in upper case.

    Returns
    -------
    str
        One of :data:`FACETS`.
    """
    if name in DQ_NAMES:
        return "dq"
    if name in TABLE_NAMES:
        return "wcs"
    if name in ALTERNATE_NAMES:
        return "alternates"
    return "pixels"


@lru_cache(maxsize=4096)
def facet_of_card(keyword: str) -> str:
    """Return the facet a header card belongs to.

    Parameters
    ----------
    keyword : str
        Keyword in upper case.

    Returns
    -------
    str
        One of :data:`FACETS`.
    """
    if (
        keyword in COMMENTARY
        or keyword in VOLATILE
        or keyword.startswith(STAMP_PREFIX)
        or _DRIZZLE_INPUT.fullmatch(keyword)
    ):
        return "volatile"
    if _WCS.fullmatch(keyword):
        return "wcs"
    if len(keyword) > 1 and keyword[-1].isalpha() and _WCS.fullmatch(keyword[:-1]):
        return "alternates"
    return "science"


def _shapes_data(keyword: str) -> bool:
    return keyword in {"BITPIX", "BSCALE", "BZERO"} or keyword.startswith("NAXIS")


def is_volatile(card: Card) -> bool:
    """Whether a card takes part in no identity."""
    return facet_of_card(card.keyword) == "volatile"

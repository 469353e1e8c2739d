"""The WCS solutions that an exposure carries: in use, alternate, or packed in a headerlet."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hst123r import instruments
from hst123r.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

NOT_APPLICABLE: Final = frozenset({"", "N/A", "n/a"})
ORIGINAL: Final = "OPUS"
"""Name of the solution of the pipeline before any distortion model."""
METHODS: Final = {
    "REL": "exposures aligned to each other, then together to",
    "IMG": "each exposure by itself aligned to",
    "SVM": "the exposures of a visit aligned together to",
    "MVM": "the exposures of several visits aligned together to",
}
"""Middle of a name such as ``IDC_xxx-FIT_REL_GAIADR2``, and what it means."""
_NAME: Final = re.compile(
    r"(?:\w+_)?IDC_(?P<table>[^-]+)(?:-(?P<rest>.+?))?(?:-\d+)?(?:-hlet\.fits)?"
)
_FIT: Final = re.compile(r"FIT[_-](?:(?P<method>[A-Z]+)[_-])?(?P<catalogue>.+)")
_COVERED: Final = 0.9
"""A lookup table that spans less of a chip was cut; whole ones span all but a few rows."""

Kind = Literal["primary", "alternate", "headerlet"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the name of a solution says.

    Parameters
    ----------
    table : str
        Root of the distortion table, empty where the name has none.
    catalogue : str
        What positions are tied to, empty for the guide stars' own.
    words : str
        The same as a sentence.
    """

    table: str
    catalogue: str
    words: str


@dataclass(frozen=True, slots=True)
class Solution:
    """One WCS solution of an exposure, all its chips together.

    Parameters
    ----------
    kind : str
        ``primary``, ``alternate`` or ``headerlet``.
    key : str
        Letter of an alternate, EXTVER of a headerlet, empty for the primary.
    index : int
        Index of the headerlet's HDU; -1 otherwise.
    name : str
        WCSNAME.
    headerlet : str
        HDRNAME, the name of the headerlet it is or came from.
    catalogue, words : str
        What its name says, see :class:`Meaning`.
    table : str
        Distortion table (IDCTAB) as the header has it, else from the name.
    matches : int or None
        Number of matched sources, where stated.
    rms_ra_mas, rms_dec_mas : float or None
        Residuals of the fit, where stated.
    distorted : bool
        Whether it has a distortion at all; a table may be named and not applied.
    lacks : list of str
        What of the distortion it announces is not there.
    """

    kind: Kind
    key: str
    index: int
    name: str
    headerlet: str
    catalogue: str
    words: str
    table: str
    matches: int | None
    rms_ra_mas: float | None
    rms_dec_mas: float | None
    distorted: bool
    lacks: list[str] = field(default_factory=list)

    @property
    def in_use(self) -> bool:
        """Whether it is the one that places pixels on the sky."""
        return self.kind == "primary"

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.kind} {self.key}".strip()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        whole = {"place": self.place, "in_use": self.in_use, "complete": not self.lacks}
        return {**whole, **{k: v for k, v in asdict(self).items() if k != "index"}}


def meaning(name: str) -> Meaning:
    """Say in plain words what the name of a WCS solution means.

    Parameters
    ----------
    name : str
        WCSNAME, such as ``IDC_2731450pi-FIT_REL_GAIADR2``.

    Returns
    -------
    Meaning
        Names follow STScI's convention, model, fit and catalogue; of others nothing is said.
    """
    if name == ORIGINAL:
        return Meaning("", "", "pointing of the guide stars, no distortion")
    found = _NAME.fullmatch(name)
    if found is None:
        return Meaning("", "", "of its own name" if name else "without a name")
    table, rest = found["table"], found["rest"]
    if rest is None:
        return Meaning(table, "", "pointing of the guide stars with distortion, no fit")
    fit = _FIT.fullmatch(rest)
    if fit is None:
        return Meaning(table, rest, f"a priori: guide stars moved to {rest}")
    how = METHODS.get(fit["method"] or "", "aligned to")
    return Meaning(table, fit["catalogue"], f"a posteriori: {how} {fit['catalogue']}")


def read_solutions(path: str | Path) -> list[Solution]:
    """Read every WCS solution of an exposure.

    Parameters
    ----------
    path : str or Path
        A FITS file with SCI extensions.

    Returns
    -------
    list of Solution
        The one in use first, then alternates by letter, then headerlets in their order.

    Raises
    ------
    InputError
        If it has no SCI extension, or a headerlet cannot be read.
    """
    from astropy.io import fits

    try:
        with fits.open(path, memmap=True) as hdus:
            chips = [hdu.header for hdu in hdus if hdu.name == "SCI"]
            if not chips:
                raise InputError("it has no SCI extension", where=str(path))
            found = [_own(hdus, chips)]
            found += _alternates(chips, found[0])
            found += _headerlets(hdus, str(path))
            return found
    except OSError as error:
        raise InputError(f"it cannot be read as FITS: {error}", where=str(path)) from error


def _own(hdus: HDUList, chips: list[Header]) -> Solution:
    lacks = _missing(chips, hdus, hdus)
    table = _text(chips[0], "IDCTAB") or _text(hdus[0].header, "IDCTAB")
    distorted = _distorted(chips[0])
    return _solution("primary", "", -1, chips[0], table=table, lacks=lacks, distorted=distorted)


def _alternates(chips: list[Header], primary: Solution) -> Iterator[Solution]:
    first = chips[0]
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if f"CTYPE1{letter}" not in first:
            continue
        says = meaning(_text(first, f"WCSNAME{letter}"))
        lacks: list[str] = []
        distorted = _text(first, f"CTYPE1{letter}").endswith("-SIP")
        if distorted:
            # an alternate has no coefficients of its own, those of the primary serve it
            same = says.table in ("", meaning(primary.name).table)
            lacks = primary.lacks if same else ["its distortion; the header has that of another"]
        table = primary.table if says.table and says.table in primary.table else says.table
        yield _solution(
            "alternate", letter, -1, first, table=table, lacks=lacks, distorted=distorted
        )


def _headerlets(hdus: HDUList, where: str) -> Iterator[Solution]:
    for index, hdu in enumerate(hdus):
        if hdu.name != "HDRLET":
            continue
        inner = _unpack(hdu, where)
        primary = inner[0].header
        chips = [item.header for item in inner if item.name == "SIPWCS"]
        lacks = _missing(chips, inner, hdus) if chips else ["its WCS"]
        yield _solution(
            "headerlet", str(hdu.ver), index, primary,
            table=_text(primary, "IDCTAB"), lacks=lacks,
            distorted=any(map(_distorted, chips)),
        )  # fmt: skip


def _unpack(hdu: Any, where: str) -> HDUList:
    import gzip

    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    data = bytes(hdu.data)
    try:
        if hdu.header.get("COMPRESS", False):
            data = gzip.decompress(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)
            inner = fits.HDUList.fromstring(data)
            inner.readall()
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"HDRLET,{hdu.ver} cannot be read: {error}", where=where) from error
    return inner


def _solution(
    kind: Kind,
    key: str,
    index: int,
    header: Header,
    *,
    table: str,
    lacks: list[str],
    distorted: bool,
) -> Solution:
    letter = key if kind == "alternate" else ""
    name = _text(header, f"WCSNAME{letter}").removesuffix("-hlet.fits")
    says = meaning(name)
    # headerlets count NMATCH, science headers NMATCHES; zero stands for none
    counted = header.get(f"NMATCHES{letter}"[:8]) if kind != "headerlet" else header.get("NMATCH")
    fitted = says.words.startswith("a posteriori") or not says.table
    matches = int(counted) if isinstance(counted, (int, float)) and counted and fitted else None
    if kind == "alternate":
        # its keyword would have nine letters
        matches = None
    rms = [header.get(f"RMS_{axis}{letter}") if fitted else None for axis in ("RA", "DEC")]
    east, north = (float(v) if isinstance(v, (int, float)) and v else None for v in rms)
    stated = _text(header, "CATALOG") if kind == "headerlet" else ""
    return Solution(
        kind, key, index, name, _text(header, f"HDRNAME{letter}"), says.catalogue or stated,
        says.words, table or says.table, matches, east, north, distorted, lacks,
    )  # fmt: skip


def _distorted(header: Header) -> bool:
    tables = ("CPDIS1", "CPDIS2", "D2IMDIS1", "D2IMDIS2")
    return _text(header, "CTYPE1").endswith("-SIP") or any(key in header for key in tables)


def _missing(chips: list[Header], holder: HDUList, exposure: HDUList) -> list[str]:
    """Say what is missing, each thing once with the EXTVERs of its tables."""
    found: dict[str, list[str]] = {}
    for chip in chips:
        for what, version in _lacks(chip, holder, exposure):
            found.setdefault(what, []).append(version)
    return [f"{what} {' '.join(dict.fromkeys(v))}".strip() for what, v in found.items()]


def _lacks(header: Header, holder: HDUList, exposure: HDUList) -> Iterator[tuple[str, str]]:
    """Say what of the distortion that a header announces is missing or cut."""
    if str(header.get("CTYPE1", "")).endswith("-SIP"):
        for prefix in "AB":
            order = header.get(f"{prefix}_ORDER", 0)
            if not any(f"{prefix}_{i}_{order - i}" in header for i in range(order + 1)):
                yield f"SIP coefficients {prefix}", ""
    size = _chip_size(header, exposure)
    tables = {(hdu.name, hdu.ver): hdu.header for hdu in holder}
    for distortion, record, name in (("CPDIS", "DP", "WCSDVARR"), ("D2IMDIS", "D2IM", "D2IMARR")):
        for axis in (1, 2):
            if f"{distortion}{axis}" not in header:
                continue
            version = header.get(f"{record}{axis}.EXTVER", 1)
            table = tables.get((name, int(version)))
            if table is None:
                yield f"lookup tables {name}", f"{int(version)}"
            elif _is_cut(table, size):
                yield f"part of lookup tables {name}", f"{int(version)}"


def _is_cut(table: Header, size: tuple[int, int] | None) -> bool:
    """Whether a lookup table spans less than its chip; a row or column of one spans all."""
    lengths = [int(table.get(f"NAXIS{axis}", 0)) for axis in (1, 2)]
    if 0 in lengths:
        return True
    spans = [n * abs(float(table.get(f"CDELT{a}", 1))) for a, n in enumerate(lengths, 1)]
    return size is not None and any(
        length > 1 and span < _COVERED * pixels
        for length, span, pixels in zip(lengths, spans, size, strict=True)
    )


def _chip_size(header: Header, exposure: HDUList) -> tuple[int, int] | None:
    """Columns and rows of the chip a header is about; those of the detector where it is whole."""
    version = int(header.get("TG_EVER", header.get("EXTVER", 1)))
    own = next((h.header for h in exposure if h.name == "SCI" and h.ver == version), None)
    primary = exposure[0].header
    if own is None or primary.get("SUBARRAY", False) in (True, "T", "True"):
        return None
    try:
        detector = instruments.match(primary, "")
    except InputError:
        return None
    number = own.get(detector.header.chip, version)
    for chip in detector.chips:
        if chip.number == number:
            return chip.columns, chip.rows
    return None


def _text(header: Header, keyword: str) -> str:
    value = str(header.get(keyword, "")).strip()
    return "" if value in NOT_APPLICABLE else value

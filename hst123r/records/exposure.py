"""An exposure: what its headers say, read once and kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


def band(label: str) -> str:
    """Return the filter of a label that may name a polariser too, F606W of ``F606W+POL0V``."""
    return label.partition("+")[0]


def group_name(field: str, detector_slug: str, label: str, *more: str) -> str:
    """Return the name of a group of exposures, its job and its stack.

    Parameters
    ----------
    field : str
        The field.
    detector_slug : str
        The detector, as in file names.
    label : str
        The filter.
    *more : str
        Epoch, visit.

    Returns
    -------
    str
        For example ``SN-acs_wfc-f606w-20190401``.
    """
    return "-".join([field, detector_slug, label.lower().replace("+", "-"), *more])


@dataclass(frozen=True, slots=True)
class Chip:
    """One science extension of an exposure.

    Parameters
    ----------
    extver : int
        EXTVER of its SCI extension.
    number : int
        The chip's own number (CCDCHIP, or DETECTOR for WFPC2).
    shape : list of int
        Rows and columns, (ny, nx).
    unit : str
        BUNIT as written: ``ELECTRONS``, ``ELECTRONS/S``, ``COUNTS``.
    photflam, photplam : float or None
        Inverse sensitivity [erg / cm2 / Angstrom / electron or DN] and pivot wavelength
        [Angstrom] of this chip, None where the header has none.
    zeropoint_ab, zeropoint_st : float or None
        Zeropoints in magnitudes for one header unit per second, from the two above.
    gain : float
        Electrons per header unit (per header unit and second for rates); 1 for electrons.
    position_angle_deg : float
        Position angle of the chip's y axis at its reference pixel, degrees east of north.
    corners : list of [ra, dec]
        The four corners of the chip on the sky, in degrees, through the full distorted WCS.
    targets : dict of str to [x, y]
        Zero-based pixel position of each target that falls on this chip.
    """

    extver: int
    number: int
    shape: list[int]
    unit: str
    photflam: float | None
    photplam: float | None
    zeropoint_ab: float | None
    zeropoint_st: float | None
    gain: float
    position_angle_deg: float
    corners: list[list[float]] = field(default_factory=list)
    targets: dict[str, list[float]] = field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        rows, columns = self.shape
        return rows * columns


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure of one detector.

    Parameters
    ----------
    root : str
        ROOTNAME in lower case, e.g. ``jabc01a1q``.
    image : str
        File name of the science file.
    detector : str
        Name of the detector, as in its file in ``instruments/``.
    filter : str
        The filter, upper case, and the polariser in the beam if there is one, ``F606W+POL0V``.
    filter_class : str
        ``W``, ``M``, ``N``, ``LP``, ``X``, ``polariser``, ``grism`` …
    elements : list of str
        All optical elements in the beam, clear positions left out.
    exposure_time_s : float
        EXPTIME in seconds.
    start_mjd, end_mjd : float
        Start and end, modified Julian dates (UTC).
    proposal, visit : str
        Proposal number and HST's own visit (two characters of the root name).
    object_name : str
        TARGNAME of the header.
    aperture : str
        Aperture name of the header.
    subarray : bool
        Whether the frame is a subarray.
    pa_v3_deg : float or None
        Position angle of the telescope's V3 axis.
    expflag, fgslock, quality, moving : str
        What the headers say about the exposure, its guiding and its tracking.
    wcs_name : str
        WCSNAME of the first chip, empty when there is none.
    distorted : bool
        Whether the WCS carries a distortion model (SIP or lookup tables).
    chips : list of Chip
        In the order of EXTVER.
    """

    root: str
    image: str
    detector: str
    filter: str
    filter_class: str
    elements: list[str]
    exposure_time_s: float
    start_mjd: float
    end_mjd: float
    proposal: str
    visit: str
    object_name: str
    aperture: str
    subarray: bool
    pa_v3_deg: float | None
    expflag: str
    fgslock: str
    quality: str
    moving: str
    wcs_name: str
    distorted: bool
    chips: list[Chip]

    @property
    def band(self) -> str:
        """The filter without a polariser: what the shape of a star depends on."""
        return band(self.filter)

    @property
    def middle_mjd(self) -> float:
        """The middle of the exposure, modified Julian date (UTC)."""
        return (self.start_mjd + self.end_mjd) / 2

    @property
    def targets(self) -> list[str]:
        """Names of the targets that fall on one of the chips, sorted."""
        return sorted({name for chip in self.chips for name in chip.targets})

    def as_facts(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)

    @classmethod
    def own(cls, facts: dict[str, Any]) -> Exposure:
        """Rebuild the record from facts that hold it, whatever else later stages have added."""
        mine = {name: facts[name] for name in cls.__dataclass_fields__}
        return cls(**{**mine, "chips": [Chip(**chip) for chip in facts["chips"]]})

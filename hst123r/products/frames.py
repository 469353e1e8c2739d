"""From an exposure's files to frames: chips in electrons, with masks, WCS, PSF and pixel areas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.products.exposures import COUNTS, open_wcs
from hst123r.products.quality import chip_quality, read_mask
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.optics.psf import EffectivePSF
    from hst123r.photometry.frame import Frame

_BYTES_PER_PIXEL = 8

FindPSF = Callable[[Detector, str, Chip], "EffectivePSF"]


def computed_psf(detector: Detector, filter_name: str, chip: Chip) -> EffectivePSF:
    """Return the PSF computed from the telescope's pupil and the band."""
    from hst123r.optics.telescope import effective_psf

    return effective_psf(detector, filter_name, chip=chip.number)


def read_frames(
    files: Mapping[str, str],
    exposure: Exposure,
    find_psf: FindPSF = computed_psf,
    cosmic_rays: str | None = None,
) -> Iterator[Frame]:
    """Read the chips of an exposure, one after another.

    Parameters
    ----------
    files : mapping of str to str
        Path by role: ``science``, and ``dq`` where data quality is a file of its own.
    exposure : Exposure
        Its record.
    find_psf : callable
        Gives the PSF of a chip.
    cosmic_rays : str, optional
        Path of a mask of cosmic rays, as `quality.write_mask` writes them.

    Yields
    ------
    Frame
        In the order of EXTVER; its label is ``root[extver]``.

    Raises
    ------
    InputError
        If an extension is missing or its unit is not known.
    """
    from astropy.io import fits

    from hst123r.photometry.frame import Frame
    from hst123r.photometry.geometry import AreaMap

    detector = instruments.get(exposure.detector)
    hits = read_mask(cosmic_rays) if cosmic_rays else {}
    with fits.open(files["science"], memmap=True) as hdus:
        for chip in exposure.chips:
            label = f"{exposure.root}[{chip.extver}]"
            header = hdus["SCI", chip.extver].header
            data = hdus["SCI", chip.extver].data * _to_electrons(chip, exposure)
            quality = chip_quality(files, hdus, chip)
            mask = (quality & detector.bad_bits) != 0
            if chip.extver in hits:
                mask |= hits[chip.extver]
            wcs = open_wcs(header, hdus, label)
            scale = float(header.get("IDCSCALE", detector.pixel_scale.value))
            yield Frame(
                data=data,
                mask=mask,
                saturated=(quality & detector.saturated_bits) != 0,
                read_noise_e=_read_noise(detector, chip),
                exposure_time_s=exposure.exposure_time_s,
                wcs=wcs,
                psf=find_psf(detector, exposure.band, chip).moved(*first_pixel(header)),
                area=AreaMap(wcs, data.shape, scale),
                label=label,
                dark_e=detector.noise.dark.value * exposure.exposure_time_s,
            )


def first_pixel(header: Mapping[str, Any]) -> tuple[float, float]:
    """Return the zero-based pixel of the full chip that the first pixel of an image is.

    Parameters
    ----------
    header : mapping
        Of the image; a subarray has LTV1 and LTV2, the physical pixel 0 in its own pixels.

    Returns
    -------
    x, y : float
        (0, 0) for a full frame.
    """
    return -float(header.get("LTV1", 0)), -float(header.get("LTV2", 0))


def _read_noise(detector: Detector, chip: Chip) -> float:
    """Return the read noise in electrons, that of whole counts included."""
    noise = detector.noise
    return noise.read_noise_at(chip.gain) if chip.unit == COUNTS else noise.read_noise.value


def _to_electrons(chip: Chip, exposure: Exposure) -> NDArray[np.float32]:
    """Factor from header units to electrons in the exposure."""
    import numpy as np

    factors = {
        "ELECTRONS": 1.0,
        "ELECTRONS/S": exposure.exposure_time_s,
        COUNTS: chip.gain,
    }
    if chip.unit not in factors:
        raise InputError(
            f"its unit is {chip.unit!r}, not one of {', '.join(factors)}", where=exposure.root
        )
    return np.asarray(factors[chip.unit], np.float32)


class ExposureFrames:
    """The frames of several exposures, gone through as often as wanted.

    Small ones are kept; otherwise every pass reads the files again, so that only one frame is
    in memory.

    Parameters
    ----------
    files : sequence of mapping of str to str
        Path by role, for every exposure.
    exposures : sequence of Exposure
        Their records.
    masks : sequence of str or None
        Path of the mask of cosmic rays of each exposure.
    find_psf : callable
        Gives the PSF of a chip.
    keep_mb : float
        Keep the frames if all of them together are smaller than this.
    """

    def __init__(
        self,
        files: Sequence[Mapping[str, str]],
        exposures: Sequence[Exposure],
        masks: Sequence[str | None],
        find_psf: FindPSF = computed_psf,
        *,
        keep_mb: float = 1000.0,
    ) -> None:
        self.find_psf = find_psf
        self.files = files
        self.exposures = exposures
        self.masks = masks
        pixels = sum(chip.pixels for exposure in exposures for chip in exposure.chips)
        self._keep = pixels * _BYTES_PER_PIXEL / 1e6 < keep_mb
        self._kept: list[Frame] | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, exposure by exposure, in the order of EXTVER."""
        if self._kept is not None:
            yield from self._kept
            return
        kept = []
        for files, exposure, mask in zip(self.files, self.exposures, self.masks, strict=True):
            for frame in read_frames(files, exposure, self.find_psf, cosmic_rays=mask):
                if self._keep:
                    kept.append(frame)
                yield frame
        if self._keep:
            self._kept = kept

"""From a DOLPHOT catalogue to the measurements that the built-in engine makes too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError
from hst123r.products.dolphot.columns import Block, Layout, check_images
from hst123r.products.dolphot.flags import EXTREME, our_flags
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.products.dolphot.catalogue import Catalogue
    from hst123r.products.dolphot.info import Info, Section
    from hst123r.sources.measured import Measurements

    Floats = NDArray[np.float64]

CORNER_PIX: Final = 0.5
"""DOLPHOT's coordinate of the middle of the first pixel, which is 0 in ours and 1 in FITS."""
EDGE_PIX: Final = 0.01
"""A place this near to the far edge may be off the image when DOLPHOT has read it in single
precision, and at a place that is off it crashes."""
BRIGHT_COUNTS: Final = 1000.0
"""Of stars with more counts than this, the digits written tell the zeropoint to 0.0003 mag."""
ROUNDING_S: Final = 0.06
"""A label of .columns has the exposure time to 0.1 s; what differs more is of another run."""
NO_CORRECTION: Final = "dolphot_no_aperture_correction"
"""Code of the caveat that an image has no aperture correction."""
MOST_SPREAD_MAG: Final = 0.003
"""Ten times that: zeropoints that differ more from star to star are not one zeropoint."""


@dataclass(frozen=True, slots=True)
class ImageNote:
    """What the fluxes of an image of a DOLPHOT run need to become physical.

    Parameters
    ----------
    exposure : int
        Number of the exposure it belongs to, from 0.
    extver : int
        EXTVER of its chip.
    zeropoint_ab : float
        AB zeropoint of one electron per second in an infinite aperture; NaN where the header has
        none.
    electrons_per_count : float
        Electrons of the unit that the image is in: the gain, times what the mask program divided
        the pixels by.
    aperture_mag : float
        Magnitude in an infinite aperture less that in the one DOLPHOT corrects to: 0 or below.
    zeropoint_dolphot : float or None
        DOLPHOT's magnitude of one electron per second in that aperture. None: it is found from
        the catalogue, which a run with a correction for charge transfer efficiency does not allow.
    whole_psf : bool
        Whether the PSF holds all light, as those of DOLPHOT's library do: counts without an
        aperture correction are then those in an infinite aperture. Of the sample run of WFC3/UVIS
        with its corrections made 0, rate over truth is 0.992, and 1.043 were light added.
    """

    exposure: int
    extver: int
    zeropoint_ab: float
    electrons_per_count: float = 1.0
    aperture_mag: float = 0.0
    zeropoint_dolphot: float | None = None
    whole_psf: bool = True

    def beyond(self, correction: Any) -> Any:
        """Return the magnitudes that light beyond the aperture adds, by aperture correction."""
        import numpy as np

        if not self.whole_psf:
            return np.full(np.shape(correction), self.aperture_mag)
        return np.where(np.asarray(correction) == 0, 0.0, self.aperture_mag)


@dataclass(frozen=True, eq=False)
class Converted:
    """A DOLPHOT catalogue as measurements; arrays are of shape (exposures, sources).

    Parameters
    ----------
    found : Measurements
        Fluxes in nanojansky, rates in electrons per second, our flags.
    flags : ndarray of int64
        DOLPHOT's own photometry quality flags, -1 where a source is on no image.
    sharpness, roundness : ndarray of float64
        DOLPHOT's.
    zeropoints : tuple of float
        DOLPHOT's magnitude of one electron per second, for each image.
    caveats : tuple of Caveat
        One for each image without an aperture correction.
    beyond_mags : tuple of float
        Magnitude in an infinite aperture less DOLPHOT's, for each image.
    above_vega_mags : tuple of float
        AB magnitude less DOLPHOT's own, for each image: with the zeropoints of Vega in its table of
        filters the AB magnitude of Vega.
    """

    found: Measurements
    flags: NDArray[np.int64]
    sharpness: Floats
    roundness: Floats
    zeropoints: tuple[float, ...]
    caveats: tuple[Caveat, ...] = ()
    beyond_mags: tuple[float, ...] = ()
    above_vega_mags: tuple[float, ...] = ()

    def of(self, rows: Sequence[int]) -> Converted:
        """Return the measurements in some of the exposures."""
        import numpy as np

        chosen = np.asarray(rows, np.int64)
        return Converted(
            self.found.of(rows), self.flags[chosen], self.sharpness[chosen], self.roundness[chosen],
            self.zeropoints, self.caveats, self.beyond_mags, self.above_vega_mags,
        )  # fmt: skip


def sky_positions(wcs: Any, x: Any, y: Any) -> tuple[Floats, Floats]:
    """Return where DOLPHOT's positions are on the sky.

    In DOLPHOT the first pixel goes from 0 to 1, so its middle is at 0.5.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        Of the reference image, or of the first image where there is none.
    x, y : (n,) array_like of float
        Columns ``x`` and ``y`` of a catalogue.

    Returns
    -------
    ra, dec : (n,) ndarray of float64
        Degrees.
    """
    import numpy as np

    pixels = (np.asarray(values, np.float64) - CORNER_PIX for values in (x, y))
    ra, dec = wcs.all_pix2world(*pixels, 0)
    return np.asarray(ra), np.asarray(dec)


def dolphot_positions(wcs: Any, shape: tuple[int, int], ra: Any, dec: Any) -> tuple[Any, Any]:
    """Return positions on the sky as DOLPHOT wants them, NaN where they are off the image.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        Of the reference image.
    shape : (ny, nx)
        Its size.
    ra, dec : (n,) array_like of float
        Degrees.

    Returns
    -------
    x, y : (n,) ndarray of float64
        DOLPHOT's pixels.
    """
    import numpy as np

    from hst123r.photometry.geometry import sky_to_pixel

    x, y = (values + CORNER_PIX for values in sky_to_pixel(wcs, shape, ra, dec))
    with np.errstate(invalid="ignore"):
        on = (x >= 0) & (x < shape[1] - EDGE_PIX) & (y >= 0) & (y < shape[0] - EDGE_PIX)
    return np.where(on, x, np.nan), np.where(on, y, np.nan)


def convert(
    catalogue: Catalogue, info: Info, notes: Sequence[ImageNote], exposures: int
) -> Converted:
    """Turn a catalogue into measurements of every source in every exposure.

    Magnitudes are more precise than rates, of which DOLPHOT writes three digits, so fluxes come
    from them; fluxes that are not above zero have none, and come from the counts. Where a
    source is on two images of an exposure, the one with the better flag counts.

    Parameters
    ----------
    catalogue : Catalogue
        All its quantities.
    info : Info
        Of the same run, for the aperture corrections.
    notes : sequence of ImageNote
        One for each image.
    exposures : int
        Number of exposures.

    Returns
    -------
    Converted
        With NaN where a source was not measured.

    Raises
    ------
    InputError
        If `info` is of another run or says nothing about the extension and chip of an object,
        or the zeropoint of an image cannot be found.
    """
    import numpy as np

    from hst123r.sources.measured import AS_LIGHT, Measurements

    layout = catalogue.layout
    check_images(layout, info.images, info.source)
    if len(notes) != len(layout.images):
        raise InputError(
            f"there are notes about {len(notes)} images of {len(layout.images)}",
            where=layout.source,
        )
    sections = _sections(catalogue, info)
    shape = (exposures, len(catalogue))
    names = (*AS_LIGHT, "x", "y", "chi", "crowding", "sky", "sharpness", "roundness")
    real = {name: np.full(shape, np.nan) for name in names}
    rank = np.zeros(shape, np.int64)
    extver, raw = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    zeropoints = []
    for number, note in enumerate(notes):
        values, zeropoint = _image(catalogue, sections, number, note)
        zeropoints.append(zeropoint)
        flags = catalogue.images[number]["flag"]
        measured = np.isfinite(values["rate"])
        here = np.where(measured, np.where(flags < EXTREME, 3, 2), 1)
        row = note.exposure
        better = np.flatnonzero(here > rank[row])
        for name, array in values.items():
            real[name][row, better] = array[better]
        rank[row, better], raw[row, better] = here[better], flags[better]
        extver[row, better] = np.where(measured[better], note.extver, 0)
    sharpness, roundness = real.pop("sharpness"), real.pop("roundness")
    found = Measurements(
        **real, extver=extver, flags=our_flags(raw, rank > 1), usable=(rank > 1).astype(float)
    )
    caveats = tuple(_uncorrected(layout.images, sections, notes))
    beyond = tuple(
        float(note.beyond(sections[0].aperture_corrections[number])) if sections else 0.0
        for number, note in enumerate(notes)
    )
    above = tuple(
        note.zeropoint_ab + light - zeropoint
        for note, light, zeropoint in zip(notes, beyond, zeropoints, strict=True)
    )
    return Converted(found, raw, sharpness, roundness, tuple(zeropoints), caveats, beyond, above)


def _image(
    catalogue: Catalogue, sections: Sequence[Section], number: int, note: ImageNote
) -> tuple[dict[str, Any], float]:
    """Return the measurements of one image, and DOLPHOT's zeropoint of an electron per second."""
    import numpy as np

    from hst123r.photometry.magnitudes import njy_per_unit

    block, values = catalogue.layout.images[number], catalogue.images[number]
    time = _exposure_time(catalogue.layout, sections, number)
    correction = _corrections(catalogue, sections, number)
    counts, mag = (values[name].astype(np.float64) for name in ("counts", "mag"))
    # electrons per second in the aperture that DOLPHOT corrects to
    plain = counts * (note.electrons_per_count / time) * 10 ** (-0.4 * correction)
    zeropoint = note.zeropoint_dolphot
    if zeropoint is None:
        zeropoint = _zeropoint(counts, mag, plain, block.image)
    with np.errstate(over="ignore"):
        bright = 10 ** (-0.4 * (mag - zeropoint))
    whole = 10 ** (-0.4 * note.beyond(correction))
    rate = np.where(np.isfinite(mag), bright, plain) * whole
    error = _error(values, plain, zeropoint) * whole
    known = np.isfinite(rate) & (error > 0)
    rate, error = np.where(known, rate, np.nan), np.where(known, error, np.nan)
    unit = float(njy_per_unit(note.zeropoint_ab))
    # the variance of the star's own electrons, at least
    slope = whole * 10 ** (-0.4 * correction) / time
    result = {
        "rate": rate, "rate_error": error,
        # errors of DOLPHOT are those of fluxes at fixed places
        "flux": rate * unit, "error": error * unit, "fixed_error": error * unit,
        "photon_slope": np.where(known, slope * unit, np.nan),
        "sky": values["sky"] * note.electrons_per_count,
    }  # fmt: skip
    for name in ("chi", "crowding", "sharpness", "roundness"):
        result[name] = values[name]
    return result, float(zeropoint)


def _error(values: dict[str, Any], plain: Floats, zeropoint: float) -> Floats:
    """Return errors in electrons per second; from S/N where no star of an image has a magnitude."""
    import numpy as np

    if np.isfinite(zeropoint):
        return np.asarray(values["rate_err"].astype(np.float64) * 10 ** (0.4 * zeropoint))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(plain / values["snr"]))


def _sections(catalogue: Catalogue, info: Info) -> list[Section]:
    """Return what a run found out about each extension and chip that has objects.

    DOLPHOT writes a correction for every image, with ``ApCor=0`` too, before it writes objects.
    """
    import numpy as np

    places = np.stack([catalogue.objects["ext"], catalogue.objects["chip"]])
    known = {(section.extension, section.chip): section for section in info.sections}
    result = []
    for extension, chip in np.unique(places, axis=1).T.tolist():
        section = known.get((extension, chip))
        if section is None or len(section.aperture_corrections) != len(info.images):
            what = "section" if section is None else "aperture correction for each image"
            raise InputError(
                f"it has no {what} of extension {extension}, chip {chip}, which "
                f"{catalogue.layout.source} describes objects of",
                where=info.source, hint="It was cut off, or is of another run; run DOLPHOT again",
            )  # fmt: skip
        result.append(section)
    return result


def _uncorrected(
    images: Sequence[Block], sections: Sequence[Section], notes: Sequence[ImageNote]
) -> Iterator[Caveat]:
    """Say which images DOLPHOT wrote 0 for."""
    for number, block in enumerate(images):
        psf = "are those of the PSF of its library, taken to hold all light"
        if not notes[number].whole_psf:
            psf = "are those of the analytic PSF, taken to hold the light in its aperture"
        if any(section.aperture_corrections[number] == 0 for section in sections):
            yield Caveat(
                NO_CORRECTION,
                "DOLPHOT found no aperture correction (ApCor was 0, or there was no star for it); "
                f"fluxes {psf}",
                block.image,
            )


def _exposure_time(layout: Layout, sections: Sequence[Section], number: int) -> float:
    """Return the exposure time of an image in seconds, to six decimals where ``.info`` has it.

    In the generic mode it has none, and the label of the columns, to a tenth of a second, counts.
    """
    import numpy as np

    block = layout.images[number]
    label = float(block.exposure_time_s or np.nan)
    setups = [section.setups[number + 1] for section in sections if number + 1 in section.setups]
    times = [setup.exposure_time_s for setup in setups]
    for time in times:
        if not abs(time - label) <= ROUNDING_S:
            raise InputError(
                f"{block.image} was exposed for {label:g} s there and {time:g} s in the .info file",
                where=layout.source,
                hint="They are of two runs; keep the files of one run together",
            )
    return times[0] if times else label


def _corrections(catalogue: Catalogue, sections: Sequence[Section], number: int) -> Floats:
    """Return the aperture correction of an image for every object, by extension and chip."""
    import numpy as np

    objects = catalogue.objects
    result = np.full(len(catalogue), np.nan)
    for section in sections:
        here = (objects["ext"] == section.extension) & (objects["chip"] == section.chip)
        result[here] = section.aperture_corrections[number]
    return result


def _zeropoint(counts: Floats, mag: Floats, plain: Floats, image: str) -> float:
    """Return the magnitude of one electron per second from stars that have both.

    NaN for an image without any star whose flux is above zero; it needs none.
    """
    import numpy as np

    known = np.isfinite(mag) & (counts > 0)
    if not known.any():
        return np.nan
    bright = known & (counts > BRIGHT_COUNTS)
    chosen = bright if bright.any() else known & (counts >= np.max(counts[known]))
    each = mag[chosen] + 2.5 * np.log10(plain[chosen])
    spread = np.percentile(each, 84) - np.percentile(each, 16)
    if spread > 2 * MOST_SPREAD_MAG:
        raise InputError(
            f"magnitudes and counts of {image} differ from star to star by {spread / 2:.3f} mag",
            where=image,
            hint="The run corrected for charge transfer; DOLPHOT's zeropoint must be given",
        )
    return float(np.median(each))

"""What drizzlepac knows of the exposures of a stack, and the headers it writes for it.

Units, gains, read noise, skies, static masks, weights and keywords are drizzlepac's own, by the
functions AstroDrizzle itself calls, so that an engine beside it differs from it in nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import StageError

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import HDUList
    from numpy.typing import NDArray

_TASK: Final = "astrodrizzle"
SEPARATE, MEDIAN, BLOT, REJECT, COMBINE = 3, 4, 5, 6, 7
"""Numbers of AstroDrizzle's steps."""


class Chip:
    """A chip of an exposure.

    Parameters
    ----------
    exposure : object
        drizzlepac's record of the exposure.
    record : object
        Its record of the chip.
    """

    def __init__(self, exposure: Any, record: Any) -> None:
        self.exposure = exposure
        self.record = record

    @property
    def counts(self) -> NDArray[np.float32]:
        """The pixels as they are in the file, with their sky; not to be changed."""
        import numpy as np

        name = f"{self.exposure.scienceExt},{self.record._chip}"  # noqa: SLF001
        data = self.exposure.getData(name)
        return np.asarray(data, np.float32)

    @property
    def units(self) -> str:
        """``counts`` or ``cps``."""
        return str(self.record.in_units).lower()

    @property
    def exposure_time(self) -> float:
        """Seconds."""
        return float(self.record._exptime)  # noqa: SLF001

    @property
    def readnoise(self) -> float:
        """Electrons."""
        return float(self.record._rdnoise)  # noqa: SLF001

    @property
    def gain(self) -> float:
        """Electrons per unit of the pixels, where they are counts; else 1."""
        return float(self.record._effGain)  # noqa: SLF001

    @property
    def electrons(self) -> float:
        """By what the pixels are multiplied to be electrons."""
        return float(self.record._conversionFactor)  # noqa: SLF001

    @property
    def sky(self) -> float | None:
        """What is subtracted, in the unit of the pixels."""
        sky = self.record.computedSky
        return None if sky is None else float(sky)

    @property
    def background(self) -> float:
        """The sky of its pixels, electrons."""
        return float(self.record.subtractedSky) * self.electrons

    def rates(self) -> NDArray[np.float32]:
        """Return the pixels without their sky, times the gain; a copy."""
        import numpy as np

        pixels = self.counts - np.float32(self.sky or 0.0)
        if self.gain != 1:
            pixels *= np.float32(self.gain)
        return pixels

    def good(self, bits: int | None) -> NDArray[np.uint8]:
        """Return 1 where neither data quality nor the static mask object.

        Parameters
        ----------
        bits : int or None
            Sum of the bits that are accepted; None takes all pixels.
        """
        found: NDArray[np.uint8] = self.exposure.buildMask(self.record._chip, bits=bits)  # noqa: SLF001
        static = self.exposure.virtualOutputs.get(self.record.outputNames["staticMask"])
        if static is not None:
            found &= static.data.astype(bool)
        return found

    def weight(
        self, kind: str | None, good: NDArray[np.uint8], ratio: float, scale: Any
    ) -> tuple[NDArray[np.float32], float]:
        """Return the weight of each pixel, and what all are multiplied by.

        Parameters
        ----------
        kind : str or None
            ``EXP``, ``ERR`` or ``IVM``; None is the exposure time.
        good : (ny, nx) ndarray of uint8
            1 where a pixel counts.
        ratio : float
            Side of the stack's pixels over that of the chip's.
        scale : Any
            ``final_wt_scl`` or ``driz_sep_wt_scl``.
        """
        import numpy as np

        number = self.record._chip  # noqa: SLF001
        self.exposure.set_wtscl(number, scale)
        if kind == "ERR":
            found = self.exposure.buildERRmask(number, good, ratio)
        elif kind == "IVM":
            found = self.exposure.buildIVMmask(number, good, ratio)
        else:
            found = np.multiply(good, np.float32(self.exposure_time), dtype=np.float32)
        return found, float(self.record._wtscl)  # noqa: SLF001

    def flag(self, clean: NDArray[np.bool_], bit: int) -> None:
        """Set a bit of the data quality in the file where pixels are not clean."""
        from astropy.io import fits
        from drizzlepac.adrizzle import updateInputDQArray

        record = self.record
        mask = fits.HDUList([fits.PrimaryHDU(clean.astype("u1"))])
        updateInputDQArray(record.dqfile, record.dq_extn, record._chip, mask, bit)  # noqa: SLF001


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Everything of one stack.

    Parameters
    ----------
    config : object
        AstroDrizzle's parameters.
    exposures : sequence of object
        drizzlepac's records of the exposures.
    wcs : object
        The WCS of the stack.
    """

    config: Any
    exposures: Sequence[Any]
    wcs: Any

    def chips(self, exposure: Any) -> list[Chip]:
        """Return the chips of an exposure."""
        return [Chip(exposure, r) for r in exposure.returnAllChips(extname=exposure.scienceExt)]

    def step(self, number: int) -> Mapping[str, Any]:
        """Return the parameters of a step."""
        from drizzlepac.util import getSectionName

        found: Mapping[str, Any] = self.config[getSectionName(self.config, number)]
        return found

    def close(self) -> None:
        """Let go of the files."""
        for exposure in self.exposures:
            exposure.clean()
            exposure.close()


def open_records(names: Sequence[str], parameters: Mapping[str, Any]) -> Records:
    """Open exposures in the current folder, mask what is static, and measure their skies.

    Parameters
    ----------
    names : sequence of str
        Names of the science files, in order.
    parameters : mapping of str to Any
        What is not AstroDrizzle's default, by its names.

    Returns
    -------
    Records
        To be closed.

    Raises
    ------
    StageError
        If drizzlepac takes none of the exposures.
    """
    from drizzlepac import processInput, sky, staticMask, util
    from stsci.tools import teal

    given = {name: value for name, value in parameters.items() if name != "updatewcs"}
    switches = {name: given.pop(name) for name in ("mdriztab",)}
    given["input"] = list(names)
    config = teal.load(_TASK, defaults=True)
    config["updatewcs"] = parameters["updatewcs"]
    config = util.getDefaultConfigObj(_TASK, config, given)
    for step in ("3a", "7a"):
        util.applyUserPars_steps(config, given, step=step)
    config |= switches
    exposures, output = processInput.setCommonInput(config, overwrite_dict=given)
    if not exposures:
        raise StageError(
            "drizzlepac took none of the exposures, like AstroDrizzle ended without a product",
            hint="The job's log holds what it said",
        )
    found = Records(config, exposures, output.final_wcs)
    if found.step(1)["static"]:
        staticMask.createStaticMask(exposures, config)
    sky.subtractSky(exposures, config)
    return found


def final_images(
    records: Records, planes: Mapping[str, NDArray[Any]], stamp: str
) -> dict[str, HDUList]:
    """Give the images of a stack the headers that AstroDrizzle writes.

    Parameters
    ----------
    records : Records
        All about the stack; weights have been asked for with its final parameters.
    planes : mapping of str to ndarray
        ``science`` (ny, nx), a rate, changed into the unit asked for; ``weight`` (ny, nx);
        ``context`` (k, ny, nx).
    stamp : str
        What drizzled them, for the header.

    Returns
    -------
    dict of str to HDUList
        In memory, by the same names.
    """
    from astropy.io import fits
    from drizzlepac import adrizzle, outputimage

    chips = [chip for exposure in records.exposures for chip in records.chips(exposure)]
    parameters = adrizzle.buildDrizParamDict(records.config, single=False)
    parameters |= {
        "crbit": records.config["crbit"],
        "proc_unit": records.config["proc_unit"],
        "wht_type": parameters["wht_type"],
        "rules_file": records.config["rules_file"] or None,
        "clean": True,
        "logfile": "none",
        "idcscale": chips[-1].record.wcs.idcscale,
    }
    described = [_described(chip, stamp, parameters["wcskey"]) for chip in chips]
    exposure, last = records.exposures[-1], chips[-1].record
    unit = _unit(last._bunit, parameters["units"])  # noqa: SLF001
    if str(exposure.native_units).lower().startswith("counts"):
        planes["science"][...] /= last._gain  # noqa: SLF001
        unit = str(exposure.native_units).lower()
        if parameters["units"] == "counts":
            unit = unit.partition("/")[0]
    if parameters["units"] == "counts":
        planes["science"][...] *= exposure.outputValues["texptime"]
    image = outputimage.OutputImage(
        described, parameters, build=False, wcs=copy.deepcopy(records.wcs), single=False
    )
    image.set_bunit(unit)
    image.set_units(parameters["units"])
    made = image.writeFITS(
        [chip.record.outputNames["data"] for chip in chips],
        planes["science"],
        planes["weight"],
        ctxarr=planes["context"],
        versions=_versions(),
        virtual=True,
        rules_file=parameters["rules_file"],
        logfile=parameters["logfile"],
    )
    names = {
        "science": image.outdata, "weight": image.outweight, "context": image.outcontext
    }  # fmt: skip
    for name in names.values():
        # numbers as they would be read back from a file
        hdu = made[name][0]
        hdu.header = fits.Header.fromstring(hdu.header.tostring())
    return {role: made[name] for role, name in names.items()}


def _unit(unit: str, asked: str) -> str | None:
    """Return BUNIT of the stack, None where that of the exposures is right."""
    rate = unit.find("/")
    if asked == "cps":
        return f"{unit}/S" if rate < 1 else None
    return unit[:rate] if rate > 0 else None


def _described(chip: Chip, stamp: str, key: str) -> dict[str, Any]:
    names = chip.record.outputNames
    names["driz_version"], names["driz_wcskey"] = stamp, key
    found = {**names, **chip.exposure.outputValues}
    found |= {k: v for k, v in chip.exposure.outputNames.items() if k.startswith("out")}
    return found | {
        "exptime": chip.record._exptime,  # noqa: SLF001
        "expstart": chip.record._expstart,  # noqa: SLF001
        "expend": chip.record._expend,  # noqa: SLF001
        "wt_scl_val": chip.record._wtscl,  # noqa: SLF001
    }


def _versions() -> dict[str, str]:
    import astropy
    import drizzlepac
    import numpy as np

    return {
        "AstroDrizzle": drizzlepac.__version__,
        "PyFITS": astropy.__version__,
        "Numpy": np.__version__,
    }


def of_all(records: Records) -> Iterator[Chip]:
    """Return the chips of all exposures, in order."""
    for exposure in records.exposures:
        yield from records.chips(exposure)

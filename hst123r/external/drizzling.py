"""The engine `drizzle`: AstroDrizzle's sequence around the kernels of the package `drizzle`.

What drizzlepac knows of exposures and headers is taken from it: units, gains, skies, static masks,
weights, keywords. What costs its time is done here: positions are interpolated in a map of known
error that serves all steps of a chip, cosmic rays are found in few passes over pixels that stay
in the processor's cache, and nothing is written between the steps.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.algorithms.pixel_map import pixel_map
from hst123r.algorithms.rejection import (
    Noise,
    Thresholds,
    light,
    minimum_or_median,
    without_cosmic_rays,
)
from hst123r.errors import StageError
from hst123r.external.astrodrizzle import Grid, Settings, keywords, prepare
from hst123r.external.drizzle_kernels import Drizzled, Drops, blot, margin_of, stamp
from hst123r.external.drizzlepac_records import (
    BLOT,
    COMBINE,
    MEDIAN,
    REJECT,
    SEPARATE,
    Chip,
    Records,
    final_images,
    of_all,
    open_records,
)
from hst123r.files.publish import no_room

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import HDUList
    from numpy.typing import NDArray

_LOG: Final = logging.getLogger(__name__)
_ROWS: Final = 64


def drizzle(
    folder: Path, names: Sequence[str], grid: Grid, settings: Settings
) -> dict[str, HDUList]:
    """Drizzle exposures that lie in a folder.

    Parameters
    ----------
    folder : Path
        Private folder with copies of the exposures; flags of cosmic rays are set in them.
    names : sequence of str
        Names of the science files, in order.
    grid : Grid
        Where the output pixels lie.
    settings : Settings
        How to drizzle.

    Returns
    -------
    dict of str to HDUList
        ``science``, ``weight`` and ``context`` images, in memory.

    Raises
    ------
    StageError
        If there is no product.
    """
    with contextlib.chdir(folder):
        try:
            prepare(names, settings)
            records = open_records(names, keywords(grid, settings))
            try:
                return _Sequence(records).run(search=settings.reject_cosmic_rays)
            finally:
                records.close()
        except (ValueError, TypeError, KeyError, IndexError, RuntimeError, OSError) as error:
            if no_room(error):
                raise
            raise StageError(
                f"the engine drizzle failed: {type(error).__name__}: {error}"
            ) from error


class _Sequence:
    """The steps on the records of one stack."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.shape: tuple[int, int] = records.wcs.array_shape
        self.chips = list(of_all(records))
        self.maps = [
            pixel_map(chip.record.wcs, records.wcs, chip.record.wcs.array_shape)
            for chip in self.chips
        ]
        self.margin = margin_of(self.maps, self.shape)

    def run(self, *, search: bool) -> dict[str, HDUList]:
        """Make the stack."""
        clean = self.clean_pixels() if search and len(self.records.exposures) > 1 else {}
        parameters = self.records.step(COMBINE)
        bits = parameters["final_bits"]
        empty = parameters["final_maskval"]
        stack = Drizzled(
            self.shape, parameters["final_kernel"], float(parameters["final_pixfrac"]),
            math.nan if empty is None else float(empty), len(self.chips), self.margin,
        )  # fmt: skip
        for number, chip in enumerate(self.chips):
            good = chip.good(bits)
            if number in clean:
                # as AstroDrizzle: pixels that nothing else is left of keep their cosmic rays
                if good.any():
                    good &= clean[number]
                chip.flag(clean[number], self.records.config["crbit"])
            weight = partial(
                chip.weight, parameters["final_wht_type"], good,
                scale=parameters["final_wt_scl"],
            )  # fmt: skip
            stack.add(self._drops(number, chip, weight))
        self._tell()
        planes = {"science": stack.science, "weight": stack.weight, "context": stack.context}
        return final_images(self.records, planes, stamp())

    def _drops(
        self, number: int, chip: Chip, weight: Callable[..., tuple[NDArray[np.float32], float]]
    ) -> Drops:
        ratio = self.records.wcs.pscale / chip.record.wcslin_pscale
        weights, scale = weight(ratio=ratio)
        time = 1.0 if chip.units == "cps" else chip.exposure_time
        return Drops(chip.rates(), weights, self.maps[number], ratio, time, chip.units, scale)

    def _tell(self) -> None:
        """Say in the job's log how exact the maps are."""
        worst = max(found.error_pix for found in self.maps)
        _LOG.info("positions are interpolated to %.1g pixels of the stack", worst)

    def clean_pixels(self) -> dict[int, NDArray[np.bool_]]:
        """Return for each chip, by number, where no cosmic ray hit."""
        model = self.model()
        return {number: self.clean(number, chip, model) for number, chip in enumerate(self.chips)}

    def model(self) -> NDArray[np.float32]:
        """Combine the exposures, each drizzled alone, to what they have in common."""
        parameters = self.records.step(SEPARATE)
        alone: list[Drizzled] = []
        number = 0
        for exposure in self.records.exposures:
            image = Drizzled(
                self.shape, parameters["driz_sep_kernel"], float(parameters["driz_sep_pixfrac"]),
                0.0, margin=self.margin,
            )  # fmt: skip
            for chip in self.records.chips(exposure):
                weight = partial(
                    chip.weight, None, chip.good(parameters["driz_sep_bits"]),
                    scale=parameters["driz_sep_wt_scl"],
                )  # fmt: skip
                image.add(self._drops(number, chip, weight))
                number += 1
            alone.append(image)
        # one that is nowhere in the stack, or bad everywhere, has nothing in common with others
        here = [number for number, image in enumerate(alone) if image.weight.any()]
        if not here:
            return alone[0].science
        return self._combined(
            [alone[number] for number in here], [self.records.exposures[n] for n in here]
        )

    def _combined(self, alone: Sequence[Drizzled], exposures: Sequence[Any]) -> NDArray[np.float32]:
        parameters = self.records.step(MEDIAN)
        kind = parameters["combine_type"].lower()
        images, weights = [i.science for i in alone], [i.weight for i in alone]
        least = [_mean(weight) * parameters["combine_maskpt"] for weight in weights]
        if "minmed" not in kind:
            low, high = self._limits()
            left = len(images) - 1
            lowest = min(parameters["combine_nlow"], left)
            highest = min(parameters["combine_nhigh"], left - lowest)
            rule = _rule(kind, lowest, highest, low, high)
            return _by_rows(images, weights, least, rule)
        few = len(images) <= 2
        rule = _rule(
            kind.removesuffix("minmed") + ("mean" if few else "median"), 0, 0 if few else 1
        )
        first, second = (float(word) for word in parameters["combine_nsigma"].split())
        noises = [self._noise(exposure) for exposure in exposures]
        return minimum_or_median(
            images, weights, least, noises, rule, grow=parameters["combine_grow"],
            nsigma=(first, second),
        )  # fmt: skip

    def _limits(self) -> tuple[float | None, float | None]:
        """The values between which the median looks, as AstroDrizzle turns them into its unit."""
        parameters = self.records.step(MEDIAN)
        found = []
        for name in ("combine_lthresh", "combine_hthresh"):
            limit = None if parameters[name] is None else float(parameters[name])
            for exposure in self.records.exposures:
                unit = str(exposure.native_units).lower()
                if limit is not None and unit.startswith("counts"):
                    limit *= exposure.getGain(1)
                if limit is not None and unit.endswith("/s"):
                    limit *= self.records.chips(exposure)[0].exposure_time
            found.append(limit)
        return found[0], found[1]

    def _noise(self, exposure: Any) -> Noise:
        chips = self.records.chips(exposure)
        readnoise = math.sqrt(sum(chip.readnoise**2 for chip in chips) / len(chips))
        background: float | None = None
        for chip in chips:
            # the comparison is AstroDrizzle's, although it mixes the two units
            if background is None or background > float(chip.record.subtractedSky):
                background = chip.background
        return Noise(readnoise, chips[0].exposure_time, background or 0.0)

    def clean(self, number: int, chip: Chip, model: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return where a chip is as the model says."""
        import numpy as np
        from stwcs.distortion.utils import make_orthogonal_cd

        parameters = self.records.step(BLOT)
        ratio = self.records.wcs.pscale / make_orthogonal_cd(chip.record.wcs).pscale
        seen = blot(model, self.maps[number], ratio, chip.exposure_time, parameters["blot_interp"])
        factor = np.float32(chip.electrons)
        sky = chip.sky if parameters["blot_addsky"] else parameters["blot_skyval"]
        counts = chip.counts
        if factor != 1:
            seen /= factor
            counts = counts * factor
        if sky is not None:
            seen += np.float32(sky)
        if factor != 1:
            seen *= factor
        return without_cosmic_rays(
            counts, seen, chip.background, chip.readnoise, self._thresholds(chip)
        )

    def _thresholds(self, chip: Chip) -> Thresholds:
        parameters = self.records.step(REJECT)
        first, second = (float(word) for word in parameters["driz_cr_snr"].split())
        scale, other = (float(word) for word in parameters["driz_cr_scale"].split())
        return Thresholds(
            (first, second), (scale, other), parameters["driz_cr_grow"],
            parameters["driz_cr_ctegrow"], chip.record.cte_dir,
        )  # fmt: skip


def _mean(weight: NDArray[np.float32]) -> float:
    """Mean of the weights where there are any."""
    from stsci.imagestats import ImageStats

    try:
        return float(ImageStats(weight, lower=1e-8, fields="mean", nclip=0).mean)
    except ValueError:
        # an exposure that lies outside of the stack
        return 0.0


def _rule(
    kind: str, low: int, high: int, least: float | None = None, most: float | None = None
) -> Callable[[Any, Any], Any]:
    """Return what combines images, leaving out some of the lowest and highest values."""
    import numpy as np
    from stsci.image.numcombine import num_combine

    def combine(images: Any, masks: Any) -> Any:
        # where all is masked there is nothing to cast, and the caller knows
        with np.errstate(invalid="ignore"):
            return num_combine(
                images, masks=masks, combination_type=kind, nlow=low, nhigh=high, lower=least,
                upper=most,
            )  # fmt: skip

    return combine


def _by_rows(
    images: Sequence[NDArray[np.float32]],
    weights: Sequence[NDArray[np.float32]],
    least: Sequence[float],
    rule: Callable[[Any, Any], Any],
) -> NDArray[np.float32]:
    import numpy as np

    found = np.zeros_like(images[0])
    for first in range(0, len(found), _ROWS):
        some = slice(first, first + _ROWS)
        heavy = np.stack([weight[some] for weight in weights])
        images_there = np.stack([image[some] for image in images])
        found[some] = rule(images_there, light(heavy, least))
    return found

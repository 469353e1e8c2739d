"""The compiled kernels of the package `drizzle`: onto a stack, and back from it.

They are those of AstroDrizzle, taken out of it by its makers. What differs is who says where the
pixels lie: here it is a map of ours, and one map serves all three uses of a chip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.algorithms.pixel_map import PixelMap

_AROUND: Final = 4
"""Pixels around the middles of a chip's outermost pixels."""
_POINT_PIXFRAC: Final = 0.001
"""Smaller drops are points, as in AstroDrizzle."""


@dataclass(frozen=True, slots=True, eq=False)
class Drops:
    """What is drizzled of one chip.

    Parameters
    ----------
    pixels : (ny, nx) ndarray of float32
        The image without its sky, in `units`.
    weight : (ny, nx) ndarray of float32
        Weight of each pixel, 0 where it is left out.
    positions : PixelMap
        Where the pixels lie in the stack.
    ratio : float
        Side of the stack's pixels over that of the chip's, without distortion.
    exposure_time : float
        Seconds by which counts are divided.
    units : str
        ``counts`` or ``cps``.
    weight_scale : float
        By which weights are multiplied.
    """

    pixels: NDArray[np.float32]
    weight: NDArray[np.float32]
    positions: PixelMap
    ratio: float
    exposure_time: float
    units: str
    weight_scale: float


class Drizzled:
    """An image that chips are drizzled onto.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    kernel : str
        ``square``, ``turbo``, ``point``, ``gaussian`` or ``lanczos3``.
    pixfrac : float
        Size of the drop, in input pixels.
    empty : float
        Value where no drop falls.
    chips : int
        How many chips there will be, for the context image; 0 for no context image.
    margin : int
        Pixels on every side that are cut off in the end, so that every chip lies within: the
        kernels (2.2, 3.0) look for the part of a chip that meets the image along straight lines
        between its corners, and lose drops at its curved edges where the image cuts through it.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        kernel: str,
        pixfrac: float,
        empty: float,
        chips: int = 0,
        margin: int = 0,
    ) -> None:
        import numpy as np
        from drizzle.resample import Drizzle

        point = kernel == "point" or pixfrac < _POINT_PIXFRAC
        # a point has no size, and the package would warn of a small one
        self.pixfrac, self.margin = (1.0 if point else pixfrac), margin
        larger = tuple(side + 2 * margin for side in shape)
        self._drizzle = Drizzle(
            kernel="point" if point else kernel,
            fillval="INDEF",
            out_img=np.full(larger, empty, np.float32),
            disable_ctx=not chips,
            max_ctx_id=max(chips - 1, 0),
        )

    def add(self, drops: Drops) -> None:
        """Drizzle a chip, or what of it lies near."""
        import numpy as np

        shape = self._drizzle.out_img.shape
        rows = columns = slice(0, 2)
        near = drops.positions.reaching((shape[0] - 2 * self.margin, shape[1] - 2 * self.margin))
        if near is None:
            # nothing of it is here, but the bit of the context image is its own
            places, weight = np.indices((2, 2), float).transpose(1, 2, 0), np.zeros((2, 2), "f4")
        else:
            rows, columns = near
            places = drops.positions.part(rows, columns).moved(self.margin).full()
            weight = drops.weight[rows, columns]
        self._drizzle.add_image(
            np.ascontiguousarray(drops.pixels[rows, columns]),
            drops.exposure_time,
            places,
            iscale=drops.ratio**2,
            pixel_scale_ratio=drops.ratio,
            weight_map=np.ascontiguousarray(weight),
            wht_scale=drops.weight_scale,
            pixfrac=self.pixfrac,
            in_units=drops.units,
        )

    @property
    def science(self) -> NDArray[np.float32]:
        """The image, a rate."""
        found: NDArray[np.float32] = self._cut(self._drizzle.out_img)
        return found

    @property
    def weight(self) -> NDArray[np.float32]:
        """Its weights."""
        found: NDArray[np.float32] = self._cut(self._drizzle.out_wht)
        return found

    @property
    def context(self) -> NDArray[np.int32]:
        """The context image, (planes, ny, nx): a bit for each chip."""
        found: NDArray[np.int32] = self._cut(self._drizzle.out_ctx)
        return found

    def _cut(self, image: NDArray[Any]) -> NDArray[Any]:
        if not self.margin:
            return image
        inside = slice(self.margin, -self.margin)
        return image[..., inside, inside]


def margin_of(maps: Sequence[PixelMap], shape: tuple[int, int]) -> int:
    """Return the pixels around an image in which all that is drizzled of some chips lies.

    Parameters
    ----------
    maps : sequence of PixelMap
        Of the chips.
    shape : (int, int)
        Rows and columns of the image.

    Returns
    -------
    int
        0 where the image holds the chips.
    """
    parts = [(found, found.reaching(shape)) for found in maps]
    beyond = max(
        (found.part(*near).beyond(shape) for found, near in parts if near is not None), default=0.0
    )
    # half a pixel is beyond the middle of the outermost pixels, and the corners of drops too
    return math.ceil(beyond) + _AROUND if beyond > 0 else 0


def blot(
    image: NDArray[np.float32], positions: PixelMap, ratio: float, exposure_time: float, how: str
) -> NDArray[np.float32]:
    """Return what a chip would see of an image.

    Parameters
    ----------
    image : (my, mx) ndarray of float32
        A rate.
    positions : PixelMap
        Where the chip's pixels lie in it.
    ratio : float
        Side of the image's pixels over that of the chip's.
    exposure_time : float
        Seconds.
    how : str
        Interpolation, ``poly5`` and so on.

    Returns
    -------
    (ny, nx) ndarray of float32
        Counts; 0 outside of the image.
    """
    from drizzle.resample import blot_image

    found: NDArray[np.float32] = blot_image(
        image, positions.full(), iscale=exposure_time / ratio**2, interp=how
    )
    return found


def stamp() -> str:
    """Return the name and version of the package, as it stands in headers."""
    import drizzle

    module: Any = drizzle
    return f"drizzle {module.__version__}"

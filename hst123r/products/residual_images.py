"""What is left of exposures when sky and stars are taken off, and targets without neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    from astropy.io.fits import ImageHDU

    from hst123r.photometry.forced import Fluxes
    from hst123r.photometry.frame import Frame
    from hst123r.photometry.joint import Joint

HALF_PIX: Final = 25
"""Cutouts reach so far to each side of the pixel that the target falls in."""
_SAME_PIX: Final = 3.0
"""A source nearer than this to the target's place is the target itself."""


class Residuals:
    """Takes the light of measured stars off the frames they were measured in.

    Parameters
    ----------
    exposures : sequence of Exposure
        The exposures, whose chips are the frames, in this order.
    frames : iterable of Frame
        Gone through once.
    joint : Joint
        Fluxes and sky of every frame.
    """

    def __init__(
        self, exposures: Sequence[Exposure], frames: Iterable[Frame], joint: Joint
    ) -> None:
        self._exposures = exposures
        self._frames = frames
        self._joint = joint
        self._cutouts: dict[str, list[ImageHDU]] = {}

    def write(self, paths: Sequence[Path]) -> None:
        """Write one file for each exposure.

        Parameters
        ----------
        paths : sequence of Path
            New FITS files. For each chip ``SCI``, data less sky and all stars, in electrons,
            and ``MODEL``, the light of the stars; both with the WCS of the chip.
        """
        from astropy.io import fits

        remaining = iter(
            zip(self._frames, self._joint.fluxes, self._joint.backgrounds, strict=True)
        )
        for exposure, path in zip(self._exposures, paths, strict=True):
            primary = fits.PrimaryHDU()
            primary.header["ROOTNAME"] = exposure.root
            primary.header["EXPTIME"] = (exposure.exposure_time_s, "s")
            hdus: list[Any] = [primary]
            for chip in exposure.chips:
                frame, fluxes, background = next(remaining)
                model = _model(frame, fluxes, background.rms)
                left = (frame.data - background.sky - model).astype("float32")
                for name, image in (("SCI", left), ("MODEL", model)):
                    hdus.append(_hdu(frame.wcs, image, name, chip.extver))
                for target, (x, y) in chip.targets.items():
                    self._cut(exposure.root, frame, fluxes, left, (target, x, y))
            fits.HDUList(hdus).writeto(path)

    def write_cutouts(self, target: str, path: Path) -> bool:
        """Write the surroundings of a target with all its neighbours taken off.

        Parameters
        ----------
        target : str
            Name of the target.
        path : Path
            New FITS file: an extension for each exposure, named by its root; electrons, with a
            WCS. Written after :meth:`write`.

        Returns
        -------
        bool
            Whether the target is on any exposure; otherwise no file is written.
        """
        from astropy.io import fits

        cutouts = self._cutouts.get(target, [])
        if not cutouts:
            return False
        primary = fits.PrimaryHDU()
        primary.header["TARGET"] = target
        fits.HDUList([primary, *cutouts]).writeto(path)
        return True

    def _cut(
        self, root: str, frame: Frame, fluxes: Fluxes, left: Any, place: tuple[str, float, float]
    ) -> None:
        """Keep the surroundings of a target, its own light put back."""
        import numpy as np

        from hst123r.photometry.paint import paint

        target, x, y = place
        whole = left
        away = np.hypot(fluxes.x - x, fluxes.y - y)
        away[~np.isfinite(fluxes.flux) | ~np.isfinite(away)] = np.inf
        if away.size and away.min() < _SAME_PIX:
            own = int(np.argmin(away))
            part = slice(own, own + 1)
            light = fluxes.flux[part] / frame.area_at(fluxes.x[part], fluxes.y[part])
            whole = left + paint(frame.shape, frame.psf, fluxes.x[part], fluxes.y[part], light, 0.0)
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        ny, nx = frame.shape
        rows = slice(max(row - HALF_PIX, 0), min(row + HALF_PIX + 1, ny))
        columns = slice(max(column - HALF_PIX, 0), min(column + HALF_PIX + 1, nx))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        hdu = _hdu(frame.wcs[rows, columns], whole[rows, columns], root.upper(), 1)
        hdu.header["TARGET"] = target
        self._cutouts.setdefault(target, []).append(hdu)


def _model(frame: Frame, fluxes: Fluxes, rms: float) -> Any:
    import numpy as np

    from hst123r.photometry.measure import model_image

    return model_image(frame, fluxes, rms if np.isfinite(rms) else frame.read_noise_e)


def _hdu(wcs: Any, image: Any, name: str, extver: int) -> ImageHDU:
    """Return an extension with a WCS; lookup tables of the distortion are not carried on."""
    from astropy.io import fits

    header = wcs.to_header(relax=True)
    header["BUNIT"] = "ELECTRONS"
    return fits.ImageHDU(image, header, name=name, ver=extver)

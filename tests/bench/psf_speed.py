"""The built-in fit on full ACS/WFC frames, and beside photutils in one process.

Run by hand: ``python tests/bench/psf_speed.py [goal|ratio|all]``.

* goal: 5,000 stars in four exposures of 8 million usable pixels each (two chips), positions common
  to all exposures, a flux in each: what the stage ``photometry`` calls. Wall-clock and CPU seconds,
  without simulating or reading the frames.
* ratio: the same stars, the same frame of 1024 by 1024 pixels and the same PSF, first forced and
  then with free places, by the built-in fit and by photutils' ``PSFPhotometry`` (an ``ImagePSF``
  with the same samples, a fit of 7 by 7 pixels, sky given). CPU seconds of this process.

The load of the machine is printed with the figures; ratios are to be compared.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from typing import Any

import numpy as np

from hst123r import instruments
from hst123r.instruments.detector import Detector
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.frame import Frame
from hst123r.photometry.geometry import AreaMap
from hst123r.photometry.paint import paint

NAME, FILTER, TIME, SKY = "ACS/WFC", "F606W", 500.0, 60.0
CENTRE = (150.0, 2.0)


def clock() -> tuple[float, float]:
    """Return wall-clock and CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def tell(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")


def frames(detector: Detector, exposures: int, ra: Any, dec: Any, light: Any) -> list[Frame]:
    """Draw stars on the chips of dithered exposures, with the noise that they would have."""
    from hst123r.simulation.pointing import place, template_of

    made = []
    for number in range(exposures):
        placed = place(
            template_of(detector), CENTRE, 60.0, dither_arcsec=(1.3 * number, 0.7 * number)
        ).true
        for chip in placed:
            rng = np.random.default_rng((number, chip.extver))
            psf = effective_psf(detector, FILTER, chip=chip.number)
            area = AreaMap(chip.wcs, chip.shape, float(chip.header["IDCSCALE"]))
            frame = Frame(
                data=np.zeros(chip.shape, np.float32),
                mask=rng.random(chip.shape) < 0.01,
                saturated=np.zeros(chip.shape, np.bool_),
                read_noise_e=detector.noise.read_noise.value,
                exposure_time_s=TIME,
                wcs=chip.wcs,
                psf=psf,
                area=area,
                label=f"{number}[{chip.extver}]",
            )
            x, y = frame.pixels(ra, dec)
            on = frame.contains(x, y)
            stars = paint(frame.shape, psf, x[on], y[on], light[on] / area(x[on], y[on]), 8.0)
            noise = rng.normal(0.0, frame.read_noise_e, frame.shape)
            frame.data[...] = rng.poisson(np.maximum(SKY + stars, 0)) + noise
            made.append(frame)
    return made


def sky_places(number: int, half_arcsec: float, seed: int) -> tuple[Any, Any, Any]:
    """Return places on a square of sky and light in electrons, mostly faint."""
    rng = np.random.default_rng(seed)
    east, north = rng.uniform(-half_arcsec, half_arcsec, (2, number))
    light = 400.0 * 10 ** (-0.4 * np.log10(rng.uniform(1e-3, 1.0, number)) * 2.5)
    dec = CENTRE[1] + north / 3600
    return CENTRE[0] + east / 3600 / np.cos(np.radians(dec)), dec, light


def goal() -> None:
    """Time the fit of 5,000 stars in four full exposures."""
    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.joint import common_positions

    detector = instruments.get(NAME)
    ra, dec, light = sky_places(7200, 100.0, 1)
    everything = frames(detector, 4, ra, dec, light)
    rng = np.random.default_rng(5)
    start = rng.normal(0.0, 0.005, (2, ra.size)) / 3600
    before = clock()
    joint = common_positions(
        everything, ra + start[0], dec + start[1], FitOptions(3.0, 5.0), prior_arcsec=0.01,
        register=True, scales=np.ones(len(everything)),
    )  # fmt: skip
    after = clock()
    seen = np.array([np.isfinite(fluxes.flux) for fluxes in joint.fluxes]).any(axis=0)
    flux = np.nansum([fluxes.flux / fluxes.error**2 for fluxes in joint.fluxes], axis=0)
    weight = np.nansum([fluxes.error**-2.0 for fluxes in joint.fluxes], axis=0)
    with np.errstate(invalid="ignore"):
        pull = (flux / weight - light) * np.sqrt(weight)
    tell(f"{seen.sum()} stars on {len(everything)} chips: {after[0] - before[0]:.1f} s, "
          f"{after[1] - before[1]:.1f} s CPU; median pull {np.nanmedian(pull):.2f}")  # fmt: skip


def ratio() -> None:
    """Time the built-in fit and photutils on one frame."""
    from astropy.table import Table
    from photutils.psf import ImagePSF, PSFPhotometry

    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.forced import forced
    from hst123r.photometry.free import free
    from hst123r.photometry.sky import Background

    number = 1500
    detector = instruments.get(NAME)
    psf = effective_psf(detector, FILTER)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(20, 1004, (2, number))
    light = 400.0 * 10 ** (-0.4 * np.log10(rng.uniform(1e-3, 1.0, number)) * 2.5)
    shape = (1024, 1024)
    image = rng.poisson(SKY + paint(shape, psf, x, y, light, 8.0)) + rng.normal(0, 4.2, shape)
    from astropy.wcs import WCS

    no = np.zeros(shape, np.bool_)
    frame = Frame(image, no, no, 4.2, TIME, WCS(naxis=2), psf, np.ones(shape))
    sky = Background.flat(SKY, shape, np.sqrt(SKY + 4.2**2))
    start = x + rng.normal(0, 0.1, number), y + rng.normal(0, 0.1, number)
    model = ImagePSF(psf.data, oversampling=psf.oversampling)
    errors = np.sqrt(np.maximum(image, SKY) + 4.2**2)
    options = FitOptions(fit_radius_pix=3.5)
    init = Table({"x": x, "y": y, "flux": light})
    init_free = Table({"x": start[0], "y": start[1], "flux": light})
    taken: dict[str, float] = {}
    forced(frame, x[:50], y[:50], sky, options)
    for name, call in {
        "forced": lambda: forced(frame, x, y, sky, options),
        "free": lambda: free(frame, *start, sky, options),
    }.items():
        begin = clock()[1]
        call()
        taken[name] = clock()[1] - begin
    for name, given, fixed in (("forced", init, True), ("free", init_free, False)):
        one = model.copy()
        one.x_0.fixed = one.y_0.fixed = fixed
        begin = clock()[1]
        PSFPhotometry(one, (7, 7), aperture_radius=3.0)(
            image - SKY, error=errors, init_params=given
        )
        spent = clock()[1] - begin
        tell(f"{name}: {number} stars, built-in {taken[name]:.2f} s, photutils {spent:.1f} s, "
              f"ratio {spent / taken[name]:.0f}")  # fmt: skip


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    tell(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if wanted in ("goal", "all"):
        goal()
    if wanted in ("ratio", "all"):
        ratio()
    tell(f"load {os.getloadavg()[0]:.1f}, "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")  # fmt: skip

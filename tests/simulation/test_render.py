"""Photometric conversion, painting of stars, noise, saturation."""

from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.telescope import effective_psf
from hst123r.simulation import render
from hst123r.simulation.defects import Defects
from hst123r.simulation.model import Sky

QUIET = Sky(
    brightness_ab=None, photon_noise=False, read_noise=False, cosmic_rays=False, bad_pixels=False
)


def generator():
    return np.random.default_rng(5)


def exposed(name, light, *, area=None, sky=QUIET, sky_e=0.0, defects=None, time=500.0, filt=None):
    detector = instruments.get(name)
    change = render.conversion(detector, filt or FILTERS[name], time)
    area = np.ones_like(light) if area is None else area
    pixels = render.expose(light.copy(), area, detector, change, sky, sky_e, defects, generator())
    return pixels, detector, change


FILTERS = {
    "ACS/WFC": "F606W",
    "ACS/HRC": "F606W",
    "WFC3/UVIS": "F555W",
    "WFC3/IR": "F160W",
    "WFPC2": "F555W",
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_magnitude_comes_back_from_header_units(name):
    detector = instruments.get(name)
    change = render.conversion(detector, FILTERS[name], 321.0)
    electrons = change.electrons(np.array([20.0, 25.0]))
    units = electrons * change.units_per_electron
    rate = units if change.per_second else units / 321.0
    # the formula of the brief, from header values alone
    zeropoint = -2.5 * np.log10(change.photflam) - 5 * np.log10(change.pivot_angstrom) - 2.408
    assert -2.5 * np.log10(rate) + zeropoint == pytest.approx([20.0, 25.0], abs=1e-9)


def test_the_zeropoint_of_acs_is_the_published_one():
    # F606W, May 2009: AB 26.49 (ACS zeropoint calculator)
    change = render.conversion(instruments.get("ACS/WFC"), "F606W", 1.0)
    assert change.zeropoint_ab == pytest.approx(26.50, abs=0.02)


def test_filters_that_cannot_be_simulated_are_refused():
    detector = instruments.get("ACS/WFC")
    with pytest.raises(InputError, match="no filter 'F999W'"):
        render.conversion(detector, "F999W", 1.0)
    with pytest.raises(InputError, match=r"sensitivity \(PHOTFLAM\) of G800L is not known"):
        render.conversion(detector, "G800L", 1.0)


def test_painted_stars_have_their_light_wherever_they_stand():
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W")
    inside = psf.encircled_energy(60.0)
    for x, y in ((200.0, 201.0), (200.49, 199.7)):
        image = render.paint((400, 400), psf, np.array([x]), np.array([y]), np.array([1e6]), 5.0)
        assert image.sum() == pytest.approx(1e6 * inside, rel=0.01)
        rows, columns = np.mgrid[:400, :400]
        near = np.hypot(columns - x, rows - y) < 3
        centre = (image * columns)[near].sum() / image[near].sum()
        assert centre == pytest.approx(x, abs=0.1)


def test_faint_stars_have_small_stamps_and_lose_nothing_that_matters():
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W")
    place = np.array([100.0]), np.array([100.0])
    for flux in (10.0, 1e3, 1e5, 1e7):
        noise = 8.0
        image = render.paint((201, 201), psf, *place, np.array([flux]), noise)
        whole = psf.stamps(*place, 64)[0][0] * flux
        assert np.abs(image[36:165, 36:165] - whole).max() <= 0.0300001 * noise
    assert np.count_nonzero(image) > 16000


def test_stars_off_the_frame_and_no_stars():
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W")
    x, y, flux = np.array([-3.0, 500.0]), np.array([10.0, 500.0]), np.array([1e5, 1e5])
    image = render.paint((40, 50), psf, x, y, flux, 5.0)
    assert 0 < image.sum() < 1e4
    assert image.argmax() % 50 == 0
    nothing = np.empty(0)
    assert render.paint((40, 50), psf, nothing, nothing, nothing, 5.0).sum() == 0.0


@pytest.mark.parametrize("name", FILTERS)
def test_without_noise_the_frame_is_light_over_pixel_area(name):
    light = generator().uniform(0, 3000, (50, 60))
    area = generator().uniform(0.95, 1.05, (50, 60))
    pixels, detector, change = exposed(name, light, area=area)
    step = 0.51 * change.gain if change.gain != 1 else 1e-3
    electrons = pixels.sci.astype(float) / change.units_per_electron
    assert np.abs(electrons * area - light).max() < max(step, 1e-3)
    assert not pixels.dq.any()
    assert pixels.sci.dtype == pixels.err.dtype == np.float32
    assert pixels.dq.dtype == np.int16
    assert pixels.saturated == 0
    variance = light + detector.noise.dark.value * 500 + detector.noise.read_noise.value**2
    expected = np.sqrt(variance) / area
    assert pixels.err / change.units_per_electron == pytest.approx(expected, rel=0.07)


@pytest.mark.parametrize("name", FILTERS)
def test_blank_sky_scatters_as_its_errors_say(name):
    shape = (400, 400)
    area = np.linspace(0.95, 1.05, shape[1])[None, :] * np.ones(shape)
    sky = Sky(cosmic_rays=False)
    pixels, detector, change = exposed(name, np.zeros(shape), area=area, sky=sky, sky_e=80.0)
    level = 80.0 * change.units_per_electron
    pull = (pixels.sci - level) / pixels.err
    # errors come from the noisy data, which biases the weighted mean but not the mean
    assert pixels.sci.mean() == pytest.approx(level, rel=0.002)
    assert pull.std() == pytest.approx(1.0, abs=0.04)
    variance = 80.0 * area + detector.noise.dark.value * 500 + detector.noise.read_noise.value**2
    model = np.sqrt(variance) / area * change.units_per_electron
    assert ((pixels.sci - level) / model).std() == pytest.approx(1.0, abs=0.01)


def test_full_wells_are_flagged_and_clipped_on_ccds_only():
    light = np.zeros((20, 20))
    light[5, 6] = 3e5
    pixels, detector, _ = exposed("ACS/WFC", light)
    assert pixels.saturated == 1
    assert pixels.dq[5, 6] == 256
    assert pixels.sci.max() == pytest.approx(detector.noise.full_well.value, rel=1e-3)
    pixels, _, change = exposed("WFC3/IR", light)
    assert pixels.dq[5, 6] == 256
    assert pixels.sci[5, 6] / change.units_per_electron == pytest.approx(3e5, rel=1e-3)


def test_bad_pixels_are_bright_or_dark_and_flagged():
    defects = Defects(np.array([3 * 30 + 7]), np.array([0.5]), np.array([12]))
    pixels, detector, _ = exposed("ACS/WFC", np.full((30, 30), 50.0), defects=defects)
    assert pixels.sci[3, 7] == pytest.approx(50 + 250, rel=1e-5)
    assert pixels.dq[3, 7] == 16
    dark = detector.noise.dark.value * 500
    assert pixels.sci[:, 12] == pytest.approx(-dark)
    assert np.all(pixels.dq[:, 12] == 4)
    assert np.count_nonzero(pixels.dq) == 31


def test_cosmic_rays_are_in_the_frame_but_not_in_the_flags():
    sky = QUIET.model_copy(update={"cosmic_rays": True})
    pixels, detector, _ = exposed("ACS/WFC", np.zeros((500, 500)), sky=sky, time=1000.0)
    fraction = detector.noise.cosmic_rays.value * 1000
    assert pixels.cosmic_rays.mean() == pytest.approx(fraction, rel=0.1)
    assert not pixels.dq.any()
    assert pixels.sci[pixels.cosmic_rays].min() > 0
    pixels, _, _ = exposed("WFC3/IR", np.zeros((500, 500)), sky=sky, time=1000.0)
    assert not pixels.cosmic_rays.any()


def test_counts_are_whole_numbers():
    light = generator().uniform(0, 3000, (50, 60))
    pixels, detector, change = exposed("WFPC2", light)
    dark = detector.noise.dark.value * 500 / change.gain
    counts = pixels.sci + dark
    assert np.abs(counts - np.round(counts)).max() < 1e-3

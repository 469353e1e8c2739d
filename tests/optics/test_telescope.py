"""Computed PSFs: normalisation, sampling, orientation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.telescope import (
    band,
    chip_facts,
    effective_psf,
    pixel_matrix,
    sip_jacobian,
)

CASES = [
    ("ACS/WFC", "F606W"),
    ("ACS/HRC", "F330W"),
    ("WFC3/UVIS", "F275W"),
    ("WFC3/IR", "F160W"),
    ("WFPC2", "F300W"),
]


@pytest.mark.parametrize(("name", "filter_name"), CASES)
def test_a_psf_is_a_fraction_of_all_light_and_peaks_on_the_star(name, filter_name):
    psf = effective_psf(instruments.get(name), filter_name)
    assert psf.oversampling == 5
    assert psf.half_pix == 64
    inside = psf.data.sum() / psf.oversampling**2
    assert 0.95 < inside < 1.0
    assert psf.data.argmax() == psf.data.size // 2
    assert psf.data.min() > -1e-6
    # every phase of the star within a pixel sees the same light
    rng = np.random.default_rng(1)
    sums = psf.stamps(*rng.uniform(-0.5, 0.5, (2, 20)), 60)[0].sum(axis=(1, 2))
    assert np.ptp(sums) < 2e-3


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "filter_name"), CASES)
@pytest.mark.parametrize("oversampling", [4, 5])
def test_interpolation_is_good_to_a_thousandth_of_the_peak(name, filter_name, oversampling):
    detector = instruments.get(name)
    chip = detector.chips[-1].number
    coarse = effective_psf(detector, filter_name, chip=chip, oversampling=oversampling, half_pix=16)
    fine = effective_psf(detector, filter_name, chip=chip, oversampling=20, half_pix=16)
    # the nodes of the fine grid are direct computations at phases the coarse one has not
    reach = 5 * fine.oversampling
    part = slice(fine.middle - reach, fine.middle + reach + 1)
    offsets = np.arange(-reach, reach + 1) / fine.oversampling
    dx, dy = np.meshgrid(offsets, offsets)
    error = np.abs(coarse.at(dx, dy) - fine.data[part, part]).max()
    assert error < 1e-3 * fine.central_fraction


def test_the_normalisation_does_not_depend_on_the_size_of_the_array():
    detector = instruments.get("ACS/HRC")
    radii = [1.0, 5.0, 12.0]
    large = effective_psf(detector, "F814W", half_pix=128).encircled_energy(radii)
    for half in (16, 64):
        energies = effective_psf(detector, "F814W", half_pix=half).encircled_energy(radii)
        assert energies == pytest.approx(large, abs=6e-4)


def test_spikes_stand_along_v2_and_v3():
    # vanes along V2 and V3 throw light along V2 and V3, wherever the pixels point
    detector = instruments.get("WFC3/IR")
    psf = effective_psf(detector, "F110W")
    matrix = np.array(pixel_matrix(detector, detector.chips[0].geometry)).reshape(2, 2)
    angles = np.radians(np.arange(0, 360, 5))
    along = np.linalg.solve(matrix, np.stack([np.cos(angles), np.sin(angles)]))
    along /= np.hypot(*along)
    radius = np.linspace(15, 40, 60)[:, None]
    light = psf.at(radius * along[0], radius * along[1]).mean(axis=0)
    brightest = np.sort(np.argsort(light)[-4:] * 5)
    assert brightest.tolist() == [0, 90, 180, 270]


def test_a_redder_band_is_wider():
    detector = instruments.get("WFC3/UVIS")
    widths = [effective_psf(detector, name).fwhm_pix for name in ("F336W", "F555W", "F814W")]
    assert widths == sorted(widths)


def test_chips_with_other_pixels_have_other_psfs():
    detector = instruments.get("WFPC2")
    planetary = effective_psf(detector, "F555W", chip=1)
    wide = effective_psf(detector, "F555W", chip=3)
    assert planetary.central_fraction < wide.central_fraction


def test_the_same_question_has_the_same_answer():
    detector = instruments.get("ACS/WFC")
    assert effective_psf(detector, "F814W") is effective_psf(detector, "F814W")
    assert isinstance(effective_psf(detector, "F814W"), EffectivePSF)


def test_pixels_are_taken_where_asked():
    detector = instruments.get("ACS/WFC")
    chip = chip_facts(detector, 2)
    middle = np.array(pixel_matrix(detector, chip.geometry)).reshape(2, 2)
    corner = np.array(pixel_matrix(detector, chip.geometry, (0.0, 0.0))).reshape(2, 2)
    ratio = abs(np.linalg.det(corner) / np.linalg.det(middle))
    assert 0.9 < ratio < 1.1
    assert ratio != pytest.approx(1.0, abs=0.01)
    # the scale is the detector's
    assert np.degrees(np.sqrt(abs(np.linalg.det(middle)))) * 3600 == pytest.approx(0.05, rel=0.02)


def test_sip_derivatives_are_those_of_the_polynomials():
    sip = {"A_ORDER": 3, "A_2_0": 1e-5, "A_1_1": -2e-5, "B_ORDER": 3, "B_0_3": 3e-9}
    u, v = 120.0, -80.0
    jacobian = sip_jacobian(sip, u, v)
    assert jacobian == pytest.approx(
        np.array([[1 + 2e-5 * u - 2e-5 * v, -2e-5 * u], [0.0, 1 + 9e-9 * v**2]])
    )


def test_what_cannot_be_computed_is_refused():
    detector = instruments.get("ACS/WFC")
    with pytest.raises(InputError, match="no filter 'F999W'"):
        effective_psf(detector, "F999W")
    with pytest.raises(InputError, match="pivot wavelength of G800L"):
        effective_psf(detector, "G800L")
    with pytest.raises(InputError, match="no chip 7"):
        effective_psf(detector, "F606W", chip=7)
    with pytest.raises(InputError, match="oversampling of 3 is below 4"):
        effective_psf(detector, "F606W", oversampling=3)


def test_a_band_is_sampled_evenly_and_a_narrow_one_once():
    detector = instruments.get("ACS/WFC")
    wide = np.array(band(detector, "F606W"))
    assert wide.mean() == pytest.approx(detector.filters["F606W"].pivot.value * 1e-9)
    assert np.ptp(wide) == pytest.approx(detector.filters["F606W"].width.value * 1e-9 * 6 / 7)
    assert len(band(detector, "F502N")) in {1, 7}

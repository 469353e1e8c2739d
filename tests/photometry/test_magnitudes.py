from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hst123r.photometry import magnitudes


def test_zeropoints_of_hst123s_cases():
    assert magnitudes.zeropoint_ab(1e-19, 5000.0) == pytest.approx(26.59715, abs=5e-6)
    assert magnitudes.zeropoint_st(1e-19) == pytest.approx(26.4, abs=1e-12)
    # two chips with sensitivities of their own
    assert magnitudes.zeropoint_ab([1e-19, 2e-19], 5000.0) == pytest.approx(
        [26.59715, 25.84457], abs=5e-6
    )


def test_zeropoints_agree_with_synthetic_photometry():
    from astropy import units as u

    flam = 1e-19 * u.erg / u.s / u.cm**2 / u.AA
    ab = flam.to(u.ABmag, u.spectral_density(5000 * u.AA)).value
    # the handbooks' constant is rounded to a thousandth
    assert magnitudes.zeropoint_ab(1e-19, 5000.0) == pytest.approx(ab, abs=1e-3)
    assert magnitudes.zeropoint_st(1e-19) == pytest.approx(flam.to(u.STmag).value, abs=1e-9)
    assert magnitudes.st_minus_ab(5000.0) == pytest.approx(26.4 - 26.59715, abs=5e-6)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_no_zeropoint_without_sensitivity(value):
    assert np.isnan(magnitudes.zeropoint_ab(value, 5000.0))
    assert np.isnan(magnitudes.zeropoint_ab(1e-19, value))
    assert np.isnan(magnitudes.zeropoint_st(value))


def test_nanojansky():
    assert magnitudes.flux_njy(31.4) == pytest.approx(1.0)
    assert magnitudes.flux_njy(23.9) == pytest.approx(1000.0)
    # one header unit per second has the zeropoint's magnitude
    assert magnitudes.magnitude_ab(magnitudes.njy_per_unit(26.5)) == pytest.approx(26.5)
    # 3631 Jy is magnitude zero: hst123 had a factor of a million wrong
    assert magnitudes.flux_njy(0.0) == pytest.approx(3631e9, rel=1e-4)


@given(st.floats(10, 40))
def test_magnitudes_go_there_and_back(magnitude):
    assert magnitudes.magnitude_ab(magnitudes.flux_njy(magnitude)) == pytest.approx(magnitude)


def test_no_light_no_magnitude():
    assert np.isnan(magnitudes.magnitude_ab([0.0, -3.0, np.nan])).all()
    assert np.isnan(magnitudes.magnitude_error([0.0, -3.0], 1.0)).all()


def test_errors():
    assert magnitudes.magnitude_error(120.0, 80**0.5) == pytest.approx(0.0809, abs=5e-5)
    brighter, fainter = magnitudes.magnitude_range([10.0, 1.0], [1.0, 2.0])
    middle = magnitudes.magnitude_ab([10.0, 1.0])
    assert brighter[0] < middle[0] < fainter[0]
    assert fainter[0] - middle[0] == pytest.approx(-2.5 * np.log10(0.9))
    assert np.isnan(fainter[1])

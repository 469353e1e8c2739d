"""Extinction laws against what their papers publish."""

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.extinction import LAWS, extinction, relative_extinction


def test_cardelli_clayton_and_mathis_table_3():
    """Table 3 of the paper, R = 3.1: U V R I J H K L, by wavenumbers of the table."""
    wavenumber = np.array([2.78, 1.82, 1.43, 1.11, 0.80, 0.63, 0.46, 0.29])
    published = [1.569, 1.000, 0.751, 0.479, 0.282, 0.190, 0.114]
    found = relative_extinction(1e4 / wavenumber, "ccm89")
    assert found[:7] == pytest.approx(published, abs=0.004)
    assert np.isnan(found[7])  # L lies beyond 3.3 micron
    # at 2.27 per micron the formula gives what E(B-V) is defined by; the table has 1.337 there
    assert relative_extinction(1e4 / 2.27, "ccm89") == pytest.approx(1 + 1 / 3.1, abs=2e-4)


def test_fitzpatrick_table_3():
    """Table 3 of the paper, R = 3.1: A(lambda) / E(B-V) at the anchors of the spline."""
    wave = [26500, 12200, 6000, 5470, 4670, 4110, 2700, 2600]
    published = [0.265, 0.829, 2.688, 3.055, 3.806, 4.315, 6.265, 6.591]
    assert 3.1 * relative_extinction(wave, "f99") == pytest.approx(published, abs=0.002)


def test_o_donnell_is_near_cardelli_and_differs_in_the_optical_alone():
    wave = np.array([2000.0, 4400.0, 5494.5, 12000.0])
    one, two = (relative_extinction(wave, law) for law in ("ccm89", "od94"))
    assert two == pytest.approx(one, abs=0.03)
    assert two[[0, 3]] == pytest.approx(one[[0, 3]])
    assert two[1] != pytest.approx(one[1], abs=1e-4)
    assert two[2] == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("law", LAWS)
def test_the_bump_is_at_2175_angstrom_and_the_curve_has_no_jump(law):
    wave = np.arange(1100.0, 33000.0, 5.0)
    curve = relative_extinction(wave, law)
    assert np.isfinite(curve).all()
    near = (wave > 2000) & (wave < 2400)
    assert wave[near][np.argmax(curve[near])] == pytest.approx(2175, abs=25)
    # the parts of Cardelli's curve meet to a per cent, where the paper joins them
    assert np.abs(np.diff(curve)).max() < 0.06


def test_magnitudes_grow_with_reddening_and_r():
    assert extinction(5494.5, 0.1, "ccm89") == pytest.approx(0.31, abs=0.001)
    assert extinction(5494.5, 0.1, "f99", 5.0) == pytest.approx(0.5, abs=0.01)
    assert extinction(8000.0, 0.0, "f99") == 0.0


def test_out_of_range_is_not_a_number_and_an_unknown_law_an_error():
    assert np.isnan(relative_extinction([900.0, 40000.0], "f99")).all()
    with pytest.raises(InputError, match="there is no extinction law 'f19'; known are ccm89"):
        relative_extinction(5000.0, "f19")

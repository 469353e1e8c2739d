from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.photometry.cubic_area import cubic_area


def test_no_distortion_has_equal_areas():
    turned = [0.0, 0.6, -0.8] + [0.0] * 7, [5.0, 0.8, 0.6] + [0.0] * 7
    assert np.allclose(cubic_area(*turned, (4, 6), 2.0), 1)


def test_a_quadratic_term_changes_the_width_along_x_alone():
    area = cubic_area([0, 1, 0, 0.01] + [0] * 6, [0, 0, 1] + [0] * 7, (5, 7), 3.0)
    assert np.allclose(area, 1 + 0.02 * (np.arange(7) - 3))


def test_the_determinant_of_real_chips():
    """Widths times heights are the area where a pixel is hardly sheared."""
    for chip in instruments.get("WFPC2").dolphot.mask.chips:
        cubic = chip.distortion
        area = cubic_area(cubic.x, cubic.y, (800, 800), cubic.origin)
        assert area[399:401, 399:401].mean() == pytest.approx(1, abs=1e-6)
        assert 0.949 < area.min() < area.max() < 1.001
        # the corners are smaller by some per cent (Holtzman et al. 1995)
        assert area[0, 0] < 0.965


def test_too_few_coefficients():
    with pytest.raises(InputError, match="10 coefficients"):
        cubic_area([1.0], [1.0], (2, 2), 0.0)

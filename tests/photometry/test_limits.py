from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry.limits import limiting_flux, limiting_magnitude
from hst123r.photometry.magnitudes import flux_njy


def test_n_times_the_error():
    assert limiting_flux([5.0, -3.0], [2.0, 2.0]) == pytest.approx([6.0, 6.0])
    assert limiting_flux(0.0, 2.0, nsigma=5.0) == pytest.approx(10.0)


def test_the_limit_has_the_signal_to_noise_it_says():
    background, slope = 400.0, 1.3
    limit = limiting_flux(0.0, np.sqrt(background), slope, 3.0)
    assert limit / np.sqrt(background + slope * limit) == pytest.approx(3.0)


def test_it_does_not_depend_on_what_is_there():
    flux = np.array([-50.0, 0.0, 30.0, 900.0])
    error = np.sqrt(400.0 + 1.3 * np.maximum(flux, 0))
    assert np.ptp(limiting_flux(flux, error, 1.3)) < 1e-9


def test_signal_to_noise_three_at_magnitude_27():
    truth = flux_njy(27.0)
    rng = np.random.default_rng(1)
    measured = truth + rng.normal(0, truth / 3, 4000)
    limits = limiting_magnitude(measured, np.full(4000, truth / 3))
    assert limits == pytest.approx(27.0, abs=1e-9)
    # the same every time, and one measurement is enough
    assert limiting_magnitude(-1.0, truth / 3) == pytest.approx(27.0)


def test_without_an_error_there_is_no_limit():
    assert np.isnan(limiting_magnitude(np.nan, np.nan))
    assert limiting_magnitude([], []).shape == (0,)

"""Losses of charge transfer by published formulas."""

import numpy as np
import pytest

from hst123r import instruments
from hst123r.photometry.transfer import exponential_loss, power_loss

WFPC2 = {
    "x": (0.0021, -0.234), "y": 0.0114, "background": ((0.670, -0.246), (0.330, -0.0359)),
    "per_year": (0.335, -0.0074), "counts": (3.55, -0.474), "scale": 0.436,
}  # fmt: skip


def test_powers_are_those_of_the_report():
    """ISR ACS 2009-01 gives logarithms of the amplitudes: -0.15 and -0.44."""
    for name, logarithm in (("ACS/WFC", -0.15), ("ACS/HRC", -0.44)):
        law = instruments.get(name).transfer_loss.law
        assert np.log10(law.amplitude) == pytest.approx(logarithm, abs=5e-4)
    loss = power_loss(1e3, 10.0, 1.0, 5.0, amplitude=0.708, sky_power=-0.25, flux_power=-0.44)
    # 0.708 * 0.5623 * 0.04786 * 5
    assert loss == pytest.approx(0.0953, abs=1e-3)


def test_powers_stay_finite_for_fluxes_and_skies_below_zero():
    loss = power_loss(
        [-500.0, 0.0, 50.0], [-3.0, 0.0, 0.1], 1.0, 3.0,
        amplitude=0.363, sky_power=-0.15, flux_power=-0.36,
    )  # fmt: skip
    assert np.isfinite(loss).all()
    assert loss[0] == loss[1] > loss[2] > 0


def test_before_the_epoch_nothing_is_lost():
    assert power_loss(100, 1, 1, -2, amplitude=1, sky_power=-0.2, flux_power=-0.4) == 0


def test_exponentials_by_hand():
    """A star of 1,000 electrons on a sky of 10 at the top right corner, three years later."""
    level = np.sqrt(101)
    across = 0.0021 * np.exp(-0.234 * (level - 10))
    light = np.log(1000) - 7 + 0.921 * across
    filled = 0.670 * np.exp(-0.246 * (np.log(level) - 1)) + 0.330 * np.exp(-0.0359 * (level - 10))
    first = 0.0114 * filled * (1 + 0.335 * 3 - 0.0074 * 9)
    second = 3.55 * np.exp(-0.474 * light)
    along = np.log(np.exp(first) * (1 + second) - second) / 0.436
    loss = exponential_loss(1000, 10, 1, 1, 3 * 365.25, **WFPC2)
    assert loss == pytest.approx(across + along, rel=1e-12)
    assert 0.1 < loss < 0.3


def test_faint_stars_far_from_the_amplifier_on_dark_skies_lose_most():
    def loss(flux=1000.0, sky=5.0, columns=0.5, rows=0.5, days=2000.0):
        return float(exponential_loss(flux, sky, columns, rows, days, **WFPC2))

    assert loss(flux=200) > loss() > loss(flux=2e4) > 0
    assert loss(sky=0.5) > loss() > loss(sky=100)
    assert loss(rows=1) > loss() > loss(rows=0.1)
    assert loss(days=4000) > loss() > loss(days=0)
    assert loss(columns=1) > loss(columns=0)
    assert np.isfinite(loss(flux=-10, sky=-2))

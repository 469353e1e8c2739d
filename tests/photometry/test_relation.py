"""Limits from the sources around."""

from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry.magnitudes import flux_njy, magnitude_ab
from hst123r.photometry.relation import fit_relation


def around(*, slope=0.0, number=400, seed=2):
    """Return measured fluxes and errors where S/N 3 is at magnitude 27 by construction."""
    wanted = float(flux_njy(27.0))
    empty = (wanted / 3) ** 2 - slope * wanted
    rng = np.random.default_rng(seed)
    truth = flux_njy(rng.uniform(23.0, 28.0, number))
    flux = truth + rng.normal(0, np.sqrt(empty + slope * truth))
    # the error follows the measured flux, and depends on the sky of each place by some per cent
    error = np.sqrt((empty + slope * np.maximum(flux, 0)) * rng.normal(1, 0.05, number))
    return flux, error


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_signal_to_noise_three_at_27_by_construction(slope):
    found = fit_relation(*around(slope=slope))
    assert magnitude_ab(found.limit(3.0)) == pytest.approx(27.0, abs=0.02)
    assert found.slope == pytest.approx(slope, abs=0.15)


def test_it_is_the_same_every_time_and_in_any_order():
    flux, error = around()
    turned = np.random.default_rng(5).permutation(flux.size)
    assert fit_relation(flux, error) == fit_relation(flux[turned], error[turned])


def test_blends_do_not_pull_it():
    flux, error = around()
    error[::10] *= 4
    assert magnitude_ab(fit_relation(flux, error).limit(3.0)) == pytest.approx(27.0, abs=0.03)


def test_a_few_bad_blends_among_few_sources_do_not_turn_the_line():
    """As around an empty place: many without light, some stars, two of them with large errors."""
    rng = np.random.default_rng(3)
    flux = np.append(rng.normal(0, 7.2, 20), [40, 55, 70, 90, 120, 250, 150])
    variance = (52 + 0.5 * np.maximum(flux, 0)) * rng.normal(1, 0.03, flux.size)
    variance[-2:] = 50.0**2, 21.0**2
    found = fit_relation(flux, np.sqrt(variance))
    assert found.background == pytest.approx(52, rel=0.05)
    assert found.slope == pytest.approx(0.5, abs=0.15)
    assert found.sources >= 15


def test_what_is_not_finite_and_what_is_negative():
    flux, error = around()
    flux[:5], error[5:9] = np.nan, [np.nan, 0.0, -1.0, np.inf]
    assert (flux < 0).any()
    assert magnitude_ab(fit_relation(flux, error).limit(3.0)) == pytest.approx(27.0, abs=0.02)


@pytest.mark.parametrize(
    ("flux", "error"),
    [
        ([], []),
        ([1.0], [0.3]),
        # S/N 10 at every magnitude: nothing is near the limit, and nothing is extrapolated
        (flux_njy(np.linspace(20, 26, 50)), flux_njy(np.linspace(20, 26, 50)) / 10.857),
        (np.zeros(50), np.zeros(50)),
    ],
)
def test_where_sources_do_not_tell_there_is_no_limit(flux, error):
    assert np.isnan(fit_relation(flux, error).limit(3.0))


def test_nine_faint_sources_are_too_few_and_ten_are_enough():
    assert np.isnan(fit_relation(np.ones(9), np.ones(9)).limit(3.0))
    assert fit_relation(np.ones(10), np.ones(10)).limit(3.0) == pytest.approx(3.0)

from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.combine import combine
from hst123r.photometry.magnitudes import MAGNITUDE, magnitude_ab


def test_hst123s_weighted_flux():
    result = combine([100.0, 200.0], [10.0, 20.0], [1.0, 2.0], 100.0)
    assert result.flux[0] == pytest.approx(120.0)
    # on hst123's scale of 27.5; its error of 0.1431 is that of one exposure
    assert 27.5 - 2.5 * np.log10(result.flux[0]) == pytest.approx(22.30205, abs=5e-6)
    assert MAGNITUDE * result.error_weights[0] / 120 == pytest.approx(0.0809, abs=5e-5)
    # the two fluxes are five sigma apart, which the error must not hide
    assert result.probability[0] < 1e-4
    assert result.error[0] == result.error_scatter[0] == pytest.approx(40.0)


def test_a_single_exposure():
    # hst123: counts 1000 in 100 s at zeropoint 25, error 0.1 mag
    result = combine([10.0], [10.0 * 0.1 / MAGNITUDE], [5.0], [100.0])
    assert 25 - 2.5 * np.log10(result.flux[0]) == pytest.approx(22.5)
    assert result.magnitude_error()[0] == pytest.approx(0.1)
    assert np.isnan(result.error_scatter[0])
    assert result.exposures[0] == 1


def test_a_bad_exposure_keeps_its_weight():
    # hst123 drops an error of 2 mag; here it hardly counts, and is no bias
    result = combine([10.0, 9.0], [1.0, 20.0], [1.0, 2.0], 100.0)
    assert result.flux[0] == pytest.approx(10.0, abs=0.01)
    assert result.exposures[0] == 2


def test_nothing_measured():
    result = combine(np.full((3, 2), np.nan), np.ones((3, 2)), [1.0, 2.0, 3.0], 100.0)
    for value in (result.flux, result.error, result.mjd, result.chi2, result.snr):
        assert np.isnan(value).all()
    assert result.exposures.tolist() == [0, 0]
    assert result.exposure_time_s.tolist() == [0.0, 0.0]
    assert np.isnan(result.magnitude_ab()).all()
    assert not result.detected().any()


def test_no_counts_is_a_flux():
    result = combine([0.0, 0.0], [1.0, 1.0], [1.0, 2.0], 100.0)
    assert result.flux[0] == 0.0
    assert result.limit()[0] == pytest.approx(3 / np.sqrt(2))


@pytest.mark.parametrize("count", [1, 4, 16])
def test_the_error_shrinks_with_the_number(count):
    result = combine(np.full(count, 100.0), np.full(count, 10.0), np.arange(count), 100.0)
    assert result.error[0] == pytest.approx(10 / np.sqrt(count))


def test_eight_faint_exposures_are_not_biased():
    rng = np.random.default_rng(1)
    flux = rng.normal(100.0, 50.0, (8, 5000))
    result = combine(flux, 50.0, np.arange(8), 500.0)
    assert abs(np.median(magnitude_ab(result.flux)) - magnitude_ab(100.0)) < 0.01
    assert np.mean(result.probability < 0.01) == pytest.approx(0.01, abs=0.005)
    assert (result.flux - 100).std() == pytest.approx(result.error_weights.mean(), rel=0.03)


def test_photon_noise_of_the_star_itself_does_not_bias():
    rng = np.random.default_rng(2)
    # electrons, nearly all of them the star's own: errors go with the fluxes
    flux = rng.poisson(60.0, (8, 20_000)) + rng.normal(0, 5.0, (8, 20_000))
    error = np.sqrt(25.0 + np.maximum(flux, 0.0))
    naive = combine(flux, error, np.arange(8), 500.0)
    result = combine(flux, error, np.arange(8), 500.0, np.ones(flux.shape))
    assert np.mean(naive.flux) < 0.99 * 60
    assert np.mean(result.flux) == pytest.approx(60.0, rel=1e-3)
    pull = (result.flux - 60) / result.error_weights
    assert pull.std() == pytest.approx(1.0, abs=0.02)


def test_underestimated_errors_are_seen():
    rng = np.random.default_rng(3)
    flux = rng.normal(100.0, 30.0, (10, 2000))
    result = combine(flux, 10.0, np.arange(10), 500.0)
    assert np.mean(result.probability < 0.01) > 0.98
    assert np.median(result.error) == pytest.approx(30 / np.sqrt(10), rel=0.1)
    assert np.all(result.error >= result.error_weights)


def test_what_exposures_have_in_common_does_not_average_out():
    """A wrong place moves the flux of a blended star by the same in all exposures."""
    rng = np.random.default_rng(5)
    own, common = 10.0, 8.0
    flux = 100.0 + common * rng.standard_normal(5000) + own * rng.standard_normal((4, 5000))
    error = np.hypot(own, common)
    result = combine(flux, error, np.arange(4), 500.0, fixed_error=own)
    assert ((result.flux - 100) / result.error_weights).std() == pytest.approx(1.0, abs=0.03)
    assert result.error_weights[0] == pytest.approx(np.hypot(own / 2, common))
    assert result.fixed_error.min() == pytest.approx(own / 2)
    assert result.chi2.mean() / 3 == pytest.approx(1.0, abs=0.03)
    assert np.mean(result.probability < 0.01) == pytest.approx(0.01, abs=0.005)
    # two halves differ by the part that is their own
    first, last = (
        combine(part, error, np.arange(2), 500.0, fixed_error=own) for part in (flux[:2], flux[2:])
    )
    pull = (first.flux - last.flux) / np.hypot(first.fixed_error, last.fixed_error)
    assert pull[first.probability > 0.01].std() == pytest.approx(1.0, abs=0.04)
    # without it, the scatter is taken for less than it is
    assert combine(flux, error, np.arange(4), 500.0).chi2.mean() / 3 < 0.65


def test_the_scatter_comes_upon_what_is_common():
    flux = np.array([100.0, 160.0, 40.0, 100.0])
    result = combine(flux, np.hypot(10.0, 8.0), np.arange(4), 500.0, fixed_error=10.0)
    spread = 10 / 2 * np.sqrt(72 / 3)
    assert result.error[0] == result.error_scatter[0] == pytest.approx(np.hypot(spread, 8.0))
    assert result.fixed_error[0] == pytest.approx(spread)


def test_dates_and_times_are_those_of_what_was_used():
    flux = np.array([[10.0, 10.0], [np.nan, 10.0], [10.0, 10.0]])
    error = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, np.nan]])
    use = np.array([[True, True], [True, True], [True, True]])
    result = combine(flux, error, [1.0, 2.0, 4.0], [100.0, 200.0, 400.0], use=use)
    assert result.mjd == pytest.approx([(1 * 1 + 4 * 0.25) / 1.25, (1 + 2 * 0.25) / 1.25])
    assert result.mjd_mean == pytest.approx([2.5, 1.5])
    assert result.exposure_time_s.tolist() == [500.0, 300.0]
    assert result.exposures.tolist() == [2, 2]


def test_measurements_can_be_left_out():
    flux = np.array([[10.0], [1000.0]])
    result = combine(flux, 1.0, [1.0, 2.0], 100.0, use=[[True], [False]])
    assert result.flux[0] == 10.0
    assert result.exposures[0] == 1


def test_limits_of_means():
    flux = np.array([[30.0], [-40.0], [5.0], [10.0]])
    result = combine(flux, 30.0, np.arange(4), 100.0)
    assert result.limit(3.0)[0] == pytest.approx(45.0)
    assert not result.detected(3.0)[0]


@pytest.mark.parametrize(
    ("flux", "error", "mjd"),
    [(np.ones((2, 2, 2)), 1.0, 1.0), ([], 1.0, 1.0), ([1.0, 2.0], [1.0] * 3, 1.0)],
)
def test_shapes_that_do_not_fit(flux, error, mjd):
    with pytest.raises(InputError):
        combine(flux, error, mjd, 100.0)

"""Counts that are not quite proportional to light."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from hst123r.sources.count_rates import CountRates
from hst123r.sources.measured import AS_LIGHT, FrameNote, Measurements

ZEROPOINT, TIME = 26.0, 100.0
NOTES = [FrameNote(k, 1, ZEROPOINT, TIME) for k in range(2)]
RATES = CountRates(0.0075, 13.5, 0.4, NOTES, [0])
# electrons per second of a standard star: 10^(0.4 (26 - 13.5)) = 10^5
STANDARD = 1e5


def measured(rate):
    """Return two exposures of sources with some electrons per second, hardly any sky."""
    values = np.tile(np.asarray(rate, float), (2, 1))
    whole = {name: np.zeros(values.shape) for name in Measurements.__dataclass_fields__}
    whole |= dict.fromkeys(("error", "fixed_error", "rate_error", "photon_slope"), 0.1 * values)
    whole |= {"flux": 3 * values, "rate": values, "usable": np.ones(values.shape)}
    integer = {name: np.zeros(values.shape, np.int64) for name in ("extver", "flags")}
    return Measurements(**{**whole, **integer, "sky": np.full(values.shape, 1e-6)})


def test_a_decade_is_three_quarters_of_a_per_cent_and_standards_stay():
    found = measured([STANDARD, STANDARD / 10, STANDARD / 1000])
    good = RATES.made_good(found)
    share = 1 / np.array([1.0, 1 - 0.0075, 1 - 0.0225])
    for name in AS_LIGHT:
        grown = getattr(good, name)[0] / getattr(found, name)[0]
        assert grown == pytest.approx(share, rel=1e-6), name
        # the second exposure never was on the detector
        assert getattr(good, name)[1] == pytest.approx(getattr(found, name)[1])


def test_the_sky_is_light_too():
    found = measured([1e-9, STANDARD / 1e4])
    # as much in a pixel as a star of a hundredth of the standard has
    bright = replace(found, sky=np.full(found.sky.shape, STANDARD / 100 * 0.4 * TIME))
    good = RATES.made_good(bright)
    # of a little more light than the sky's: the slope of r (1 + s log10 r / R)
    share = 1 - 0.015 + 0.0075 / np.log(10)
    assert good.rate[0] / found.rate[0] == pytest.approx(1 / share, abs=1e-4)


@pytest.mark.parametrize("rate", [1e-3, 0.3, 3.0, 100.0])
def test_what_is_counted_of_a_star_on_sky_is_the_sum_of_its_slopes(rate):
    """Each bit of light counts by the slope at the light that is there already."""
    sky, central, level = 0.8, 0.4, STANDARD * 0.4

    def slope(light):
        return 1 + 0.0075 * np.log(light / level) / np.log(10) + 0.0075 / np.log(10)

    counted, _ = quad(lambda part: slope(sky + part * central * rate), 0, 1)
    light, level_e = np.array([rate * TIME]), np.array([sky * TIME])
    found = RATES.dimmed(0, 1, light, level_e, light, light)
    assert found[0] / light[0] == pytest.approx(counted, abs=2e-6)


def test_what_is_taken_from_a_star_is_made_good():
    light = np.array([STANDARD, STANDARD / 100, 1.0]) * TIME
    sky = np.array([10.0, 10.0, 80.0])
    left = RATES.dimmed(0, 1, light, sky, sky, sky)
    assert (left[1:] < light[1:]).all()
    found = measured(left / TIME)
    good = RATES.made_good(replace(found, sky=np.tile(sky, (2, 1))))
    assert good.rate[0] * TIME == pytest.approx(light, rel=3e-4)
    assert RATES.dimmed(1, 1, light, sky, sky, sky).tolist() == light.tolist()


def test_without_a_zeropoint_nothing_is_done_and_negative_fluxes_stay_finite():
    unknown = replace(RATES, notes=[replace(note, zeropoint_ab=np.nan) for note in NOTES])
    found = measured([STANDARD / 10, -5.0])
    assert unknown.made_good(found).rate[0].tolist() == found.rate[0].tolist()
    good = RATES.made_good(found)
    assert np.isfinite(good.rate).all()
    assert good.rate[0, 1] < 0

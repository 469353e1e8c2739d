"""Stars that move."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time

from hst123r.algorithms.proper_motion import Motions, at_epoch, carried, julian_year
from hst123r.algorithms.sphere import separation_arcsec


@pytest.mark.parametrize("dec", [0.0, -72.1, 89.9999])
@pytest.mark.parametrize("years", [-14.0, 30.0])
def test_motion_is_that_of_astropy(dec, years):
    rng = np.random.default_rng(3)
    ra, pm = rng.uniform(0, 360, 20), rng.normal(0, 50, (2, 20))
    stars = SkyCoord(
        ra * u.deg, np.full(20, dec) * u.deg, pm_ra_cosdec=pm[0] * u.mas / u.yr,
        pm_dec=pm[1] * u.mas / u.yr, distance=1 * u.kpc, radial_velocity=0 * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tdb"),
    )  # fmt: skip
    there = stars.apply_space_motion(Time(2016.0 + years, format="jyear", scale="tdb"))
    found = at_epoch(ra, np.full(20, dec), *pm, years, error_mas=1.0, pm_error_mas_yr=0.1)
    away = separation_arcsec(found.ra_deg, found.dec_deg, there.ra.deg, there.dec.deg)
    assert away.max() < 2e-6


def test_errors_grow_with_time_and_more_where_nothing_is_known():
    found = at_epoch(
        [10.0] * 3, [20.0] * 3, [1.0, np.nan, 1.0], [1.0, 1.0, 1.0], -10.0,
        error_mas=[3.0, 3.0, 3.0], pm_error_mas_yr=[0.4, 0.4, np.nan],
    )  # fmt: skip
    assert found.error_mas == pytest.approx([5.0, np.hypot(3, 50), np.hypot(3, 50)])
    assert found.dec_deg[1] == pytest.approx(20.0, abs=1e-13)
    assert found.dec_deg[0] == pytest.approx(20.0 - 10 / 3.6e6, abs=1e-12)


def test_the_year_of_a_date():
    assert julian_year(57388.5) == pytest.approx(2016.0, abs=0.002)
    assert julian_year(51544.5) == 2000.0


@pytest.mark.parametrize("to", [2009.0, 2016.0, 2031.0])
def test_a_second_step_ends_where_one_step_does(to):
    """Errors of motions count from the measurement, whatever lies between."""
    motions = Motions(
        np.array([30.0, np.nan, -4.0]), np.array([-20.0, 1.0, 9.0]), np.array([0.4, 0.4, np.nan]),
        np.array([2016.0, 2015.5, 2000.0]),
    )  # fmt: skip
    ra, dec, error = np.array([10.0, 20.0, 359.9]), np.array([-70.0, 0.0, 60.0]), np.full(3, 2.0)

    def at(year):
        pm = (motions.east_mas_yr, motions.north_mas_yr, year - motions.epoch)
        return at_epoch(ra, dec, *pm, error_mas=error, pm_error_mas_yr=motions.error_mas_yr)

    first, wanted = at(2022.0), at(to)
    found = carried(first.ra_deg, first.dec_deg, first.error_mas, motions, 2022.0, to)
    away = separation_arcsec(found.ra_deg, found.dec_deg, wanted.ra_deg, wanted.dec_deg)
    # two steps along tangents, of some tenths of an arcsec
    assert away.max() < 1e-5
    assert found.error_mas == pytest.approx(wanted.error_mas)


def test_a_star_without_an_epoch_stays():
    nothing = np.array([np.nan])
    motions = Motions(nothing, nothing, nothing, nothing)
    found = carried(np.array([9.0]), np.array([8.0]), np.array([1.0]), motions, 2000.0, 2030.0)
    assert (found.ra_deg[0], found.error_mas[0]) == (pytest.approx(9.0, abs=1e-12), 1.0)

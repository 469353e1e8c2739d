"""Stars that move."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time

from hst123r.algorithms.proper_motion import at_epoch, julian_year
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

from __future__ import annotations

import numpy as np
import pytest

from hst123r.simulation.model import Observation, Programme, Star, StarField, Transient
from hst123r.simulation.scene import FAINTEST, build, from_tangent_plane, light_curve

OBSERVATION = Observation(detector="ACS/WFC", filter="F606W", dates_mjd=[55000.0])
PIVOT_555, PIVOT_814 = 5550.0, 8140.0


def programme(**changes):
    return Programme(**{"ra_deg": 0.001, "dec_deg": 60.0, "observations": [OBSERVATION], **changes})


def separation_arcsec(ra, dec, ra0, dec0):
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra, dec, unit="deg").separation(SkyCoord(ra0, dec0, unit="deg")).arcsec


def test_the_field_is_a_disc_around_the_target_and_repeats():
    wanted = programme(field=StarField(stars=3000, radius_arcsec=40.0))
    scene, again = build(wanted), build(wanted)
    for name in ("number", "ra_deg", "dec_deg", "magnitude_ab", "colour"):
        assert np.array_equal(getattr(scene, name), getattr(again, name))
    distance = separation_arcsec(scene.ra_deg, scene.dec_deg, 0.001, 60.0)
    assert distance.max() < 40.001
    # half of the stars are within the radius that holds half of the area
    assert np.mean(distance < 40 / np.sqrt(2)) == pytest.approx(0.5, abs=0.03)
    assert scene.ra_deg.min() >= 0
    assert scene.ra_deg.max() < 360
    other = build(programme(seed=2, field=StarField(stars=3000, radius_arcsec=40.0)))
    assert not np.array_equal(scene.ra_deg, other.ra_deg)


@pytest.mark.parametrize("slope", [0.0, 0.25, 0.6, -0.3])
def test_the_luminosity_function_has_its_slope(slope):
    field = StarField(stars=40000, slope=slope, brightest_ab=20.0, faintest_ab=26.0)
    magnitude = build(programme(field=field)).magnitude_ab
    assert np.all(np.diff(magnitude) >= 0)
    assert magnitude.min() >= 20
    assert magnitude.max() <= 26
    counts, edges = np.histogram(magnitude, bins=np.arange(20, 26.5, 1.0))
    found = np.polyfit(edges[:-1], np.log10(counts), 1, w=np.sqrt(counts))[0]
    assert found == pytest.approx(slope, abs=0.02)


def test_colours_set_the_magnitudes_of_other_filters():
    scene = build(programme(field=StarField(stars=0), stars=[
        Star(ra_deg=1, dec_deg=1, magnitude_ab=22.0, colour=0.8),
        Star(ra_deg=1, dec_deg=1, magnitude_ab=22.0, colour=0.8, by_filter={"F814W": 20.0}),
    ]))  # fmt: skip
    assert scene.magnitudes("F555W", PIVOT_555, 55000.0).tolist() == [22.0, 22.0]
    assert scene.magnitudes("F814W", PIVOT_814, 55000.0) == pytest.approx([21.2, 20.0])
    # bluer than 555 nm a red star is fainter
    assert scene.magnitudes("F435W", 4329.0, 55000.0)[0] > 22.3


def test_no_two_stars_are_closer_than_asked():
    from scipy.spatial import cKDTree

    field = StarField(stars=2000, radius_arcsec=60.0, separation_arcsec=2.0)
    scene = build(programme(field=field))
    east = (scene.ra_deg + 180) % 360 - 180
    points = np.column_stack([east * np.cos(np.radians(60.0)), scene.dec_deg]) * 3600
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    assert nearest.min() >= 1.999
    assert 500 < scene.number.size < 2000
    assert scene.number.tolist() == list(range(1, scene.number.size + 1))


def test_a_transient_follows_its_light_curve():
    curve = Transient(
        ra_deg=1, dec_deg=2, dates_mjd=[100.0, 110.0, 120.0], magnitudes_ab=[25.0, 20.0, 21.0]
    )
    dates = [99.9, 100.0, 105.0, 110.0, 115.0, 130.0, 1e6]
    wanted = [FAINTEST, 25.0, 22.5, 20.0, 20.5, 22.0, FAINTEST]
    assert [light_curve(curve, date) for date in dates] == pytest.approx(wanted)
    single = Transient(ra_deg=1, dec_deg=2, dates_mjd=[100.0], magnitudes_ab=[25.0])
    assert light_curve(single, 500.0) == 25.0
    scene = build(programme(field=StarField(stars=3), transients=[curve]))
    assert list(scene.transients) == [4]
    assert scene.magnitudes("F555W", PIVOT_555, 110.0)[3] == 20.0
    assert scene.magnitudes("F555W", PIVOT_555, 50.0)[3] == FAINTEST


def test_a_scene_may_be_empty():
    scene = build(programme(field=StarField(stars=0)))
    assert scene.number.size == 0
    assert scene.magnitudes("F555W", PIVOT_555, 1.0).shape == (0,)


def test_deprojection_agrees_with_astropy():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [1.0, 1.0]
    wcs.wcs.crval = [359.99, -72.0]
    wcs.wcs.cdelt = [1 / 3600, 1 / 3600]
    xi, eta = np.array([0.0, 80.0, -300.0]), np.array([0.0, -50.0, 200.0])
    ra, dec = from_tangent_plane(xi, eta, 359.99, -72.0)
    sky = wcs.all_pix2world(np.column_stack([xi, eta]), 0)
    assert np.column_stack([ra, dec]) == pytest.approx(sky, abs=1e-11)

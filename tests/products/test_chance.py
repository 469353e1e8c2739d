"""Probability of a chance alignment."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.products.chance import chance_of, covered, probability

RA, DEC = 359.9999, 60.0
SQUARE = np.array([[-20.0, -20.0], [20.0, -20.0], [20.0, 20.0], [-20.0, 20.0]])


def corners(polygon):
    """Return corners in degrees of a polygon in arcsec around the place, across 0 degrees."""
    ra = (RA + polygon[:, 0] / 3600 / np.cos(np.radians(DEC))) % 360
    return [list(pair) for pair in zip(ra, DEC + polygon[:, 1] / 3600, strict=True)]


def catalogue(number=200, seed=1):
    rng = np.random.default_rng(seed)
    angle, distance = rng.uniform(0, 2 * np.pi, number), 20 * np.sqrt(rng.uniform(0, 1, number))
    flux = np.full(number, 100.0)
    flux[::4] = 10.0
    flux[0], distance[0] = 50.0, 0.2
    return Table(
        {
            "source": np.arange(1, number + 1),
            "ra": (RA + distance * np.sin(angle) / 3600 / np.cos(np.radians(DEC))) % 360,
            "dec": DEC + distance * np.cos(angle) / 3600, "flux": flux,
            "snr": np.full(number, 10.0),
        }
    )  # fmt: skip


def test_the_formula_and_its_ends():
    assert probability(0.5, 0.2) == pytest.approx(1 - np.exp(-np.pi * 0.25 * 0.2))
    assert probability(0.0, 0.2) == 0.0
    assert probability(1e-6, 1e-3) == pytest.approx(np.pi * 1e-15)


def test_random_places_agree_with_the_formula():
    """Of random places in a field of known density so many have a source within a radius."""
    rng = np.random.default_rng(2)
    stars = rng.uniform(0, 100, (2000, 2))
    places = rng.uniform(5, 95, (4000, 2))
    nearest = np.array([np.min(np.hypot(*(stars - place).T)) for place in places])
    assert np.mean(nearest < 1.0) == pytest.approx(probability(1.0, 0.2), abs=0.03)


def test_the_density_is_of_sources_as_bright_within_ten_arcsec():
    table = catalogue()
    found = chance_of(1, 0.2, (RA, DEC), [("x", table, [corners(SQUARE)])], 3.0)
    offset = np.hypot(
        ((np.asarray(table["ra"]) - RA + 180) % 360 - 180) * np.cos(np.radians(DEC)),
        np.asarray(table["dec"]) - DEC,
    )
    near = offset * 3600 <= 10
    assert found.sources == np.count_nonzero(near & (np.asarray(table["flux"]) >= 50))
    assert found.covered == pytest.approx(1.0)
    assert found.density_arcsec2 == pytest.approx(found.sources / (100 * np.pi))
    assert found.probability == pytest.approx(probability(0.2, found.density_arcsec2))
    assert found.brighter_than_ab == pytest.approx(31.4 - 2.5 * np.log10(50))
    assert found.as_json()["chance_band"] == "x"


def test_the_part_off_the_exposures_does_not_count():
    half = SQUARE.copy()
    half[half[:, 0] > 0, 0] = 0.0
    assert covered([half], 10.0) == pytest.approx(0.5, abs=0.01)
    table = catalogue()
    whole, part = (
        chance_of(1, 0.2, (RA, DEC), [("x", table, [corners(polygon)])], 3.0)
        for polygon in (SQUARE, half)
    )
    assert part.density_arcsec2 == pytest.approx(2 * whole.density_arcsec2, rel=0.02)


def test_the_filter_with_the_highest_snr_is_taken_and_none_without_a_magnitude():
    faint, bright = catalogue(), catalogue()
    faint["snr"][0], bright["snr"][0] = 2.0, 50.0
    place = (RA, DEC)
    rest = [corners(SQUARE)]
    found = chance_of(1, 0.2, place, [("a", faint, rest), ("b", bright, rest)], 3.0)
    assert found.band == "b"
    assert chance_of(1, 0.2, place, [("a", faint, rest)], 3.0) is None
    assert chance_of(999, 0.2, place, [("a", faint, rest)], 3.0) is None

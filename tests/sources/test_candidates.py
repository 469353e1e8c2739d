"""Which detections could be stars at all."""

import numpy as np
import pytest

from hst123r.algorithms.detection import find_stars
from hst123r.sources.candidates import could_be_stars
from hst123r.sources.stars import find_chip_stars

SKY = np.full((120, 130), 50.0, np.float32)


def chosen(frame, x, y):
    return could_be_stars(frame, SKY, np.asarray(x, float), np.asarray(y, float))


@pytest.fixture
def scene(make_frame, grid):
    """Stars of all brightnesses anywhere in their pixels."""
    x, y = grid()
    return make_frame(x, y, np.geomspace(400, 60000, x.size)), x, y


def test_stars_stay_wherever_they_stand_in_the_pixel(scene):
    frame, x, y = scene
    assert chosen(frame, x, y).all()
    # a finder is wrong by up to half a pixel
    assert chosen(frame, x + 0.4, y - 0.4).all()


def test_hits_and_tracks_go(make_frame):
    hits = [(20, 20 + 10 * n, 10.0 ** (3 + n / 8)) for n in range(8)]
    tracks = [(60 + n, 20 + n, 3000.0) for n in range(20)]
    frame = make_frame([], [], [], spots=hits + tracks)
    assert not chosen(frame, [column for _, column, _ in hits], [20] * 8).any()
    assert not chosen(frame, [25.0, 30.0, 35.0], [65.0, 70.0, 75.0]).any()


def test_close_pairs_and_wings_stay(make_frame):
    x, y = np.array([30.0, 33.2, 80.0, 84.1]), np.array([30.2, 30.0, 60.3, 60.0])
    frame = make_frame(x, y, [20000.0, 20000.0, 60000.0, 4000.0])
    assert chosen(frame, x, y).all()


def test_a_psf_that_is_wrong_by_a_tenth_keeps_its_stars(make_frame, make_psf, grid):
    x, y = grid()
    frame = make_frame(x, y, np.full(x.size, 50000.0), true_psf=make_psf(sigma=1.0))
    assert chosen(frame, x, y).all()


def test_pixels_that_are_missing_decide_nothing(scene):
    frame, x, y = scene
    assert chosen(frame, [0.0, 129.0], [0.0, 119.0]).all()
    frame.mask[:] = True
    frame.__dict__.pop("bad", None)
    assert chosen(frame, x, y).all()


def test_cosmic_rays_do_not_crowd_the_stars_out(make_frame, grid):
    x, y = grid()
    rng = np.random.default_rng(5)
    spots = [(r, c, 9000.0) for r, c in rng.integers(3, 117, (300, 2))]
    frame = make_frame(x, y, np.full(x.size, 3000.0), spots=spots)
    options = {"threshold_sigma": 5.0, "min_snr": 10.0, "fit_radius_pix": 3.0}
    found = find_chip_stars(frame, brightest=20, **options)
    near = [np.hypot(x - a, y - b).min() < 0.5 for a, b in zip(found.x, found.y, strict=True)]
    assert len(near) == 20
    assert np.mean(near) > 0.8
    noise = np.full(frame.shape, np.sqrt(50.0 + 16.0))
    every = find_stars(frame.data - 50.0, noise, frame.psf.fwhm_pix, 5.0, brightest=80)
    nearby = [np.hypot(x - a, y - b).min() < 0.5 for a, b in zip(every.x, every.y, strict=True)]
    assert np.mean(nearby) < 0.2

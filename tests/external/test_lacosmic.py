"""Cosmic rays of a single frame: found, and stars left alone."""

import numpy as np
import pytest

from hst123r.external.lacosmic import find_cosmic_rays

SIZE, READ_NOISE = 120, 4.0


@pytest.fixture
def scene():
    """Return an image with stars as sharp as Hubble's, and the pixels of tracks on it."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:SIZE, :SIZE]
    image = np.full((SIZE, SIZE), 60.0)
    stars = rng.uniform(10, SIZE - 10, (12, 2))
    for row, column in stars:
        # a full width of two pixels
        image += 3000 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 0.85**2))
    hits = np.zeros(image.shape, bool)
    while hits.sum() < 60:
        row, column = rng.integers(5, SIZE - 10, 2)
        if np.min(np.hypot(*(stars - (row, column)).T)) > 8:
            for step in range(4):
                hits[row + step, column + step // 2] = True
    image = rng.poisson(image) + rng.normal(0, READ_NOISE, image.shape)
    return (image + 1500 * hits).astype(np.float32), hits, stars


def find(image, mask=None, **options):
    bad = np.zeros(image.shape, bool) if mask is None else mask
    given = {"sigma": 4.5, "contrast": 10.0, **options}
    return find_cosmic_rays(image, bad, READ_NOISE, **given)


def test_tracks_are_found_and_stars_are_not(scene):
    image, hits, stars = scene
    found = find(image)
    assert np.count_nonzero(found & hits) > 0.9 * hits.sum()
    row, column = np.rint(stars).astype(int).T
    assert not found[row, column].any()
    assert np.count_nonzero(found & ~hits) < 0.01 * hits.size


def test_without_contrast_stars_go_too(scene):
    image, _, stars = scene
    row, column = np.rint(stars).astype(int).T
    assert find(image, contrast=0.1)[row, column].any()


def test_masked_pixels_are_not_said_to_be_hit(scene):
    image, hits, _ = scene
    image[hits] = np.nan
    assert not (find(image, hits) & hits).any()

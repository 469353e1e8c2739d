from __future__ import annotations

import numpy as np
import pytest

from hst123r.simulation.cosmic_rays import HIT_ELECTRONS, tracks


def generator(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("fraction", [0.0, 1e-4, 0.01, 0.05])
def test_the_fraction_of_pixels_hit_is_the_one_asked_for(fraction):
    found = [tracks((600, 700), fraction, generator(seed))[1].mean() for seed in range(3)]
    # overlapping tracks share pixels
    assert np.mean(found) == pytest.approx(fraction, rel=0.06, abs=2e-5)


def test_charge_and_mask_belong_together():
    charge, hit = tracks((400, 500), 0.02, generator())
    assert charge.shape == hit.shape == (400, 500)
    assert charge.min() >= 0
    assert np.array_equal(hit, charge > HIT_ELECTRONS)
    # a particle leaves a thousand electrons and more in a few pixels
    from scipy import ndimage

    labels, count = ndimage.label(hit, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    totals = ndimage.sum(charge, labels, np.arange(1, count + 1))
    assert 500 < np.median(totals) < 4000
    assert 2 <= np.median(sizes) <= 12
    assert sizes.max() > 15


def test_the_same_seed_gives_the_same_tracks():
    first, second = (tracks((100, 100), 0.02, generator(7))[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, tracks((100, 100), 0.02, generator(8))[0])


def test_a_tiny_frame_is_no_trouble():
    charge, hit = tracks((3, 1), 0.9, generator())
    assert charge.shape == hit.shape == (3, 1)

from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry import annulus_clipping
from hst123r.photometry import annulus_sky as module
from hst123r.photometry.annulus_sky import Clipping, annulus_sky, smoothed


def plain(data, usable, clip):
    """The same, one pixel after another, as the documentation has it."""
    ny, nx = data.shape
    reach = -(-clip.r_out // clip.step) * clip.step
    sky = np.zeros(data.shape)
    for y in range(ny):
        for x in range(nx):
            left = []
            for v in range(y - reach, y + reach + 1, clip.step):
                for u in range(x - reach, x + reach + 1, clip.step):
                    r2 = (u - x) ** 2 + (v - y) ** 2
                    if clip.r_in**2 <= r2 <= clip.r_out**2 and 0 <= u < nx and 0 <= v < ny:
                        left += [float(data[v, u])] if usable[v, u] else []
            left = np.array(left)
            while left.size:
                mean = left.mean()
                sigma = np.sqrt(1 + ((left - mean) ** 2).sum() / max(left.size - 1, 1))
                kept = left[
                    (left >= mean - clip.below * sigma) & (left <= mean + clip.above * sigma)
                ]
                if kept.size == left.size:
                    sky[y, x] = mean
                    break
                left = kept
    return sky, plain_box(sky, clip.step)


def plain_box(sky, step):
    ny, nx = sky.shape
    return np.array([
        [sky[max(y - step + 1, 0) : y + step + 1, max(x - step + 1, 0) : x + step + 1].mean()
         for x in range(nx)] for y in range(ny)
    ])  # fmt: skip


def field(shape, level=60.0, noise=9.0, seed=1):
    rng = np.random.default_rng(seed)
    data = rng.normal(level, noise, shape).astype("f4")
    data[tuple(rng.integers(0, n, shape[0]) for n in shape)] += rng.uniform(50, 5000, shape[0])
    return data.astype("f4"), rng.random(shape) > 0.05


@pytest.mark.parametrize(
    ("r_in", "r_out", "step", "number"), [(15, 35, 4, 196), (10, 25, 2, 420), (0, 1, 1, 5)]
)
def test_samples_of_an_annulus(r_in, r_out, step, number):
    assert len(Clipping(r_in, r_out, step, 2.25, 2.0).offsets()) == number


@pytest.mark.parametrize(("dense", "still"), [(0.0, 0.0), (0.3, 0.7), (1.0, 1.0)])
@pytest.mark.parametrize(
    ("shape", "clip"),
    [
        ((24, 32), Clipping(5, 12, 2, 2.25, 2.0)),
        ((21, 13), Clipping(2, 7, 3, 1.5, 3.0)),
        ((5, 40), Clipping(15, 35, 4, 2.25, 2.0)),
    ],
)
def test_every_pixel_is_as_by_a_plain_loop(shape, clip, dense, still, monkeypatch):
    """However many pixels are worked on together."""
    monkeypatch.setattr(annulus_clipping, "_DENSE", dense)
    monkeypatch.setattr(annulus_clipping, "_STILL", still)
    data, usable = field(shape)
    found = annulus_sky(data, usable, clip)
    assert found.dtype == np.float32
    assert np.allclose(found, plain(data, usable, clip)[1], rtol=2e-7, atol=0)


@pytest.mark.parametrize("together", [1, 3000, 10000])
def test_many_bands(together, monkeypatch):
    """One row of tiles at once, or some, or almost all."""
    monkeypatch.setattr(module, "_TOGETHER", together)
    monkeypatch.setattr(module, "_STRIP", 7)
    data, usable = field((60, 26))
    clip = Clipping(5, 12, 2, 2.25, 2.0)
    assert np.allclose(annulus_sky(data, usable, clip), plain(data, usable, clip)[1], rtol=2e-7)


@pytest.mark.parametrize(("level", "noise"), [(0.0, 0.02), (-3.0, 5.0), (60000.0, 250.0)])
def test_faint_negative_and_bright_skies(level, noise):
    data, usable = field((24, 24), level, noise)
    clip = Clipping(4, 10, 2, 2.25, 2.0)
    away = np.abs(annulus_sky(data, usable, clip) - plain(data, usable, clip)[1])
    assert away.max() < 1e-6 * noise + 1e-7 * abs(level)


def test_sums_have_no_rounding_of_what_is_far_away():
    """A saturated column beside a faint sky; running sums along rows would lose the squares."""
    from hst123r.photometry.annulus_sky import _sums

    offsets = Clipping(3, 6, 1, 2.0, 2.0).offsets()
    values = np.random.default_rng(5).normal(0, 0.01, (20, 60)) ** 2
    values[:, 20] = 1e12
    found = _sums(np.pad(values, 6), offsets, 6)
    for y, x in [(10, 40), (0, 59), (19, 30)]:
        inside = [(y + v, x + u) for v, u in offsets if 0 <= y + v < 20 and 0 <= x + u < 60]
        assert found[y, x] == pytest.approx(sum(values[place] for place in inside), rel=1e-13)


def test_a_constant_image_and_one_without_pixels():
    clip = Clipping(4, 9, 2, 2.25, 2.0)
    constant = np.full((20, 22), 3.0, "f4")
    usable = np.ones(constant.shape, bool)
    usable[5:9, 5:9] = False
    assert np.array_equal(annulus_sky(constant, usable, clip), constant)
    assert not annulus_sky(constant, np.zeros_like(usable), clip).any()


@pytest.mark.parametrize("shape", [(3, 50), (50, 1)])
def test_images_with_fewer_pixels_than_a_step(shape):
    data, usable = field(shape)
    clip = Clipping(4, 12, 4, 2.25, 2.0)
    assert np.allclose(annulus_sky(data, usable, clip), plain(data, usable, clip)[1], rtol=2e-7)


@pytest.mark.parametrize(("shape", "step"), [((17, 9), 4), ((3, 3), 4), ((12, 12), 1)])
def test_smoothing(shape, step):
    sky = np.random.default_rng(2).normal(100, 5, shape)
    assert np.allclose(smoothed(sky, step), plain_box(sky, step), rtol=1e-6)


def test_what_cannot_be_worked_on():
    data, usable = field((8, 8))
    with pytest.raises(InputError, match="annulus from 9 to 4"):
        Clipping(9, 4, 2, 2, 2)
    with pytest.raises(InputError, match="steps of 0"):
        Clipping(1, 4, 0, 2, 2)
    with pytest.raises(InputError, match="annulus of 0 samples"):
        annulus_sky(data, usable, Clipping(3, 3, 4, 2, 2))
    with pytest.raises(InputError, match="shape"):
        annulus_sky(data, usable[1:], Clipping(1, 4, 1, 2, 2))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_pixel_that_is_not_finite_is_no_sample(value):
    clip = Clipping(10, 25, 2, 2.25, 2.0)
    data, usable = field((80, 90))
    usable[40, 45] = False
    without = annulus_sky(data, usable, clip)
    data[40, 45], usable[40, 45] = value, True
    assert np.array_equal(annulus_sky(data, usable, clip), without)
    assert np.all(np.isfinite(without))

"""Flags of pixels, and masks of them."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.products.quality import data_quality, flag_pixels, read_mask, write_mask


@pytest.fixture
def mask():
    found = np.zeros((64, 64), bool)
    found[3, 4] = found[60:, 0] = True
    return found


def test_masks_are_read_back_by_chip(tmp_path, mask):
    path = tmp_path / "mask.fits"
    write_mask({2: mask, 1: ~mask}, path, "CRMASK")
    found = read_mask(path)
    assert list(found) == [1, 2]
    assert np.array_equal(found[2], mask)
    assert np.array_equal(found[1], ~mask)
    assert path.stat().st_size < 30_000


def test_the_same_mask_is_the_same_bytes(tmp_path, mask):
    for name in ("one.fits", "two.fits"):
        write_mask({1: mask}, tmp_path / name, "CRMASK")
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()


def test_a_bit_is_set_where_the_mask_says_and_nothing_else_changes(acs, read, mask):
    before = data_quality(acs, read(acs))
    flag_pixels(acs, {2: mask}, 4096)
    after = data_quality(acs, read(acs))
    assert np.array_equal(after[1], before[1])
    assert np.array_equal(after[2], np.where(mask, before[2] | 4096, before[2]))
    flag_pixels(acs, {2: mask}, 4096)
    assert np.array_equal(data_quality(acs, read(acs))[2], after[2])


@pytest.mark.parametrize("name", ["SCI", "SDQ"])
def test_a_companion_is_flagged_whatever_its_planes_are_called(wfpc2, read, mask, name):
    with fits.open(wfpc2["dq"], mode="update") as hdus:
        for hdu in hdus[1:]:
            hdu.name = name
    exposure = read(wfpc2)
    before = data_quality(wfpc2, exposure)
    flag_pixels(wfpc2, {3: mask}, 4096)
    after = data_quality(wfpc2, exposure)
    assert np.array_equal(after[3] & 4096 != 0, mask | (before[3] & 4096 != 0))
    assert all(np.array_equal(after[chip], before[chip]) for chip in (1, 2, 4))


def test_flags_of_eight_bits_take_a_bit_of_sixteen(acs, read, mask):
    with fits.open(acs["science"], mode="update") as hdus:
        hdus["DQ", 1].data = np.full((64, 64), 2, np.uint8)
    flag_pixels(acs, {1: mask}, 4096)
    assert np.array_equal(data_quality(acs, read(acs))[1], np.where(mask, 4098, 2))


def test_a_plane_that_is_the_same_everywhere_is_read_from_its_header(acs, read):
    with fits.open(acs["science"], mode="update") as hdus:
        plane = fits.ImageHDU(name="DQ", ver=1)
        plane.header.update(NPIX1=64, NPIX2=64, PIXVALUE=8)
        hdus[hdus.index_of(("DQ", 1))] = plane
    found = data_quality(acs, read(acs))[1]
    assert found.shape == (64, 64)
    assert np.all(found == 8)


def test_a_plane_that_is_one_value_can_be_flagged(acs, read, mask):
    with fits.open(acs["science"], mode="update") as hdus:
        plane = fits.ImageHDU(name="DQ", ver=2)
        plane.header.update(NPIX1=64, NPIX2=64, PIXVALUE=8)
        hdus[hdus.index_of(("DQ", 2))] = plane
    flag_pixels(acs, {2: mask}, 4096)
    assert np.array_equal(data_quality(acs, read(acs))[2], np.where(mask, 4096 | 8, 8))
    assert "PIXVALUE" not in fits.getheader(acs["science"], ("DQ", 2))

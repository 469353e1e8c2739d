"""Frames: chips in electrons, with masks."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.special import erf

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.varying import VaryingPSF
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.forced import forced
from hst123r.photometry.sky import Background
from hst123r.products.frames import ExposureFrames, read_frames
from hst123r.products.quality import write_mask


def frames(files, read, **options):
    return list(read_frames(files, read(files), **options))


def test_electrons_are_electrons(acs, read):
    first, second = frames(acs, read)
    with fits.open(acs["science"]) as hdus:
        assert np.array_equal(first.data, hdus["SCI", 1].data)
        assert np.array_equal(second.data, hdus["SCI", 2].data)
    assert (first.label, second.label) == ("jsi00101q[1]", "jsi00101q[2]")
    facts = instruments.get("ACS/WFC").noise
    assert first.read_noise_e == facts.read_noise.value
    assert first.dark_e == pytest.approx(facts.dark.value * 100.0)


def test_rates_are_multiplied_by_the_time_and_counts_by_the_gain(acs, wfpc2, read):
    counts = frames(wfpc2, read)[0].data
    with fits.open(wfpc2["science"]) as hdus:
        gain = hdus[0].header["ATODGAIN"]
        assert np.allclose(counts, hdus["SCI", 1].data * gain, rtol=1e-6)
    assert gain > 5
    fits.setval(acs["science"], "BUNIT", value="ELECTRONS/S", extname="SCI", extver=1)
    with fits.open(acs["science"]) as hdus:
        assert np.allclose(frames(acs, read)[0].data, 100 * hdus["SCI", 1].data, rtol=1e-6)


@pytest.mark.parametrize(("gain", "noise"), [(7, 5.3), (14, 7.5), (15, 7.5)])
def test_read_noise_follows_the_gain_and_has_the_rounding_in_it(wfpc2, read, gain, noise):
    fits.setval(wfpc2["science"], "ATODGAIN", value=gain)
    assert frames(wfpc2, read)[0].read_noise_e == noise
    left = instruments.get("WFPC2").noise.before_rounding(gain)
    assert left**2 + gain**2 / 12 == pytest.approx(noise**2)


def test_a_unit_that_is_not_known_is_an_error_and_not_a_guess(acs, read):
    fits.setval(acs["science"], "BUNIT", value="JY", extname="SCI", extver=1)
    with pytest.raises(InputError, match="'JY'"):
        frames(acs, read)


def test_bad_and_saturated_pixels_are_told_by_the_bits_of_the_detector(acs, read):
    detector = instruments.get("ACS/WFC")
    with fits.open(acs["science"], mode="update") as hdus:
        hdus["DQ", 1].data[:] = 0
        hdus["DQ", 1].data[3, 4] = 256
        hdus["DQ", 1].data[5, 6] = 4
    first = frames(acs, read)[0]
    assert detector.saturated_bits & 256
    assert first.saturated[3, 4]
    assert first.saturated.sum() == 1
    assert first.mask[5, 6]
    assert not first.mask[0, 0]


def test_the_companion_of_a_file_gives_its_quality(wfpc2, read):
    bit = instruments.get("WFPC2").bad_bits
    bit &= -bit
    with fits.open(wfpc2["dq"], mode="update") as hdus:
        hdus[3].data[:] = 0
        hdus[3].data[7, 8] = bit
    third = frames(wfpc2, read)[2]
    assert np.argwhere(third.mask).tolist() == [[7, 8]]


def test_a_mask_of_cosmic_rays_is_added(acs, read, tmp_path):
    hits = np.zeros((64, 64), bool)
    hits[10, 11] = True
    path = tmp_path / "mask.fits"
    write_mask({2: hits}, path, "CRMASK")
    plain, masked = frames(acs, read), frames(acs, read, cosmic_rays=str(path))
    assert np.array_equal(plain[0].mask, masked[0].mask)
    assert np.array_equal(plain[1].mask | hits, masked[1].mask)
    assert masked[1].mask[10, 11]


def two_widths(chip_columns=4096):
    """Return a PSF that is twice as wide at the right end of the chip as at the left one."""
    offset = np.arange(-60, 61) / 5
    round_ones = []
    for sigma in (0.8, 1.6):
        edge = 1 / (np.sqrt(2) * sigma)
        profile = (erf((offset + 0.5) * edge) - erf((offset - 0.5) * edge)) / 2
        round_ones.append(np.outer(profile, profile))
    x, y = np.array([0.0, chip_columns - 1.0]), np.array([0.0])
    return VaryingPSF.of(PSFGrid(x, y, np.array([round_ones]), 5))


@pytest.mark.parametrize("left", [0, 1000, 3500])
def test_stars_of_a_subarray_have_the_psf_of_their_place_on_the_chip(acs, read, left):
    """Stars are drawn by the PSF of the full chip, and measured through the file's header."""
    whole = two_widths()
    x, y, light = np.array([15.0, 31.3, 48.6]), np.array([20.2, 40.0, 30.7]), 5e4
    stamps, x0, y0 = whole.stamps(left + x, 500 + y, 9)
    image = np.zeros((64, 64))
    for stamp, column, row in zip(stamps, x0 - left, y0 - 500, strict=True):
        image[row : row + 19, column : column + 19] += light * stamp
    with fits.open(acs["science"], mode="update") as hdus:
        hdus["SCI", 1].data[:] = image + 50.0
        hdus["DQ", 1].data[:] = 0
        hdus["SCI", 1].header["LTV1"] = -float(left)
        hdus["SCI", 1].header["LTV2"] = -500.0
    frame = frames(acs, read, find_psf=lambda *_: whole)[0]
    assert frame.psf.first == (left, 500)
    sky = Background.flat(50.0, frame.shape, 8.0)
    found = forced(frame, x, y, sky, FitOptions(model_error=0.01))
    assert found.flux / frame.area_at(x, y) == pytest.approx(np.full(3, light), rel=1e-3)
    assert float(whole.weights(left + 31.3, 540.0)[0, 1]) == pytest.approx(
        (left + 31.3) / 4095, abs=1e-6
    )


@pytest.mark.parametrize("keep_mb", [0.0, 1000.0])
def test_frames_can_be_gone_through_again_kept_or_not(acs, read, keep_mb):
    both = ExposureFrames([acs], [read(acs)], [None], keep_mb=keep_mb)
    one, two = list(both), list(both)
    assert [frame.label for frame in one] == [frame.label for frame in two]
    assert all(np.array_equal(a.data, b.data) for a, b in zip(one, two, strict=True))
    assert (one[0] is two[0]) is (keep_mb > 0)

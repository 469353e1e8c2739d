"""Frames whose PSF is corrected by their own stars."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.perturbed import PerturbedPSF
from hst123r.optics.telescope import effective_psf
from hst123r.optics.varying import VaryingPSF
from hst123r.sources.own_psf import ByFocus, BySamples, OwnPSF

FIELDS = {field.name for kind in (PerturbedPSF, VaryingPSF) for field in fields(kind)}


@pytest.fixture
def sky():
    def of(frame, x, y):
        ra, dec = frame.wcs.all_pix2world(x, y, 0)
        return np.asarray(ra), np.asarray(dec)

    return of


def test_a_psf_that_is_wrong_becomes_that_of_the_stars(make_frame, make_psf, grid, sky):
    """The focus moved: stars are wider than the computed PSF has them."""
    true = make_psf(sigma=1.05)
    x, y = grid(shape=(240, 240))
    frame = make_frame(x, y, np.full(x.size, 40000.0), shape=(240, 240), true_psf=true)
    by_samples = BySamples()
    own = OwnPSF([frame], *sky(frame, x, y), by_samples)
    (better,) = list(own)
    assert own.problems == {}
    assert by_samples.orders == {frame.label: 1}
    middle = frame.psf.middle
    wrong = abs(frame.psf.data[middle, middle] - true.data[middle, middle])
    left = abs(better.psf.data[middle, middle] - true.data[middle, middle])
    assert left < 0.25 * wrong
    assert np.array_equal(better.data, frame.data)


def test_it_is_measured_once_however_often_frames_are_gone_through(make_frame, grid, sky):
    x, y = grid(shape=(240, 240))
    frame = make_frame(x, y, np.full(x.size, 40000.0), shape=(240, 240))
    asked, by_samples = [], BySamples()

    def correct(*about):
        asked.append(about)
        return by_samples(*about)

    own = OwnPSF([frame], *sky(frame, x, y), correct)
    first, again = (next(iter(own)).psf for _ in range(2))
    assert len(asked) == 1
    assert np.array_equal(first.data, again.data)


def test_what_is_worked_out_of_the_psf_of_a_frame_goes_with_it(make_frame, grid, sky):
    """A spline and its sorted nodes are several times the PSF, and there is one for each frame."""
    x, y = grid(shape=(240, 240))
    frame = make_frame(x, y, np.full(x.size, 40000.0), shape=(240, 240))
    own = OwnPSF([frame], *sky(frame, x, y), BySamples())
    (first,) = own
    used = first.psf.stamps([10.0], [10.0], 3)[0]
    assert "coefficients" in vars(first.psf.base)
    (again,) = own
    parts = [again.psf, again.psf.base, *again.psf.changes]
    assert len(parts) > 2
    assert [name for part in parts for name in vars(part) if name not in FIELDS] == []
    assert np.array_equal(again.psf.stamps([10.0], [10.0], 3)[0], used)


def test_too_few_stars_keep_the_computed_one_and_say_so(make_frame, sky):
    x, y = np.array([40.0, 80.0]), np.array([40.0, 80.0])
    frame = make_frame(x, y, np.full(2, 40000.0))
    own = OwnPSF([frame], *sky(frame, x, y), BySamples())
    (same,) = list(own)
    assert same.psf is frame.psf
    assert list(own.problems) == ["test"]
    assert own.problems["test"]


def test_sources_elsewhere_do_not_count(make_frame, sky):
    x, y = np.array([40.0, 80.0]), np.array([40.0, 80.0])
    frame = make_frame(x, y, np.full(2, 40000.0))
    ra, dec = sky(frame, x, y)
    far = OwnPSF([frame], np.append(ra, 10.0), np.append(dec, -60.0), BySamples())
    assert next(iter(far)).psf is frame.psf


def test_the_focus_of_a_frame_is_found_and_said(make_frame, grid, sky):
    """Nine stars on a frame whose telescope is out of focus; its PSF is on the library's grid."""
    detector = instruments.get("ACS/HRC")
    kind = {"chip": 1, "oversampling": 4, "half_pix": 13}
    true = effective_psf(detector, "F555W", focus_nm=12.0, **kind)
    x, y = (place[:9] for place in grid(shape=(240, 240)))
    frame = make_frame(x, y, np.full(x.size, 90000.0), shape=(240, 240), true_psf=true)
    frame = replace(frame, psf=effective_psf(detector, "F555W", **kind))
    by_focus = ByFocus(detector, "F555W", {frame.label: 1})
    own = OwnPSF([frame], *sky(frame, x, y), by_focus)
    (better,) = list(own)
    assert own.problems == {}
    assert by_focus.orders == {frame.label: 0}
    assert by_focus.over_frame_nm == {frame.label: 0.0}
    assert by_focus.focus_nm[frame.label] == pytest.approx(12.0, abs=1.5)
    assert by_focus.blur_pix[frame.label] == pytest.approx(detector.optics.blur.value, abs=0.02)
    assert better.psf.data.shape == frame.psf.data.shape
    assert (
        np.abs(better.psf.data - true.data).max() < 0.15 * np.abs(frame.psf.data - true.data).max()
    )

"""Dithered WFC3/IR frames of GOODS-S: direct images and grisms, few stars and many galaxies."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import center_of_mass, label
from scipy.ndimage import sum as ndimage_sum

from hst123r.algorithms.sphere import to_tangent_plane

pytestmark = [pytest.mark.real, pytest.mark.heavy]
CENTRE = (53.0715, -27.7093)
F140W = ("ib6o23rtq", "ib6o23rwq", "ib6o23rzq", "ib6o23s2q")
F098M = ("ib6o21qnq", "ib6o21qqq", "ib6o21r7q", "ib6o21raq")
CUT = 2.0
"""Electrons per second above which pixels belong to something, in files of whole numbers."""


@pytest.fixture(scope="module")
def done(ers, run_on):
    stages = (
        "reference: {filter: F140W}", "align: {min_matches: 6}", "drizzle: {name: stacks}",
        "detect: {}",
    )  # fmt: skip
    return run_on("ers", ers, f"{CENTRE[0]} {CENTRE[1]}", stages)


def test_grisms_are_left_out_with_the_reason(done):
    grisms = {root: why for root, why in done.rejects.items() if "is a grism" in why}
    assert len(grisms) == 8
    assert {why.split()[0] for why in grisms.values()} == {"G102", "G141"}


def offsets(paths, sources):
    """Mean offsets of exposures from the first one, mas, by what stands out in them."""
    found = []
    for path in paths:
        sky, flux = sources(path, 1.5, 8.0)
        bright = np.argsort(-flux)[:150]
        found.append(np.stack(to_tangent_plane(*sky[bright].T, *CENTRE), axis=1))
    result = []
    for other in found[1:]:
        apart = other[:, None, :] - found[0]
        distance = np.hypot(apart[..., 0], apart[..., 1])
        nearest = distance.argmin(axis=1)
        rows = np.flatnonzero(distance.min(axis=1) < 0.25)
        difference = apart[rows, nearest[rows]]
        assert len(difference) > 15
        result.append(1000 * np.median(difference, axis=0))
    return np.array(result)


def test_the_direct_images_are_aligned(done, ers, sources):
    before = offsets([ers / f"{root}_flt.fits" for root in F140W], sources)
    after = offsets([done.product(f"align/*/{root}_flt.fits") for root in F140W], sources)
    assert np.max(np.hypot(*before.T)) > 60
    # the pixels of these files are whole electrons per second, cut at the sky
    assert np.max(np.hypot(*after.T)) < 20
    matches = done.measured("align", "matches")
    assert all(matches[root] >= 6 for root in F140W)


def test_galaxies_tie_what_stars_do_not(done):
    """By stars alone nine to twenty-one matches are found in F140W, and none in F098M."""
    matches = done.measured("align", "matches")
    assert min(matches[root] for root in F140W) >= 100
    assert min(matches[root] for root in F098M) >= 15


def blobs(path):
    """Find what is connected above the cut; nothing of ours, and no PSF."""
    with fits.open(path) as hdus:
        image = hdus["SCI", 1].data - np.median(hdus["SCI", 1].data)
        labels, number = label(image >= CUT)
        index = np.arange(1, number + 1)
        pixels = ndimage_sum(image >= CUT, labels, index)
        index = index[(pixels >= 5) & (pixels <= 80)]
        y, x = np.array(center_of_mass(image, labels, index)).T
        flux = ndimage_sum(image, labels, index)
        ra, dec = WCS(hdus["SCI", 1].header, hdus).all_pix2world(x, y, 0)
    bright = np.argsort(-flux)[:150]
    return np.stack(to_tangent_plane(ra[bright], dec[bright], *CENTRE), axis=1)


def test_the_other_filter_stands_on_the_first(done, ers):
    def apart(paths):
        first, *others = (blobs(path) for path in paths)
        found = []
        for other in others:
            difference = other[:, None, :] - first
            distance = np.hypot(difference[..., 0], difference[..., 1])
            rows = np.flatnonzero(distance.min(axis=1) < 0.25)
            assert len(rows) >= 10
            nearest = distance[rows].argmin(axis=1)
            found.append(1000 * np.median(difference[rows, nearest], axis=0))
        return np.hypot(*np.array(found).T)

    roots = F140W[:1] + F098M
    before = apart([ers / f"{root}_flt.fits" for root in roots])
    after = apart([done.product(f"align/*/{root}_flt.fits") for root in roots])
    assert before.max() > 25
    # medians of a dozen centroids are good to five or six mas along each axis
    assert after.max() < 18


def test_they_are_drizzled(done):
    path = done.product("stacks/*f140w/*_drz.fits")
    with fits.open(path) as hdus:
        assert hdus[0].header["NINPUT"] == 4
        assert hdus["SCI"].header["BUNIT"] == "ELECTRONS/S"
        weight = hdus["WHT"].data
        # four exposures of 203 s each, so four times that where all overlap
        assert weight.max() == pytest.approx(4 * 202.93, rel=0.35)
        assert set(np.unique(hdus["CTX"].data)) >= {0, 15}
    report = {item["stage"]: item for item in done.report["stages"]}
    assert [job["state"] for job in report["detect"]["jobs"]] == ["done"]
    assert "sky_cut" in {row["code"] for row in done.report["caveats"]}

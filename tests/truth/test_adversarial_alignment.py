"""Fields on which an alignment can go wrong: it is refused or right, and never good when wrong.

Random fields of eleven kinds, 220 for each geometry, go through what the stage does between its
star lists and its verdict: match, fit, correct the WCS, match again, and the limits.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from astropy.wcs import WCS

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.records.geometry import PARAMETERS
from hst123r.sources.alignment import Frame, ReferenceStars, compare
from hst123r.sources.corrections import correct, fit_pairs
from hst123r.sources.stars import ChipStars
from hst123r.stages.align import AlignParams

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC, SCALE, SIZE = 150.0, 2.0, 0.05, 1000
CENTRE = (RA, DEC)
ERROR_PIX = 0.03
WRONG_PIX = 0.3
"""A solution that is off by more than this anywhere on the frame is wrong."""
FIELDS = 20
HOPELESS = ("apart", "few", "turned", "another", "far", "empty", "echoed")
POSSIBLE = ("plain", "doubled", "crowded", "hits")
REFUSED = 0
"""Of the eighty fields of a geometry that could have been aligned."""
PARAMS = AlignParams()


def plane(dx=0.0, dy=0.0, roll_deg=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = CENTRE
    wcs.wcs.crpix = [SIZE / 2 + dx, SIZE / 2 + dy]
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * SCALE / 3600
    wcs.pixel_shape = (SIZE, SIZE)
    return wcs


def positions(kind, rng):
    """Return the pixels of stars of the exposure, and of the catalogue, by the true WCS."""
    number = int(rng.integers(40, 160))
    seen = rng.uniform(0, SIZE, (4 if kind == "few" else number, 2))
    if kind == "crowded":
        seen = np.concatenate([seen, rng.normal(SIZE / 2, 25, (150, 2))])
    known = seen[rng.random(len(seen)) < 0.8] if kind != "few" else seen
    known = np.concatenate([known, rng.uniform(0, SIZE, (number // 4, 2))])
    if kind == "doubled":
        seen = np.concatenate([seen, seen + rng.uniform(-4, 4, seen.shape)])
    if kind == "echoed":
        # every star has the same companion: which of the two is the star, nobody can tell
        seen = np.concatenate([seen, seen + rng.uniform(3, 9) * np.array([1.0, 0.4])])
    if kind == "hits":
        seen = np.concatenate([seen, rng.uniform(0, SIZE, (int(0.43 * number), 2))])
    if kind == "apart":
        known = known + np.array([1.5 * SIZE, 0])
    if kind == "another":
        known = rng.uniform(0, SIZE, known.shape)
    if kind == "far":
        known = known + 5.0 / SCALE * np.array([0.6, 0.8])
    if kind == "few":
        known = known[:4]
    if kind == "empty":
        seen = seen[:0]
    return rng.permutation(seen), rng.permutation(known)


def verdict(kind, rng, geometry):
    """Align one field; return whether it is good, and how far off the frame is, pixels."""
    truth = plane()
    least = AlignParams(geometry=geometry).least
    turn = 2.0 * rng.choice([-1, 1]) if kind == "turned" else rng.uniform(-0.05, 0.05)
    if geometry == "shift" and kind != "turned":
        # what a shift cannot take out is not asked of it
        turn = 0.0
    given = plane(*rng.uniform(-12, 12, 2), roll_deg=turn)
    seen, known = positions(kind, rng)
    ra, dec = truth.all_pix2world(known, 0).T if len(known) else (np.zeros(0), np.zeros(0))
    x, y = (seen + rng.normal(0, ERROR_PIX, seen.shape)).T
    ones = np.ones(x.size)
    chips = {
        1: ChipStars(x, y, ones, ones, ones, ones, ERROR_PIX * ones, ERROR_PIX * SCALE * ones,
                     np.zeros((4, 2)))
    }  # fmt: skip
    reference = ReferenceStars(ra, dec, np.full(ra.size, 0.001), np.ones(ra.size))
    frame = Frame(SCALE, PARAMS.search_radius.to("pix"), PARAMS.tolerance.to("pix"), geometry)
    before = compare(chips, {1: given}, reference, frame)
    if before.pairs < least:
        return False, 0.0
    fitted = fit_pairs(before.pairing, geometry, 0.005 * SCALE)
    new = correct({1: given}, fitted.transform, before.pairing.centre_deg)
    after = compare(chips, new, reference, frame)
    limit_mas = PARAMS.max_rms.to("pix") * SCALE * 1000
    good = after.pairs >= least and max(after.rms_mas) <= limit_mas
    good &= after.error_mas <= PARAMS.max_error.to("pix") * SCALE * 1000
    if fitted.check.size:
        good &= after.rms_of(before.star[fitted.check]) <= limit_mas
    grid = np.stack(np.meshgrid([0, SIZE / 2, SIZE], [0, SIZE / 2, SIZE]), -1).reshape(-1, 2)
    here = np.stack(to_tangent_plane(*new[1].all_pix2world(grid, 0).T, *CENTRE), axis=1)
    there = np.stack(to_tangent_plane(*truth.all_pix2world(grid, 0).T, *CENTRE), axis=1)
    return bool(good), float(np.hypot(*(here - there).T).max() / SCALE)


@pytest.fixture(scope="module", params=PARAMETERS)
def verdicts(request):
    rng = np.random.default_rng(2024)
    return {
        kind: [verdict(kind, rng, request.param) for _ in range(FIELDS)]
        for kind in HOPELESS + POSSIBLE
    }


def test_nothing_wrong_is_good(verdicts):
    wrong = Counter(
        kind for kind, found in verdicts.items() for good, off in found if good and off > WRONG_PIX
    )
    assert wrong == {}


@pytest.mark.parametrize("kind", HOPELESS)
def test_what_cannot_be_aligned_is_refused(verdicts, kind):
    assert not any(good for good, _ in verdicts[kind])


def test_few_fields_are_refused_needlessly(verdicts):
    refused = {kind: sum(not good for good, _ in verdicts[kind]) for kind in POSSIBLE}
    assert sum(refused.values()) <= REFUSED, refused

"""Exposures of a visit that do not agree: who is right, and who is not."""

import numpy as np
import pytest
from astropy.wcs import WCS

from hst123r.alignment import siblings, verdict
from hst123r.alignment.params import AlignParams
from hst123r.alignment.solution import Attempt, Solution
from hst123r.alignment.visit import Visit
from hst123r.sources.alignment import Frame, ReferenceStars, as_catalogue, compare
from hst123r.sources.stars import ChipStars

SCALE, SIZE = 0.05, 800
WRONG_PIX = 0.6
"""Above the limit of 0.3 pixel between siblings."""


class Root:
    def __init__(self, root):
        self.root = root


class Toy(Visit):
    """A visit in memory: exposures have the same stars, and a WCS that is off by some pixels."""

    def __init__(self, offsets, counts):
        rng = np.random.default_rng(3)
        self.params = AlignParams()
        self.scale_arcsec = SCALE
        self.frame = Frame(SCALE, 20.0, 1.0, "rscale")
        self.exposures = [Root(f"exposure{number}") for number in range(len(offsets))]
        self.groups = [0] * len(offsets)
        xy = rng.uniform(0, SIZE, (120, 2))
        self.wcs = [plane(offset) for offset in offsets]
        self.stars = []
        for count in counts:
            x, y = (xy[:count] + rng.normal(0, 0.02, (count, 2))).T
            ones = np.ones(count)
            error = 0.02 * ones
            self.stars.append({
                1: ChipStars(x, y, ones, ones, ones, ones, error, error * SCALE, np.zeros((4, 2)))
            })  # fmt: skip
        ra, dec = plane(0.0).all_pix2world(xy, 0).T
        self.reference = ReferenceStars(ra, dec, np.full(len(ra), 0.001), np.ones(len(ra)))

    def residual(self, number, catalogue=None, frame=None):
        wanted = self.reference if catalogue is None else catalogue
        return compare(self.stars[number], {1: self.wcs[number]}, wanted, frame or self.frame)

    def catalogue(self, number):
        return as_catalogue(self.stars[number], {1: self.wcs[number]})


def plane(offset_pix):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [SIZE / 2 + offset_pix, SIZE / 2]
    wcs.wcs.cd = np.diag([-SCALE, SCALE]) / 3600
    return wcs


def wrong(offsets, counts):
    """Return which exposures of a visit are said to be off their siblings."""
    visit = Toy(offsets, counts)
    solutions = [Solution("tweakwcs", visit.residual(n)) for n in range(len(offsets))]
    found = siblings.agreements(visit, solutions)
    return {number for number, agreement in found.items() if not verdict.agrees(visit, agreement)}


def test_all_that_agree_are_good():
    assert wrong((0, 0.01, -0.01, 0), (120, 110, 100, 90)) == set()


@pytest.mark.parametrize("number", [0, 1, 3])
def test_one_of_four_is_outvoted_though_it_is_the_surest(number):
    offsets = [0.0] * 4
    offsets[number] = WRONG_PIX
    assert wrong(offsets, (120, 110, 100, 90)) == {number}


def test_two_against_three():
    assert wrong((WRONG_PIX, 0, WRONG_PIX, 0, 0), (120, 110, 100, 90, 80)) == {0, 2}


@pytest.mark.parametrize("offsets", [(0, WRONG_PIX), (0, 0, WRONG_PIX, WRONG_PIX)])
def test_without_a_majority_what_differs_from_the_surest_is_bad(offsets):
    count = len(offsets)
    found = wrong(offsets, (120, 110, 100, 90)[:count])
    # of two nobody can tell which; of two pairs the surer one is believed
    assert found == ({0, 1} if count == 2 else {2, 3})


def test_the_outvoted_are_not_trusted_and_those_without_a_star_in_common_are():
    assert siblings.trusted(Toy((WRONG_PIX, 0, 0, 0), (120, 110, 100, 90)), range(4)) == [1, 2, 3]
    assert siblings.trusted(Toy((0, 0, 0, 0), (120, 110, 100, 0)), range(4)) == [0, 1, 2, 3]
    assert siblings.trusted(Toy((0, WRONG_PIX), (120, 110)), range(2)) == [0, 1]


def test_the_majority_is_named_in_the_order_of_certainty():
    visit = Toy((WRONG_PIX, 0, 0, 0), (120, 110, 100, 90))
    assert siblings.majority(visit, [0, 2, 1, 3]) == [2, 1, 3]
    assert siblings.majority(visit, [0, 1]) == []
    assert siblings.majority(visit, []) == []


def test_siblings_of_another_group_are_no_yardstick_and_no_donors(monkeypatch):
    """Two frames that differ by their headers: a part of the visit lies on each."""
    visit = Toy((0, 0, WRONG_PIX, WRONG_PIX), (120, 110, 100, 90))
    visit.groups = [0, 0, 1, 1]
    solutions = [Solution("tweakwcs", visit.residual(n)) for n in range(4)]
    found = siblings.agreements(visit, solutions)
    assert {n: agreement.sibling[-1] for n, agreement in found.items()} == {
        0: "1", 1: "0", 2: "3", 3: "2",
    }  # fmt: skip
    assert all(verdict.agrees(visit, agreement) for agreement in found.values())
    asked = {}

    def ask(visit, number, donors, solutions):
        asked[number] = list(donors)

    monkeypatch.setattr(siblings, "_by_stars", ask)
    monkeypatch.setattr(siblings, "_inherit", ask)
    visit = Toy((0, 0, 0, 0), (120, 110, 100, 90))
    visit.groups = [0, 0, 1, 1]
    for failed, donors in ((1, [0]), (3, [2])):
        states = ["failed" if n == failed else "tweakwcs" for n in range(4)]
        tried = (Attempt("rscale", 10, 20.0, 1.0, 90),)
        given = [
            Solution(state, visit.residual(n), attempts=tried) for n, state in enumerate(states)
        ]
        siblings.tie(visit, given)
        assert asked[failed] == donors


@pytest.mark.parametrize("state", ["sibling", "inherited", "visit"])
def test_the_error_of_the_chain_is_handed_on_to_what_has_no_matches_of_its_own(state):
    """It stands by stars of the donor, or of its visit, which one fit ties to the reference."""
    from types import SimpleNamespace

    from hst123r.alignment import verdict
    from hst123r.alignment.params import AlignParams
    from hst123r.alignment.solution import Attempt, Solution
    from hst123r.sources.alignment import Frame, ReferenceStars, compare

    nothing, ones = np.zeros(0), np.ones(3)
    empty = ReferenceStars(nothing, nothing, nothing, nothing)
    own = compare({}, {}, empty, Frame(0.05, 20.0, 1.0, "rscale"))
    reference = ReferenceStars(
        ones, ones, ones, ones, 0.0, np.array([0.0, 0.003, 0.004]), np.array([0, 1, 2])
    )
    visit = SimpleNamespace(params=AlignParams(), scale_arcsec=0.05, reference=reference)
    tried = Attempt("rscale", 10, 20.0, 1.0, 12, exposures=2)
    solution = Solution(state, own, None, "", 1.0, (tried,), np.array([1, 1, 2]))
    found = {m.name: m.value for m in verdict.measurements(visit, "a", solution, (0.0, 0.0))}
    assert found["links"] == 2
    assert found["frame_error"] == pytest.approx(np.sqrt((9 + 9 + 16) / 3))

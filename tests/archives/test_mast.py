"""What MAST has for a recipe, asked through the real client."""

import pytest
from loopback.client import QUICK

from hst123r import instruments
from hst123r.archives import endpoints
from hst123r.archives.criteria import Criteria
from hst123r.archives.mast import search
from hst123r.archives.portal import Portal
from hst123r.archives.replies import Replies
from hst123r.records.position import parse
from hst123r.records.target import Target

ONE, TWO = Target("one", parse("150.1 2.2")), Target("two", parse("10.5 -30"))


@pytest.fixture
def portal(archive):
    held = archive.holdings
    acs = held.add_observation("jtst01010", "ACS/WFC")
    held.add_product(acs, "jtst01abq_flc.fits", "jtst01abq")
    svm = held.add_observation("hst_99900_01_acs_wfc_f606w_jtst01", "ACS/WFC",
                               provenance_name="HAP-SVM")  # fmt: skip
    held.add_product(svm, "hst_99900_01_acs_wfc_f606w_jtst01ab_flc.fits", "jtst01ab")
    return Portal(endpoints.mast(), Replies(None), QUICK)


def test_targets_at_one_place_are_asked_for_once(archive, portal):
    same = Target("same", ONE.position)
    found = search(Criteria((ONE, same, TWO), 0.0, instruments.names()), portal)
    (exposure,) = found.exposures
    assert (exposure.root, exposure.targets) == ("jtst01abq", ["one", "same"])
    assert [entry.code for entry in found.left_out] == ["copy"]
    assert len(archive.requests("invoke")) == 3


def test_without_an_observation_no_products_are_asked_for(archive, portal):
    found = search(Criteria((TWO,), 0.0, instruments.names()), portal)
    assert (found.exposures, found.left_out) == ([], [])
    assert len(archive.requests("invoke")) == 1

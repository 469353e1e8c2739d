"""Which products are fetched: each exposure once, whole, and why not the rest."""

import json

import pytest
from loopback.holdings import Holdings

from hst123r import instruments
from hst123r.archives.observed import Observed
from hst123r.archives.product_choice import choose

DETECTORS = {
    "ACS/WFC": "jtst01010", "WFC3/IR": "itst01010", "WFPC2": "utst0101t", "ACS/HRC": "jtst09010"
}  # fmt: skip


@pytest.fixture
def held():
    return Holdings()


def parent(held, detector="ACS/WFC", **more):
    row = held.add_observation(DETECTORS[detector], detector, **more)
    return Observed(row, instruments.get(detector), ["T"])


def listed(held, observed, *names, **more):
    for name in names:
        held.add_product(observed.row, name, name[:9], **more)


def chosen(held, *parents, **more):
    found, left = choose(held.products, parents, **more)
    files = {item.root: [listed.name for listed in item.files.values()] for item in found}
    return files, {entry.subject: entry.code for entry in left}


def test_the_preferred_product_is_taken_and_the_other_named(held):
    acs = parent(held)
    listed(held, acs, "jtst01abq_flt.fits", "jtst01abq_flc.fits", "jtst01acq_flt.fits")
    files, left = chosen(held, acs)
    assert files == {"jtst01abq": ["jtst01abq_flc.fits"], "jtst01acq": ["jtst01acq_flt.fits"]}
    assert left == {"jtst01abq_flt.fits": "product"}


def test_each_detector_has_its_own(held):
    infrared, blue = parent(held, "WFC3/IR"), parent(held, "ACS/HRC")
    listed(held, infrared, "itst01abq_flt.fits", "itst01abq_flc.fits")
    listed(held, blue, "jtst09abq_flt.fits", "jtst09abq_flc.fits")
    files, left = chosen(held, infrared, blue)
    assert files == {"itst01abq": ["itst01abq_flt.fits"], "jtst09abq": ["jtst09abq_flt.fits"]}
    assert left == {"*_flc": "product"}


def test_counts_and_their_data_quality_are_a_pair(held):
    old = parent(held, "WFPC2")
    listed(held, old, "utst0101t_c0m.fits", "utst0101t_c1m.fits", "utst0102t_c0m.fits",
           "utst0103t_c1m.fits", "utst0101t_c0f.fits")  # fmt: skip
    found, left = choose(held.products, [old])
    (only,) = found
    assert {role: item.name for role, item in only.files.items()} == {
        "science": "utst0101t_c0m.fits", "dq": "utst0101t_c1m.fits"
    }  # fmt: skip
    assert {entry.subject: entry.code for entry in left} == {
        "utst0102t_c0m.fits": "companion", "utst0103t_c1m.fits": "companion", "*_c0f": "product"
    }  # fmt: skip


def test_a_file_of_two_observations_is_fetched_once(held):
    first, second = parent(held), parent(held)
    for observed in (first, second):
        listed(held, observed, "jtst01abq_flc.fits")
    files, left = chosen(held, first, second)
    assert (list(files), left) == (["jtst01abq"], {})


@pytest.mark.parametrize(
    ("roots", "best"),
    [("qs", "s"), ("sq", "s"), ("rm", "m"), ("tp", "p"), ("qx", "q"), ("q", "q")],
)
def test_of_two_transmissions_the_better_is_taken(held, roots, best):
    acs = parent(held)
    listed(held, acs, *(f"jtst01ab{letter}_flc.fits" for letter in roots))
    files, left = chosen(held, acs)
    assert list(files) == [f"jtst01ab{best}"]
    assert left == {f"jtst01ab{other}": "transmission" for other in roots if other != best}


def test_a_better_transmission_that_is_not_whole_takes_no_place(held):
    wfpc2 = parent(held, "WFPC2")
    listed(held, wfpc2, "utst01abs_c0m.fits", "utst01abq_c0m.fits", "utst01abq_c1m.fits")
    files, left = chosen(held, wfpc2)
    assert list(files) == ["utst01abq"]
    assert left == {"utst01abs_c0m.fits": "companion"}


def test_copies_of_an_exposure_are_never_fetched(held):
    acs = parent(held)
    copy = "hst_12345_01_acs_wfc_f606w_jtst01ab_flc.fits"
    listed(held, acs, "jtst01abq_flc.fits")
    listed(held, acs, copy, project="HAP-SVM")
    listed(held, acs, "jtst01abs_flc.fits", project="HAP")
    files, left = chosen(held, acs)
    assert files == {"jtst01abq": ["jtst01abq_flc.fits"]}
    assert left == {copy: "copy", "jtst01abs_flc.fits": "copy"}


def test_what_nobody_wants_is_counted_by_kind(held):
    acs = parent(held)
    listed(held, acs, "jtst01abq_flc.fits", "jtst01abq_raw.fits", "jtst01acq_raw.fits",
           "jtst01abq_flc_hlet.fits", "jtst01abq_spt.fits", "notes.txt",
           "jtst01010_drc.jpg")  # fmt: skip
    _, left = choose(held.products, [acs])
    assert {entry.subject: entry.reason.partition(",")[0] for entry in left} == {
        "*_raw": "2 files", "*_spt": "1 file", "*_hlet": "1 file", "*_notes": "1 file",
        "*_drc": "1 file",
    }  # fmt: skip


def test_an_exposure_that_the_recipe_leaves_out_is_named(held):
    acs = parent(held)
    listed(held, acs, "jtst01abq_flc.fits", "jtst01acq_flc.fits")
    files, left = chosen(held, acs, exclude=frozenset({"jtst01abq"}))
    assert (list(files), left) == (["jtst01acq"], {"jtst01abq": "excluded"})


def test_rights_and_release_come_with_it(held):
    acs = parent(held, dataRights="EXCLUSIVE_ACCESS", t_obs_release=61000.5)
    listed(held, acs, "jtst01abq_flc.fits", size=168_000_000)
    listed(held, acs, "jtst01acq_flc.fits", dataRights="PUBLIC", size=None)
    first, second = choose(held.products, [acs])[0]
    assert (first.public, first.release_mjd, first.size) == (False, 61000.5, 168_000_000)
    assert (second.public, second.size) == (True, 0)
    assert first.files["science"].uri == "mast:HST/product/jtst01abq_flc.fits"


def test_a_product_without_a_known_parent_is_not_guessed_at(held):
    acs, infrared = parent(held), parent(held, "WFC3/IR")
    listed(held, acs, "jtst01abq_flc.fits", parent_obsid=0)
    listed(held, acs, "jtst01acq_flc.fits", parent_obsid=0, obsID=0)
    files, left = chosen(held, acs, infrared)
    assert (list(files), left) == (["jtst01abq"], {"*_flc": "product"})


def test_a_recorded_reply_of_mast(shared_data):
    rows = json.loads((shared_data / "mast" / "products.json").read_text())["data"]
    row = {"obsid": 2003738726, "obs_id": "U9O40504M", "filters": "F606W"}
    found, left = choose(rows, [Observed(row, instruments.get("WFPC2"), ["T"])])
    (only,) = found
    assert (only.root, only.size) == ("u9o40504m", 10307520 + 5178240)
    assert {role: item.uri for role, item in only.files.items()} == {
        "science": "mast:HST/product/u9o40504m_c0m.fits",
        "dq": "mast:HST/product/u9o40504m_c1m.fits",
    }
    assert len(left) == 20

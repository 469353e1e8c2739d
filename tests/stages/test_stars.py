"""The stars of each exposure, measured once."""

import numpy as np
import pytest

from hst123r.products.star_lists import read_stars

ROOT = "jsi00201q"


@pytest.fixture
def exposures(small):
    return {"exposure": small.products("exposures", "exposure")}


def test_there_is_a_job_for_each_exposure_with_its_detector_and_filter(exposures, divide):
    jobs = divide("stars", exposures)
    assert len(jobs) == 6
    assert jobs[ROOT].labels["detector"] == "ACS/WFC"
    assert {job.labels["filter"] for job in jobs.values()} == {"F606W", "F814W"}


def test_reference_and_align_use_what_was_measured(small):
    counted = small.measured("stars", "stars")
    assert len(counted) == 6
    found = read_stars(small.path(f"stars/{ROOT}/{ROOT}_stars.fits"))
    assert sum(len(chip) for chip in found.values()) == counted[ROOT]
    # align takes at most 500 of a chip
    assert small.measured("align", "detected_stars")[ROOT] == counted[ROOT] < 500
    reads = small.store.db.query(
        "select distinct i.kind from job_input i join job j on j.id = i.job_id "
        "where j.stage = 'reference'"
    )
    assert {row["kind"] for row in reads} == {"exposure", "stars"}


def test_parameters_decide_which_stars_are_kept(exposures, divide, do):
    counts = {}
    for name, given in {
        "as they are": {"sources": "stars"}, "clear": {"min_snr": 50.0, "sources": "stars"},
        "galaxies too": {"sources": "all"}, "few": {"brightest": 10, "sources": "stars"},
    }.items():  # fmt: skip
        outcome = do("stars", divide("stars", exposures, given)[ROOT], given)
        counts[name] = outcome.products[0].facts["stars"]
        (product,) = outcome.products
        found = read_stars(product.files["stars"])
        assert all(np.all(np.diff(chip.rate) <= 0) for chip in found.values())
    assert counts["clear"] < counts["as they are"] < counts["galaxies too"]
    assert counts["few"] <= 20

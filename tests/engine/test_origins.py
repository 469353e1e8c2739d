"""Where each number of a run comes from, against what the simulation really made."""

import pytest

from hst123r.engine.lineage import trace
from hst123r.engine.origins import origins
from hst123r.provenance.reading import reading


@pytest.fixture(scope="module")
def found(finished):
    with reading(finished) as store:
        return origins(store, "")


def test_points_rest_on_the_raw_files_and_on_nothing_else(finished, found):
    raw = {path.name for path in (finished / "raw").glob("*_fl[ct].fits")}
    assert raw
    for behind in found["lineages"].values():
        assert {found["files"][path]["name"] for path in behind["files"]} == raw
    assert {file["name"] for file in found["files"].values()} == raw


def test_it_is_what_lineage_answers(finished, found):
    for row in found["points"]:
        if row["level"] != "epoch":
            continue
        told = trace(
            finished, f"{row['target']}/{row['filter']}/{row['epoch']}", down=False
        )  # fmt: skip
        behind = found["lineages"][row["lineage"]]
        assert sorted(end["path"] for end in told["ends"]) == behind["files"]
        assert sorted(job["job"] for job in told["jobs"]) == behind["jobs"]


def test_the_exposures_in_a_point_are_those_it_counts(found):
    assert found["points"]
    for row in found["points"]:
        assert len(row["exposures"]) == row["n_exposures"], row
        if row["level"] == "exposure":
            assert row["exposures"] == [row["exposure"]]
    epochs = {row["epoch"]: set(row["exposures"]) for row in found["points"]
              if row["level"] == "epoch"}  # fmt: skip
    assert len(epochs) == 2
    assert not set.intersection(*epochs.values())


def test_jobs_have_key_software_and_parameters(found):
    job = next(job for job in found["jobs"] if job["stage"] == "scrape")
    assert job["key"].startswith("blake3:")
    assert "astropy" in job["tools"]
    names = {item["name"]: item["origin"] for item in found["sets"]["scrape"][job["set"]]}
    assert names["cutout"] == "stage default"
    assert {made["kind"] for made in job["products"]} == {"light curve"}
    assert all(job["own"] for job in found["jobs"])


def test_nothing_tells_of_this_machine(finished, found):
    assert str(finished.parent) not in repr(found)

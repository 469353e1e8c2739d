"""Two runs: what differs is said, and nothing else."""

import shutil
import sqlite3

import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.engine.diff import LISTS, diff
from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.provenance.store import Store
from hst123r.provenance.tags import put


def compare(folder, one, other):
    return diff(folder, str(one), str(other), radius_arcsec=0.05, stars=5)


def test_a_run_equals_itself_and_a_copy(finished, tmp_path):
    """A run with nothing to do has the results of the one before."""
    found = compare(finished, 1, 1)
    assert found["equal"]
    assert not any(found[name] for name in LISTS)
    shutil.copytree(finished, tmp_path / "copy")
    found = compare(None, finished, tmp_path / "copy")
    assert found["equal"]
    assert found["b"]["folder"] == str(tmp_path / "copy")


def test_a_parameter_is_told_with_its_origin_and_the_jobs_it_concerns(ran, first_run):
    ran.run(first_run, "select.min_exposure=50 s")
    found = compare(ran.workspace.folder, 1, 2)
    assert not found["equal"]
    (parameter,) = found["parameters"]
    assert (parameter["stage"], parameter["name"], parameter["b"]) == (
        "select", "min_exposure", "50 s"
    )  # fmt: skip
    assert (parameter["origin_a"], parameter["origin_b"]) == ("stage default", "--set")
    assert {job["stage"] for job in found["jobs"]} == {"select"}
    assert "min_exposure: 15 s → 50 s" in found["jobs"][0]["why"][0]
    # the table of exposures is the same, so nothing after it ran
    assert found["files"] == []
    assert found["software"] == []


def test_an_input_is_told_by_facet(ran, first_run, tmp_path):
    data = first_run.parent / "data" / "jsi00101q_flc.fits"
    before = data.read_bytes()
    try:
        with fits.open(data, mode="update") as hdus:
            hdus["SCI", 1].data[3, 3] += 1
        ran.run(first_run)
    finally:
        data.write_bytes(before)
    found = compare(ran.workspace.folder, 1, 2)
    files = {row["path"]: row["facets"] for row in found["files"]}
    assert files["raw/jsi00101q_flc.fits"] == ["pixels"]
    (fetched,) = [job for job in found["jobs"] if job["stage"] == "fetch"]
    assert fetched["label"] == "jsi00101q"
    assert fetched["why"][0].startswith("input ")
    assert "changed (" in fetched["why"][0]


def test_what_is_volatile_is_no_difference(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    with sqlite3.connect(folder / "hst123r.sqlite") as store:
        changed = store.execute(
            "update content set digest = 'blake3:0', facets = json_set(facets, '$.volatile', 'x') "
            "where id = (select min(id) from content where facets like '%pixels%')"
        ).rowcount
    store.close()
    assert changed == 1
    assert compare(None, finished, folder)["files"] == []


@pytest.fixture
def brighter(finished, tmp_path):
    """A copy in which the catalogue, the light curve, a measurement and a package differ."""
    folder = tmp_path / "other"
    shutil.copytree(finished, folder)
    inside = "products/photometry/SN-acs_wfc-f606w/SN-acs_wfc-f606w_catalog.ecsv"
    catalogue = Table.read(folder / inside)
    catalogue["flux"][0] += 5 * catalogue["flux_err"][0]
    catalogue.write(folder / inside, overwrite=True)
    with sqlite3.connect(folder / "hst123r.sqlite") as store:
        digest = look(folder / inside).digest
        store.execute(
            "update content set digest = ? where id = "
            "(select content_id from product_file where path = ? and owned)", [digest, inside]
        )  # fmt: skip
        store.execute(
            "update photometry set flux_njy = flux_njy + 5 * flux_err_njy "
            "where target = 'SN' and level = 'filter' and filter = 'F606W'"
        )
        store.execute(
            "update measurement set value = value + 1 where id = "
            "(select min(id) from measurement where name = 'matches')"
        )
        store.execute("update environment set packages = json_set(packages, '$.astropy', '1.0')")
    store.close()
    return folder


def test_two_peoples_stores_are_compared_star_by_star(finished, brighter):
    found = compare(None, finished, brighter)
    (point,) = found["photometry"]
    assert point["sigma"] == pytest.approx(5 / 2**0.5)
    (measured,) = found["measurements"]
    assert measured["b"] == measured["a"] + 1
    (package,) = found["software"]
    assert (package["name"], package["b"]) == ("astropy", "1.0")
    (catalogue,) = found["catalogues"]
    assert catalogue["matched"] == catalogue["a"] == catalogue["b"]
    assert catalogue["different"] == 1
    assert catalogue["stars"][0]["sigma"] == pytest.approx(5 / 2**0.5, rel=1e-3)
    assert not found["equal"]
    assert found["jobs"] == found["parameters"] == []


def test_a_catalogue_that_was_replaced_is_said(finished, brighter):
    inside = "products/photometry/SN-acs_wfc-f606w/SN-acs_wfc-f606w_catalog.ecsv"
    shutil.copy(finished / inside, brighter / inside)
    (catalogue,) = compare(None, finished, brighter)["catalogues"]
    assert "run 1 is no longer on disk" in catalogue["missing"]


def test_runs_by_tag_and_recipes(ran, first_run, tmp_path):
    store = Store(ran.workspace.folder)
    put(store.db, "paper-v1", 1, "")
    store.close()
    assert compare(ran.workspace.folder, "paper-v1", f"{ran.workspace.folder}:1")["equal"]
    other = tmp_path / "other.yaml"
    other.write_text(
        first_run.read_text().replace("exposures: {}", "exposures: {epoch_gap: 2 day}")
    )
    found = compare(None, first_run, other)
    (row,) = found["parameters"]
    assert (row["a"], row["b"]) == ("1 day", "2 day")
    assert compare(None, first_run, first_run)["equal"]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ("9", "there is no run 9"),
        ("paper", "no run or tag 'paper'"),
        ("/nowhere/at/all", "no work directory"),
    ],
)
def test_what_is_no_run_is_a_sentence(ran, first_run, other, sentence):
    with pytest.raises(InputError, match=sentence):
        compare(ran.workspace.folder, 1, other)
    with pytest.raises(InputError, match="a recipe can only be compared with a recipe"):
        compare(ran.workspace.folder, 1, first_run)
    with pytest.raises(InputError, match="there is none here"):
        compare(None, 1, 1)

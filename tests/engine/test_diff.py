"""Two runs: what differs is said, and nothing else."""

import shutil
import sqlite3
import subprocess
import sys

import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.engine.diff import LISTS, diff
from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.provenance.store import Store
from hst123r.provenance.tags import put
from hst123r.recipe.lock import Lock, save


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


def test_recipes_with_other_targets_and_blocks_differ(first_run, tmp_path):
    text = first_run.read_text()
    other = tmp_path / "other.yaml"
    other.write_text(
        text.replace("150.1 2.2", "165.1 2.2").replace(
            "exposures: {}]", "exposures: {}, drizzle: {for: {ACS/WFC: {pixfrac: 0.5}}}]"
        )
    )
    same = tmp_path / "same.yaml"
    same.write_text(text.replace("exposures: {}]", "exposures: {}, drizzle: {}]"))
    found = compare(None, same, other)
    assert not found["equal"]
    assert [(row["name"], row["b"]) for row in found["parameters"]] == [
        ("target T", {"position": "165.1 2.2"}), ("pixfrac for ACS/WFC", 0.5)
    ]  # fmt: skip


def test_runs_of_recipes_with_other_blocks_differ(ran, first_run):
    """The parameters of a run are those without detectors, so that blocks are looked at, too."""
    text = first_run.read_text()
    changed = first_run.with_name("blocks.yaml")
    changed.write_text(
        text.replace(
            "exposures: {}", "select: {for: {ACS/WFC: {min_exposure: 1 s}}}, exposures: {}"
        )
    )
    try:
        assert ran.run(changed).exit_code == 0
    finally:
        changed.unlink()
    found = compare(ran.workspace.folder, 1, 2)
    assert [(row["stage"], row["name"], row["b"]) for row in found["parameters"]] == [
        ("select", "min_exposure for ACS/WFC", "1 s")
    ]


def test_locks_are_compared_entry_by_entry(tmp_path, first_run):
    head = {"name": "r", "digest": "blake3:" + "0" * 64}
    software = [{"name": "astropy", "version": "7.0"}]
    paths = [tmp_path / f"{name}.lock.yaml" for name in "ab"]
    for path, number in zip(paths, ("7.0", "7.1"), strict=True):
        software[0]["version"] = number
        save(Lock.model_validate({"recipe": head, "software": software}), path)
    found = compare(None, *paths)
    assert found["locked"] == [
        {"section": "software", "name": "astropy", "text": "version 7.0 → 7.1"}
    ]
    assert not found["equal"]
    assert found["a"]["recipe"] == "r"
    assert compare(None, paths[0], paths[0])["equal"]
    with pytest.raises(InputError, match="a lock with a lock"):
        compare(None, paths[0], first_run)


def points(folder, change):
    """Put light curves of two sources into a store, and change the first one."""
    with sqlite3.connect(folder / "hst123r.sqlite") as store:
        (job,) = store.execute("select max(id) from job").fetchone()
        store.executemany(
            "insert into photometry (job_id, target, source, level, flux_njy, flux_err_njy, mag_ab,"
            " mag_err, limit_ab, flags) values (?, 'T', ?, 'filter', 5.0, 1.0, 29.0, 0.2, 28.0, 0)",
            [(job, "1"), (job, "2")],
        )
        store.execute(f"update photometry set {change} where source = '1'")
    store.close()


@pytest.mark.parametrize(
    "column", ["flux_njy", "flux_err_njy", "mag_ab", "mag_err", "limit_ab", "flags"]
)
def test_each_source_and_each_value_is_compared(first_run, tmp_path, column):
    folders = [tmp_path / name for name in "ab"]
    for folder, add in zip(folders, (0, 1), strict=True):
        shutil.copytree(first_run.parent / "work", folder)
        points(folder, f"{column} = {column} + {add}")
    (point,) = compare(None, *folders)["photometry"]
    assert (point["source"], point["what"]) == ("1", [column])


def test_what_names_its_run_is_no_difference(finished, tmp_path):
    """A copy in which the bytes are those of another run: reports, exports and pictures."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    with sqlite3.connect(folder / "hst123r.sqlite") as store:
        changed = store.execute(
            "update content set digest = 'blake3:' || id where id in (select f.content_id from "
            "product_file f join product p on p.id = f.product_id where f.owned and "
            "(p.kind in ('report', 'export') or f.role in ('preview', 'plot')))"
        ).rowcount
    store.close()
    assert changed > 6
    found = compare(None, finished, folder)
    assert found["files"] == []
    assert found["equal"]


@pytest.mark.release
@pytest.mark.heavy
def test_two_independent_runs_of_a_recipe_are_equal(finished, tmp_path):
    shutil.copy2(finished.parent / "small.yaml", tmp_path / "small.yaml")
    subprocess.run(
        [sys.executable, "-m", "hst123r", "run", "small.yaml"], cwd=tmp_path, check=True,
        capture_output=True,
    )  # fmt: skip
    found = compare(None, finished, tmp_path / "small")
    assert {name: found[name] for name in LISTS if found[name]} == {}
    assert found["equal"]


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

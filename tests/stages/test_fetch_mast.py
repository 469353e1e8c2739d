"""`fetch: {from: mast}` by the command line, against the archive on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits
from loopback.holdings import EXCLUSIVE

from hst123r.archives import arrived
from hst123r.cli.main import invoke

SECRET = "0123456789abcdefSECRET"


def roots(data):
    return sorted(path.name[:9] for path in data.iterdir())


def downloads(archive):
    return archive.requests("Download/file")


def rows(folder, query):
    with sqlite3.connect(folder / "r" / "hst123r.sqlite") as db:
        return db.execute(query).fetchall()


def withhold(archive, root, release_mjd=90000.0):
    """Make an exposure exclusive until the year 2105."""
    held = archive.holdings
    for uri, file in held.files.items():
        if root in uri:
            file.rights = EXCLUSIVE
    for product in held.products:
        if product["obs_id"] == root:
            product["dataRights"] = EXCLUSIVE
            for row in held.observations:
                if row["obsid"] == product["parent_obsid"]:
                    row.update(dataRights=EXCLUSIVE, t_obs_release=release_mjd)


def test_exposures_arrive_once_whole_and_recorded(archive, run_recipe, recipe, data):
    answer = run_recipe(recipe())
    assert answer.code == 0, answer.err
    raw = answer.folder / "r" / "raw"
    for path in data.iterdir():
        assert (raw / path.name).read_bytes() == path.read_bytes()
        assert (raw / path.name).stat().st_mode & 0o777 == 0o444
    assert sorted(path.name for path in raw.glob("*.fits")) == sorted(
        p.name for p in data.iterdir()
    )
    assert len(downloads(archive)) == 4
    found = rows(answer.folder, "select uri, path, size, status, sha256, retrieved from download")
    assert len(found) == 4
    assert {(row[1], row[4]) for row in found} == {
        (f"raw/{path.name}", hashlib.sha256(path.read_bytes()).hexdigest())
        for path in data.iterdir()
    }
    assert all(row[3] == "complete" and len(row[4]) == 64 and row[5] for row in found)
    rejects = answer.rejects
    assert rejects["jtst77010"] == "T is 0.5 arcsec outside its footprint"
    assert rejects["*_raw"].startswith("4 files")
    first = roots(data)[0]
    assert rejects[f"hst_99900_01_acs_wfc_f606w_{first[:8]}"].startswith("it was made by HAP-SVM")
    # a second run makes no request, and needs no network
    number = len(archive.log)
    for options in ((), ("--offline",)):
        again = run_recipe(recipe(), *options)
        assert again.code == 0
        assert "fetch      5 reused" in again.out
    assert len(archive.log) == number


def test_what_select_rules_out_is_not_fetched(archive, run_recipe, recipe, data):
    answer = run_recipe(recipe('{after: "2019-05-01"}'))
    # the archive gives one start to all, which is not true of all: the header decides
    assert answer.code == 2
    assert "MAST has no exposure of these targets that fits" in answer.err
    assert downloads(archive) == []
    for row in archive.holdings.observations:
        row["t_max"] = 58700.0
    second = run_recipe(recipe('{after: "2019-05-01"}'), "-C", "other")
    assert second.code == 0
    assert len(downloads(archive)) == 4
    assert rows_of_used(second.folder / "other") == 2


def rows_of_used(work):
    with sqlite3.connect(work / "hst123r.sqlite") as db:
        query = "select count(*) from product where kind = 'exposure'"
        return db.execute(query).fetchone()[0]


def test_what_select_excludes_is_not_fetched_and_known(archive, run_recipe, recipe, data):
    root = roots(data)[0]
    answer = run_recipe(recipe(f"{{exclude: [{root}, jtst99zzq]}}"))
    assert answer.code == 0, answer.err
    assert len(downloads(archive)) == 3
    assert answer.rejects[root] == "the recipe leaves it out"
    told = rows(answer.folder, "select subject from caveat where code = 'unknown'")
    assert told == [("jtst99zzq",)]


@pytest.mark.parametrize(
    ("command", "how"),
    [("run", signal.SIGINT), ("run", signal.SIGTERM), ("query", signal.SIGTERM)],
)
def test_the_first_signal_takes_effect_while_mast_is_asked(archive, recipe, tmp_path, command, how):
    archive.faults.add("POST.*invoke", "hang", None, seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "hst123r", command, str(recipe())], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not archive.requests("invoke"):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(how)
    try:
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in out + err


def test_a_missing_file_fails_with_its_name_and_the_rest_is_kept(archive, run_recipe, recipe, data):
    root = roots(data)[1]
    archive.holdings.files.pop(f"mast:HST/product/{root}_flc.fits")
    answer = run_recipe(recipe())
    assert answer.code == 5
    assert f"hst123r: fetch:{root}: {root}_flc.fits: the archive does not have it" in answer.err
    assert f"exclude: [{root}]" in answer.err
    assert len(list((answer.folder / "r" / "raw").glob("*.fits"))) == 3
    number = len(downloads(archive))
    more = run_recipe(recipe(), "--set", f"fetch.exclude=[{root}]")
    assert more.code == 0
    assert len(downloads(archive)) == number


def test_a_public_file_that_is_refused_is_asked_for_again(archive, run_recipe, recipe, data):
    root = roots(data)[2]
    archive.faults.add(f"GET.*{root}", "status", 1, code=403)
    answer = run_recipe(recipe())
    assert answer.code == 5
    assert f"{root}: it is public; MAST refused it without a token" in answer.err
    assert run_recipe(recipe()).code == 0
    assert rows_of_used(answer.folder / "r") >= 4


def test_exclusive_exposures_are_named_and_a_token_opens_them_and_is_found_nowhere(
    archive, run_recipe, recipe, data, monkeypatch
):
    root = roots(data)[2]
    withhold(archive, root)
    without = run_recipe(recipe())
    assert without.code == 3
    assert without.rejects[root] == "it is exclusive until 2105-04-16"
    assert len(downloads(archive)) == 3
    assert rows_of_used(without.folder / "r") == 3
    archive.holdings.tokens.add(SECRET)
    monkeypatch.setenv("MAST_API_TOKEN", SECRET)
    answer = run_recipe(recipe())
    assert answer.code == 0, answer.err
    assert rows_of_used(answer.folder / "r") >= 4
    sent = {entry["headers"].get("Authorization") for entry in downloads(archive)}
    assert sent == {None, f"token {SECRET}"}
    assert len([e for e in downloads(archive) if "Authorization" in e["headers"]]) == 1
    # once here, it needs no token any more
    monkeypatch.delenv("MAST_API_TOKEN")
    number = len(archive.log)
    assert run_recipe(recipe()).code == 0
    assert len(archive.log) == number
    assert SECRET not in answer.out + answer.err
    for path in answer.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_wrong_token_is_not_shown_and_a_better_one_is_tried(
    archive, run_recipe, recipe, data, monkeypatch
):
    root = roots(data)[2]
    withhold(archive, root)
    # of somebody who may not have this file
    archive.holdings.strangers.add(SECRET)
    monkeypatch.setenv("MAST_API_TOKEN", SECRET)
    answer = run_recipe(recipe())
    assert answer.code == 3
    assert answer.rejects[root].endswith("MAST refused it with your token")
    # without a network nothing is tried, and nothing fails
    assert run_recipe(recipe(), "--offline").code == 3
    number = len(downloads(archive))
    # a good token: only what was refused is asked for
    archive.holdings.tokens.add(f"{SECRET}2")
    monkeypatch.setenv("MAST_API_TOKEN", f"{SECRET}2")
    better = run_recipe(recipe())
    assert better.code == 0, better.err
    assert len(downloads(archive)) == number + 1
    assert run_recipe(recipe()).code == 0
    assert len(downloads(archive)) == number + 1
    for path in answer.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_token_that_has_expired_is_told_before_the_first_file(
    archive, run_recipe, recipe, data, monkeypatch
):
    withhold(archive, roots(data)[2])
    monkeypatch.setenv("MAST_API_TOKEN", SECRET)
    answer = run_recipe(recipe())
    assert answer.code == 2
    assert "MAST_API_TOKEN: MAST does not take this token: it is unknown, or has" in answer.err
    assert downloads(archive) == []
    assert len(archive.requests("whoami")) == 1
    # nothing that is to be written, and nothing without a network, needs an answer
    plan = run_recipe(recipe(), command="plan")
    assert plan.code == 10, plan.err
    assert run_recipe(recipe(), "--offline").code == 5
    assert len(archive.requests("whoami")) == 1
    # once it is taken, it is asked about once in a run
    archive.holdings.tokens.add(SECRET)
    better = run_recipe(recipe())
    assert better.code == 0, better.err
    assert len(archive.requests("whoami")) == 2
    for told in (answer, plan, better):
        assert SECRET not in told.out + told.err
    for path in better.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_offline_says_what_is_missing(archive, run_recipe, recipe, data):
    answer = run_recipe(recipe(), "--offline")
    assert answer.code == 5
    assert "MAST was not asked for these observations yet" in answer.err
    root = roots(data)[1]
    archive.faults.add(f"GET.*{root}", "status", None, code=404)
    assert run_recipe(recipe()).code == 5
    archive.log.clear()
    answer = run_recipe(recipe(), "--offline")
    assert answer.code == 5
    assert f"{root}_flc.fits is not here, and --offline forbids to fetch it" in answer.err
    assert archive.log == []


def test_an_archive_that_is_away_is_told(monkeypatch, archive, run_recipe, recipe):
    archive.faults.add("POST", "status", None, code=400)
    answer = run_recipe(recipe())
    assert answer.code == 5
    assert "the archive answered 400" in answer.err


def test_a_plan_asks_and_keeps_nothing(archive, recipe, data, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    withhold(archive, roots(data)[0])
    size = sum((data / f"{root}_flc.fits").stat().st_size for root in roots(data)[1:])
    assert invoke(["plan", str(recipe())]) == 10
    said = f"will fetch 3 files, {size / 1e6:.1f} MB; 1 exposure is exclusive"
    assert said in capfd.readouterr().out
    assert invoke(["plan", str(recipe()), "--json"]) == 10
    found = json.loads(capfd.readouterr().out)
    assert found["downloads"] == {"files": 3, "bytes": size, "exclusive": 1}
    assert found["asks"] == []
    assert downloads(archive) == []
    assert not (tmp_path / "r").exists()


def test_a_query_shows_what_a_run_would_fetch(archive, recipe, data, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    withhold(archive, roots(data)[0])
    assert invoke(["query", str(recipe())]) == 0
    out = capfd.readouterr().out
    size = sum(path.stat().st_size for path in data.iterdir())
    assert f"4 exposures in 4 files, {size / 1e6:.1f} MB" in out
    assert f"{roots(data)[0]} is exclusive, until 2105-04-16" in out
    assert invoke(["query", str(recipe()), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [row["exposure"] for row in found["exposures"]] == roots(data)
    assert (found["files"], found["bytes"], found["exclusive"]) == (4, size, 1)
    assert downloads(archive) == []
    assert not (tmp_path / "r").exists()


def test_a_query_goes_by_what_a_run_kept_until_it_is_renewed(
    archive, run_recipe, recipe, data, capfd
):
    assert run_recipe(recipe()).code == 0
    number = len(archive.log)
    row = archive.holdings.observations[0]
    archive.holdings.add_product(row, "jtst88abq_flc.fits", "jtst88abq")

    def names(*options):
        assert invoke(["query", str(recipe()), "--json", *options]) == 0
        return [row["exposure"] for row in json.loads(capfd.readouterr().out)["exposures"]]

    assert names("--offline") == roots(data)
    assert len(archive.log) == number
    assert names("--renew") == sorted([*roots(data), "jtst88abq"])
    assert names() == sorted([*roots(data), "jtst88abq"])


def test_a_query_is_about_every_stage_that_asks_mast(archive, recipe, data, capfd):
    """The first asks nobody; of the others each leaves out what the other wants."""
    first, *others = roots(data)
    path = recipe()
    path.write_text(
        path.read_text().replace(
            "  - fetch: {from: mast}\n",
            f"  - fetch: {{name: a, from: directory, path: {data}}}\n"
            f"  - fetch: {{name: b, from: mast, exclude: [{first}]}}\n"
            f"  - fetch: {{name: c, from: mast, exclude: [{', '.join(others)}]}}\n",
        )
    )
    assert invoke(["query", str(path), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [row["exposure"] for row in found["exposures"]] == [first, *others]
    assert found["files"] == 1 + len(others)
    assert not {row["subject"] for row in found["left_out"]} & {first, *others}


def test_a_recipe_without_mast_has_nothing_to_query(write_recipe, data, capfd):
    assert invoke(["query", str(write_recipe("exposures: {}"))]) == 2
    assert "fetches nothing from MAST" in capfd.readouterr().err


@pytest.mark.heavy
def test_counts_and_data_quality_arrive_as_a_pair(archive, run_recipe, recipe, tmp_path):
    held = archive.holdings
    held.observations.clear()
    made = simulated_pair(tmp_path / "pair")
    held.add_exposures(made, "WFPC2/PC", provenance_name="CALWFPC2", filters="F606W")
    answer = run_recipe(recipe())
    assert answer.code == 0, answer.err
    raw = answer.folder / "r" / "raw"
    assert sorted(path.name for path in raw.glob("*.fits")) == [path.name for path in made]
    (labels,) = rows(answer.folder, "select labels from product where kind = 'exposure'")
    assert json.loads(labels[0])["detector"] == "WFPC2"
    # without the data quality there is no exposure, but where the lock knows it
    held.products.pop()
    assert run_recipe(recipe(), "-C", "locked").code == 0
    (answer.folder / "recipe.lock.yaml").unlink()
    alone = run_recipe(recipe(), "-C", "other")
    assert alone.code == 2
    assert "1 companion" in alone.err


def simulated_pair(folder):
    """Make an exposure whose data quality is a file of its own; return both paths, sorted."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder.mkdir()
    observation = {"detector": "WFPC2", "filter": "F606W", "dates": ["2001-04-01"], "exposures": 1,
                   "exposure_time": "100 s", "size": "64 pix"}  # fmt: skip
    simulation = Simulation.model_validate(
        {"observations": [observation], "stars": {"number": 5, "radius": "2 arcsec"}}
    )
    target = Target("T", parse("150.1 2.2"))
    (programme,) = programmes(simulation, (target,), folder).values()
    made = make(programme, planned(programme)[0].root, folder)
    return sorted((made["science"], made["dq"]))


@pytest.mark.heavy
def test_a_run_that_is_killed_in_mid_transfer_is_taken_up_again(
    archive, run_recipe, recipe, data, tmp_path
):
    """Also Ctrl-C: what is done is kept, and the next run asks for the rest only."""
    root = roots(data)[3]
    path = data / f"{root}_flc.fits"
    with fits.open(path, mode="update") as hdus:
        hdus.append(fits.ImageHDU(noise(), name="EXTRA"))
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    archive.holdings.replace(f"mast:HST/product/{root}_flc.fits", path.read_bytes())
    archive.faults.add(f"GET.*{root}", "slow", 2, rate=1_000_000)
    parts = tmp_path / "r" / "raw" / "incoming" / f"{root}_flc.fits.part"
    for number, how in enumerate((signal.SIGKILL, signal.SIGINT)):
        process = subprocess.Popen(
            [sys.executable, "-m", "hst123r", "run", str(recipe())], cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        least = 300_000 * (number + 1)
        while not (parts.exists() and parts.stat().st_size > least):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        process.communicate(timeout=60)
    there = parts.stat().st_size
    answer = run_recipe(recipe())
    assert answer.code == 0, answer.err
    raw = answer.folder / "r" / "raw"
    assert (raw / path.name).read_bytes() == path.read_bytes()
    asked = [
        entry["headers"].get("Range") for entry in downloads(archive) if root in entry["request"]
    ]
    assert asked[-1] == f"bytes={there}-"
    others = [entry for entry in downloads(archive) if root not in entry["request"]]
    # nor is a file that had come while its job was not done yet
    assert len(others) == 3
    assert list((raw / "incoming").glob("*")) == []


def noise():
    return np.random.default_rng(3).normal(size=(500, 500))


def test_a_whole_file_of_a_job_that_was_ended_is_not_fetched_again(
    archive, run_recipe, recipe, data
):
    """Killed between the file and the result: the file lies in scratch, under its name."""
    from hst123r.engine.recover import recover
    from hst123r.engine.workspace import Workspace
    from hst123r.provenance.store import Store

    answer = run_recipe(recipe(), "--until", "fetch")
    number = len(downloads(archive))
    root = roots(data)[1]
    name = f"{root}_flc.fits"
    workspace = Workspace(answer.folder / "r")
    query = f"select id from job where label = '{root}'"
    ((job_id,),) = rows(answer.folder, query)
    attempt = workspace.attempt(job_id)
    (attempt / "out").mkdir(parents=True)
    (workspace.raw / name).rename(attempt / "out" / name)
    came = arrived.Arrival(f"mast:HST/product/{name}", '"kept"', "", "2026-01-01")
    arrived.note(attempt / name, attempt / "out" / name, came)
    order = {
        "job_id": job_id, "stage": "fetch", "handler": "fetch", "values": {}, "stamps": {},
        "job": {"label": root, "labels": {}, "inputs": {}, "notes": {}, "variants": [],
                "arguments": {"files": {"science": {"name": name}}}},
        "home": str(workspace.raw), "cores": 1, "offline": False, "key": None, "parts": [],
        "inputs": [], "signatures": {},
    }  # fmt: skip
    (attempt / "job.json").write_text(json.dumps(order))
    store = Store(workspace.folder)
    store.db.execute("update job set state = 'running' where id = ?", [job_id])
    assert f"fetch:{root} was interrupted" in recover(store, workspace)
    store.close()
    assert not attempt.exists()
    assert (workspace.raw / "incoming" / name).is_file()
    again = run_recipe(recipe(), "--until", "fetch")
    assert again.code == 0, again.err
    assert len(downloads(archive)) == number
    assert (workspace.raw / name).read_bytes() == (data / name).read_bytes()
    query = "select d.status from download d join job j on j.id = d.job_id where j.label = '{}'"
    assert rows(answer.folder, query.format(root)) == [("complete",), ("cached",)]
    # and what the archive said of it is known as if nothing had happened
    query = "select p.facts from product p join job j on j.id = p.job_id where j.label = '{}'"
    first, second = (json.loads(facts) for (facts,) in rows(answer.folder, query.format(root)))
    assert first["etag_science"]
    assert second["etag_science"] == '"kept"'
    assert second["source_science"] == "mast"
    assert list((workspace.raw / "incoming").glob("*")) == []

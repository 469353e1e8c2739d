"""Run or reuse on the real chain: every stage, from the exposures to the report."""

import json
import os
import shutil
import sqlite3
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits

from hst123r.engine.workspace import Workspace

ROOTS = ("jsi00101q", "jsi00102q", "jsi00201q", "jsi00202q")
CHAIN = """\
hst123r: 1
name: chain
targets: [{name: SN, position: "10:00:24.0 +02:12:00"}]
select: {filters: [F606W]}
stages:
  - fetch: {from: directory, path: data}
  - reference: {filter: F606W}
  - align: {}
  - drizzle: {name: epochs, per: [detector, filter, epoch]}
  - report: {}
"""


@pytest.fixture
def full(bench, copy_of_finished):
    """Return the bench in a copy of a finished run of every stage, and its recipe."""
    bench.workspace = Workspace(copy_of_finished)
    return copy_of_finished.parent / "small.yaml"


def actions(progress):
    """Return what a plan says of the jobs of each stage."""
    return {
        item.instance.name: dict(Counter(job.decision.action.value for job in item.jobs))
        for item in progress
    }


@pytest.mark.heavy
def test_touch_and_history_run_nothing(bench, full, states):
    for folder in (bench.workspace.raw, bench.workspace.products):
        for path in folder.rglob("*.*"):
            os.utime(path)
    for path in bench.workspace.folder.rglob("*.fits"):
        path.chmod(0o644)
        with fits.open(path, mode="update") as hdus:
            hdus[0].header.add_history("looked at")
    report = bench.run(full)
    assert set(states(report).values()) == {"reused"}
    assert report.exit_code == 0


@pytest.mark.heavy
def test_photometry_made_again_with_the_same_numbers_runs_nothing_after_it(bench, full, states):
    """Its file has other stamps, and whoever reads all of it does not mind them."""
    bench.run(full, redo=("photometry",), until="photometry")
    assert {name for name, state in states(bench.run(full)).items() if state != "reused"} == set()


@pytest.mark.heavy
def test_what_was_written_before_all_bytes_were_facets_is_as_it_was(bench, full, reasons):
    """An older store has the digest of a FITS file; it runs no jobs and blocks no repair."""
    with sqlite3.connect(bench.workspace.store) as db:
        rows = db.execute(
            "select i.path, i.id, i.job_id, i.identity, c.digest, j.stage, j.label "
            "from job_input i join content c on c.id = i.content_id join job j on j.id = i.job_id "
            "where c.facets != '{}' and json_extract(i.identity, '$.bytes') is not null"
        ).fetchall()
        for _, row, job, identity, digest, _, _ in rows:
            old = {**json.loads(identity), "bytes": digest}
            assert old != json.loads(identity)
            db.execute("update job_input set identity = ? where id = ?", [json.dumps(old), row])
            db.execute("update job set key = 'of then' where id = ?", [job])
    db.close()
    assert {stage for *_, stage, _ in rows} >= {"scrape", "export"}
    assert reasons(bench.plan(full)) == {}
    mend = {(stage, label): "it is broken" for *_, stage, label in rows}
    planned = bench.plan(full, mend=mend)
    found = {
        job.decision.action.value
        for item in planned
        for job in item.jobs
        if (item.instance.name, job.job.label) in mend
    }
    assert found == {"run"}
    # what did change is still told
    path = bench.workspace.folder / rows[0][0]
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["EQUINOX"] = 1950.0
    assert reasons(bench.plan(full)) != {}


@pytest.mark.heavy
def test_a_parameter_of_drizzle_leaves_align_alone(bench, full, states):
    changed = "stacks.pixfrac=0.6"
    found = actions(bench.plan(full, changed))
    above = ("fetch", "select", "exposures", "reference", "align", "epochs")
    assert all(set(found[name]) == {"reuse"} for name in above)
    assert found["stacks"] == {"run": 2}
    # what shows every parameter has to be made again; of the others that is open
    assert found.pop("report") == found.pop("export") == {"run": 1}
    below = ("detect", "photometry", "scrape")
    assert all(set(found[name]) == {"maybe"} for name in below)
    report = bench.run(full, changed, until="stacks")
    made = {name for name, state in states(report).items() if state == "done"}
    assert made == {"stacks:SN-acs_wfc-f606w", "stacks:SN-acs_wfc-f814w"}


@pytest.mark.heavy
def test_damaged_stacks_are_named_and_made_again(bench, full, states, reasons):
    stacks = {
        name: next(bench.workspace.products.glob(f"stacks/*-{name}/*_drz.fits"))
        for name in ("f606w", "f814w")
    }
    before = {name: fits.getdata(path, "SCI") for name, path in stacks.items()}
    content = stacks["f606w"].read_bytes()
    stacks["f606w"].write_bytes(content[: len(content) // 2])
    content = bytearray(stacks["f814w"].read_bytes())
    content[len(content) // 2] ^= 1
    stacks["f814w"].write_bytes(content)
    found = reasons(bench.plan(full))
    for name, path in stacks.items():
        (text,) = found[f"stacks:SN-acs_wfc-{name}"]
        shown = path.relative_to(bench.workspace.folder)
        assert text.startswith(f"product {shown} was altered")
    bench.run(full, until="stacks")
    for name, path in stacks.items():
        assert np.array_equal(fits.getdata(path, "SCI"), before[name], equal_nan=True)
    # the same came out, so that nothing after it runs
    assert reasons(bench.plan(full)) == {}


@pytest.mark.heavy
def test_one_pixel_runs_exactly_what_stands_on_it(bench, finished, tmp_path, states):
    """`select` and `exposures`, which read no pixel, are reused; they hand the new file on."""
    (tmp_path / "data").mkdir()
    for root in ROOTS:
        shutil.copy2(finished / "raw" / f"{root}_flc.fits", tmp_path / "data")
    recipe = tmp_path / "chain.yaml"
    recipe.write_text(CHAIN)
    assert bench.run(recipe).exit_code == 0
    path = tmp_path / "data" / "jsi00202q_flc.fits"
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[5, 5] += 1
    report = bench.run(recipe)
    assert report.exit_code == 0
    why = {
        job.name: [reason.text for reason in job.decision.reasons]
        for item in report.progress
        for job in item.jobs
        if job.state.value == "done"
    }
    # the first visit is what the others are aligned to, and has not changed
    assert why.pop("fetch:jsi00202q") == ["input user file jsi00202q changed (pixels)"]
    assert why.pop("stars:jsi00202q") == ["input exposure jsi00202q changed (pixels)"]
    assert why.pop("align:SN-99900_02-acs_wfc") == [
        "input exposure jsi00202q changed (pixels)",
        "input stars jsi00202q changed (pixels of stars)",
    ]
    # the pixel is part of the sky under a star, so the fit moves by some billionths of a pixel
    (reason,) = why.pop("epochs:SN-acs_wfc-f606w-20190610")
    assert reason.startswith("input exposure jsi00202q changed (pixels")
    assert set(why) == {"report:report"}
    assert set(states(bench.run(recipe)).values()) == {"reused"}

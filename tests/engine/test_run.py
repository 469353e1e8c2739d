"""Runs: what runs, what is reused, and what is recorded."""

import os
import time

import pytest
from astropy.io import fits

ROOTS = ("jsi00101q", "jsi00102q", "jsi00201q", "jsi00202q")


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def ran(found):
    return sorted(name for name, state in found.items() if state == "done")


def test_a_second_run_does_nothing_and_adds_two_rows_at_most(bench, recipe, states):
    first = bench.run(recipe)
    assert first.exit_code == 0
    assert len(states(first)) == 9
    assert set(states(first).values()) == {"done"}
    before = bench.count()
    second = bench.run(recipe)
    assert set(states(second).values()) == {"reused"}
    assert second.exit_code == 0
    assert sum(bench.count().values()) - sum(before.values()) <= 2


def test_raw_files_are_copies_and_read_only(bench, recipe, data):
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    bench.run(recipe)
    for path in data.iterdir():
        copy = bench.workspace.raw / path.name
        assert copy.read_bytes() == before[path.name] == path.read_bytes()
        assert copy.stat().st_mode & 0o222 == 0
        assert copy.stat().st_ino != path.stat().st_ino


def test_touching_every_file_runs_nothing_and_is_remembered(bench, recipe, data, states):
    bench.run(recipe)
    for folder in (data, bench.workspace.raw, bench.workspace.products):
        for path in folder.rglob("*.*"):
            os.utime(path)
    assert set(states(bench.run(recipe)).values()) == {"reused"}
    with bench.store() as store:
        for path in bench.workspace.raw.iterdir():
            assert store.contents.peek(str(path)) is not None


def test_a_history_card_runs_nothing(bench, recipe, data, states):
    bench.run(recipe)
    for path in data.iterdir():
        with fits.open(path, mode="update") as hdus:
            hdus[0].header.add_history("looked at")
    assert set(states(bench.run(recipe)).values()) == {"reused"}


def change_pixel(path):
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[5, 5] += 1


def test_one_pixel_runs_exactly_what_reads_it(bench, recipe, data, states):
    bench.run(recipe)
    change_pixel(data / "jsi00102q_flc.fits")
    report = bench.run(recipe)
    # select reads headers only, so it is reused
    assert ran(states(report)) == ["fetch:jsi00102q"]
    (job,) = [j for item in report.progress for j in item.jobs if j.state.value == "done"]
    assert [reason.text for reason in job.decision.reasons] == [
        "input user file jsi00102q changed (pixels)"
    ]


def test_a_header_card_runs_what_reads_headers_and_stops_where_nothing_changed(
    bench, recipe, data, states
):
    bench.run(recipe)
    with fits.open(data / "jsi00102q_flc.fits", mode="update") as hdus:
        hdus[0].header["SUN_ALT"] = 12.0
    # select runs again, finds the same facts, and so the table of exposures is reused
    assert ran(states(bench.run(recipe))) == ["fetch:jsi00102q", "select:jsi00102q"]


def test_a_parameter_runs_only_what_it_touches(bench, recipe, states):
    bench.run(recipe)
    report = bench.run(recipe, "exposures.epoch_gap=100 day")
    assert ran(states(report)) == ["exposures:all"]
    job = report.progress[-1].jobs[0]
    assert [reason.text for reason in job.decision.reasons] == [
        "parameter epoch_gap: 1 day → 100 day (--set)"
    ]


def test_all_reasons_are_given_not_the_first(bench, recipe, data, reasons):
    bench.run(recipe)
    change_pixel(bench.workspace.raw / "jsi00101q_flc.fits")
    change_pixel(data / "jsi00101q_flc.fits")
    with fits.open(data / "jsi00101q_flc.fits", mode="update") as hdus:
        hdus["DQ"].data[0, 0] = 4
    found = reasons(bench.plan(recipe))["fetch:jsi00101q"]
    assert found == [
        "input user file jsi00101q changed (dq, pixels)",
        "product raw/jsi00101q_flc.fits was altered (pixels)",
    ]


@pytest.mark.parametrize("damage", ["truncate", "flip a byte", "remove", "restore the time"])
def test_a_damaged_product_is_found_named_and_made_again(bench, recipe, states, damage):
    bench.run(recipe)
    path = bench.workspace.raw / "jsi00201q_flc.fits"
    whole, stat = path.read_bytes(), path.stat()
    path.chmod(0o644)
    if damage == "remove":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(whole[:-5760])
    else:
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    if damage == "restore the time":
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    report = bench.run(recipe)
    (job,) = [j for item in report.progress for j in item.jobs if j.state.value == "done"]
    assert job.name == "fetch:jsi00201q"
    (reason,) = job.decision.reasons
    word = "missing" if damage == "remove" else "altered"
    assert "raw/jsi00201q_flc.fits" in reason.text
    assert word in reason.text
    assert path.read_bytes() == whole


def test_a_history_card_in_a_raw_file_runs_nothing_but_verify_tells(bench, recipe, states):
    from hst123r.engine.verify import verify

    bench.run(recipe)
    path = bench.workspace.raw / "jsi00201q_flc.fits"
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.add_history("tampered")
    assert set(states(bench.run(recipe)).values()) == {"reused"}
    odd = [row for row in verify(bench.workspace.folder) if row["state"] != "ok"]
    assert [(row["state"], row["file"]) for row in odd] == [("altered", "raw/jsi00201q_flc.fits")]
    assert "volatile" in odd[0]["what"]


def test_a_new_exposure_is_added_and_the_others_are_reused(bench, data, write_recipe, states):
    hidden = data / "jsi00202q_flc.fits"
    content = hidden.read_bytes()
    hidden.unlink()
    recipe = write_recipe("exposures: {}")
    bench.run(recipe)
    hidden.write_bytes(content)
    report = bench.run(recipe)
    assert ran(states(report)) == ["exposures:all", "fetch:jsi00202q", "select:jsi00202q"]
    assert "input selected jsi00202q added" in " ".join(
        reason.text for reason in report.progress[-1].jobs[0].decision.reasons
    )


def test_a_removed_exposure_is_a_reason(bench, data, recipe, reasons):
    bench.run(recipe)
    (data / "jsi00202q_flc.fits").unlink()
    assert any("jsi00202q removed" in text for text in reasons(bench.plan(recipe))["exposures:all"])


def test_redo_only_until_and_ignore(bench, recipe, states, reasons):
    report = bench.run(recipe, until="select")
    assert {name.partition(":")[0] for name in states(report)} == {"fetch", "select"}
    report = bench.run(recipe, only="exposures")
    assert ran(states(report)) == ["exposures:all"]
    assert ran(states(bench.run(recipe, redo=("exposures",)))) == ["exposures:all"]
    assert ran(states(bench.run(recipe, redo=("select:jsi00101q",)))) == ["select:jsi00101q"]
    changed = "exposures.epoch_gap=9 day"
    assert ran(states(bench.run(recipe, changed, ignore=("parameter",)))) == []
    assert reasons(bench.plan(recipe, changed)) != {}


def test_only_says_what_has_to_run_first(bench, recipe, states):
    report = bench.run(recipe, only="exposures")
    assert set(states(report).values()) == {"blocked"}
    assert report.exit_code == 2


def test_an_input_that_changes_while_a_job_runs_fails_the_job(bench, recipe, data, monkeypatch):
    from hst123r.engine import ingest

    take_in = ingest.take_in

    def meddle(store, order, result, folder, usage):
        if order.job.label == "jsi00101q" and order.stage == "fetch":
            change_pixel(data / "jsi00101q_flc.fits")
        return take_in(store, order, result, folder, usage)

    monkeypatch.setattr("hst123r.engine.run.take_in", meddle)
    report = bench.run(recipe)
    failed = [j for item in report.progress for j in item.jobs if j.state.value == "failed"]
    assert [job.name for job in failed] == ["fetch:jsi00101q"]
    assert "input changed while the job ran" in failed[0].error
    assert not (bench.workspace.raw / "jsi00101q_flc.fits").exists()


def test_what_a_failure_keeps_from_running(bench, data, recipe, states):
    path = data / "jsi00101q_flc.fits"
    path.write_bytes(path.read_bytes()[:-2880])
    report = bench.run(recipe)
    found = states(report)
    assert found["fetch:jsi00101q"] == "failed"
    assert found["exposures:all"] == "blocked"
    # the other exposures are fetched and selected all the same
    assert [found[f"select:{root}"] for root in ROOTS[1:]] == ["done"] * 3
    assert report.exit_code == 2
    assert not list(bench.workspace.scratch.glob("*"))


def test_a_damaged_file_can_be_left_where_it_is(bench, data, recipe, states):
    path = data / "jsi00101q_flc.fits"
    path.write_bytes(path.read_bytes()[:-2880])
    report = bench.run(recipe)
    (blocked,) = [j for item in report.progress for j in item.jobs if j.state.value == "blocked"]
    said = " ".join(reason.text for reason in blocked.decision.reasons)
    assert "exclude: [jsi00101q]" in said
    report = bench.run(recipe, "fetch.exclude=[jsi00101q]")
    assert report.exit_code == 0
    found = states(report)
    # what was there already stays as it is
    assert [found[f"fetch:{root}"] for root in ROOTS[1:]] == ["reused"] * 3
    assert [row["code"] for row in report.left_out] == ["excluded"]


def test_what_is_recorded_of_a_run(bench, recipe):
    started = time.time()
    bench.run(recipe, "exposures.epoch_gap=2 day")
    with bench.store() as store:
        (run,) = store.db.query("select * from run")
        assert run["state"] == "done"
        assert run["exit_code"] == 0
        assert run["user"]
        assert run["host"]
        assert run["pid"] == os.getpid()
        assert '"exposures.epoch_gap=2 day"' in run["options"]
        (text,) = store.db.execute("select text from recipe").fetchone()
        assert text == recipe.read_text()
        (packages,) = store.db.execute("select packages from environment").fetchone()
        assert '"astropy"' in packages
        assert '"drizzlepac"' in packages
        jobs = list(store.db.query("select * from job"))
        assert all(job["cpu_seconds"] > 0 for job in jobs)
        assert all(job["peak_memory_mb"] > 10 for job in jobs)
        assert all((bench.workspace.folder / job["log"]).is_file() for job in jobs)
        origins = dict(
            store.db.execute(
                "select name, origin from job_param p join job j on j.id = p.job_id "
                "where j.stage = 'exposures' and p.kind = 'param'"
            ).fetchall()
        )
        assert origins == {"epoch_gap": "--set"}
        cards = store.db.execute(
            "select count(distinct content_id) from header_card where keyword = 'PHOTFLAM'"
        ).fetchone()[0]
        assert cards == 4
    assert time.time() - started < 60


def test_a_plan_changes_nothing_and_makes_no_directory(bench, recipe):
    progress = bench.plan(recipe)
    assert [item.waits_for for item in progress] == [[], ["fetch"], ["fetch", "select"]] or [
        item.instance.name for item in progress if item.waits_for
    ] == ["select", "exposures"]
    assert not bench.workspace.folder.exists()


def test_a_plan_follows_a_change_downstream(bench, recipe, data):
    bench.run(recipe)
    with fits.open(data / "jsi00102q_flc.fits", mode="update") as hdus:
        hdus[0].header["EXPTIME"] = 50.0
    actions = {
        job.name: job.decision.action.value for item in bench.plan(recipe) for job in item.jobs
    }
    assert actions["fetch:jsi00102q"] == "run"
    assert actions["select:jsi00102q"] == "maybe"
    assert actions["select:jsi00101q"] == "reuse"
    assert actions["exposures:all"] == "maybe"


def test_a_plan_says_maybe_of_what_reads_facts_only(bench, recipe):
    """`exposures` reads no pixel of what `select` hands on, and yet it follows from it."""
    bench.run(recipe)
    found = bench.plan(recipe, "select.min_exposure=50 s")
    actions = {job.name: job.decision.action.value for item in found for job in item.jobs}
    assert actions["fetch:jsi00101q"] == "reuse"
    assert actions["select:jsi00101q"] == "run"
    assert actions["exposures:all"] == "maybe"


def test_a_cut_that_is_tightened_leaves_jobs_without_products(bench, recipe, states, deadline):
    bench.run(recipe)
    tightened = "select.before=2019-05-01"
    with deadline(60):
        report = bench.run(recipe, tightened)
    assert report.exit_code == 0
    assert ran(states(report)) == ["exposures:all", *(f"select:{root}" for root in ROOTS)]
    assert {row["subject"] for row in report.left_out} == {"jsi00201q", "jsi00202q"}
    with deadline(60):
        assert set(states(bench.run(recipe, tightened)).values()) == {"reused"}
        assert "exposures:all" in ran(states(bench.run(recipe)))


def test_a_run_that_gets_nowhere_ends(bench, recipe, deadline, monkeypatch):
    from hst123r.engine.run import Runner

    monkeypatch.setattr(Runner, "_start_what_fits", lambda *_: None)
    with deadline(60), pytest.raises(RuntimeError, match="nothing runs"):
        bench.run(recipe)
    with bench.store() as store:
        assert store.db.execute("select state, exit_code from run").fetchone() == ("failed", 1)


def test_only_leaves_alone_what_comes_after(bench, data, write_recipe, states):
    recipe = write_recipe("exposures: {}", "report: {}")
    bench.run(recipe)
    report = bench.run(recipe, "exposures.epoch_gap=9 day", only="exposures")
    assert report.exit_code == 0
    assert ran(states(report)) == ["exposures:all"]
    assert "report:report" not in states(report)


def test_another_way_to_name_the_recipe_runs_nothing_nor_do_two_reports_meet(
    bench, data, write_recipe, states, monkeypatch
):
    recipe = write_recipe("exposures: {epoch_gap: 2 day}", "report: {}", "report: {name: short}")
    bench.run(recipe)
    monkeypatch.chdir(recipe.parent)
    assert set(states(bench.run(recipe.relative_to(recipe.parent))).values()) == {"reused"}
    # and yet the report tells where a value was written
    for name in ("report.html", "short.html"):
        assert "recipe.yaml:7:" in (bench.workspace.folder / name).read_text()


def test_two_stages_cannot_make_one_file(bench, data, write_recipe, states):
    recipe = write_recipe("fetch: {name: again, from: directory, path: data}", "exposures: {}")
    report = bench.run(recipe, until="again")
    assert report.exit_code == 2
    found = states(report)
    for root in ROOTS:
        assert sorted([found[f"fetch:{root}"], found[f"again:{root}"]]) == ["done", "failed"]
    errors = [job.error for item in report.progress for job in item.jobs if job.error]
    assert all("two jobs cannot make one file" in error for error in errors)


def test_a_renamed_stage_takes_over_its_files(bench, data, write_recipe, states):
    bench.run(write_recipe("exposures: {}"), until="fetch")
    recipe = write_recipe("exposures: {}")
    recipe.write_text(recipe.read_text().replace("fetch: {", "fetch: {name: get, "))
    assert set(states(bench.run(recipe, until="get")).values()) == {"done"}


def test_what_was_reused_and_what_was_blocked_is_in_the_store(bench, recipe, data):
    bench.run(recipe, until="select")
    bench.run(recipe, until="select")
    path = data / "jsi00101q_flc.fits"
    path.write_bytes(path.read_bytes()[:-2880])
    bench.run(recipe)
    with bench.store() as store:
        ask = store.db.execute
        assert ask("select job_id from run_reused where run_id = 2").fetchall() == (
            ask("select id from job where run_id = 1 order by stage, label").fetchall()
        )
        names = ask("select stage, label, why from run_blocked where run_id = 3").fetchall()
    assert ("exposures", "all") in [row[:2] for row in names]
    assert "fetch:jsi00101q did not give a usable result" in names[-1][2]


def test_a_way_out_is_offered_where_there_is_one():
    from types import SimpleNamespace

    from hst123r.engine.flow import way_out
    from hst123r.records.outcome import State
    from hst123r.stage import registry

    def job(stage, state=State.FAILED):
        return SimpleNamespace(
            job=SimpleNamespace(label="jsi00101q"), state=state, stage=registry.get(stage),
            instance=SimpleNamespace(name="chosen"),
        )  # fmt: skip

    assert way_out([job("select")]) == (
        "; to go on without it, write `exclude: [jsi00101q]` in chosen"
    )
    assert way_out([job("align")]) == ""
    assert way_out([job("select"), job("select", State.BLOCKED)]) == ""

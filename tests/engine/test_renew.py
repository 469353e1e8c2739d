"""What a job reads is what the store says it read, however long it waited."""

import pytest
from astropy.io import fits


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def change(path, keyword=None):
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        if keyword is None:
            hdus["SCI"].data[5, 5] += 1
        else:
            hdus[0].header[keyword] = 12.0


def test_a_file_of_the_user_that_changes_while_its_job_waits(bench, recipe, data, states):
    bench.run(recipe, until="fetch")
    path = data / "jsi00101q_flc.fits"

    def meddle(stage):
        change(path)

    report = bench.run(recipe, until="fetch", redo=("fetch:jsi00101q",), divided=meddle)
    assert states(report)["fetch:jsi00101q"] == "done"
    with bench.store() as store:
        (job,) = store.db.query("select id, reasons from job where run_id = 2")
        assert "input user file jsi00101q changed (pixels)" in job["reasons"]
        (row,) = store.jobs.inputs(job["id"])[1:]
        # the copy in raw/ is what was read
        assert store.contents.get(row.content_id) == store.contents.look(str(path))
        raw = store.contents.look(str(bench.workspace.raw / path.name))
        assert row.identity["pixels"] == raw.facets["pixels"]
    assert set(states(bench.run(recipe, until="fetch")).values()) == {"reused"}


def test_products_that_change_while_their_readers_wait(bench, recipe, states):
    bench.run(recipe, until="select")
    altered, removed, same = (
        bench.workspace.raw / f"jsi00{number}q_flc.fits" for number in (101, 102, 201)
    )

    def meddle(stage):
        if stage == "select":
            change(altered, "SUN_ALT")
            removed.unlink()
            # select reads no pixels, so that this does not matter to it
            change(same)

    report = bench.run(recipe, until="select", redo=("select",), divided=meddle)
    errors = {job.name: job.error for item in report.progress for job in item.jobs if job.error}
    assert set(errors) == {"select:jsi00101q", "select:jsi00102q"}
    assert (
        f"raw/{altered.name} was changed after it was made (science)" in errors["select:jsi00101q"]
    )
    assert f"raw/{removed.name} is not there any more" in errors["select:jsi00102q"]
    assert states(report)["select:jsi00201q"] == "done"
    assert report.exit_code == 4
    found = states(bench.run(recipe, until="select"))
    assert found.pop("select:jsi00201q") == found.pop("select:jsi00202q") == "reused"
    assert found.pop("fetch:jsi00202q") == "reused"
    assert set(found.values()) == {"done"}


def test_a_refused_job_with_nothing_else_to_run_is_a_failure(bench, recipe, data, states):
    """With a sentence, and the run ends: nobody waits for a job that never started."""
    first, last, *others = sorted(data.iterdir())
    for path in others:
        path.unlink()
    bench.run(recipe)
    altered = bench.workspace.raw / last.name

    def meddle(stage):
        if stage == "select":
            change(altered, "SUN_ALT")

    # one at a time: when the second is refused, the first has ended
    report = bench.run(recipe, redo=("select",), divided=meddle, jobs=1)
    (error,) = [job.error for item in report.progress for job in item.jobs if job.error]
    assert f"raw/{altered.name} was changed after it was made (science)" in error
    found = states(report)
    assert found[f"select:{first.name[:9]}"] == "done"
    assert found[f"select:{last.name[:9]}"] == "failed"
    assert report.exit_code == 4

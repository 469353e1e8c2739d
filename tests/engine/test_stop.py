"""A run that is asked to end does so at once, whatever it is doing, and says so."""

import pytest


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def test_while_files_are_read(bench, recipe, data, monkeypatch, deadline):
    from hst123r.provenance import contents

    bench.run(recipe, until="fetch")
    for path in data.iterdir():
        path.write_bytes(path.read_bytes())
    look, looked = contents.look, []

    def interrupted(path):
        looked.append(path)
        bench.runner.stop()
        return look(path)

    monkeypatch.setattr(contents, "look", interrupted)
    report = bench.run(recipe, until="fetch")
    assert (report.state, report.exit_code) == ("interrupted", 130)
    assert len(looked) == 1
    assert ("said", "stopping; what is done is kept") in bench.heard.lines
    with bench.store() as store:
        row = store.db.execute("select state, exit_code from run where id = 2").fetchone()
    assert row == ("interrupted", 130)


def test_while_packages_are_imported(bench, recipe, monkeypatch, tmp_path, deadline):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("hst123r.engine.pool.WARM", "slow")
    with deadline(10):
        report = bench.run(recipe, started=lambda: bench.runner.stop())  # noqa: PLW0108  (there is no runner yet)
    assert report.exit_code == 130
    assert list(bench.workspace.scratch.glob("*")) == []


def test_the_second_time_at_once(bench, recipe):
    def twice():
        bench.runner.stop()
        with pytest.raises(KeyboardInterrupt):
            bench.runner.stop()

    assert bench.run(recipe, started=twice).exit_code == 130


def test_a_file_that_is_here_stays_good_when_fetching_it_again_was_interrupted(
    bench, recipe, states
):
    def stop():
        bench.runner.stop()

    bench.run(recipe, until="fetch")
    report = bench.run(recipe, until="fetch", redo=("fetch:jsi00101q",), started=stop)
    assert report.state == "interrupted"
    with bench.store() as store:
        rows = store.db.query("select state from job where label = 'jsi00101q' order by id")
        assert [row["state"] for row in rows] == ["done", "interrupted"]
    assert set(states(bench.run(recipe, until="fetch")).values()) == {"reused"}

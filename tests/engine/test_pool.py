"""The pool: no more template processes than are needed, and a sentence when one dies."""

import pytest

from hst123r.engine import pool
from hst123r.engine.pool import Pool
from hst123r.errors import EnvironmentProblem
from hst123r.external.template import IMPORTED


@pytest.fixture
def started(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "WARM", "colorsys")
    monkeypatch.setattr(pool, "CALL", "os:listdir")
    found = Pool(1, tmp_path)
    yield found
    found.close()


def ready(log, count):
    return log.is_file() and log.read_text().count(IMPORTED) == count


def wait_for(log, count, deadline):
    with deadline(20):
        while not ready(log, count):
            pass


def test_a_larger_process_serves_smaller_stages(started, tmp_path, deadline):
    assert started.prepare(("fractions",)) == ("fractions",)
    larger = ("fractions", "decimal", "statistics")
    assert started.prepare(larger) == larger
    assert started.prepare(("fractions",)) == ("fractions",)
    assert started.prepare(("decimal", "statistics")) == larger
    wait_for(tmp_path / "template.log", 2, deadline)


def test_a_process_that_dies_later_is_not_blamed_on_its_imports(started, tmp_path, deadline):
    started.prepare(("fractions",))
    log = tmp_path / "template.log"
    wait_for(log, 1, deadline)
    (template,) = started._templates.values()
    template.process.kill()
    with pytest.raises(EnvironmentProblem, match="has died") as caught:
        started.wait(20)
    assert IMPORTED not in str(caught.value)


def test_jobs_that_wait_have_a_limit_of_their_own_above_and_below_that_of_jobs(started):
    started.memory_mb = 1e6
    for number in range(4):
        assert started.has_room(1, 4, "fetch")
        started._running[number] = pool._Running(("fractions",), 1, "fetch")
    assert not started.has_room(1, 4, "fetch")
    assert not started.has_room(1)
    started.jobs = 8
    assert not started.has_room(1, 4, "fetch")
    assert started.has_room(1)
    assert started.has_room(1, 4, "other")


def test_only_what_a_run_will_do_is_imported(bench, data, write_recipe, monkeypatch):
    from hst123r.stage.contract import ASTROPY

    made = []

    class Noted(pool.Template):
        def __init__(self, modules, log):
            made.append(modules)
            super().__init__(modules, log)

    monkeypatch.setattr(pool, "Template", Noted)
    bench.run(write_recipe("exposures: {}", "reference: {}"), until="exposures")
    assert made == [(*ASTROPY, pool.WARM)]


def test_jobs_that_wait_for_the_network_do_not_wait_for_cores(started, tmp_path):
    for number in range(4):
        assert started.has_room(10.0, 4)
        assert started.has_room(10.0) is (number == 0)
        folder = tmp_path / str(number)
        (folder / "work").mkdir(parents=True)
        started.start(number, (), folder, tmp_path / "job.log", 10.0)
    assert not started.has_room(10.0, 4)
    assert not started.has_room(1e9, 5)

"""The pool: no more template processes than are needed, and a sentence when one dies."""

import pytest

from hst123r.engine import pool
from hst123r.engine.pool import Pool
from hst123r.errors import EnvironmentProblem
from hst123r.external.template import IMPORTED
from hst123r.stage.resources import Cores


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


def test_a_job_gets_the_cores_that_nobody_else_has_a_use_for(started):
    started.jobs, started.memory_mb = 8, 1000.0
    many = Cores(6)
    assert started.cores_for(Cores(), 100, 0) == 1
    assert started.cores_for(many, 100, 0) == 6
    assert started.cores_for(many, 100, 3) == 5
    assert started.cores_for(many, 100, 20) == 1
    # 900 MB are left, and each core beyond the first takes 400
    assert started.cores_for(Cores(6, 400.0), 100, 0) == 3
    assert started.cores_for(Cores(6, 400.0), 5000, 0) == 1


def test_its_cores_count_against_the_pool(started):
    started.jobs, started.memory_mb = 4, 1e6
    started._running[1] = pool._Running(("fractions",), 1, "photometry", 3)
    assert started.has_room(1)
    assert started.cores_for(Cores(6), 1, 0) == 1
    started._running[2] = pool._Running(("fractions",), 1, "photometry")
    assert not started.has_room(1)


def test_a_job_is_told_how_many_cores_it_has(bench, data, write_recipe, monkeypatch):
    from hst123r.engine.handover import Order
    from hst123r.stages.exposures import Exposures

    told = {}
    start = pool.Pool.start

    def noted(self, job_id, modules, folder, log, needed_mb, stage="", cores=1):
        told[stage] = (Order.load(folder).cores, cores, needed_mb)
        start(self, job_id, modules, folder, log, needed_mb, stage, cores)

    monkeypatch.setattr(pool.Pool, "start", noted)
    monkeypatch.setattr(Exposures, "cores", lambda *_: Cores(3, 1.0))
    monkeypatch.setattr(Exposures, "memory_mb", lambda *_: 100.0)
    bench.run(write_recipe("exposures: {}", "reference: {}"), until="exposures", jobs=64)
    assert told["exposures"] == (3, 3, 102.0)
    assert {cores for stage, (cores, _, _) in told.items() if stage != "exposures"} <= {1}

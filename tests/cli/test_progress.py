"""Progress: standard error only, one line per event in a log, bars on a terminal."""

import re
from types import SimpleNamespace

import pytest

from hst123r.cli.progress import Lines, Live
from hst123r.engine.decide import Action
from hst123r.engine.tidings import Tiding
from hst123r.records.outcome import Quality, State


def job(name, action=Action.RUN, state=State.DONE, quality=Quality.GOOD, error="", sizes=None):
    """A planned job, as far as a listener looks at it."""
    notes = {} if sizes is None else {"sizes": sizes}
    stage, _, label = name.partition(":")
    return SimpleNamespace(
        name=name, instance=SimpleNamespace(name=stage),
        job=SimpleNamespace(label=label, notes=notes),
        decision=SimpleNamespace(
            action=action, reasons=[SimpleNamespace(text="no record of it"),
                                    SimpleNamespace(text="parameter scale: 0.05 → 0.04")]
        ),
        state=state, quality=quality, error=error,
    )  # fmt: skip


def stage(name, *actions, error=None):
    jobs = [job(f"{name}:{n}", action) for n, action in enumerate(actions)]
    return SimpleNamespace(instance=SimpleNamespace(name=name), jobs=jobs, error=error)


@pytest.fixture
def said(capsys):
    """Return the lines on standard error without their time; nothing may be on standard output."""

    def lines():
        out, err = capsys.readouterr()
        assert out == ""
        return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in err.splitlines()]

    return lines


def test_every_event_is_one_line(said):
    with Lines() as listener:
        listener.divided(stage("align", Action.RUN, Action.RUN, Action.REUSE))
        listener.started(job("align:v1"))
        listener.ended(job("align:v1"), 12.345)
        listener.ended(job("align:v2", quality=None), 1.0)
        listener.ended(job("align:v3", state=State.FAILED, error="no fit"), 1.0)
        listener.said("2 jobs were interrupted")
        listener.tick()
    assert said() == [
        "align: 2 to run, 1 up to date",
        "align:v1: started (no record of it; parameter scale: 0.05 → 0.04)",
        "align:v1: done in 12.3 s, good",
        "align:v2: done in 1.0 s, ",
        "align:v3: failed: no fit",
        "2 jobs were interrupted",
    ]


@pytest.mark.parametrize(
    "quiet",
    [stage("align"), stage("align", Action.REUSE, Action.REUSE), stage("x", Action.RUN, error="e")],
)
def test_a_stage_with_nothing_to_do_says_nothing(said, quiet):
    Lines().divided(quiet)
    assert said() == []


@pytest.mark.parametrize(
    ("action", "words"),
    [(Action.BLOCKED, "1 blocked"), (Action.MAYBE, "1 open"), (Action.RUN, "1 to run")],
)
def test_every_action_has_its_word(said, action, words):
    Lines().divided(stage("align", action))
    assert said() == [f"align: {words}"]


def test_bars_count_the_jobs_that_run_and_forget_those_that_ended(capsys):
    listener = Live()
    with listener:
        listener.divided(stage("align", Action.RUN, Action.RUN, Action.REUSE))
        listener.divided(stage("fetch", Action.REUSE))
        listener.started(job("align:0"))
        assert len(listener.bars.tasks) == 2
        listener.ended(job("align:0"), 3.0)
        (bar,) = listener.bars.tasks
        assert (bar.description, bar.completed, bar.total) == ("align", 1, 2)
        listener.started(job("align:1"))
        listener.ended(job("align:1", state=State.FAILED, error="no [red] fit"), 3.0)
        assert bar.completed == 2
        # a job that was reused never started, and its end changes no bar
        listener.ended(job("fetch:0", action=Action.REUSE), 0.0)
        listener.said("the disk is [bold]nearly[/bold] full")
        listener.tick()
    out, err = capsys.readouterr()
    assert out == ""
    assert "align:1 failed after 3.0 s: no [red] fit" in err
    assert "[bold]nearly[/bold]" in err


def test_downloads_have_a_bar_each_and_a_total():
    one = job("fetch:a", sizes={"science": 4_000_000, "dq": 2_000_000})
    other = job("fetch:b", sizes={"science": None})
    with Live() as listener:
        listener.divided(
            SimpleNamespace(instance=SimpleNamespace(name="fetch"), jobs=[one, other], error=None)
        )
        total = listener.bars.tasks[0]
        assert (total.total, total.fields["count"]) == (6_000_000, "0/2, 0.0 of 6.0 MB")
        listener.started(one)
        listener.started(other)
        listener.moved(one, Tiding("a_flc.fits", 1_000_000, 4_000_000))
        listener.moved(other, Tiding("b_flc.fits", 500_000, None))
        _, first, second = listener.bars.tasks
        assert first.fields["count"] == "1.0 of 4.0 MB"
        assert (first.completed, first.total) == (1_000_000, 4_000_000)
        assert (second.total, second.fields["count"]) == (None, "0.5 MB")
        assert total.fields["count"] == "0/2, 1.5 of 6.0 MB"
        listener.ended(one, 1.0)
        assert total.fields["count"] == "1/2, 6.0 of 6.0 MB"
        # one that ended has no bar any more
        listener.moved(one, Tiding("a_flc.fits", 1, 2))
        assert len(listener.bars.tasks) == 2


def test_a_log_says_now_and_then_how_far_a_download_is(said, monkeypatch):
    clock = iter([0.0, 29.0, 31.0, 32.0, 62.0])
    monkeypatch.setattr("hst123r.cli.progress.time.monotonic", lambda: next(clock))
    listener = Lines()
    for done in range(5):
        listener.moved(job("fetch:a"), Tiding("a_flc.fits", done * 10_000_000, 168_000_000))
    assert said() == [
        "fetch:a: a_flc.fits: 20.0 of 168.0 MB", "fetch:a: a_flc.fits: 40.0 of 168.0 MB"
    ]  # fmt: skip


def test_the_log_of_a_run_goes_to_standard_error_only(run_lines):
    out, err = run_lines
    assert "started (no record of it)" in err
    assert "started" not in out
    times = re.findall(r"^(\d\d:\d\d:\d\d) ", err, re.MULTILINE)
    assert len(times) >= 8
    assert times == sorted(times)


@pytest.fixture
def run_lines(hst123r, data, write_recipe):
    answer = hst123r("run", write_recipe("exposures: {}"))
    assert answer.code == 0
    return answer.out, answer.err

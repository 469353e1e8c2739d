"""Templates: a clean child for every job, and none left behind."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hst123r.external.template import Template

HERE = Path(__file__).parent


@pytest.fixture
def template(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    found = Template(("colorsys", "toys:warm"), tmp_path / "template.log")
    yield found
    found.close()
    assert found.process.returncode is not None


@pytest.fixture
def run(template, tmp_path):
    """Run functions of `toys` and return how they ended, by number."""

    def run_them(*calls, argument=None):
        for number, call in enumerate(calls):
            cwd = tmp_path / f"cwd{number}"
            cwd.mkdir(exist_ok=True)
            given = {"out": str(tmp_path / f"out{number}"), **(argument or {})}
            template.start(number, f"toys:{call}", given, cwd, tmp_path / f"log{number}")
        return wait(template, len(calls))

    return run_them


def wait(template, count):
    ended = {}
    deadline = time.monotonic() + 30
    while len(ended) < count and time.monotonic() < deadline:
        if select.select([template.socket], [], [], 1)[0]:
            ended |= {item.id: item for item in template.receive()}
    return ended


def gone(pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


def written(path):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{path} was never written")


def test_a_child_has_its_own_directory_log_and_input(run, tmp_path, template):
    ended = run("note", "note")
    assert [ended[i].exit_code for i in (0, 1)] == [0, 0]
    seen = [(tmp_path / f"out{i}").read_text().split("\n") for i in (0, 1)]
    assert [lines[0] for lines in seen] == [str(tmp_path / "cwd0"), str(tmp_path / "cwd1")]
    assert seen[0][1] != seen[1][1]
    # one thread each; warmed once, in the template; no input; imported beforehand
    assert seen[0][2:] == ["1", f"[{template.process.pid}]", "", "True"]
    log = (tmp_path / "log0").read_text()
    assert "on standard output" in log
    assert "on standard error" in log


def test_failures_say_why(run, tmp_path):
    ended = run("fail", "die")
    assert ended[0].exit_code == 1
    assert "ValueError: a mistake" in (tmp_path / "log0").read_text()
    assert ended[1].exit_code == -signal.SIGKILL


def test_cost_is_measured(run):
    (ended,) = run("burn", argument={"megabytes": 200, "seconds": 0.5}).values()
    assert ended.exit_code == 3
    assert 0.45 < ended.cpu_seconds < 2
    assert 200 < ended.peak_memory_mb < 400


def test_a_child_can_be_killed(template, tmp_path):
    template.start(7, "toys:sleep", {"out": str(tmp_path / "pid")}, tmp_path, tmp_path / "log")
    pid = written(tmp_path / "pid")
    template.kill(7)
    assert wait(template, 1)[7].exit_code == -signal.SIGKILL
    assert gone(pid)


def test_children_of_a_child_end_with_it(run, tmp_path):
    assert run("with_a_child")[0].exit_code == 0
    assert gone(written(tmp_path / "out0"))


def test_closing_ends_everything(template, tmp_path):
    template.start(1, "toys:sleep", {"out": str(tmp_path / "pid")}, tmp_path, tmp_path / "log")
    pid = written(tmp_path / "pid")
    template.close()
    assert gone(pid)


def test_the_death_of_the_driver_ends_everything(tmp_path):
    """Even kill -9 of the driver leaves no process behind."""
    program = (
        "import sys, time; from pathlib import Path;"
        "from hst123r.external.template import Template;"
        f"t = Template(('toys',), Path({str(tmp_path / 'log')!r}));"
        f"t.start(1, 'toys:sleep', {{'out': {str(tmp_path / 'pid')!r}}}, Path({str(tmp_path)!r}),"
        f" Path({str(tmp_path / 'log')!r}));"
        f"Path({str(tmp_path / 'template')!r}).write_text(str(t.process.pid)); time.sleep(60)"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(HERE)}
    )
    child, template = written(tmp_path / "pid"), written(tmp_path / "template")
    driver.kill()
    driver.wait()
    assert gone(child)
    assert gone(template)


def test_a_template_that_cannot_import_is_noticed(tmp_path):
    template = Template(("no_such_module",), tmp_path / "log")
    assert select.select([template.socket], [], [], 20)[0]
    assert template.receive() is None
    template.close()
    assert "No module named 'no_such_module'" in (tmp_path / "log").read_text()


def test_the_death_of_a_template_with_an_order_unread_is_noticed(tmp_path):
    template = Template(("no_such_module",), tmp_path / "log")
    template.start(1, "toys:note", {}, tmp_path, tmp_path / "job.log")
    template.process.wait(20)
    assert template.receive() is None
    template.close()


def test_a_template_that_is_still_importing_is_ended_at_once(tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    template = Template(("slow",), tmp_path / "log")
    began = time.monotonic()
    template.close()
    assert time.monotonic() - began < 5


def test_a_template_whose_driver_is_gone_imports_nothing():
    """The driver can die before the template has asked to be told of it."""
    ours, theirs = socket.socketpair()
    ours.close()
    number = theirs.fileno()
    command = [sys.executable, "-m", "hst123r.external.template", str(number), "no_such_module"]
    done = subprocess.run(
        command, pass_fds=[number], capture_output=True, text=True, timeout=60, check=False
    )
    theirs.close()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("own", [None, "glibc.malloc.check=0"])
def test_memory_comes_in_large_pages_unless_the_user_tunes_it(own, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    if own is None:
        monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    else:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    template = Template((), tmp_path / "template.log")
    out = tmp_path / "out"
    template.start(1, "toys:tunables", {"out": str(out)}, tmp_path, tmp_path / "log")
    assert wait(template, 1)[1].exit_code == 0
    template.close()
    assert out.read_text() == (own or "glibc.malloc.hugetlb=1")

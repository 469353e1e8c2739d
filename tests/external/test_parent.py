from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

CHILD = """
import time
from hst123r.external.parent import die_with_parent
{}
print(1, flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="is of Linux")
@pytest.mark.parametrize("dies", [True, False])
def test_dies_with_its_parent(dies):
    child = CHILD.format("die_with_parent()" if dies else "")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + (10 if dies else 0.5)
    while (alive := is_there(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if alive:
        os.kill(pid, signal.SIGKILL)
    assert alive != dies


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_parent_that_has_ended_already():
    """As many a child begins: it is told of its parent before it can be told of its death."""
    program = "import sys; from hst123r.external.parent import die_with_parent; {}; print('here')"
    for parent, ended in ((os.getpid(), (0, b"here\n")), (1, (-signal.SIGKILL, b""))):
        child = subprocess.run(
            [sys.executable, "-c", program.format(f"die_with_parent({parent})")],
            capture_output=True, check=False,
        )  # fmt: skip
        assert (child.returncode, child.stdout) == ended

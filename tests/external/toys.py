"""What the children of a template do in the tests."""

import os
import signal
import sys
import time
from pathlib import Path

WARMED = []


def warm():
    WARMED.append(os.getpid())


def note(argument):
    """Write down what the child sees of the world."""
    sys.stdout.write("on standard output\n")
    sys.stderr.write("on standard error\n")
    Path(argument["out"]).write_text(
        "\n".join(
            [str(Path.cwd()), str(os.getpid()), os.environ["OMP_NUM_THREADS"], str(WARMED),
             str(sys.stdin.read()), str("colorsys" in sys.modules)]
        )
    )  # fmt: skip
    return 0


def tunables(argument):
    Path(argument["out"]).write_text(os.environ["GLIBC_TUNABLES"])
    return 0


def fail(argument):
    raise ValueError("a mistake")


def die(argument):
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def burn(argument):
    held = bytearray(argument["megabytes"] * 1_000_000)
    end = time.process_time() + argument["seconds"]
    while time.process_time() < end:
        held[0] ^= 1
    return 3


def sleep(argument):
    Path(argument["out"]).write_text(str(os.getpid()))
    time.sleep(60)
    return 0


def with_a_child(argument):
    if os.fork() == 0:
        Path(argument["out"]).write_text(str(os.getpid()))
        time.sleep(60)
        os._exit(0)
    while not Path(argument["out"]).exists():
        time.sleep(0.01)
    return 0

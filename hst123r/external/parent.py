"""What ties a process to the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def die_with_parent(parent: int | None = None) -> None:
    """Let this process be killed when the thread that started it ends, on Linux.

    Parameters
    ----------
    parent : int, optional
        Number of the process that started it. If that has ended already, which could not be told
        to this process any more, it is killed at once.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)

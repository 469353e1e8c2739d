"""What ties a process to the one that started it."""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Final

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def die_with_parent() -> None:
    """Let this process be killed when the thread that started it ends, on Linux."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_DIE_WITH_PARENT, signal.SIGKILL)

"""What a run ran on: versions of the software that matters, who, and where."""

from __future__ import annotations

import getpass
import os
import platform
import re
import secrets
import socket
import sys
import time
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = (
    "astropy", "astroquery", "astroscrappy", "blake3", "click", "crds", "drizzle", "drizzlepac",
    "fitsblender", "h5py", "matplotlib", "numpy", "photutils", "platformdirs", "pydantic", "rich",
    "ruamel.yaml", "scipy", "spherical-geometry", "sqlite-utils", "stsci.image", "stsci.imagestats",
    "stsci.skypac", "stsci.stimage", "stsci.tools", "stwcs", "tweakwcs",
)  # fmt: skip
"""Packages whose versions are recorded with every run; those not installed are left out."""


_VERSION: Final = re.compile(r"^Version: *(\S+) *$", re.MULTILINE)


@cache
def version(distribution: str) -> str:
    """Return the installed version of a distribution, ``missing`` where there is none.

    Parameters
    ----------
    distribution : str
        Name as on the package index; ``hst123r`` is this package.

    Returns
    -------
    str
        Its version.
    """
    if distribution == "hst123r":
        from hst123r import __version__

        return __version__
    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return "missing"
    # `metadata.version` reads a whole page of description as an e-mail for this one line
    line = _VERSION.search((found.read_text("METADATA") or "").partition("\n\n")[0])
    return line[1] if line else found.version


def software() -> dict[str, str]:
    """Return the versions of all packages that matter, and of this one."""
    found = {name: version(name) for name in ("hst123r", *PACKAGES)}
    return {name: number for name, number in found.items() if number != "missing"}


def describe() -> dict[str, Any]:
    """Return the environment as the store keeps it.

    Returns
    -------
    dict
        ``python``, ``platform``, ``packages`` and ``crds_context``.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": software(),
        "crds_context": os.environ.get("CRDS_CONTEXT"),
    }


def user() -> str:
    """Return the user's login name, or the number where there is no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_mb() -> float:
    """Return the memory that can be used now, in MB (10^6 bytes)."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 / 1e6
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6


def alive(pid: int, on_host: str) -> bool:
    """Whether a process of a lease still exists, as far as this machine can tell."""
    if on_host != host():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command() -> list[str]:
    """Return the command this process was started with."""
    name = Path(sys.argv[0]).name
    return ["hst123r" if name == "__main__.py" else name, *sys.argv[1:]]


def new_uid() -> str:
    """Return a name for a run that no other has: the time (UTC) and a random number."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"


def asker() -> dict[str, Any]:
    """Return who asks, with which words and from where, by the columns of a run."""
    return {"command": command(), "folder": str(Path.cwd()), "user": user(), "host": host()}

"""No network: with ``--offline`` nothing in this program reaches another machine.

A hook of Python's audit events sees every connection before it is made, whichever library makes
it. A hook cannot be removed, so it is set once and obeys a switch.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from hst123r.errors import ArchiveError

CONNECTIONS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKUPS: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
HERE: Final = frozenset({"localhost", ""})

_switch = {"hooked": False, "offline": False}


@contextmanager
def forbidden(*, when: bool = True) -> Iterator[None]:
    """Forbid connections to anything but this machine.

    Parameters
    ----------
    when : bool
        Whether to forbid anything at all.

    Yields
    ------
    None
        Inside, a connection raises `ArchiveError`.
    """
    if not when:
        yield
        return
    if not _switch["hooked"]:
        sys.addaudithook(_hook)
        _switch["hooked"] = True
    before, _switch["offline"] = _switch["offline"], True
    try:
        yield
    finally:
        _switch["offline"] = before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _switch["offline"]:
        return
    if event in CONNECTIONS:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(str(address[0])):
            raise _refusal(f"{address[0]}, port {address[1]}")
    elif event in LOOKUPS:
        name = arguments[0]
        name = name.decode() if isinstance(name, bytes) else str(name or "")
        if not _is_here(name):
            raise _refusal(name)


def _is_here(host: str) -> bool:
    if host.lower() in HERE:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refusal(where: str) -> ArchiveError:
    return ArchiveError(
        f"the network is needed ({where}), and --offline forbids it",
        hint="Run without --offline; what is done is kept",
    )

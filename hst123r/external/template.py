"""A process that imports slow packages once, and forks a clean child for every job.

Importing drizzlepac takes longer than many jobs. The template pays for it once; a forked child
starts in milliseconds with everything imported, works in its own directory with its output in
the job's log, and dies with its job, so that no job ever sees what another one left behind.

The template never runs jobs itself. It talks JSON lines over a socket, and kills its children
when the other end disappears.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.external.parent import die_with_parent
from hst123r.external.postponed import PIPELINES, postpone

THREADS: Final = {
    # one job is one core: the pool decides how many run, not the numerical libraries
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
SETTINGS: Final = {
    # no display, no network look-ups of a priori WCS (two minutes of sleep each when offline)
    "MPLBACKEND": "Agg",
    "ASTROMETRY_STEP_CONTROL": "OFF",
    # macOS: forking after frameworks were loaded is what this design does on purpose
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
}
LARGE_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Memory in large pages where the system has them: a child is forked, works and ends faster."""
IMPORTED: Final = "imported"
"""How the line begins that a template logs when it is ready."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended.

    Parameters
    ----------
    id : int
        What the child was started as.
    exit_code : int
        Its exit code; negative for the signal that killed it.
    cpu_seconds : float
        User and system time.
    peak_memory_mb : float
        Largest resident set.
    """

    id: int
    exit_code: int
    cpu_seconds: float
    peak_memory_mb: float


class Template:
    """The driver's end of a template process.

    Parameters
    ----------
    modules : tuple of str
        What to import before forking; ``module:function`` is called, too.
    log : Path
        Where the template's own output goes.
    """

    def __init__(self, modules: tuple[str, ...], log: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *modules],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=(theirs.fileno(),),
                env={**LARGE_PAGES, **os.environ, **THREADS, **SETTINGS},
                # Ctrl-C is for the driver alone, which then ends the children in order
                start_new_session=True,
            )
        self.socket = ours
        self.log = log
        self._buffer = b""

    def start(self, number: int, call: str, argument: dict[str, Any], cwd: Path, log: Path) -> None:
        """Fork a child that calls a function.

        Parameters
        ----------
        number : int
            Name of the child in :class:`Ended`.
        call : str
            ``module:function``; the function takes the argument and returns an exit code.
        argument : dict
            JSON values.
        cwd : Path
            Directory of the child.
        log : Path
            File its output is appended to.
        """
        self._send(
            {"start": number, "call": call, "argument": argument, "cwd": str(cwd), "log": str(log)}
        )

    def kill(self, number: int) -> None:
        """Kill a child at once."""
        self._send({"kill": number})

    def _send(self, message: dict[str, Any]) -> None:
        # a template that died is noticed by `receive`, which reports end of file
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[Ended] | None:
        """Return the children that ended since, or None when the template itself is gone."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            # it died with something unread, e.g. the order to start a child
            return None
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [Ended(**json.loads(line)) for line in lines]

    def close(self) -> None:
        """End the template and all its children, also while it is still importing."""
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Server:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.children: dict[int, int] = {}

    def serve(self) -> None:
        wake_read, wake_write = os.pipe()
        for end in (wake_read, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        selector = selectors.DefaultSelector()
        selector.register(self.connection, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        buffer = b""
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.connection:
                    data = self.connection.recv(1 << 20)
                    if not data:
                        return
                    *lines, buffer = (buffer + data).split(b"\n")
                    for line in lines:
                        self._handle(json.loads(line))
                else:
                    os.read(wake_read, 4096)
            self._reap()

    def end_all(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for pid in self.children.values():
            _kill_group(pid)
            with contextlib.suppress(ProcessLookupError):
                # one that has just been forked has no group of its own yet
                os.kill(pid, signal.SIGKILL)
        for pid in self.children.values():
            # nothing of theirs writes any more when we are gone
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _handle(self, message: dict[str, Any]) -> None:
        if "kill" in message:
            if message["kill"] in self.children:
                _kill_group(self.children[message["kill"]])
            return
        mine = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.connection.close()
            _run_child(message, mine)
        self.children[message["start"]] = pid

    def _reap(self) -> None:
        for number, pid in list(self.children.items()):
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done == 0:
                continue
            del self.children[number]
            # the job's own children, if any are left, go with it
            _kill_group(pid)
            scale = 1e6 if sys.platform == "darwin" else 1e3
            report = {
                "id": number,
                "exit_code": os.waitstatus_to_exitcode(status),
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_memory_mb": usage.ru_maxrss / scale,
            }
            self.connection.sendall(json.dumps(report).encode() + b"\n")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _run_child(message: dict[str, Any], parent: int) -> None:
    """Become the job: own session, directory, log and standard input; never return."""
    code = 1
    try:
        os.setsid()
        die_with_parent(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.enable()
        handle = os.open(message["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout = os.fdopen(1, "w", 1, encoding="utf-8", errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="replace", closefd=False)
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  (lives as long as we)
        os.chdir(message["cwd"])
        module, _, name = message["call"].partition(":")
        call: Callable[[dict[str, Any]], int] = getattr(importlib.import_module(module), name)
        code = call(message["argument"])
    except BaseException:  # noqa: BLE001  (the last thing a child can do is to say why it died)
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _is_closed(connection: socket.socket) -> bool:
    """Whether nobody holds the other end any more."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def main(arguments: list[str]) -> None:
    """Be a template: import the modules named behind the socket's number, then serve.

    Parameters
    ----------
    arguments : list of str
        File descriptor of the socket, then modules to import.
    """
    number, *modules = arguments
    die_with_parent()
    connection = socket.socket(fileno=int(number))
    # what is imported stays; looking through it for garbage would cost here and, because it
    # touches every page that is shared, in every child again
    gc.disable()
    postpone(PIPELINES)
    for name in modules:
        if _is_closed(connection):
            # the driver died before its death could be told to us
            return
        module, _, function = name.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    gc.freeze()
    ready = f"{IMPORTED} {' '.join(modules)}: {time.process_time():.2f} s of CPU time\n"
    # our standard output is the template's log
    os.write(1, ready.encode())
    server = _Server(connection)
    try:
        server.serve()
    finally:
        server.end_all()
    # taking drizzlepac apart in order takes a second, and nothing here has to be kept
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

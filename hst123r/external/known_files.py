"""What AstroDrizzle asks of the same files again and again, answered from memory.

It finds out what kind of file each is at every opening (by opening it), and reads the headers of
an exposure anew, twice, for each image that it makes: a third of all its openings of files. Answers
hold until a file changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def files_known() -> Iterator[None]:
    """Let drizzlepac remember the kinds and headers of files for a while.

    Yields
    ------
    None
        While it remembers.
    """
    from drizzlepac.outputimage import blendheaders
    from stsci.tools import fileutil

    kind, headers = fileutil.isFits, blendheaders.getSingleTemplate
    fileutil.isFits = _remembered(kind, tuple)
    blendheaders.getSingleTemplate = _remembered(headers, _copied)
    try:
        yield
    finally:
        fileutil.isFits, blendheaders.getSingleTemplate = kind, headers


def _remembered(ask: Callable[..., Any], copied: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that answers as another does, and asks it once for each state of a file."""
    known: dict[Any, Any] = {}

    def answer(file: Any, *more: Any, **options: Any) -> Any:
        state = _state(file)
        if state is None:
            return ask(file, *more, **options)
        key = state, repr(more), repr(sorted(options.items()))
        if key not in known:
            known[key] = ask(file, *more, **options)
        return copied(known[key])

    return answer


def _state(file: Any) -> tuple[str, int, int] | None:
    """Return the name, size and time of a file; None for what is no name of one."""
    try:
        # a number of an extension may stand behind the name
        path = Path(file.partition("[")[0])
        facts = path.stat()
    except (AttributeError, OSError):
        return None
    return file, facts.st_size, facts.st_mtime_ns


def _copied(headers: Any) -> Any:
    """Return copies of headers, which are changed by who asks for them."""
    return tuple(header if header is None else header.copy() for header in headers)

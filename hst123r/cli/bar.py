"""A bar for what reads many bytes, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def reading(name: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of the bytes that were read, where standard error is a terminal.

    Parameters
    ----------
    name : str
        What stands before the bar.

    Yields
    ------
    callable or None
        To be told the bytes that are done and all bytes; None where nobody looks.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bars.add_task(name, total=None)

    def tell(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total)

    with bars:
        yield tell

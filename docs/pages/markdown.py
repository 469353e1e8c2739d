"""Markdown for MyST: tables, and text that keeps its pipes and angle brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTICE = "% Written by docs/generate.py from the code; what is changed here is lost."


def page(title: str, *parts: str) -> str:
    """Return a page: the notice, a title and its parts, with one empty line between them."""
    found = [NOTICE, f"# {title}", *(part.strip("\n") for part in parts if part.strip())]
    return "\n\n".join(found) + "\n"


def text(value: object) -> str:
    """Escape what Markdown would take for markup; text between backticks is left alone."""
    pieces = re.split(r"(`+[^`]*`+)", " ".join(str(value).split()))
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([<>*\[\]\\])", r"\\\1", piece)
        for piece in pieces
    )


def code(value: object) -> str:
    """Return a value in the type of code."""
    return f"`{value}`"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown, see :func:`text`."""
    lines = [_line(headings), _line(["---"] * len(headings))]
    lines += [_line(row) for row in rows]
    return "\n".join(lines)


def bullets(items: Iterable[str]) -> str:
    """Return a list."""
    return "\n".join(f"- {item}" for item in items)


def block(content: str, language: str = "") -> str:
    """Return a block of code."""
    return f"```{language}\n{content.rstrip()}\n```"


def toctree(names: Iterable[str]) -> str:
    """Return a table of contents of pages that stand beside this one."""
    return "\n".join(["```{toctree}", ":maxdepth: 1", "", *names, "```"])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


class Sources:
    """Numbers sources in the order they are met, so that a table can name them briefly."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cite(self, *sources: str) -> str:
        """Return the numbers of some sources, such as ``1, 3``."""
        plain = dict.fromkeys(" ".join(source.split()) for source in sources)
        numbers = [self._numbers.setdefault(name, len(self._numbers) + 1) for name in plain]
        return ", ".join(str(number) for number in sorted(numbers))

    def listed(self) -> str:
        """Return the list of all sources, to stand below the table."""
        return "\n".join(f"{number}. {text(name)}" for name, number in self._numbers.items())

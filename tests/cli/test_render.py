"""Tables for people."""

import os
import pty
import re
import subprocess
import sys

import pytest

from hst123r.cli.render import COLOURS, rejects, table
from hst123r.engine.decide import Action
from hst123r.records.outcome import Quality, State

ROWS = [("align", "good"), ("drizzle: a long name", "bad")]


def test_columns_are_aligned_and_lines_have_no_trailing_blanks(capsys):
    table(("stage", "quality"), ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "stage                 quality",
        "align                 good",
        "drizzle: a long name  bad",
    ]


def test_a_table_without_rows_is_its_headings(capsys):
    table(("stage", "quality"), [])
    assert capsys.readouterr().out == "stage  quality\n"


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "a\tb", "äöü ″", "[red]"])
def test_what_looks_like_markup_is_text(capsys, text):
    table(("a",), [(text,)])
    assert text in capsys.readouterr().out


def test_rejects_have_a_column_for_what_is_known_of_them(capsys):
    rejects([
        {"subject": "jabc01a1q", "detector": "ACS/WFC", "filter": "F606W", "code": "filter",
         "reason": "its filter is F606W, not F814W", "job_id": 7},
        {"subject": "stack.fits", "code": "name", "reason": "its name"},
    ])  # fmt: skip
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["subject", "detector", "filter", "code", "reason"]
    assert first.endswith("filter  its filter is F606W, not F814W")
    assert second.split() == ["stack.fits", "name", "its", "name"]
    assert first.index("ACS/WFC") == heading.index("detector")


def test_every_state_and_quality_that_calls_for_attention_has_a_colour():
    assert {"run", "blocked", "reuse"} <= {action.value for action in Action} & set(COLOURS)
    assert {quality.value for quality in Quality} <= set(COLOURS)
    assert {"failed", "interrupted", "done", "reused"} <= {s.value for s in State} & set(COLOURS)


PROGRAM = """
from hst123r.cli.render import table
table(("stage", "quality"), [("[red]align", "bad")])
"""


def on_a_terminal(program=PROGRAM, **environment):
    """Run the program with a terminal as its standard output, and return what it wrote."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", program], stdout=theirs, stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    done.wait(timeout=30)
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    assert done.returncode == 0, done.stderr.read()
    done.stderr.close()
    return text.decode()


def test_a_terminal_gets_colours_and_a_user_can_refuse_them():
    environment = {k: v for k, v in os.environ.items() if k == "NO_COLOR"}
    assert not environment, "the tests must be run without NO_COLOR"
    coloured = on_a_terminal()
    assert "\x1b[31mbad" in coloured
    assert "[red]align" in coloured
    plain = on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in plain
    assert "[red]align  bad" in plain


LONG = """
from hst123r.cli.render import table
table(("run", "started", "state", "command"),
      [("1", "2026-11-27 07:16:06", "done", "hst123r run quickstart --set stacks.pixfrac=0.6"),
       ("12", "2026-11-27 07:17:06", "failed", "")], below=1)
"""


def test_a_narrow_terminal_has_the_last_cell_on_a_line_of_its_own():
    def lines(columns):
        text = re.sub("\x1b\\[[0-9;]*m", "", on_a_terminal(LONG, COLUMNS=columns))
        return [line.rstrip() for line in text.splitlines()]

    assert lines("60") == [
        "run  started              state",
        "1    2026-11-27 07:16:06  done",
        "    hst123r run quickstart --set stacks.pixfrac=0.6",
        "12   2026-11-27 07:17:06  failed",
    ]
    first = "1    2026-11-27 07:16:06  done    hst123r run quickstart --set stacks.pixfrac=0.6"
    assert lines("100")[1] == first

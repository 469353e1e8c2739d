"""The bar of what reads many bytes: on a terminal only, and on standard error."""

import io
import sys

from hst123r.cli.bar import reading


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_there_is_a_bar_on_a_terminal_only(monkeypatch, capsys):
    with reading("verify") as tell:
        assert tell is None
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with reading("verify") as tell:
        tell(50, 200)
        tell(200, 200)
    assert "verify" in screen.getvalue()
    assert "200/200 bytes" in screen.getvalue()
    assert capsys.readouterr().out == ""

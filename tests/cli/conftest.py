from __future__ import annotations

import pytest

from hst123r.cli.main import invoke


class Answer:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def hst123r(capfd, tmp_path, monkeypatch):
    """Run a command line in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = invoke([str(item) for item in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return Answer(code, out, err)

    return call

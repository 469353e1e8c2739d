"""The log: ours alone, and only when we are the program."""

import logging
import subprocess
import sys

import pytest

from hst123r import log


@pytest.fixture
def written(tmp_path):
    """Write a log for the test, and put the logger back as it was."""
    logger = logging.getLogger(log.ROOT)
    before = (logger.level, logger.propagate)
    handler = log.to_file(tmp_path / "run.log")
    yield tmp_path / "run.log"
    log.close(handler)
    logger.level, logger.propagate = before
    logger.setLevel(before[0])


def test_what_rooms_say_is_in_the_file_with_time_level_and_room(written):
    log.get("engine").info("42 jobs")
    log.get("engine").debug("not this")
    (line,) = written.read_text(encoding="utf-8").splitlines()
    assert line.endswith("INFO    hst123r.engine: 42 jobs")
    assert line[:2] == "20"


def test_a_second_log_is_appended_and_a_closed_one_is_left_alone(written, tmp_path):
    handler = log.to_file(tmp_path / "job.log")
    log.get("job").warning("both")
    log.close(handler)
    log.get("job").warning("only the first")
    assert (tmp_path / "job.log").read_text().count("\n") == 1
    assert written.read_text().count("\n") == 2
    handler = log.to_file(tmp_path / "job.log")
    log.get("job").warning("again")
    log.close(handler)
    assert (tmp_path / "job.log").read_text().count("\n") == 2


def test_nothing_reaches_the_root_logger(written):
    heard = []

    class Ears(logging.Handler):
        def emit(self, record):
            heard.append(record.getMessage())

    ears = Ears()
    logging.getLogger().addHandler(ears)
    log.get("engine").error("ours")
    logging.getLogger("theirs").error("theirs")
    logging.getLogger().removeHandler(ears)
    assert heard == ["theirs"]


PROGRAM = """
import logging, warnings
root, filters = list(logging.getLogger().handlers), list(warnings.filters)
import hst123r, hst123r.engine.run, hst123r.cli.main, hst123r.stage.registry as r
[r.get(n) for n in r.names()]
assert logging.getLogger().handlers == root
assert logging.getLogger().level == logging.WARNING
import numpy
added = [f for f in warnings.filters if f not in filters and f[0] == "ignore"]
print([f for f in added if f[2] in (Warning, UserWarning, DeprecationWarning, RuntimeWarning)
       and f[1] is None and f[3] is None])
"""


def test_an_import_leaves_logging_and_warnings_of_a_notebook_alone():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr

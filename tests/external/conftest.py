from __future__ import annotations

import json
import os
import select
import shutil
import time
from itertools import count
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def outside(tmp_path_factory):
    """Call a function of `calls` in a child that has drizzlepac; return its answer."""
    from hst123r.external.template import Template

    logs = tmp_path_factory.mktemp("outside")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *([before] if before else [])])
    template = Template(("drizzlepac.astrodrizzle", "drizzlepac.tweakreg"), logs / "template.log")
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    numbers = count()

    def call(name, folder, **argument):
        number = next(numbers)
        out, log = logs / f"{number}.json", logs / f"{number}.log"
        template.start(number, f"calls:{name}", {**argument, "out": str(out)}, folder, log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([template.socket], [], [], 1)[0] and template.receive():
                break
        assert out.is_file(), log.read_text() if log.is_file() else "it did not end"
        return json.loads(out.read_text())

    yield call
    template.close()


@pytest.fixture
def exposures(finished, tmp_path):
    """Copy exposures of the small run, as they came from the archive, into a private folder."""

    def copy(*roots):
        folder = tmp_path / "drizzlepac"
        folder.mkdir(exist_ok=True)
        for root in roots:
            path = folder / f"{root}_flc.fits"
            shutil.copy(finished / "raw" / path.name, path)
            path.chmod(0o644)
        return folder

    return copy

"""Stages are found by the files of their folder."""

import subprocess
import sys
from pathlib import Path

import pytest

import hst123r
from hst123r.errors import InputError
from hst123r.stage import registry

FOLDER = Path(hst123r.__file__).parent / "stages"


def test_every_file_of_the_folder_is_a_stage_and_there_is_no_other():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert set(registry.names()) == files
    assert list(registry.names()) == sorted(files)
    assert [registry.get(name).name for name in registry.names()] == list(registry.names())


def test_a_stage_that_is_not_there_lists_those_that_are():
    with pytest.raises(InputError, match="there is no stage 'drizle'") as caught:
        registry.get("drizle")
    assert "align, detect, drizzle" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("selected", "select"), ("exposure", "exposures"), ("stack", "drizzle"),
     ("sources", "detect"), ("reference", "reference"), ("photometry", None), ("file", None),
     ("no such kind", None)],
)  # fmt: skip
def test_what_is_missing_is_made_by_its_implied_maker(kind, name):
    found = registry.implied_maker(kind)
    assert (found.name if found else None) == name


PROGRAM = """
import sys, types
import hst123r.stages
from pathlib import Path
folder = Path(sys.argv[1])
hst123r.stages.__path__.append(str(folder))
from hst123r.stage import registry
assert "polish" in registry.names()
print(registry.get("polish").version)
"""
HEAD = '''
from hst123r.records.params import Params
from hst123r.stage.contract import Stage
class PolishParams(Params):
    """Parameters."""
'''
STAGE = '''
class {0}(Stage[PolishParams]):
    """Polish."""
    name = "polish"
    params = PolishParams
    version = 7
    def divide(self, inputs, params, scope):
        yield from ()
    def run(self, job, params, context):
        return None
'''


@pytest.mark.parametrize("classes", [["One"], [], ["One", "Two"]])
def test_a_file_put_into_the_folder_is_a_stage(tmp_path, classes):
    """One file, one stage; a file with two or none is a mistake that is named."""
    text = HEAD + "".join(STAGE.format(name) for name in classes)
    (tmp_path / "polish.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )
    if len(classes) == 1:
        assert done.stdout.strip() == "7", done.stderr
    else:
        assert f"must define exactly one Stage, it has {len(classes)}" in done.stderr

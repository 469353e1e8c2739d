"""The script that replays in new environments: what it needs no network for."""

import importlib.util
import json
import stat
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).with_name("replay_elsewhere.py")
    spec = importlib.util.spec_from_file_location("replay_elsewhere", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_version_is_another_and_the_rest_stays(script):
    same = script.constraints("").splitlines()
    other = script.constraints("photutils==2.3.0").splitlines()
    gone = [line for line in same if line.startswith("photutils==")]
    assert gone
    assert sorted(other) == sorted({*same, "photutils==2.3.0"} - set(gone))


def test_an_answer_is_a_table(script):
    lines = [
        {"what": "a", "passed": None, "found": "x"},
        {"what": "b", "passed": False, "found": ""},
    ]
    assert script.markdown(lines).splitlines()[2:] == [
        "| a | note | x |", "| b | **differs** |  |",
    ]  # fmt: skip


def test_a_replay_has_none_of_our_variables_and_an_empty_home(script, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "ours")
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "print(json.dumps([dict(os.environ), os.listdir(os.environ['HOME']), sys.argv[1:]]))\n"
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    folder = tmp_path / "same"
    folder.mkdir()
    variables, home, arguments = script.replayed(python, folder, tmp_path / "p.zip")
    assert "PYTHONPATH" not in variables
    assert variables["HOME"] == str(folder / "home")
    assert home == []
    assert json.dumps(arguments).startswith('["-m", "hst123r", "replay"')


def test_a_program_that_fails_ends_it_with_what_it_said(script, tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('no')"]
    with pytest.raises(SystemExit, match="no"):
        script.run(command, tmp_path)

"""Files that ship with the package, and the cache of parsed YAML."""

import json
import os

import pytest

from hst123r import resources
from hst123r.errors import EnvironmentProblem


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(resources.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "detector.yaml"
    path.write_text("a: 1\nb: [x, 2.5]\nno: null\n")
    return path


def test_recipes_and_schemas_are_found():
    assert {"quickstart", "47tuc"} <= set(resources.shipped_recipes())
    assert (resources.folder("schemas") / "recipe.schema.json").is_file()


@pytest.mark.parametrize("name", ["sn2019yvr", "sn2020jfo", "gw170817"])
def test_the_recipe_of_a_paper_passes_its_check(name, capfd):
    from hst123r.cli.main import invoke

    assert invoke(["check", name]) == 0
    out = capfd.readouterr().out
    assert "is a good recipe" in out
    text = resources.shipped_recipes()[name].read_text(encoding="utf-8")
    # what nobody could look up is said
    assert "# Not confirmed" in text


def test_an_incomplete_installation_is_told():
    with pytest.raises(EnvironmentProblem, match="Install the package again"):
        resources.folder("no such folder")


def test_the_cache_gives_what_the_file_says(cache, file):
    expected = {"a": 1, "b": ["x", 2.5], "no": None}
    assert resources.load_yaml(file) == expected
    (stored,) = (cache / "yaml").iterdir()
    assert json.loads(stored.read_text()) == expected
    assert resources.load_yaml(file) == expected


def test_what_is_read_comes_from_the_cache(cache, file):
    resources.load_yaml(file)
    (stored,) = (cache / "yaml").iterdir()
    stored.write_text('{"a": "from the cache"}')
    assert resources.load_yaml(file) == {"a": "from the cache"}


def test_a_changed_file_is_not_taken_from_the_cache(cache, file):
    resources.load_yaml(file)
    times = file.stat()
    file.write_text("a: 9\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert resources.load_yaml(file) == {"a": 9}


def test_a_damaged_cache_is_made_anew(cache, file):
    resources.load_yaml(file)
    (stored,) = (cache / "yaml").iterdir()
    stored.write_text("{half")
    assert resources.load_yaml(file)["a"] == 1
    assert json.loads(stored.read_text())["a"] == 1


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path, monkeypatch, file):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv(resources.CACHE_VARIABLE, str(blocked))
    assert resources.load_yaml(file)["a"] == 1


def test_the_cache_of_the_user_is_used_when_nothing_else_is_said(monkeypatch):
    monkeypatch.delenv(resources.CACHE_VARIABLE)
    assert "hst123r" in str(resources.cache_folder())


def test_a_lock_beside_a_recipe_is_no_recipe(tmp_path, monkeypatch):
    for name in ("a.yaml", "a.lock.yaml"):
        (tmp_path / name).touch()
    monkeypatch.setattr(resources, "folder", lambda _: tmp_path)
    assert list(resources.shipped_recipes()) == ["a"]

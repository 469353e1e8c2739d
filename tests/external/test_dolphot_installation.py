"""What of DOLPHOT is installed."""

import pytest

from hst123r.errors import EnvironmentProblem
from hst123r.external.dolphot_installation import (
    BASE_VARIABLE,
    PROGRAM_VARIABLE,
    find,
    needed,
)


@pytest.fixture
def binary(tmp_path, monkeypatch):
    """Write something like a program that was built with a folder and some modules."""

    def call(base, *words):
        path = tmp_path / "bin" / "dolphot"
        path.parent.mkdir(exist_ok=True)
        inside = b"\0".join([b"/lib64/ld-linux-x86-64.so.2", str(base).encode(), b"%s/acs/data/%s"])
        path.write_bytes(b"\x7fELF\0" + inside + b"\0" + b"\0".join(w.encode() for w in words))
        path.chmod(0o755)
        monkeypatch.setenv(PROGRAM_VARIABLE, str(path.parent))
        return path

    monkeypatch.delenv(BASE_VARIABLE, raising=False)
    return call


def test_a_program_tells_its_folder_and_modules(binary, tmp_path):
    base = tmp_path / "dolphot2.0"
    (base / "acs" / "data").mkdir(parents=True)
    path = binary(base, "DOL_ACS")
    found = find({"DOL_ACS", "DOL_WFC3"})
    assert (found.program, found.base) == (path, base)
    assert found.words == {"DOL_ACS"}
    # a folder inside a longer path, as older versions have it
    binary(f"{base}/acs/data/filters.dat")
    assert find().base == base


def test_a_folder_that_is_gone_is_not_known(binary, tmp_path, monkeypatch):
    binary(tmp_path / "gone")
    assert find().base is None
    monkeypatch.setenv(BASE_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(EnvironmentProblem, match="which is no folder"):
        find()
    monkeypatch.setenv(BASE_VARIABLE, str(tmp_path))
    assert find().base == tmp_path


def test_programs_beside_it_and_on_the_path(binary, tmp_path, monkeypatch):
    path = binary(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    (path.parent / "acsmask").touch(mode=0o755)
    (tmp_path / "calcsky").touch(mode=0o755)
    found = find()
    assert found.sibling("acsmask") == path.parent / "acsmask"
    assert found.sibling("calcsky") == tmp_path / "calcsky"
    assert found.sibling("splitgroups") is None


def test_what_is_not_there(monkeypatch, tmp_path):
    monkeypatch.delenv(PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() is None
    with pytest.raises(EnvironmentProblem, match=r"DOLPHOT is not installed.*engine: psf"):
        needed()
    monkeypatch.setenv(PROGRAM_VARIABLE, str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="where there is no program dolphot"):
        find()


def test_a_script_may_know_everything(tmp_path, monkeypatch):
    path = tmp_path / "dolphot"
    path.write_text("#!/bin/sh\nexec /opt/dolphot/bin/dolphot\n")
    path.chmod(0o755)
    monkeypatch.setenv(PROGRAM_VARIABLE, str(path))
    found = find({"DOL_ACS"})
    assert found.words == {"DOL_ACS"}
    assert found.base is None
    assert found.script


def test_a_folder_that_the_program_does_not_read_is_refused(binary, tmp_path, monkeypatch):
    base = tmp_path / "dolphot2.0"
    (base / "acs").mkdir(parents=True)
    (base / "param").mkdir()
    (base / "param" / "dolphot.param").touch()
    binary(base)
    monkeypatch.setenv(BASE_VARIABLE, str(base))
    assert find().base == base
    assert find().unasked() == {"param/dolphot.param": base / "param" / "dolphot.param"}
    monkeypatch.setenv(BASE_VARIABLE, str(tmp_path))
    with pytest.raises(EnvironmentProblem, match=f"was built with {base}, which it reads"):
        find()


def test_of_several_folders_in_a_program_the_variable_names_one(binary, tmp_path, monkeypatch):
    """Some of its objects may be left from an older build."""
    bases = [tmp_path / "old", tmp_path / "new"]
    for base in bases:
        (base / "acs").mkdir(parents=True)
    binary(bases[0], str(bases[1]))
    assert find().base is None
    for base in bases:
        monkeypatch.setenv(BASE_VARIABLE, str(base))
        assert find().base == base
    monkeypatch.setenv(BASE_VARIABLE, str(tmp_path))
    with pytest.raises(EnvironmentProblem, match=r"was built with .*old and .*new"):
        find()

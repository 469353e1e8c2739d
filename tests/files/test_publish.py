"""Files appear whole or not at all, and copies never touch their source."""

import pytest

from hst123r.errors import EnvironmentProblem
from hst123r.files import publish
from hst123r.files.content import Signature, digest_file


def test_a_copy_is_equal_and_its_source_untouched(image, tmp_path):
    source = image()
    before = Signature.of(source)
    content = publish.copy(source, tmp_path / "new" / "copy.fits", sha256=True)
    assert (tmp_path / "new" / "copy.fits").read_bytes() == source.read_bytes()
    assert content.digest == digest_file(source)
    assert Signature.of(source) == before
    assert (tmp_path / "new" / "copy.fits").stat().st_ino != source.stat().st_ino


def test_a_copy_never_overwrites(image, tmp_path):
    (tmp_path / "there").write_text("mine")
    with pytest.raises(FileExistsError):
        publish.copy(image(), tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"


def test_write_replaces_at_once_and_leaves_no_part(tmp_path):
    publish.write(tmp_path / "x", b"one")
    publish.write(tmp_path / "x", b"two")
    assert (tmp_path / "x").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_the_machines_refusal_becomes_a_sentence(tmp_path):
    with (
        pytest.raises(EnvironmentProblem) as caught,
        publish.machine_errors("write the thing", tmp_path),
    ):
        raise OSError(28, "No space left on device")
    assert caught.value.exit_code == 6
    assert "cannot write the thing: No space left on device. The disk is full" in str(caught.value)


def test_a_full_disk_is_known_also_behind_the_error_of_a_library():
    assert publish.no_room(OSError(28, "No space left on device")) == "the disk is full"
    found = OSError("an error of a library")
    found.__context__ = OSError(28, "No space left on device")
    assert found.errno is None
    assert publish.no_room(found) == "the disk is full"
    # astropy, where NumPy wrote
    found = OSError("Not enough space on disk: requested 9, available 0. 9 requested and 3 written")
    assert publish.no_room(found) == "the disk is full"
    assert publish.no_room(OSError(13, "Permission denied")) == ""
    assert publish.no_room(ValueError("the disk is full")) == ""

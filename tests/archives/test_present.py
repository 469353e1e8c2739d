"""A file that is here: looked into, and copied only if it is the one that is wanted."""

import hashlib

import pytest

from hst123r.archives.present import OtherVersion, copied, look
from hst123r.archives.wanted import Status, Wanted
from hst123r.errors import InputError

BYTES = b"an exposure" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()


def check(path):
    if path.read_bytes() != BYTES:
        raise InputError("it is not whole", where=path.name)
    return "verified"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.fits"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def wanted(tmp_path):
    return Wanted("mast:x", "", tmp_path / "there" / "x.fits", check)


def test_it_stands_where_a_fetched_one_would(source, wanted):
    found = copied(source, wanted, SHA256)
    assert wanted.destination.read_bytes() == BYTES
    assert wanted.destination.stat().st_mode & 0o222 == 0
    told = found.as_fetched(wanted, Status.SHARED, source="shared archive")
    assert (told.sha256, told.size, told.checksums) == (SHA256, len(BYTES), "verified")
    assert (told.status, told.source) == (Status.SHARED, "shared archive")


def test_another_version_or_a_broken_one_is_not_there(source, wanted):
    with pytest.raises(OtherVersion, match="was expected") as told:
        copied(source, wanted, "0" * 64)
    assert told.value.sha256 == SHA256
    source.write_bytes(BYTES[:-1])
    with pytest.raises(InputError, match="not whole"):
        look(source, wanted, None)
    with pytest.raises(InputError, match="not whole"):
        copied(source, wanted, None)
    assert list(wanted.destination.parent.iterdir()) == []

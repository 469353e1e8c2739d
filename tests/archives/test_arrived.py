"""What is known of a file that has arrived goes with it, and is about no other bytes."""

import hashlib

from hst123r.archives import arrived
from hst123r.archives.arrived import Arrival
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.wanted import Status, Wanted

BYTES = b"an exposure"
SHA256 = hashlib.sha256(BYTES).hexdigest()
CAME = Arrival("s3://bucket/x", SHA256, '"v1"', "Mon, 01 Jan 2024 00:00:00 GMT", "2026-01-01T00:00")


def test_it_is_known_again_and_of_these_bytes_alone(tmp_path):
    file = tmp_path / "x.fits"
    assert arrived.known(file, SHA256) is None
    arrived.note(file, CAME)
    assert arrived.known(file, SHA256) == CAME
    assert arrived.known(file, "0" * 64) is None
    assert [path.name for path in tmp_path.glob("*x*")] == ["x.fits.arrived.json"]


def test_it_goes_where_the_file_goes(tmp_path):
    (tmp_path / "out").mkdir()
    here, there = tmp_path / "x.fits", tmp_path / "out" / "x.fits"
    arrived.follow(here, there)
    arrived.note(here, CAME)
    arrived.follow(here, there)
    assert arrived.known(there, SHA256) == CAME
    assert arrived.known(here, SHA256) is None


def test_what_a_crash_leaves_of_it_is_no_record(tmp_path):
    for text in ("", "{", "[]", '{"uri": "x"}'):
        arrived.beside(tmp_path / "x.fits").write_text(text)
        assert arrived.known(tmp_path / "x.fits", SHA256) is None


def test_a_file_that_is_here_already_is_what_it_came_as(tmp_path):
    file = tmp_path / "x.fits"
    file.write_bytes(BYTES)
    wanted = Wanted("mast:x", "", file, lambda _: "absent")
    assert Fetcher("").cached(wanted).etag == ""
    arrived.note(file, CAME)
    found = Fetcher("").cached(wanted)
    assert (found.status, found.etag, found.uri) == (Status.CACHED, '"v1"', "s3://bucket/x")
    assert (found.last_modified, found.retrieved) == (CAME.last_modified, CAME.retrieved)

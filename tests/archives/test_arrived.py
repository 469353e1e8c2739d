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


def test_it_goes_where_the_file_goes_and_comes_back_with_it(tmp_path):
    (tmp_path / "attempt" / "out").mkdir(parents=True)
    file, product = tmp_path / "x.fits", tmp_path / "attempt" / "out" / "x.fits"
    file.write_bytes(BYTES)
    arrived.note(file, CAME)
    arrived.hand_over(file, product)
    assert product.read_bytes() == BYTES
    # the folder of products has nothing but products
    assert list(product.parent.iterdir()) == [product]
    assert arrived.known(file, SHA256) is None
    arrived.put_back(product, file)
    assert file.read_bytes() == BYTES
    assert arrived.known(file, SHA256) == CAME


def test_of_a_job_that_was_ended_between_the_two_it_comes_back_alone(tmp_path):
    (tmp_path / "attempt" / "out").mkdir(parents=True)
    file, product = tmp_path / "x.fits", tmp_path / "attempt" / "out" / "x.fits"
    arrived.note(tmp_path / "attempt" / "x.fits", CAME)
    # nothing is there to be known of: the job was done
    arrived.put_back(product, file)
    assert arrived.known(file, SHA256) is None
    file.write_bytes(BYTES)
    arrived.put_back(product, file)
    assert arrived.known(file, SHA256) == CAME


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

"""What is known of a file that has arrived goes with it, and is about no other bytes."""

import os

from hst123r.archives import arrived
from hst123r.archives.arrived import Arrival
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.wanted import Status, Wanted

BYTES = b"an exposure"
CAME = Arrival("s3://bucket/x", '"v1"', "Mon, 01 Jan 2024 00:00:00 GMT", "2026-01-01T00:00")


def test_it_is_known_again_and_of_this_file_alone(tmp_path):
    file, part = tmp_path / "x.fits", tmp_path / "x.fits.part"
    part.write_bytes(BYTES)
    assert arrived.known(file) is None
    arrived.note(file, part, CAME)
    assert arrived.known(file) is None
    part.replace(file)
    assert arrived.known(file) == CAME
    assert sorted(path.name for path in tmp_path.glob("x*")) == ["x.fits", "x.fits.arrived.json"]
    other = tmp_path / "other"
    other.write_bytes(BYTES)
    other.replace(file)
    assert arrived.known(file) is None


def test_a_file_that_was_written_to_since_is_another(tmp_path):
    file = tmp_path / "x.fits"
    file.write_bytes(BYTES)
    arrived.note(file, file, CAME)
    then = file.stat()
    with file.open("r+b") as stream:
        stream.write(b"AN")
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns + 1))
    assert arrived.known(file) is None


def test_it_goes_where_the_file_goes_and_comes_back_with_it(tmp_path):
    (tmp_path / "attempt" / "out").mkdir(parents=True)
    file, product = tmp_path / "x.fits", tmp_path / "attempt" / "out" / "x.fits"
    file.write_bytes(BYTES)
    arrived.note(file, file, CAME)
    arrived.hand_over(file, product)
    assert product.read_bytes() == BYTES
    # the folder of products has nothing but products
    assert list(product.parent.iterdir()) == [product]
    assert arrived.known(file) is None
    arrived.put_back(product, file)
    assert file.read_bytes() == BYTES
    assert arrived.known(file) == CAME


def test_of_a_job_that_was_ended_between_the_two_it_comes_back_alone(tmp_path):
    (tmp_path / "attempt" / "out").mkdir(parents=True)
    file, product = tmp_path / "x.fits", tmp_path / "attempt" / "out" / "x.fits"
    file.write_bytes(BYTES)
    arrived.note(tmp_path / "attempt" / "x.fits", file, CAME)
    file.rename(tmp_path / "elsewhere")
    # nothing is there to be known of: the job was done
    arrived.put_back(product, file)
    assert arrived.known(file) is None
    (tmp_path / "elsewhere").rename(file)
    arrived.put_back(product, file)
    assert arrived.known(file) == CAME


def test_what_a_crash_leaves_of_it_is_no_record(tmp_path):
    for text in ("", "{", "[]", '{"uri": "x"}'):
        arrived.beside(tmp_path / "x.fits").write_text(text)
        assert arrived.known(tmp_path / "x.fits") is None


def test_a_file_that_is_here_already_is_what_it_came_as(tmp_path):
    file = tmp_path / "x.fits"
    file.write_bytes(BYTES)
    wanted = Wanted("mast:x", "", file, lambda _: "absent")
    assert Fetcher("").cached(wanted).etag == ""
    arrived.note(file, file, CAME)
    found = Fetcher("").cached(wanted)
    assert (found.status, found.etag, found.uri) == (Status.CACHED, '"v1"', "s3://bucket/x")
    assert (found.last_modified, found.retrieved) == (CAME.last_modified, CAME.retrieved)

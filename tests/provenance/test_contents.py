"""What files hold, and when a file is read again."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from hst123r.files.content import look
from hst123r.provenance.stamps import stamp, stamps_of
from hst123r.provenance.store import Store


@pytest.fixture
def known(store, work, image):
    """Return the path of a file in the work directory that the store has looked at."""
    path = image(work / "raw" / "one.fits")
    store.contents.look(str(path))
    store.contents.flush(wait=True)
    return path


def test_a_content_has_the_digests_of_its_file(store, known):
    found = store.contents.look(str(known))
    content = look(known)
    assert (found.digest, found.size, found.facets) == (
        content.digest, content.size, content.facets,
    )  # fmt: skip
    assert found.facet("pixels") == content.facets["pixels"]


def test_two_files_of_equal_content_are_one_content(store, known, work):
    other = work / "raw" / "two.fits"
    shutil.copy(known, other)
    assert store.contents.look(str(other)).id == store.contents.look(str(known)).id
    store.contents.flush(wait=True)
    assert store.db.table("content").count == 1
    assert store.db.table("path_state").count == 2
    assert store.db.table("header").count == 2


def test_an_unchanged_file_costs_one_stat(store, known):
    """The store believes the signature: what it says comes from its row, not from the file."""
    found = store.contents.peek(str(known))
    store.db.execute("update content set size = 1 where id = ?", [found.id])
    store.contents.forget()
    assert store.contents.look(str(known)).size == 1


def test_a_changed_file_is_read_and_the_facets_that_changed_are_told(store, known):
    before = store.contents.peek(str(known))
    with fits.open(known, mode="update") as hdus:
        hdus["SCI"].data[1, 2] += 1
    assert store.contents.peek(str(known)) is None
    after = store.contents.look(str(known))
    assert after.id != before.id
    assert after.changed_facets(before) == ["pixels"]
    assert store.contents.get(before.id) == before
    assert before.changed_facets(before) == []


def test_our_stamps_are_not_among_the_bytes_that_count(store, known, work):
    before = store.contents.look(str(known))
    stamp(known, stamps_of(run="u7", job_id=7, name="a:b", key=None, recipe="d:1"))
    stamped = store.contents.look(str(known))
    assert stamped.digest != before.digest
    assert stamped.facet("bytes") == before.facet("bytes")
    with fits.open(known, mode="update") as hdus:
        hdus["SCI"].data[1, 2] += 1
    assert store.contents.look(str(known)).facet("bytes") != before.facet("bytes")
    text = work / "a.txt"
    text.write_text("a")
    found = store.contents.look(str(text))
    assert found.facet("bytes") == found.digest


def test_a_changed_text_has_changed_in_its_bytes(store, work):
    path = work / "table.ecsv"
    path.write_text("1")
    one = store.contents.look(str(path))
    path.write_text("22")
    two = store.contents.look(str(path))
    assert two.changed_facets(one) == ["bytes"]
    assert two.facet("pixels") == two.digest


def test_a_touch_costs_one_reading_and_not_one_each_time(store, known):
    found = store.contents.peek(str(known))
    os.utime(known, (1e9, 1e9))
    assert store.contents.peek(str(known)) is None
    assert store.contents.look(str(known)).id == found.id
    assert store.contents.peek(str(known)).id == found.id


def test_a_file_put_back_with_its_old_time_is_still_read(store, known, image):
    """A tool that restores the time of a file cannot restore when its inode changed."""
    times = known.stat()
    image(known, value=7.0)
    os.utime(known, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert known.stat().st_size == times.st_size
    assert store.contents.peek(str(known)) is None


def test_a_file_changed_just_now_is_not_written_down_before_it_rests(store, work, image):
    path = image(work / "raw" / "young.fits")
    os.utime(path)
    store.contents.look(str(path))
    store.contents.flush()
    assert store.db.table("path_state").count == 0
    store.contents.flush(wait=True)
    assert [row["path"] for row in store.db.table("path_state").rows] == ["raw/young.fits"]


def test_a_file_that_changes_before_it_is_written_down_is_not(store, work, image):
    path = image(work / "raw" / "one.fits")
    store.contents.look(str(path))
    image(path, value=3.0)
    store.contents.flush(wait=True)
    assert store.db.table("path_state").count == 0


def test_a_moved_work_directory_needs_no_reading(store, known, work, tmp_path):
    before = store.contents.peek(str(known))
    store.close()
    moved = tmp_path / "elsewhere"
    work.rename(moved)
    again = Store(moved)
    assert again.contents.peek(str(moved / "raw" / "one.fits")) == before
    assert again.contents.absolute("raw/one.fits") == str(moved / "raw" / "one.fits")
    again.close()


def test_a_copied_work_directory_is_read_once_and_known(store, known, work, tmp_path):
    before = store.contents.peek(str(known))
    store.close()
    copied = tmp_path / "copy"
    shutil.copytree(work, copied)
    again = Store(copied)
    path = str(copied / "raw" / "one.fits")
    assert again.contents.peek(path) is None
    assert again.contents.look(path).id == before.id
    again.close()


def test_a_file_outside_the_work_directory_keeps_its_whole_path(store, tmp_path, image):
    path = image(tmp_path / "mine" / "one.fits")
    store.contents.look(str(path))
    store.contents.flush(wait=True)
    assert [row["path"] for row in store.db.table("path_state").rows] == [str(path)]
    assert store.contents.absolute(str(path)) == str(path)


def test_a_missing_file_has_no_content(store, known):
    known.unlink()
    assert store.contents.peek(str(known)) is None
    assert store.contents.look(str(known)) is None
    assert store.contents.look(str(known / "below")) is None


def test_a_read_only_store_looks_without_writing(store, known, work, image):
    new = image(work / "raw" / "new.fits", value=2.0)
    asked = Store(work, read_only=True)
    assert asked.contents.look(str(known)).id == store.contents.look(str(known)).id
    found = asked.contents.look(str(new))
    assert (found.id, found.digest) == (-1, look(new).digest)
    asked.contents.flush(wait=True)
    asked.close()
    assert store.db.table("content").count == 1


def test_what_a_failed_transaction_added_is_forgotten_in_memory_too(store, work, image):
    path = str(image(work / "raw" / "one.fits"))

    def fails():
        with store.transaction():
            store.contents.look(path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert store.db.table("content").count == 0
    found = store.contents.look(path)
    assert store.db.table("content").get(found.id)["digest"] == look(Path(path)).digest


def test_a_sha256_that_comes_later_is_added(store, known):
    found = store.contents.look(str(known))
    again = store.contents.add(look(known, sha256=True))
    assert again.id == found.id
    row = store.db.table("content").get(found.id)
    assert row["sha256"] == hashlib.sha256(known.read_bytes()).hexdigest()


def test_header_cards_can_be_asked_for(store, work, image):
    image(work / "raw" / "one.fits", FILTER1="F606W")
    found = store.contents.look(str(work / "raw" / "one.fits"))
    rows = store.db.query(
        "select name, keyword, value from header_card where content_id = ? "
        "and keyword in ('FILTER1', 'EXPTIME', 'CRVAL1')",
        [found.id],
    )
    assert {(row["name"], row["keyword"], row["value"]) for row in rows} == {
        ("PRIMARY", "FILTER1", "F606W"), ("PRIMARY", "EXPTIME", 100.0), ("SCI", "CRVAL1", 10.0),
    }  # fmt: skip

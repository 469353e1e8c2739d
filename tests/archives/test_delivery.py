"""Files come from a shared archive, from MAST or from the public bucket, and are the same."""

import os
import subprocess
import sys
import textwrap
import time

import pytest
from loopback.client import ROOT
from loopback.holdings import EXCLUSIVE

from hst123r.archives import endpoints
from hst123r.archives.delivery import Delivery
from hst123r.archives.shared import Shared
from hst123r.archives.wanted import Status
from hst123r.errors import ArchiveError

NAME = f"{ROOT}_flc.fits"
URI = f"mast:HST/product/{NAME}"
FILES = {"science": {"uri": URI, "name": NAME}}


@pytest.fixture
def deliver(archive, exposure, tmp_path, monkeypatch):
    """Get one file, from wherever."""
    archive.holdings.add_file(NAME, exposure)
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)

    def call(source="mast", shared=None, offline=False, public=True, folder="raw", **more):
        wanted = Delivery(ROOT, FILES, {}, {}, public, source, shared, **more)
        found = wanted.fetch(tmp_path / folder, None, offline=offline)
        return found["science"], wanted.told

    return call


def asked(archive):
    return [entry["request"].split("?")[0] for entry in archive.log]


def test_both_sources_give_the_same(archive, deliver):
    one, told = deliver("mast", folder="a")
    other, told_too = deliver("s3", folder="b")
    assert asked(archive) == ["GET /api/v0.1/Download/file", f"GET /hst/public/jtst/{ROOT}/{NAME}"]
    assert (one.digests().sha256, one.size) == (other.digests().sha256, other.size)
    assert (one.source, other.source) == ("mast", "s3")
    assert told == told_too == []


def test_auto_goes_on_elsewhere_and_says_so(archive, deliver):
    found, told = deliver("auto")
    assert (found.source, told) == ("mast", [])
    archive.faults.add("GET.*Download", "status", None, code=404)
    found, told = deliver("auto", folder="other")
    assert (found.source, found.status) == ("s3", Status.COMPLETE)
    assert told == [f"{NAME}: the archive does not have it; the public bucket is asked for {NAME}"]


def test_what_neither_gives_is_told_of_both(archive, deliver):
    archive.holdings.files.clear()
    found, _ = deliver("auto")
    assert found.status is Status.MISSING
    assert str(found.error) == (
        f"{NAME}: the archive does not have it; {NAME}: the public bucket does not have it"
    )


def test_half_a_file_of_one_source_is_not_gone_on_with_from_the_other(archive, deliver, exposure):
    archive.faults.add("GET.*Download", "truncate", 1, at=0.5)
    archive.faults.add("GET.*Download", "status", None, code=404)
    found, _ = deliver("auto")
    assert found.source == "s3"
    assert found.wanted.destination.read_bytes() == exposure
    assert "Range" not in archive.log[-1]["headers"]


def test_the_bucket_says_403_of_what_it_does_not_have(archive, deliver):
    archive.holdings.files[URI].rights = EXCLUSIVE
    found, _ = deliver("s3")
    assert found.status is Status.MISSING
    assert str(found.error) == f"{NAME}: the public bucket does not have it"
    # what is exclusive is asked of MAST at once
    archive.log.clear()
    found, told = deliver("s3", public=False)
    assert found.status is Status.EXCLUSIVE
    assert told == ["what is exclusive only MAST has, which is asked for it"]
    assert asked(archive) == ["GET /api/v0.1/Download/file"]


def test_a_shared_archive_is_looked_into_first_and_filled(archive, deliver, tmp_path, exposure):
    (tmp_path / "archive").mkdir()
    shared = lambda: Shared(tmp_path / "archive", "ACS/WFC/150")  # noqa: E731
    with pytest.raises(ArchiveError, match=rf"{NAME} is not here, nor in .*archive"):
        deliver(shared=shared(), offline=True)
    assert archive.log == []
    deliver(shared=shared())
    place = tmp_path / "archive" / "ACS" / "WFC" / "150" / NAME
    assert place.read_bytes() == exposure
    number = len(archive.log)
    found, told = deliver(shared=shared(), folder="b")
    assert (found.status, told) == (Status.SHARED, [])
    assert deliver(shared=shared(), offline=True, folder="c")[0].status is Status.SHARED
    assert len(archive.log) == number
    # a file there that is no good: named, fetched from MAST, and left
    place.write_bytes(exposure[:-2880])
    found, told = deliver(shared=shared(), folder="d")
    assert found.source == "mast"
    assert f"{place} is not used" in told[0]
    assert place.read_bytes() == exposure[:-2880]
    with pytest.raises(ArchiveError, match="is not used"):
        deliver(shared=shared(), offline=True, folder="e")


def test_what_is_exclusive_is_not_put_where_others_read(archive, deliver, tmp_path):
    (tmp_path / "archive").mkdir()
    found, _ = deliver(shared=Shared(tmp_path / "archive", "ACS/WFC/150"), public=False)
    assert found.status is Status.COMPLETE
    assert not list((tmp_path / "archive").rglob("*.fits"))


def test_a_reader_hears_how_far_it_has_come(deliver, exposure):
    heard = []
    deliver(on_bytes=lambda *tiding: heard.append(tiding))
    assert {name for name, _, _ in heard} == {NAME}
    assert heard[-1] == (NAME, len(exposure), len(exposure))


CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from hst123r.archives.delivery import Delivery
    from hst123r.archives.shared import Shared
    files = {"science": {"uri": sys.argv[1], "name": sys.argv[2]}}
    shared = Shared(Path(sys.argv[3]), "ACS/WFC/150")
    wanted = Delivery(sys.argv[2][:9], files, {}, {}, True, "mast", shared)
    found = wanted.fetch(Path(sys.argv[4]), None, offline=False)["science"]
    print(found.status.value, found.digests().sha256, wanted.told)
    """
)


@pytest.mark.heavy
def test_two_processes_fetch_a_file_once(archive, deliver, tmp_path, exposure):
    """The first is slow, so that the second comes while it is at it; a third was killed."""
    folder = tmp_path / "archive"
    folder.mkdir()
    archive.faults.add("GET.*Download", "slow", 2, rate=1_500_000)

    def start(name):
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, URI, NAME, str(folder), str(tmp_path / name)],
            stdout=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip

    killed = start("k")
    deadline = time.monotonic() + 30
    while not archive.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    running = [start("a"), start("b")]
    said = [process.communicate(timeout=60)[0].split(maxsplit=2) for process in running]
    assert sorted(words[0] for words in said) == ["complete", "shared"]
    assert said[0][1:] == said[1][1:]
    assert len(archive.log) == 2
    there = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in there] == [NAME]
    assert there[0].read_bytes() == exposure

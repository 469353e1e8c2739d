"""A shared archive: good copies are used, bad ones are named, and nothing there is ever changed."""

import errno
import multiprocessing
import os
import shutil
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from loopback.client import ROOT

from hst123r.archives import exposure_file
from hst123r.archives.partial import Digests
from hst123r.archives.shared import Shared, cell_of
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.files.publish import copy

NAME = f"{ROOT}_flc.fits"


@pytest.mark.parametrize(
    ("detector", "ra_deg", "cell"),
    [
        ("ACS/WFC", 150.1, "ACS/WFC/150"), ("WFPC2", 150.5, "WFPC2/WFPC2/150"),
        ("WFC3/IR", 151.5, "WFC3/IR/152"), ("ACS/HRC", 359.7, "ACS/HRC/360"),
        ("ACS/HRC", 0, "ACS/HRC/0"),
        ("ACS/WFC", None, ""), ("ACS/WFC", float("nan"), ""), ("", 10.0, ""),
    ],
)  # fmt: skip
def test_a_place_is_that_of_hst123(detector, ra_deg, cell):
    assert cell_of(detector, ra_deg) == cell


@pytest.fixture
def wanted(tmp_path):
    check = partial(exposure_file.verify, root=ROOT)
    return Wanted(f"mast:HST/product/{NAME}", "", tmp_path / "raw" / NAME, check)


@pytest.fixture
def shared(tmp_path):
    (tmp_path / "archive").mkdir()
    return Shared(tmp_path / "archive", "ACS/WFC/150")


def put(shared, data, cell="ACS/WFC/150"):
    place = shared.folder / cell / NAME
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


@pytest.mark.parametrize("cell", ["ACS/WFC/150", "ACS/WFC/151", "ACS/WFC/149"])
def test_a_good_file_is_copied(shared, wanted, exposure, cell):
    place = put(shared, exposure, cell)
    found = shared.take(wanted)
    assert found.status is Status.SHARED
    # and not where on this machine it lies
    assert found.source == "shared archive"
    assert found.digests().sha256 == Digests.of(place).sha256
    assert wanted.destination.read_bytes() == exposure
    assert wanted.destination.stat().st_mode & 0o777 == 0o444
    assert wanted.destination.stat().st_ino != place.stat().st_ino
    assert shared.told == []


def test_the_sky_is_round(wanted, exposure, tmp_path):
    shared = Shared(tmp_path / "archive", "ACS/WFC/0")
    put(shared, exposure, "ACS/WFC/360")
    assert shared.take(wanted).status is Status.SHARED


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[:-2880], "is not used: "),
        (lambda data: data[: len(data) // 2], "is not used: "),
        (lambda _: b"", "is not used: "),
        (
            lambda data: data[:60000] + bytes([data[60000] ^ 1]) + data[60001:],
            "verification failed",
        ),
        (lambda data: data.replace(ROOT.encode(), b"jtst99abq"), "is not used"),
    ],
)
def test_a_bad_file_is_named_not_used_and_left(shared, wanted, exposure, damage, why):
    data = damage(exposure)
    place = put(shared, data)
    assert shared.take(wanted) is None
    (line,) = shared.told
    assert line.startswith(str(place))
    assert why in line
    assert place.read_bytes() == data
    assert not any(wanted.destination.parent.iterdir())
    # nor is it replaced by what is fetched instead
    shared.put(fetched(wanted, exposure))
    assert place.read_bytes() == data


def test_another_version_than_the_locked_one_is_not_used(shared, wanted, exposure):
    from dataclasses import replace

    put(shared, exposure)
    assert shared.take(replace(wanted, sha256="ab" * 32)) is None
    assert "is another version than the locked one" in shared.told[0]


def fetched(wanted, data):
    wanted.destination.parent.mkdir(exist_ok=True)
    wanted.destination.write_bytes(data)
    return Fetched(wanted, Status.COMPLETE)


def test_what_is_fetched_is_put_there_whole(shared, wanted, exposure):
    shared.put(fetched(wanted, exposure))
    place = shared.folder / "ACS/WFC/150" / NAME
    assert place.read_bytes() == exposure
    assert [path.name for path in place.parent.iterdir()] == [NAME]
    assert shared.told == []


def test_an_archive_that_cannot_be_written_is_told(shared, wanted, exposure):
    (shared.folder / "ACS").write_text("a file where a folder should be")
    with shared.held(NAME):
        shared.put(fetched(wanted, exposure))
    assert shared.told == [f"{NAME} is not put into {shared.folder}: Not a directory"]
    unknown = Shared(shared.folder, "")
    with unknown.held(NAME):
        assert unknown.take(wanted) is None
        unknown.put(fetched(wanted, exposure))
    assert "MAST does not say where it is" in unknown.told[0]


def test_a_size_that_mast_does_not_list_is_told(shared, wanted, exposure):
    from dataclasses import replace

    place = put(shared, exposure)
    found = shared.take(replace(wanted, size=len(exposure) + 2880))
    assert found.status is Status.SHARED
    assert shared.told[0].startswith(f"{place} has {len(exposure)} bytes, MAST lists ")


def test_a_copy_that_is_not_the_same_is_not_put_there(shared, wanted, exposure, monkeypatch):
    def altered(source, destination):
        copy(source, destination)
        destination.write_bytes(exposure[:-1])

    # a disk that does not keep what is written
    monkeypatch.setattr("hst123r.archives.shared.copy", altered)
    shared.put(fetched(wanted, exposure))
    assert shared.told == [f"{NAME} is not put into {shared.folder}: its copy is not the same"]
    assert not list((shared.folder / "ACS/WFC/150").iterdir())


def test_another_file_that_is_there_stays_and_is_told_once(shared, wanted, exposure):
    place = put(shared, exposure[:-2880])
    shared.put(fetched(wanted, exposure))
    (line,) = shared.told
    assert line.startswith(f"{place} is another file than the one that came, and stays")
    assert place.read_bytes() == exposure[:-2880]
    # the same is not worth a word, nor is what was told before
    shared.put(fetched(wanted, exposure))
    assert len(shared.told) == 1
    place.write_bytes(exposure)
    again = Shared(shared.folder, shared.cell)
    again.put(fetched(wanted, exposure))
    assert again.told == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOENT, errno.EACCES])
def test_a_file_that_cannot_be_copied_out_is_told_and_not_used(
    shared, wanted, exposure, monkeypatch, number
):
    place = put(shared, exposure)

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("hst123r.archives.present.copy", fail)
    assert shared.take(wanted) is None
    assert shared.told == [f"{place} cannot be read: {os.strerror(number)}"]
    monkeypatch.undo()
    monkeypatch.setattr(Path, "is_file", fail)
    again = Shared(shared.folder, shared.cell)
    assert again.take(wanted) is None
    assert again.told[0] == f"{place} cannot be read: {os.strerror(number)}"


def test_a_full_disk_of_ours_is_no_matter_of_the_archive(shared, wanted, exposure, monkeypatch):
    put(shared, exposure)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hst123r.archives.present.copy", fail)
    with pytest.raises(OSError, match="No space"):
        shared.take(wanted)


def test_what_is_made_there_is_for_all_who_may_use_the_archive(shared, wanted, exposure):
    shared.folder.chmod(0o2775)
    before = os.umask(0o077)
    try:
        with shared.held(NAME):
            lock = shared.folder / "ACS/WFC/150" / f".{NAME}.lock"
            assert lock.stat().st_mode & 0o777 == 0o666
            shared.put(fetched(wanted, exposure))
    finally:
        os.umask(before)
    assert not lock.exists()
    for folder in ("ACS", "ACS/WFC", "ACS/WFC/150"):
        assert (shared.folder / folder).stat().st_mode & 0o7777 == 0o2775
    assert (shared.folder / "ACS/WFC/150" / NAME).stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_lock_that_cannot_be_opened_stops_nobody(shared, wanted, exposure):
    place = put(shared, exposure)
    place.with_name(f".{NAME}.lock").touch(mode=0)
    with shared.held(NAME):
        assert shared.take(wanted).status is Status.SHARED
    assert place.with_name(f".{NAME}.lock").exists()


@pytest.fixture
def common():
    """An archive that everybody may write; the tests' own folders are closed to others."""
    folder = Path(tempfile.mkdtemp())
    (folder / "archive").mkdir()
    folder.chmod(0o755)
    (folder / "archive").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def use(uid, folder, name, data, killed, pipe):
    """Fetch a file as a user would; in a process of its own."""
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.umask(0o022)
    own = Path(tempfile.mkdtemp())
    shared = Shared(folder / "archive", "ACS/WFC/150")
    try:
        destination = own / name
        one = Wanted("", "", destination, lambda _: "verified")
        with shared.held(name):
            if killed:
                pipe.send([])
                os._exit(0)
            found = shared.take(one)
            if found is None:
                destination.write_bytes(data)
                shared.put(Fetched(one, Status.COMPLETE))
        pipe.send([*shared.told, "taken" if found else "put"])
    except OSError as error:
        pipe.send([repr(error)])
    finally:
        with suppress(OSError):
            shutil.rmtree(own)


@pytest.mark.skipif(os.getuid() != 0, reason="needs to be two users")
@pytest.mark.parametrize("mode", [None, 0o644])
def test_two_users_share_an_archive(common, exposure, mode):
    context = multiprocessing.get_context("fork")

    def call(uid, name, killed=False):
        ours, theirs = context.Pipe()
        child = context.Process(target=use, args=(uid, common, name, exposure, killed, theirs))
        child.start()
        assert ours.poll(60)
        said = ours.recv()
        child.join()
        return said

    # the first is killed, and its lock is left behind; hst123r made it for itself alone once
    assert call(64001, NAME, killed=True) == []
    lock = common / "archive" / "ACS/WFC/150" / f".{NAME}.lock"
    assert (lock.stat().st_uid, lock.stat().st_mode & 0o777) == (64001, 0o666)
    if mode is not None:
        lock.chmod(mode)
    assert call(64002, NAME) == ["put"]
    assert lock.exists() == (mode is not None)
    assert call(64001, NAME) == ["taken"]
    assert call(64001, f"other_{NAME}") == ["put"]
    assert call(64002, f"other_{NAME}") == ["taken"]

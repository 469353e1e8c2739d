"""A shared archive: good copies are used, bad ones are named, and nothing there is ever changed."""

from functools import partial

import pytest
from loopback.client import ROOT

from hst123r.archives import exposure_file
from hst123r.archives.partial import Digests
from hst123r.archives.shared import Shared, cell_of
from hst123r.archives.wanted import Fetched, Status, Wanted

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
    assert found.source == str(place)
    assert found.sha256 == Digests.of(place).sha256
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
    digests = Digests.of(wanted.destination)
    return Fetched(wanted, Status.COMPLETE, sha256=digests.sha256, digest=digests.digest)


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


def test_a_copy_that_is_not_the_same_is_not_put_there(shared, wanted, exposure):
    found = fetched(wanted, exposure)
    wanted.destination.write_bytes(exposure[:-1])
    shared.put(found)
    assert shared.told == [f"{NAME} is not put into {shared.folder}: its copy is not the same"]
    assert not list((shared.folder / "ACS/WFC/150").iterdir())

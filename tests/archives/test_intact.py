"""A file that is in its place is taken if it is the one of its digest, and only then."""

from functools import partial

import pytest
from loopback.client import ROOT

from hst123r.archives import exposure_file
from hst123r.archives.intact import Intact
from hst123r.archives.partial import Digests
from hst123r.archives.wanted import Status, Wanted

NAME = f"{ROOT}_flc.fits"


@pytest.fixture
def wanted(tmp_path):
    check = partial(exposure_file.verify, root=ROOT)
    return Wanted(f"mast:HST/product/{NAME}", "", tmp_path / "raw" / "incoming" / NAME, check)


def test_a_file_of_its_digest_is_taken_and_stays(wanted, exposure, tmp_path):
    place = tmp_path / "raw" / NAME
    place.parent.mkdir()
    place.write_bytes(exposure)
    sha256 = Digests.of(place).sha256
    found = Intact(place, sha256, {"etag": '"1"', "last_modified": "", "source": "s3"}).take(wanted)
    assert (found.status, found.sha256, found.size) == (Status.CACHED, sha256, len(exposure))
    assert (found.etag, found.last_modified, found.source) == ('"1"', "", "s3")
    assert place.read_bytes() == wanted.destination.read_bytes() == exposure
    assert [path.name for path in wanted.destination.parent.iterdir()] == [NAME]


def test_another_is_not_nor_one_that_is_no_exposure(wanted, exposure, tmp_path):
    place = tmp_path / "raw" / NAME
    assert Intact(place, "ab" * 32, {}).take(wanted) is None
    place.parent.mkdir()
    place.write_bytes(exposure)
    assert Intact(place, "ab" * 32, {}).take(wanted) is None
    place.write_bytes(exposure[:-2880])
    assert Intact(place, Digests.of(place).sha256, {}).take(wanted) is None
    assert not wanted.destination.exists()
    assert not list(tmp_path.rglob("*.copy"))

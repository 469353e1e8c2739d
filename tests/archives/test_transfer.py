"""Each way in which the archive's own client was seen to leave a wrong file, by name.

What is named is what the client did (0.4.11 of astroquery, measured); what is asked for is a whole,
verified file or a typed failure, and never anything else under the final name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pytest
from loopback.client import IMPATIENT, QUICK, ROOT
from loopback.holdings import EXCLUSIVE, exposure_bytes

from hst123r.archives import endpoints
from hst123r.archives.delivery import Delivery
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.wanted import Status

FILE = f"GET.*Download/file.*{ROOT}"
NEXT = "jtst0002q"
NAME = f"{ROOT}_flc.fits"
OTHER = exposure_bytes(ROOT, rows=512, columns=512, seed=2, checksums=True)


@dataclass
class Seen:
    """What was seen, how to bring it about, and what has to come of it."""

    name: str
    faults: list = field(default_factory=list)
    before: str = ""
    status: Status = Status.COMPLETE


SEEN = [
    Seen("a batch goes on behind 401", [("status", None, {"code": 401})], "", Status.EXCLUSIVE),
    Seen("a batch goes on behind 403", [("status", None, {"code": 403})], "", Status.EXCLUSIVE),
    Seen("a batch goes on behind 404", [("status", None, {"code": 404})], "", Status.MISSING),
    Seen("a batch goes on behind 503", [("status", None, {"code": 503})], "", Status.FAILED),
    Seen("cut midway: the batch was lost", [("truncate", 1, {})]),
    Seen("cut before the first byte: an empty file was left", [("truncate", 1, {"at": 0})]),
    Seen("cut midway without length was complete", [("truncate_no_length", 1, {})]),
    Seen("a web page with 200 was complete", [("html", 1, {})]),
    Seen("a web page for ever was complete", [("html", None, {})], "", Status.FAILED),
    Seen("a flipped byte was complete", [("corrupt", 1, {"at": 0.5})]),
    Seen("an older version of the same size was kept", before="stale"),
    Seen("dropped before headers: the batch was lost", [("drop", 1, {})]),
    Seen("dropped for ever: the batch was lost", [("drop", None, {})], "", Status.FAILED),
    Seen("a stall was waited for without end", [("stall", 1, {})]),
    Seen("a part and a server without ranges were added up",
         [("truncate", 1, {}), ("ignore_range", 1, {})]),
    Seen("a junk part was gone on with", before="junk"),
    Seen("a part of another version was gone on with", before="part"),
    Seen("a larger file was kept", before="larger"),
    Seen("503 on a ranged request: the next file lacked its beginning",
         [("truncate", 1, {}), ("status", 1, {"code": 503})]),
]  # fmt: skip


def leave(what, wanted, data):
    """Leave what an earlier client has left."""
    path = wanted.destination
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    place, content = {
        "stale": (path, OTHER), "larger": (path, data + b"\0" * 2880),
        "junk": (part, b"junk" * 9999), "part": (part, OTHER[:999_999]),
    }[what]  # fmt: skip
    place.write_bytes(content)


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.name)
def test_a_whole_file_or_a_typed_failure_and_the_next_file_too(seen, archive, put, exposure):
    following = exposure_bytes(NEXT, rows=512, columns=512, checksums=True)
    wanted, after = put(exposure), put(following, root=NEXT)
    if seen.before:
        leave(seen.before, wanted, exposure)
        # whoever knows which version is wanted
        wanted = replace(wanted, sha256=hashlib.sha256(exposure).hexdigest())
    for kind, times, options in seen.faults:
        archive.faults.add(FILE, kind, times, **options)
    patience = IMPATIENT if any(kind == "stall" for kind, _, _ in seen.faults) else {}
    fetcher = Fetcher(endpoints.mast().host, patience=replace(QUICK, **patience))
    first, second = fetcher.fetch([wanted, after], at_once=1)
    assert first.status is seen.status
    if seen.status is Status.COMPLETE:
        assert wanted.destination.read_bytes() == exposure
    else:
        assert first.error is not None
        assert not wanted.destination.exists()
    assert second.status is Status.COMPLETE
    assert after.destination.read_bytes() == following


@pytest.mark.parametrize(
    ("name", "kind"), [("cut once", "truncate"), ("a flipped byte was complete", "corrupt")]
)
def test_the_bucket_gives_a_whole_file_too(name, kind, archive, exposure, tmp_path, monkeypatch):
    uri = archive.holdings.add_file(NAME, exposure)
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)
    archive.faults.add("GET /hst/public", kind, 1, at=0.5)
    files = {"science": {"uri": uri, "name": NAME}}
    found = Delivery(ROOT, files, {}, {}, True, "s3").fetch(tmp_path, None, offline=False)
    assert (found["science"].status, found["science"].source) == (Status.COMPLETE, "s3")
    assert found["science"].requests == 2
    assert (tmp_path / NAME).read_bytes() == exposure


def test_what_the_bucket_does_not_have_because_it_is_private_was_skipped(
    archive, exposure, tmp_path, monkeypatch
):
    uri = archive.holdings.add_file(NAME, exposure, EXCLUSIVE)
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)
    files = {"science": {"uri": uri, "name": NAME}}
    wanted = Delivery(ROOT, files, {}, {}, False, "s3")
    found = wanted.fetch(tmp_path, None, offline=False)
    assert found["science"].status is Status.EXCLUSIVE
    assert wanted.told == ["what is exclusive only MAST has, which is asked for it"]

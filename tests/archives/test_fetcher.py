"""The verified fetcher: a whole verified file or a typed failure, whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from io import BytesIO

import pytest
from astropy.io import fits
from blake3 import blake3
from loopback.client import IMPATIENT, QUICK, ROOT
from loopback.holdings import exposure_bytes
from loopback.server import Archive

from hst123r.archives.fetcher import Fetcher
from hst123r.archives.mast_token import Token
from hst123r.archives.partial import boot
from hst123r.archives.wanted import Status
from hst123r.errors import ArchiveError, EnvironmentProblem

FILE = "GET.*Download/file"


@dataclass
class Row:
    """A way in which a download can go wrong, and how it has to end."""

    name: str
    faults: list = field(default_factory=list)
    status: Status = Status.COMPLETE
    says: str = ""
    archive: dict = field(default_factory=dict)
    before: str = ""
    requests: int | None = None
    resumes: bool | None = None
    rights: str = "PUBLIC"
    patience: dict = field(default_factory=dict)


def fault(kind, times=1, **options):
    return kind, times, options


ROWS = [
    Row("all goes well", requests=1, resumes=False),
    Row("401", [fault("status", None, code=401)], Status.EXCLUSIVE, "does not give", requests=1),
    Row("403", [fault("status", None, code=403)], Status.EXCLUSIVE, "does not give", requests=1),
    Row("404", [fault("status", None, code=404)], Status.MISSING, "does not have", requests=1),
    Row("410", [fault("status", None, code=410)], Status.MISSING, "does not have", requests=1),
    Row("400", [fault("status", None, code=400)], Status.FAILED, "400", requests=1),
    Row("503 twice", [fault("status", 2, code=503)], requests=3),
    Row("503 for ever", [fault("status", None, code=503)], Status.FAILED, "503", requests=5),
    Row("429 with Retry-After", [fault("status", 1, code=429, retry_after=0)], requests=2),
    Row("Retry-After of a day", [fault("status", None, code=503, retry_after=86400)],
        Status.FAILED, "86400 s", requests=1),
    Row("cut midway", [fault("truncate")], requests=2, resumes=True),
    Row("cut in the last byte", [fault("truncate", at=0.9999999)], requests=2, resumes=True),
    Row("cut again and again", [fault("truncate", 9, at=0.2)], requests=10, resumes=True),
    Row("cut before the first byte", [fault("truncate", 2, at=0)], requests=3),
    Row("cut midway without validator", [fault("truncate")], archive={"etags": False},
        requests=2, resumes=False),
    Row("cut midway without length", [fault("truncate_no_length")], requests=2),
    Row("cut at the end of an HDU without length", [fault("truncate_no_length", at="hdu")],
        requests=2),
    Row("no length at all", [fault("no_length", None)], requests=1),
    Row("web page with 200", [fault("html", 2)], requests=3),
    Row("web page with 200 for ever", [fault("html", None)], Status.FAILED, "web page"),
    Row("garbage with 200", [fault("garbage", None)], Status.FAILED, "not a FITS file"),
    Row("one bit flipped", [fault("corrupt", at=0.5)], requests=2),
    Row("one bit flipped for ever", [fault("corrupt", None, at=0.5)], Status.FAILED,
        "verification failed", requests=3),
    Row("dropped before headers", [fault("drop", 2)], requests=3),
    Row("dropped for ever", [fault("drop", None)], Status.FAILED, "cannot be reached", requests=5),
    Row("hangs before headers", [fault("hang")], requests=2, patience=IMPATIENT),
    Row("stalls midway", [fault("stall")], requests=2, resumes=True, patience=IMPATIENT),
    Row("comes too slowly", [fault("slow", rate=300_000)], requests=2, resumes=True,
        patience={"least_rate": 1e6}),
    Row("pauses longer than is waited for", [fault("slow", rate=100_000)], requests=2,
        resumes=True, patience=IMPATIENT),
    Row("no ranges", [fault("truncate"), fault("no_ranges")], requests=2, resumes=False),
    Row("range ignored", [fault("truncate"), fault("ignore_range")], requests=2, resumes=False),
    Row("wrong range", [fault("truncate"), fault("wrong_range")], requests=3, resumes=False),
    Row("503 on the ranged request", [fault("truncate"), fault("status", 1, code=503)],
        requests=3, resumes=True),
    Row("length too short", [fault("short_length")], requests=2),
    Row("length too short for ever", [fault("short_length", None)], Status.FAILED, "truncated"),
    Row("length too long", [fault("long_length")], requests=3),
    Row("length too long for ever", [fault("long_length", None)], Status.FAILED, "connection broke",
        requests=5),
    Row("in chunks without length", [fault("chunked", None)], requests=1),
    Row("cut in chunks without length", [fault("truncate_chunked")], requests=2, resumes=True),
    Row("redirect in circles", [fault("redirect", None)], Status.FAILED, "in circles"),
    Row("redirect once", [fault("redirect", 1)]),
    Row("replaced in the archive midway", [fault("truncate"), fault("replace", 1)],
        requests=2, resumes=False),
    Row("replaced in the archive midway, If-Range ignored",
        [fault("truncate"), fault("replace_ignoring_if_range", 1)], requests=3, resumes=False),
    Row("junk part without record", before="junk part", requests=1, resumes=False),
    Row("junk part with a record of this version", before="junk record", requests=2),
    Row("part of another version", before="old part", requests=1, resumes=False),
    Row("part of another file", before="other part", requests=1, resumes=False),
    Row("whole part of an unknown version", before="whole part of unknown version", requests=1),
    Row("part with a hole, of before the power was lost", before="part with a hole", requests=1,
        resumes=False),
    Row("part that is longer than the file", before="long part"),
    Row("whole part that was not published", before="whole part", requests=0),
    Row("whole file is there", status=Status.CACHED, before="whole", requests=0),
    Row("truncated file under the final name", before="truncated", requests=1),
    Row("corrupt file under the final name", before="corrupt", requests=1),
    Row("older version of the same size", before="stale", requests=1),
    Row("larger file under the final name", before="larger", requests=1),
    Row("web page under the final name", before="html", requests=1),
    Row("empty file under the final name", before="empty", requests=1),
    Row("exclusive without a token", status=Status.EXCLUSIVE, rights="EXCLUSIVE_ACCESS",
        says="does not give", requests=1),
]  # fmt: skip


def other_version(data):
    """The same exposure, made again by another pipeline; of the same size."""
    return exposure_bytes(ROOT, rows=512, columns=512, seed=2, checksums=True)


def lay_down(what, wanted, data, etag):
    """Leave what an earlier, unlucky fetch would have left."""
    path = wanted.destination
    path.parent.mkdir(parents=True)
    part, record = (path.with_name(path.name + end) for end in (".part", ".part.json"))
    contents = {
        "whole": data, "truncated": data[: len(data) // 2], "larger": data + b"\0" * 2880,
        "corrupt": data[:10000] + b"\xff" + data[10001:], "stale": other_version(data),
        "html": b"<html></html>", "empty": b"",
    }  # fmt: skip
    parts = {
        "junk part": (b"junk" * 9999, None), "junk record": (b"junk" * 9999, etag),
        "old part": (other_version(data)[:999_999], '"old"'), "whole part": (data, etag),
        "long part": (data + b"more", etag), "other part": (other_version(data)[:999_999], etag),
        "part with a hole": (data[:200_000] + bytes(100_000), etag),
        "whole part of unknown version": (other_version(data), " "),
    }  # fmt: skip
    if what in contents:
        path.write_bytes(contents[what])
    if what in parts:
        held, version = parts[what]
        part.write_bytes(held)
        if version:
            uri = "mast:HST/product/other.fits" if what == "other part" else wanted.uri
            said = {"uri": uri, "etag": version.strip(), "last_modified": "", "total": len(data),
                    "boot": "another" if what == "part with a hole" else boot()}  # fmt: skip
            record.write_text(json.dumps(said))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_whole_file_or_a_typed_failure(row, archive, put, fetcher, exposure):
    data = exposure
    sha256 = hashlib.sha256(data).hexdigest() if row.before == "stale" else None
    wanted = put(data, rights=row.rights, sha256=sha256)
    for name, value in row.archive.items():
        setattr(archive, name, value)
    with fits.open(BytesIO(data)) as hdus:
        end_of_hdu = hdus[2].fileinfo()["datLoc"] + hdus[2].fileinfo()["datSpan"]
    for kind, times, options in row.faults:
        more = dict(options)
        if options.get("at") == "hdu":
            more["at"] = (end_of_hdu + 0.5) / len(data)
        if kind.startswith("replace"):
            data = more["data"] = other_version(data)
        archive.faults.add(FILE, kind, times, **more)
    if row.before:
        lay_down(row.before, wanted, data, archive.holdings.files[wanted.uri].etag)
    fetcher.patience = replace(fetcher.patience, **row.patience)
    (found,) = fetcher.fetch([wanted])
    assert found.status is row.status, found.error
    if row.requests is not None:
        assert len(archive.requests("Download/file")) == row.requests
    path = wanted.destination
    left = {item.name for item in path.parent.iterdir()} - {path.name}
    if not row.status.there:
        assert not path.exists()
        assert isinstance(found.error, ArchiveError)
        assert row.says in str(found.error)
        return
    assert path.read_bytes() == data
    assert left == set()
    assert found.digests().sha256 == hashlib.sha256(data).hexdigest()
    assert found.digests().digest == "blake3:" + blake3(data).hexdigest()
    assert found.sha256 == (sha256 or "")
    assert (found.size, found.checksums) == (len(data), "verified")
    if row.status is Status.COMPLETE:
        assert path.stat().st_mode & 0o222 == 0
        assert found.retrieved
    if row.resumes is not None:
        assert (found.resumed > 0) is row.resumes
        ranged = [entry for entry in archive.log if "Range" in entry["headers"]]
        assert not row.resumes or ranged
        assert all(entry["headers"]["If-Range"] for entry in ranged)


CLIENT = """
import sys
from functools import partial
from pathlib import Path
from hst123r.archives import endpoints, exposure_file
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.wanted import Wanted
uri, path, root = sys.argv[1:]
wanted = Wanted(uri, endpoints.mast().download(uri), Path(path),
                partial(exposure_file.verify, root=root))
(found,) = Fetcher(endpoints.mast().host).fetch([wanted])
print(found.status, found.requests, found.resumed, type(found.error).__name__, found.error)
"""


def client(wanted):
    """Start a process of its own that fetches a file."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, wanted.uri, str(wanted.destination), ROOT],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def part_of(wanted):
    return wanted.destination.with_name(f"{wanted.name}.part")


def test_a_killed_process_is_taken_up_again(archive, put, fetcher, exposure):
    wanted = put(exposure)
    archive.faults.add(FILE, "slow", rate=1_000_000)
    process = client(wanted)
    until(lambda: size_of(part_of(wanted)) > 600_000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = size_of(part_of(wanted))
    assert not wanted.destination.exists()
    (found,) = fetcher.fetch([wanted])
    assert found.status is Status.COMPLETE
    assert found.resumed == there > 600_000
    assert found.digests().sha256 == hashlib.sha256(exposure).hexdigest()
    (ranged,) = (entry for entry in archive.log if "Range" in entry["headers"])
    assert ranged["headers"]["Range"] == f"bytes={there}-"


def test_two_processes_that_want_one_file_fetch_it_once(archive, put, exposure):
    wanted = put(exposure)
    archive.faults.add(FILE, "slow", rate=4_000_000)
    processes = [client(wanted), client(wanted)]
    answers = sorted(process.communicate()[0].split()[0] for process in processes)
    assert answers == ["cached", "complete"]
    assert wanted.destination.read_bytes() == exposure
    assert len(archive.requests("Download/file")) == 1


def test_ctrl_c_keeps_what_is_whole_and_the_rest_is_taken_up(archive, put, exposure):
    wanted = [
        put(exposure_bytes(f"jtst0{n}abq", rows=512, columns=512, seed=n), root=f"jtst0{n}abq")
        for n in range(6)
    ]
    archive.faults.add("GET.*jtst0[1-5]abq", "slow", None, rate=200_000)

    def press(_):
        until(lambda: all(size_of(part_of(one)) for one in wanted[1:4]))
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Fetcher("", patience=QUICK, on_end=press).fetch(wanted)
    whole = [one for one in wanted if one.destination.exists()]
    parts = [one for one in wanted if size_of(part_of(one))]
    assert whole == wanted[:1]
    # the place of the one that ended may have been taken meanwhile
    assert parts in (wanted[1:4], wanted[1:5])
    archive.faults.clear()
    again = Fetcher("", patience=QUICK).fetch(wanted)
    assert [one.status for one in again] == [Status.CACHED] + [Status.COMPLETE] * 5
    assert all(one.resumed for one in again[1:4])


def test_an_exclusive_file_in_the_middle_of_a_batch_stops_nobody(archive, put, fetcher, exposure):
    ended = []
    wanted = [put(exposure)]
    for number, rights in enumerate(["PUBLIC", "EXCLUSIVE_ACCESS", "PUBLIC"]):
        root = f"jtst1{number}abq"
        wanted.append(put(exposure_bytes(root), root=root, rights=rights))
    archive.faults.add("GET.*jtst10abq", "status", None, code=404)
    fetcher.on_end = ended.append
    found = fetcher.fetch(wanted)
    assert [one.status.value for one in found] == ["complete", "missing", "exclusive", "complete"]
    assert [one.wanted for one in found] == wanted
    assert len(ended) == 4


def test_several_are_fetched_at_a_time_and_no_more(archive, put, fetcher):
    wanted = [put(exposure_bytes(f"jtst2{n}abq"), root=f"jtst2{n}abq") for n in range(7)]
    archive.faults.add(FILE, "hang", None)
    running = threading.Thread(target=lambda: fetcher.fetch(wanted))
    patient = replace(QUICK, read_s=30)
    fetcher.patience = patient
    running.start()
    until(lambda: len(archive.log) == 4)
    time.sleep(0.2)
    assert len(archive.log) == 4
    archive.faults.clear()
    archive.ending.set()
    running.join()
    assert all(one.destination.exists() for one in wanted)


def test_a_size_that_the_archive_lists_wrongly_is_a_note(put, fetcher, exposure):
    (found,) = fetcher.fetch([put(exposure, size=12345)])
    assert found.status is Status.COMPLETE
    assert found.notes == [f"the archive lists 12345 bytes, the file has {len(exposure)}"]


def test_a_file_that_was_replaced_since_it_was_listed_is_told_by_its_digest(put, fetcher, exposure):
    listed = hashlib.sha256(other_version(exposure)).hexdigest()
    (found,) = fetcher.fetch([put(exposure, sha256=listed)])
    assert found.status is Status.FAILED
    assert f"{listed[:12]}… was expected" in str(found.error)
    assert not found.wanted.destination.exists()


def test_another_exposure_under_the_name_is_refused(put, fetcher):
    (found,) = fetcher.fetch([put(exposure_bytes("jtst99xyq"))])
    assert found.status is Status.FAILED
    assert "ROOTNAME is 'jtst99xyq'" in str(found.error)


def test_nobody_there_is_a_failure_with_a_sentence(put, exposure, tmp_path):
    wanted = replace(put(exposure), url="http://127.0.0.1:1/file")
    (found,) = Fetcher("", patience=QUICK).fetch([wanted])
    assert found.status is Status.FAILED
    assert "cannot be reached" in str(found.error)


def test_a_folder_that_cannot_be_made_is_the_machines_failure(put, fetcher, exposure, tmp_path):
    (tmp_path / "file").write_text("")
    wanted = put(exposure, folder=tmp_path / "file" / "inside")
    (found,) = fetcher.fetch([wanted])
    assert found.status is Status.FAILED
    assert isinstance(found.error, EnvironmentProblem)


def test_a_full_disk_is_told_and_the_part_is_taken_up(put, fetcher, exposure, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        wanted = put(exposure, folder=place)
        (found,) = fetcher.fetch([wanted])
        assert found.status is Status.FAILED
        assert isinstance(found.error, EnvironmentProblem)
        assert "The disk is full" in str(found.error)
        assert not wanted.destination.exists()
        subprocess.run(["mount", "-o", "remount,size=8m", str(place)], check=True)
        (found,) = fetcher.fetch([wanted])
        assert found.status is Status.COMPLETE
        assert found.resumed > 500_000
        assert found.digests().sha256 == hashlib.sha256(exposure).hexdigest()
    finally:
        subprocess.run(["umount", str(place)], check=True)


SECRET = "0123456789abcdefSECRET"


def test_the_token_goes_to_one_host_and_nowhere_else(archive, put, exposure, tmp_path, caplog):
    caplog.set_level("DEBUG")
    archive.holdings.tokens.add(SECRET)
    with Archive(archive.holdings) as other:
        fetcher = Fetcher(archive.url.removeprefix("http://"), Token(SECRET, "a test"), QUICK)
        public = put(exposure_bytes("jtst31abq"), root="jtst31abq")
        mine = put(exposure, rights="EXCLUSIVE_ACCESS", with_token=True)
        moved = put(exposure_bytes("jtst32abq"), root="jtst32abq", with_token=True)
        archive.faults.add("GET.*jtst32abq", "redirect", to=other.download_url(moved.uri))
        archive.faults.add(f"GET.*{ROOT}", "truncate")
        found = fetcher.fetch([public, mine, moved])
        assert [one.status.value for one in found] == ["complete"] * 3
        sent = {
            entry["request"].rpartition("/")[2]: "Authorization" in entry["headers"]
            for entry in archive.log
        }
        assert sent == {"jtst31abq_flc.fits": False, f"{ROOT}_flc.fits": True,
                        "jtst32abq_flc.fits": True}  # fmt: skip
        assert len(other.log) == 1
        assert "Authorization" not in other.log[0]["headers"]
    wrong = Fetcher(fetcher.host, Token(f"{SECRET}x", "a test"), QUICK)
    (refused,) = wrong.fetch([replace(mine, destination=tmp_path / "again.fits")])
    assert refused.status is Status.EXCLUSIVE
    kept = "".join(map(repr, [*found, refused, fetcher])) + caplog.text + str(refused.error)
    assert SECRET not in kept
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("right", [True, False])
def test_what_has_to_have_a_digest_is_digested_over_all_its_parts(archive, put, exposure, right):
    wanted = put(exposure)
    archive.faults.add("GET", "truncate", 1)
    once = Fetcher("", patience=replace(QUICK, tries=1))
    assert once.fetch_one(wanted).status is Status.FAILED
    sha256 = hashlib.sha256(exposure if right else b"").hexdigest()
    found = Fetcher("", patience=QUICK).fetch_one(replace(wanted, sha256=sha256))
    if right:
        assert (found.status, found.sha256, found.requests) == (Status.COMPLETE, sha256, 1)
        assert found.resumed > 0
    else:
        assert "the archive has another version" in str(found.error)
        assert not wanted.destination.exists()


MEASURED = """
import resource
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import blake3, requests, urllib3, astropy.io.fits, hst123r.archives.transfer
before = peak()
"""


@pytest.mark.heavy
def test_memory_stays_flat(archive, put):
    """A process that fetches 79 MB grows by a fifth of that at most."""
    data = exposure_bytes(ROOT, rows=2800, columns=2800)
    wanted = put(data)
    assert len(data) > 78e6
    text = MEASURED + CLIENT + "print(peak() - before)"
    done = subprocess.run(
        [sys.executable, "-c", text, wanted.uri, str(wanted.destination), ROOT],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("complete")
    # in units of 1024 bytes: pieces of a megabyte, and what the interpreter takes
    assert int(done.stdout.split()[-1]) < 16 * 1024

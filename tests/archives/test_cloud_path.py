"""What the bucket has elsewhere is found; the archive's own client finds the same here."""

import json
from dataclasses import replace
from importlib.resources import files
from urllib.parse import urlsplit

import pytest
from astroquery.mast import ObservationsClass, utils
from loopback.client import QUICK, ROOT
from loopback.holdings import EXCLUSIVE

from hst123r.archives import cloud_path, endpoints
from hst123r.archives.cloud_path import look_up
from hst123r.archives.delivery import Delivery
from hst123r.archives.wanted import Status
from hst123r.errors import ArchiveError

NAME = f"{ROOT}_flc.fits"
URI = f"mast:HST/product/{NAME}"
ELSEWHERE = f"/hst/public/jtst/jtst01010/{NAME}"


@pytest.fixture
def deliver(archive, exposure, tmp_path, monkeypatch):
    """Get one file from the bucket; of another folder than its own name says."""
    archive.holdings.add_file(NAME, exposure)
    archive.holdings.paths[URI] = ELSEWHERE
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)

    def call(source="s3", folder="here", offline=False):
        files = {"science": {"uri": URI, "name": NAME}}
        wanted = Delivery(ROOT, files, {}, {}, True, source)
        return wanted.fetch(tmp_path / folder, None, offline=offline)["science"], wanted.told

    return call


def asked(archive):
    return [urlsplit(entry["request"].split()[1]).path for entry in archive.log]


def test_what_is_not_where_its_name_says_is_fetched_from_where_mast_says(archive, deliver):
    found, told = deliver()
    assert (found.status, found.source, told) == (Status.COMPLETE, "s3", [])
    assert asked(archive) == [
        f"/hst/public/jtst/{ROOT}/{NAME}", "/api/v0.1/path_lookup/", ELSEWHERE
    ]  # fmt: skip
    # and what has come is known as coming from there, without asking
    number = len(archive.log)
    found, _ = deliver(offline=True)
    assert (found.status, found.source, len(archive.log)) == (Status.CACHED, "s3", number)


def test_mast_is_not_asked_about_what_is_where_its_name_says(archive, deliver):
    archive.holdings.paths.clear()
    assert deliver()[0].status is Status.COMPLETE
    assert len(archive.log) == 1


def test_what_is_nowhere_is_missing(archive, deliver):
    archive.holdings.files[URI].rights = EXCLUSIVE
    found, told = deliver()
    assert (found.status, told) == (Status.MISSING, [])
    assert str(found.error) == f"{NAME}: the public bucket does not have it"
    assert len(archive.log) == 2


def test_a_place_that_is_empty_too_is_asked_once(archive, deliver):
    archive.faults.add("GET /hst", "status", None, code=403)
    assert deliver()[0].status is Status.MISSING
    assert asked(archive)[1:] == ["/api/v0.1/path_lookup/", ELSEWHERE]


def test_without_an_answer_it_is_missing_and_told_why(archive, deliver):
    archive.faults.add("path_lookup", "status", None, code=400)
    found, told = deliver()
    assert found.status is Status.MISSING
    assert told[0].startswith(f"where the public bucket has {NAME} MAST does not say: ")


def test_what_hangs_is_waited_for_shortly_and_not_for_each_file(
    archive, exposure, tmp_path, monkeypatch
):
    assert (cloud_path.SHORT.tries, cloud_path.SHORT.read_s) == (2, 10.0)
    short = replace(cloud_path.SHORT, read_s=0.1, first_wait_s=0.01)
    monkeypatch.setattr(cloud_path, "SHORT", short)
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)
    archive.faults.add("path_lookup", "hang", None)
    files = {
        role: {"uri": f"mast:HST/product/{name}", "name": name}
        for role, name in (("science", NAME), ("dq", f"{ROOT}_c1m.fits"))
    }
    found = Delivery(ROOT, files, {}, {}, True, "s3").fetch(tmp_path, None, offline=False)
    assert {one.status for one in found.values()} == {Status.MISSING}
    assert len(archive.requests("path_lookup")) == 2


def test_what_hangs_is_waited_for_once_in_a_run(archive, tmp_path, monkeypatch):
    short = replace(cloud_path.SHORT, read_s=0.1, first_wait_s=0.01)
    monkeypatch.setattr(cloud_path, "SHORT", short)
    monkeypatch.setenv(endpoints.BUCKET_VARIABLE, archive.url)
    archive.faults.add("path_lookup", "hang", None)

    def job(number, run):
        name = f"jtst0{number}abq_flc.fits"
        files = {"science": {"uri": f"mast:HST/product/{name}", "name": name}}
        silence = cloud_path.Silence(tmp_path / "no-answer", run)
        wanted = Delivery(name[:9], files, {}, {}, True, "s3", silence=silence)
        found = wanted.fetch(tmp_path / str(number), None, offline=False)["science"]
        assert found.status is Status.MISSING
        assert "MAST does not say where else" in str(found.error)
        return wanted.told[0], len(archive.requests("path_lookup"))

    told, number = job(1, "a run")
    assert "MAST does not say: " in told
    assert number == cloud_path.SHORT.tries
    told, number = job(2, "a run")
    assert told.endswith("MAST is not asked: it did not answer before in this run")
    assert number == cloud_path.SHORT.tries
    # the next run asks again
    assert job(3, "another run")[1] == 2 * cloud_path.SHORT.tries


def test_an_answer_that_makes_no_sense_is_of_one_file_and_no_silence(archive, deliver, tmp_path):
    archive.faults.add("path_lookup", "body", None, body=b"{}")
    silence = cloud_path.Silence(tmp_path / "no-answer", "a run")
    files = {"science": {"uri": URI, "name": NAME}}
    wanted = Delivery(ROOT, files, {}, {}, True, "s3", silence=silence)
    assert wanted.fetch(tmp_path, None, offline=False)["science"].status is Status.MISSING
    assert not silence.lasts()


def test_a_transfer_that_broke_is_gone_on_with_there(archive, deliver, exposure):
    archive.faults.add(f"GET {ELSEWHERE}", "truncate", 1)
    found, _ = deliver()
    assert (found.status, found.requests) == (Status.COMPLETE, 2)
    assert found.resumed > 0
    assert found.wanted.destination.read_bytes() == exposure


def reply(archive, body):
    archive.faults.add("path_lookup", "body", None, body=json.dumps(body).encode())
    return look_up(URI, endpoints.mast(), QUICK)


def test_the_recorded_reply_is_read(archive):
    recorded = json.loads(
        (files("astroquery.mast") / "tests" / "data" / "mast_relative_path.json").read_text()
    )
    for uri, entry in recorded.items():
        archive.faults.clear()
        archive.faults.add("path_lookup", "body", 1, body=json.dumps(recorded).encode())
        assert look_up(uri, endpoints.mast(), QUICK) == entry["path"]
    assert len(recorded) == 2


@pytest.mark.parametrize(
    "body",
    [{}, {URI: None}, {URI: {}}, {URI: {"path": 7}}, {URI: {"path": "/hst/public/other.fits"}}],
)
def test_an_answer_that_makes_no_sense_is_none(archive, body):
    with pytest.raises(ArchiveError, match="makes no sense"):
        reply(archive, body)


@pytest.mark.parametrize("kind", ["html", "garbage", "drop"])
def test_what_is_no_answer_is_asked_again_and_told(archive, kind):
    archive.holdings.add_file(NAME, b"")
    archive.faults.add("path_lookup", kind, 1)
    assert look_up(URI, endpoints.mast(), QUICK).endswith(f"/{ROOT}/{NAME}")
    archive.faults.add("path_lookup", kind, None)
    with pytest.raises(ArchiveError, match="no answer in 5 tries"):
        look_up(URI, endpoints.mast(), QUICK)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_archives_own_client_finds_it_in_the_bucket_alike(
    archive, deliver, exposure, tmp_path, monkeypatch
):
    """By boto3, which finds the bucket by its name on a host that is a number."""
    pytest.importorskip("boto3", reason="astroquery goes to the bucket by boto3")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", archive.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    real = utils._simple_request
    # its address of this service cannot be set
    monkeypatch.setattr(
        utils, "_simple_request",
        lambda url, params=None: real(archive.url + urlsplit(url).path, params),
    )  # fmt: skip
    client = ObservationsClass()
    client.enable_cloud_dataset(verbose=False)
    assert client.get_cloud_uris([URI]) == [f"s3://stpubdata{ELSEWHERE}"]
    path = tmp_path / "by_boto.fits"
    client.download_file(URI, local_path=path, verbose=False)
    assert path.read_bytes() == exposure
    client._session.close()
    assert {entry["request"].split("?")[0] for entry in archive.log} == {
        "GET /api/v0.1/path_lookup/", f"HEAD /stpubdata{ELSEWHERE}", f"GET /stpubdata{ELSEWHERE}"
    }  # fmt: skip

"""Questions to MAST through the real astroquery and real sockets, whatever goes wrong."""

import json
import warnings
from dataclasses import replace

import pytest
from loopback.client import IMPATIENT, QUICK
from loopback.server import Archive

from hst123r.archives import endpoints
from hst123r.archives.portal import PER_REQUEST, Portal
from hst123r.archives.replies import Replies
from hst123r.errors import ArchiveError
from hst123r.records.position import parse

PLACE = parse("150.1 2.2")
DETECTORS = ["ACS/WFC", "ACS/HRC"]
QUERY = "POST.*invoke"
AWAY = "POLYGON 1 2 1 3 2 3"


@pytest.fixture
def holdings(archive):
    held = archive.holdings
    held.add_observation("jtst01010", "ACS/WFC")
    held.add_observation("jtst02010", "WFC3/UVIS", provenance_name="CALWF3")
    held.add_observation("jtst03010", "ACS/HRC", s_ra=160.0, s_region="POLYGON 1 2 1 3 2 3")
    for number, row in enumerate(held.observations):
        held.add_product(row, f"jtst0{number}abq_flc.fits", f"jtst0{number}abq")
    return held


@pytest.fixture
def portal(archive, holdings, tmp_path):
    return Portal(endpoints.mast(), Replies(tmp_path / "kept"), QUICK)


def hurry(portal, kind):
    """Let a portal wait for a short time where something hangs."""
    if kind == "hang":
        portal._patience = replace(QUICK, **IMPATIENT)


def ask(portal, radius=1.0):
    return portal.observations(PLACE, radius, DETECTORS, ["science"])


def questions(archive):
    return [json.loads(_form(entry["body"])) for entry in archive.requests("invoke")]


def _form(body):
    from urllib.parse import parse_qs

    return parse_qs(body)["request"][0]


def test_a_place_and_every_criterion_reach_the_server(archive, portal):
    (row,) = ask(portal)
    assert (row["obs_id"], row["distance"]) == ("jtst01010", 0)
    (asked,) = questions(archive)
    assert asked["service"] == "Mast.Caom.Filtered.Position"
    ra, dec, radius = map(float, asked["params"]["position"].split(","))
    assert (ra, dec, radius * 3600) == pytest.approx((150.1, 2.2, 1.0))
    sent = {entry["paramName"]: entry["values"] for entry in asked["params"]["filters"]}
    assert sent == {
        "obs_collection": ["HST"], "dataproduct_type": ["image"],
        "instrument_name": ["ACS/HRC", "ACS/WFC"], "intentType": ["science"],
    }  # fmt: skip


def test_products_are_asked_for_in_batches(archive, portal, holdings):
    rows = portal.products([str(row["obsid"]) for row in holdings.observations] * 2)
    assert [row["productFilename"] for row in rows] == [f"jtst0{n}abq_flc.fits" for n in range(3)]
    portal.products([str(number) for number in range(PER_REQUEST + 1)])
    assert [len(q["params"]["obsid"].split(",")) for q in questions(archive)] == [3, PER_REQUEST, 1]


def test_a_list_of_many_pages_is_whole(archive, portal, holdings):
    row = holdings.observations[0]
    for number in range(5000):
        holdings.add_product(row, f"jtst{number:04d}q_raw.fits", f"jtst{number:04d}q")
    portal._connect()._portal_api_connection.PAGESIZE = 700
    found = portal.products([str(row["obsid"])])
    assert len(found) == 5001
    assert len({item["productFilename"] for item in found}) == 5001
    assert len(archive.requests("invoke")) == 8


@pytest.mark.real
@pytest.mark.parametrize(("name", "rows"), [("caom", 19), ("products", 22)])
def test_recorded_replies_go_through_the_same_client_and_the_same_rows_come_out(
    name, rows, archive, portal, shared_data
):
    """Replies of MAST as they were sent, columns without values and all."""
    body = (shared_data / "mast" / f"{name}.json").read_bytes()
    archive.faults.add(QUERY, "status", 1, code=200, body=body)
    found = ask(portal) if name == "caom" else portal.products(["1"])
    assert found == json.loads(body)["data"]
    assert len(found) == rows


def test_an_answer_is_kept_and_nobody_asks_again(archive, portal, tmp_path):
    first = ask(portal)
    number = len(archive.log)
    again = Portal(endpoints.mast(), Replies(tmp_path / "kept", offline=True), QUICK)
    assert ask(again) == first
    assert len(archive.log) == number
    (path,) = (tmp_path / "kept").iterdir()
    kept = json.loads(path.read_text())
    assert json.loads(kept["replies"][0])["data"] == first
    assert kept["question"]["place"] == [150.1, 2.2, 1.0]


def test_nothing_found_is_an_answer(portal):
    assert portal.observations(parse("10 -30"), 1.0, DETECTORS, ["science"]) == []


PASSING = [
    ("status", 2, {"code": 503}), ("status", 1, {"code": 429, "retry_after": 0}), ("drop", 2, {}),
    ("hang", 1, {}), ("html", 2, {}), ("garbage", 1, {}),
]  # fmt: skip
OF_QUERIES = [("executing", 5, {}), ("truncate", 2, {})]


@pytest.mark.parametrize(
    ("where", "kind", "times", "options"),
    [
        *(("POST.*columnsconfig", *trouble) for trouble in PASSING),
        *((QUERY, *trouble) for trouble in [*PASSING, *OF_QUERIES]),
    ],
)
def test_trouble_that_passes_changes_nothing(archive, portal, where, kind, times, options):
    hurry(portal, kind)
    archive.faults.add(where, kind, times, **options)
    assert [row["obs_id"] for row in ask(portal)] == ["jtst01010"]


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [("status", {"code": 503}, "no answer in 5 tries: the archive answered 503"),
     ("status", {"code": 400}, "answered 400"), ("status", {"code": 404}, "answered 404"),
     ("drop", {}, "no answer in 5 tries"), ("hang", {}, "does not answer|stopped sending"),
     ("html", {}, "a web page"), ("garbage", {}, "not JSON"),
     ("error", {"body": "out of order"}, "could not answer: out of order"),
     ("status", {"code": 503, "retry_after": 86400}, "come back in 86400 s"),
     ("status", {"code": 503, "retry_after": "9" * 400}, "come back in inf s"),
     ("status", {"code": 200, "body": b"[]"}, "no object"),
     ("status", {"code": 200, "body": b'"COMPLETE"'}, "no object"),
     ("short_page", {}, "announced 1 rows and gave 0"), ("redirect", {}, "answered 404")],
)  # fmt: skip
def test_trouble_that_stays_is_a_typed_failure(archive, portal, kind, options, says, tmp_path):
    hurry(portal, kind)
    archive.faults.add(QUERY, kind, None, **options)
    with pytest.raises(ArchiveError, match=says):
        ask(portal)
    assert not (tmp_path / "kept").exists()


def test_a_query_that_runs_on_is_looked_at_ever_more_rarely_and_given_up(archive, holdings):
    patience = replace(QUICK, longest_query_s=0.5, longest_wait_s=0.2)
    archive.faults.add(QUERY, "executing", None)
    with pytest.raises(ArchiveError, match=r"runs for more than 0\.5 s"):
        ask(Portal(endpoints.mast(), Replies(None), patience))
    times = [entry["time"] for entry in archive.requests("invoke")]
    assert 3 < len(times) < 12
    assert times[-1] - times[-2] > 3 * (times[1] - times[0])


def test_a_server_that_is_always_busy_is_given_up_in_time(archive, holdings):
    patience = replace(QUICK, longest_query_s=1.5)
    archive.faults.add(QUERY, "status", None, code=503, retry_after=1)
    with pytest.raises(ArchiveError, match=r"no answer within 1\.5 s: the archive answered 503"):
        ask(Portal(endpoints.mast(), Replies(None), patience))
    assert len(archive.requests("invoke")) == 2


def test_answers_of_one_server_are_not_those_of_another(archive, portal, tmp_path, monkeypatch):
    ask(portal)
    with Archive() as other:
        other.holdings.add_observation("jtst09010", "ACS/WFC", s_ra=160.0, s_region=AWAY)
        monkeypatch.setenv(endpoints.VARIABLE, other.url)
        kept = Replies(tmp_path / "kept")
        assert ask(Portal(endpoints.mast(), kept, QUICK)) == []
        assert kept.asked == 1


def test_a_criterion_that_would_be_dropped_is_an_error(portal):
    client = portal._connect()
    with warnings.catch_warnings():
        # as it is for users; in these tests every warning is an error anyway
        warnings.simplefilter("ignore")
        with pytest.raises(ArchiveError, match="would be left out"):
            portal._bodies(lambda: client.query_criteria_async(obs_collection="HST", t_min=58000.0))


def test_a_query_knows_no_token(archive, portal, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "0123SECRET")
    ask(portal)
    assert "SECRET" not in str(archive.log)

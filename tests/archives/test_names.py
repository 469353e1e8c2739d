"""Looking up names: one place, nobody knows it, or it could be several; shapes as recorded."""

import pytest
from loopback.client import QUICK

from hst123r.archives import endpoints
from hst123r.archives.names import look_up
from hst123r.archives.replies import Replies
from hst123r.errors import ArchiveError, InputError


@pytest.fixture
def ask(archive, tmp_path):
    def ask(name, **more):
        return look_up(name, endpoints.mast(), Replies(tmp_path / "kept", **more), QUICK)

    return ask


def test_one_place_of_two_catalogues(archive, ask):
    archive.holdings.add_name("M101", 210.802429, 54.34875, called="M 101")
    archive.holdings.add_name("M101", 210.80227, 54.34895, "NED", "MESSIER 101")
    found = ask("M101")
    assert (found.position.ra_deg, found.position.dec_deg) == (210.802429, 54.34875)
    assert (found.service, found.called, found.asked) == ("SIMBAD", "M 101", "M101")
    # kept, and found without a network
    archive.holdings.names.clear()
    assert ask("M101", offline=True) == found
    assert len(archive.log) == 1
    with pytest.raises(ArchiveError, match="was not asked for these names yet"):
        ask("M102", offline=True)


def test_nobody_knows_it(archive, ask):
    with pytest.raises(InputError) as caught:
        ask("NGC 49931")
    assert str(caught.value) == (
        "targets: nobody whom MAST asks knows 'NGC 49931'. Check the name, or give `position` in "
        "its place"
    )


def test_it_could_be_several(archive, ask):
    archive.holdings.add_name("a", 10.0, 20.0, called="A 1")
    archive.holdings.add_name("a", 10.002, 20.0, "NED", "A 2")
    with pytest.raises(InputError) as caught:
        ask("a")
    told = str(caught.value)
    assert "'a' could be any of several: 10" in told
    assert "(A 1, SIMBAD)" in told
    assert "(A 2, NED)" in told


@pytest.mark.parametrize("row", [{}, {"ra": None, "decl": 1}, {"ra": 400, "decl": 1}, {"ra": "1"}])
def test_what_is_no_place_is_none(archive, ask, row):
    archive.holdings.names["a"] = [row]
    with pytest.raises(InputError, match="nobody"):
        ask("a")


@pytest.mark.parametrize("answer", ["nothing", [1], None])
def test_an_answer_that_makes_no_sense_is_told_and_not_kept(archive, ask, answer):
    archive.holdings.names["a"] = answer
    with pytest.raises(ArchiveError, match="makes no sense"):
        ask("a")
    archive.holdings.names.clear()
    archive.holdings.add_name("a", 10.0, 20.0)
    assert ask("a").position.ra_deg == 10.0


def test_a_busy_server_is_asked_again(archive, ask):
    archive.holdings.add_name("a", 10.0, 20.0)
    archive.faults.add("POST", "status", 2, code=503)
    assert ask("a").position.ra_deg == 10.0
    archive.faults.add("POST", "status", None, code=400)
    with pytest.raises(ArchiveError, match="the archive answered 400"):
        ask("b")

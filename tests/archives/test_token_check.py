"""The token is tried before it is needed; the archive's own client finds the same."""

from dataclasses import replace

import pytest
from astroquery.exceptions import LoginError
from astroquery.mast import ObservationsClass, conf
from loopback.client import QUICK
from loopback.server import Archive

from hst123r.archives import endpoints, token_check
from hst123r.archives.mast_token import Token
from hst123r.archives.token_check import check
from hst123r.errors import InputError

SECRET = "0123456789abcdefSECRET"


def ask():
    check(Token(SECRET, "a test"), endpoints.mast(), QUICK)


def test_a_token_that_mast_knows_is_taken_with_one_request(archive, caplog):
    caplog.set_level("DEBUG")
    archive.holdings.strangers.add(SECRET)
    ask()
    (asked,) = archive.log
    assert asked["request"] == "GET /whoami"
    assert asked["headers"]["Authorization"] == f"token {SECRET}"
    # as the archive's own client sends it, in case that the header is not looked at here
    assert asked["headers"]["Cookie"] == f"mast_token={SECRET}"
    assert SECRET not in caplog.text
    assert "not known" not in caplog.text


def test_one_that_it_does_not_know_ends_with_a_sentence_without_it(archive):
    with pytest.raises(InputError, match=r"unknown, or has expired.*auth\.mast") as caught:
        ask()
    assert SECRET not in repr(caught.value)
    assert str(caught.value).startswith("a test: ")


@pytest.mark.parametrize(("code", "body"), [(401, b"<html>"), (403, b'{"anon": true}')])
def test_a_refusal_is_such_an_answer_too(archive, code, body):
    archive.faults.add("whoami", "status", None, code=code, body=body)
    with pytest.raises(InputError, match="has expired"):
        ask()
    assert len(archive.log) == 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [("html", {}), ("garbage", {}), ("drop", {}), ("status", {"code": 503}),
     ("status", {"code": 404}), ("status", {"code": 403}), ("redirect", {}),
     ("status", {"code": 403, "body": b"<html>Request blocked</html>"})],
)  # fmt: skip
def test_no_answer_is_logged_and_the_files_will_show(archive, kind, options, caplog):
    archive.faults.add("whoami", kind, None, **options)
    ask()
    assert "whether MAST takes the token from a test is not known" in caplog.text
    assert SECRET not in caplog.text


def test_a_server_that_was_busy_is_asked_again(archive):
    archive.faults.add("whoami", "status", 2, code=503)
    with pytest.raises(InputError, match="has expired"):
        ask()
    assert len(archive.log) == 3


def test_what_hangs_holds_up_the_files_for_a_short_while(archive, monkeypatch):
    """Two tries of 10 s; here of a tenth of that."""
    assert (token_check.SHORT.tries, token_check.SHORT.read_s) == (2, 10.0)
    short = replace(token_check.SHORT, read_s=0.1, first_wait_s=0.01)
    monkeypatch.setattr(token_check, "SHORT", short)
    archive.faults.add("whoami", "hang", None)
    check(Token(SECRET, "a test"), endpoints.mast())
    assert len(archive.log) == 2


def test_it_goes_to_no_other_host_whatever_we_are_told(archive):
    archive.holdings.tokens.add(SECRET)
    with Archive() as other:
        archive.faults.add("whoami", "redirect", None, to=f"{other.url}/whoami")
        ask()
        assert other.log == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_archives_own_client_logs_in_here_alike(archive):
    archive.holdings.strangers.add(SECRET)
    with conf.set_temp("server", archive.url):
        client = ObservationsClass()
        client.login(SECRET)
        assert client.session_info(verbose=False)["attrib"]["display_name"] == "Some Body"
        client.logout()
        assert client.session_info(verbose=False)["anon"] is True
        with pytest.raises(LoginError, match="invalid"):
            client.login(f"{SECRET}x")
    assert {entry["request"] for entry in archive.log} == {"GET /whoami"}
    client._session.close()

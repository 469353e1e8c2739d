"""The token: where it is looked for, and that it does not show."""

import copy
import json
import pickle
import traceback

import pytest
import requests

from hst123r.archives.mast_token import FILE_NAME, KEYRING, Authorization, Token, find
from hst123r.errors import InputError

SECRET = "0123456789abcdefSECRET"


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "config" / "hst123r" / FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def test_without_any_there_is_none():
    assert find() is None


def test_the_environment_comes_before_the_file(file, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "other")
    assert find().header() == "token other"
    assert find().origin == "MAST_API_TOKEN"


def test_a_file_of_the_user_alone_is_read(file):
    found = find()
    assert found.header() == f"token {SECRET}"
    assert found.origin == str(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(InputError, match="chmod 600") as caught:
        find()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("held", [b"", b"\n", b"two words", b"\xff\xfe"])
def test_a_file_without_a_token_is_refused(file, held):
    file.write_bytes(held)
    with pytest.raises(InputError, match="no token"):
        find()


@pytest.mark.parametrize(
    "held", [f"{SECRET}\nmore", f"{SECRET}\rmore", f"{SECRET}é", "\x7f" + SECRET]
)
@pytest.mark.parametrize("place", ["environment", "keyring"])
def test_what_fits_into_no_header_is_refused_and_does_not_show(monkeypatch, held, place):
    import keyring

    if place == "environment":
        monkeypatch.setenv("MAST_API_TOKEN", held)
    monkeypatch.setattr(keyring, "get_password", lambda *_: held)
    with pytest.raises(InputError, match="no token") as caught:
        find()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_is_named_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HST123R_MAST_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read"):
        find()


def test_the_keyring_is_asked_last(monkeypatch):
    import keyring

    asked = []
    monkeypatch.setattr(keyring, "get_password", lambda *name: asked.append(name) or SECRET)
    assert find().header() == f"token {SECRET}"
    assert asked == [KEYRING]


def test_a_keyring_that_is_locked_is_no_token(monkeypatch):
    import keyring

    def locked(*_):
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr(keyring, "get_password", locked)
    assert find() is None


def test_it_does_not_show():
    token = Token(SECRET, "a test")
    auth = Authorization(token, "host")
    for thing in (token, auth):
        assert SECRET not in repr(thing) + str(thing) + f"{thing}"
        for write in (pickle.dumps, copy.deepcopy, copy.copy):
            with pytest.raises(TypeError, match="not written"):
                write(thing)
        with pytest.raises(TypeError):
            json.dumps(thing)
    assert SECRET not in "".join(traceback.format_exception(RuntimeError(token, auth)))


@pytest.mark.parametrize(
    ("url", "sent"),
    [("http://host/x", True), ("http://host:80/x", False), ("http://other/x", False),
     ("http://host.other/x", False), ("http://host@other/x", False)],
)  # fmt: skip
def test_it_goes_to_its_host_only(url, sent):
    session = requests.Session()
    request = requests.Request("GET", url, auth=Authorization(Token(SECRET, ""), "host"))
    prepared = session.prepare_request(request)
    assert ("Authorization" in prepared.headers) is sent


def test_the_netrc_of_the_user_is_not_asked(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine host login me password private\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = requests.Session()
    assert (
        "Authorization" in session.prepare_request(requests.Request("GET", "http://host")).headers
    )
    plain = requests.Request("GET", "http://host", auth=Authorization(None, "host"))
    assert "Authorization" not in session.prepare_request(plain).headers

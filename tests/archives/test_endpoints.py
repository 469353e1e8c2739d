"""Addresses of the archive."""

from urllib.parse import urlsplit

import pytest
import requests

from hst123r.archives import endpoints
from hst123r.errors import InputError


def test_the_archive_is_mast_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv(endpoints.VARIABLE, raising=False)
    assert endpoints.mast().host == "mast.stsci.edu"
    monkeypatch.setenv(endpoints.VARIABLE, "http://127.0.0.1:81/")
    found = endpoints.mast()
    assert found.host == "127.0.0.1:81"
    assert found.invoke == "http://127.0.0.1:81/api/v0/invoke"


def test_a_host_is_written_as_requests_writes_it(monkeypatch):
    monkeypatch.setenv(endpoints.VARIABLE, "https://Mast.Example.ORG:81")
    sent = requests.Request("GET", endpoints.mast().download("mast:x")).prepare().url
    assert endpoints.mast().host == "mast.example.org:81" == urlsplit(sent).netloc


def test_a_uri_is_quoted_where_an_address_needs_it():
    found = endpoints.Endpoints("https://x").download("mast:HST/product/a b&c_flc.fits")
    assert found == "https://x/api/v0.1/Download/file?uri=mast:HST/product/a%20b%26c_flc.fits"


def test_gaia_and_crds_are_where_the_environment_says(monkeypatch):
    for variable, where, known in (
        (endpoints.GAIA_VARIABLE, endpoints.gaia, "https://gea.esac.esa.int/tap-server/tap"),
        (endpoints.CRDS_VARIABLE, endpoints.crds, "https://hst-crds.stsci.edu"),
    ):
        monkeypatch.delenv(variable, raising=False)
        assert where() == known
        monkeypatch.setenv(variable, "http://127.0.0.1:81/x/")
        assert where() == "http://127.0.0.1:81/x"
        monkeypatch.setenv(variable, "nowhere")
        with pytest.raises(InputError, match=f"{variable}: 'nowhere' is not the address"):
            where()


@pytest.mark.parametrize("wrong", ["mast.stsci.edu", "ftp://x", "https://"])
def test_what_is_no_address_is_refused(monkeypatch, wrong):
    monkeypatch.setenv(endpoints.VARIABLE, wrong)
    with pytest.raises(InputError, match="not the address of a server"):
        endpoints.mast()

from __future__ import annotations

from functools import partial

import pytest
from loopback.client import QUICK, ROOT
from loopback.holdings import exposure_bytes
from loopback.server import Archive

from hst123r.archives import endpoints, exposure_file
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.wanted import Wanted
from hst123r.engine.offline import forbidden


@pytest.fixture(autouse=True)
def nothing_but_this_machine(monkeypatch, tmp_path):
    """Keep tokens and keyrings of whoever runs the tests out, and every other host."""
    for name in ("MAST_API_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    # astropy warns where there is no such folder
    (tmp_path / "config").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with forbidden():
        yield


@pytest.fixture(scope="session")
def exposure():
    """Return the bytes of an exposure of 2.6 MB with checksums."""
    return exposure_bytes(ROOT, rows=512, columns=512, checksums=True)


@pytest.fixture
def archive(monkeypatch):
    with Archive() as running:
        monkeypatch.setenv(endpoints.VARIABLE, running.url)
        yield running


@pytest.fixture
def put(archive, tmp_path):
    """Put a file into the archive, and return it as one that is wanted."""

    def put(data, root=ROOT, suffix="flc", rights="PUBLIC", folder=tmp_path / "here", **more):
        name = f"{root}_{suffix}.fits"
        uri = archive.holdings.add_file(name, data, rights)
        check = partial(exposure_file.verify, root=root)
        url = endpoints.mast().download(uri)
        return Wanted(uri, url, folder / name, check, **{"size": len(data), **more})

    return put


@pytest.fixture
def fetcher(archive):
    return Fetcher(endpoints.mast().host, patience=QUICK)

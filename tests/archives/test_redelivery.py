"""What a date, an ETag and a size say of a file, and when they say nothing."""

import pytest
from loopback.client import ROOT

from hst123r.archives.patience import Patience
from hst123r.archives.redelivery import Asker, Held, Standing
from hst123r.errors import ArchiveError

NAME = f"{ROOT}_flc.fits"


@pytest.fixture
def standing(archive, exposure):
    """Ask about one file; with what was recorded of it."""
    archive.holdings.add_file(NAME, exposure)
    url = f"{archive.url}/api/v0.1/Download/file?uri=mast:HST/product/{NAME}"

    def call(size=None, **recorded):
        size = len(exposure) if size is None else size
        asker = Asker(archive.url.partition("//")[2], patience=Patience(tries=1))
        (found,) = asker.ask([Held(NAME, url, size, **recorded)], 1)
        return found

    return call


def test_what_can_be_told(archive, exposure, standing):
    import requests

    url = f"{archive.url}/api/v0.1/Download/file?uri=mast:HST/product/{NAME}"
    said = requests.head(url, timeout=30).headers
    then = {"etag": said.get("ETag", ""), "last_modified": said.get("Last-Modified", "")}
    assert any(then.values())
    assert standing(**then) == (Standing.SAME, "")
    assert standing(size=5, **then) == (Standing.REMADE, f"5 → {len(exposure)} bytes")
    known = {name: f"{value}x" for name, value in then.items() if value}
    assert standing(**known)[0] is Standing.REMADE
    # nothing was recorded of it: the same size does not say that it is the same
    assert standing() == (Standing.UNKNOWN, "")
    assert standing(size=5)[0] is Standing.REMADE


@pytest.mark.parametrize(
    ("code", "expected"), [(404, Standing.GONE), (401, Standing.UNKNOWN), (403, Standing.UNKNOWN)]
)
def test_what_the_archive_does_not_give(archive, standing, code, expected):
    archive.faults.add("HEAD", "status", None, code=code)
    assert standing(etag='"1"') == (expected, "")


def test_an_archive_that_does_not_answer_is_an_error(archive, standing):
    archive.faults.add("HEAD", "status", None, code=500)
    with pytest.raises(ArchiveError, match="the archive answered 500"):
        standing()

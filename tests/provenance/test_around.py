"""Whose work directory a file lies in."""

import pytest

from hst123r.errors import InputError
from hst123r.provenance.around import recipes_around
from hst123r.provenance.store import NAME


def test_a_file_is_told_by_the_stores_around_it(work, begin, attempt, image, tmp_path):
    raw, path = image(work / "raw" / "one.fits"), image(work / "products" / "x.fits", value=1.0)
    run = begin({"name": "mine"})
    begin({"name": "ours", "text": "hst123r: 1 # another"})
    assert recipes_around(path) == []
    attempt("align", "v1", run=run, reads=[raw], makes=[path])
    assert recipes_around(path) == ["mine", "ours"]
    # what a job only read is not its own
    assert recipes_around(raw) == []
    (tmp_path / "link.fits").symlink_to(path)
    assert recipes_around(tmp_path / "link.fits") == ["mine", "ours"]
    (tmp_path / NAME).write_bytes(b"no store")
    with pytest.raises(InputError, match=r"whose product x\.fits is cannot be told"):
        recipes_around(path)

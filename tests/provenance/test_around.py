"""Whose work directory a file lies in."""

import pytest

from hst123r.errors import InputError
from hst123r.provenance.around import recipes_around
from hst123r.provenance.store import NAME


def test_a_file_is_told_by_the_stores_around_it(work, store, begin, tmp_path):
    path = work / "products" / "x.fits"
    path.parent.mkdir()
    path.touch()
    assert recipes_around(path) == []
    begin({"name": "mine"})
    begin({"name": "ours", "text": "hst123r: 1 # another"})
    assert recipes_around(path) == ["mine", "ours"]
    (tmp_path / "link.fits").symlink_to(path)
    assert recipes_around(tmp_path / "link.fits") == ["mine", "ours"]
    (tmp_path / NAME).write_bytes(b"no store")
    with pytest.raises(InputError, match=r"whose product x\.fits is cannot be told"):
        recipes_around(path)

"""PROV-JSON that the package prov reads back: what used and made what."""

import io
import json

from prov.model import ProvActivity, ProvDocument, ProvEntity, ProvGeneration, ProvUsage

from hst123r.sharing.prov_document import document


def test_it_reads_back(extract):
    text = json.dumps(document(extract))
    found = ProvDocument.deserialize(content=text)
    records = found.get_records()
    assert sum(isinstance(r, ProvActivity) for r in records) == 1 + 4
    # the raw file is made once and used once
    assert sum(isinstance(r, ProvEntity) for r in records) == 4
    assert sum(isinstance(r, ProvGeneration) for r in records) == 4
    assert sum(isinstance(r, ProvUsage) for r in records) == 1
    (stacks,) = (r for r in records if str(r.identifier) == "h:job/stacks/a")
    assert {str(v) for _, v in stacks.extra_attributes} >= {"0.05", "k"}
    other = io.StringIO()
    found.serialize(other, format="provn")
    assert "raw/a_flc.fits" in other.getvalue()


def test_the_same_every_time(extract):
    assert json.dumps(document(extract)) == json.dumps(document(extract))

"""What is known of the files of a cache of CRDS, without asking anybody."""

import json

import pytest
from loopback.crds import listed_by_the_client, packed

from hst123r.files.crds_cache import answers_of, place_of, said_of, unpacked

NAME = "toy_idc.fits"
OTHER = "0" * 40


def test_the_layout_is_that_of_crds(tmp_path):
    assert place_of(tmp_path, "acs", NAME) == tmp_path / "references" / "hst" / "acs" / NAME


def test_the_list_of_the_client_is_read_and_our_own_answer_goes_before_it(tmp_path):
    assert said_of(tmp_path, NAME) is None
    # long enough for Python to write it on many lines
    files = {f"x{number}_drk.fits": b"%d" % number for number in range(500)}
    known = listed_by_the_client(tmp_path, {NAME: b"table", **files})
    assert said_of(tmp_path, NAME) == known[NAME]
    assert said_of(tmp_path, "x7_drk.fits") == known["x7_drk.fits"]
    assert said_of(tmp_path, "gone.fits") is None
    kept = answers_of(tmp_path) / f"{NAME}.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"sha1": OTHER}))
    assert said_of(tmp_path, NAME) == OTHER
    kept.write_text("{")
    assert said_of(tmp_path, NAME) == known[NAME]
    # a list that is renewed counts
    assert listed_by_the_client(tmp_path, {NAME: b"another"})[NAME] == said_of(tmp_path, NAME)


@pytest.mark.parametrize("text", ["", "{", "[]", "{'download_metadata': 3}", "__import__('os')"])
def test_a_list_that_is_none_says_nothing(tmp_path, text):
    path = tmp_path / "config" / "hst" / "server_config"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert said_of(tmp_path, NAME) is None


def test_an_answer_is_unpacked(tmp_path):
    assert unpacked(packed({"a": 1})) == unpacked({"a": 1}) == {"a": 1}
    for wrong in ("!", "AAAA", "", None):
        with pytest.raises(ValueError, match="cannot be unpacked"):
            unpacked({"crds_encoded": "1.0", "crds_payload": wrong})

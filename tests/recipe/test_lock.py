"""The file of a lock: what is written is read, and nothing else is."""

import io
import json

import jsonschema
import pytest
from ruamel.yaml import YAML

from hst123r import resources
from hst123r.errors import InputError
from hst123r.recipe import lock as lock_file
from hst123r.recipe.lock import Lock

SHA = "ab" * 32
PRODUCT = {
    "stage": "fetch", "exposure": "jsi00101q", "role": "science", "name": "jsi00101q_flc.fits",
    "uri": "mast:HST/product/jsi00101q_flc.fits", "version": "1.2", "rights": "PUBLIC",
    "release_mjd": 58940.0, "size": 120960, "sha256": SHA, "digest": f"blake3:{SHA}",
}  # fmt: skip


@pytest.fixture
def lock():
    return Lock.model_validate(
        {
            "recipe": {"name": "r", "digest": f"blake3:{SHA}"},
            "software": [{"name": "numpy", "version": "2"}, {"name": "astropy", "version": "8"}],
            "parameters": [
                {"stage": "align", "for": "", "name": "radius", "value": None},
                {"stage": "align", "for": "WFC3/IR", "name": "radius", "value": {"ä": [1, 2.5]}},
            ],
            "archives": [{"stage": "fetch", "wanted": f"blake3:{SHA}"}],
            "products": [PRODUCT],
            "queries": [{"service": "gaia", "what": "cone", "digest": f"sha256:{SHA}"}],
        }
    )


def read(tmp_path, text):
    path = tmp_path / "r.lock.yaml"
    path.write_text(text)
    return lock_file.read(path, "r.lock.yaml")


def test_what_is_written_is_read_and_is_yaml(lock, tmp_path):
    text = lock_file.as_text(lock)
    found = read(tmp_path, text)
    assert lock_file.differences(lock, found) == []
    assert lock_file.as_text(found) == text
    plain = YAML(typ="safe", pure=True).load(io.StringIO(text))
    assert plain["products"] == [PRODUCT]
    schema = json.loads((resources.folder("schemas") / "lock.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(plain)
    assert [row["name"] for row in plain["software"]] == ["astropy", "numpy"]
    assert lock_file.read(tmp_path / "none.lock.yaml") is None


def test_one_change_is_one_line_and_one_sentence(lock):
    other = lock.model_copy(
        update={
            "software": [*lock.software[:1], lock.software[1].model_copy(update={"version": "9"})]
        }
    )
    old, new = (lock_file.as_text(item).splitlines() for item in (lock, other))
    # the line, and the seal
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 2
    (found,) = lock_file.differences(lock, other)
    assert str(found) == "software: astropy: version 8 → 9"


def unsealed(lock):
    return lock_file.as_text(lock).rpartition("digest: ")[0]


WRONG = {
    "changed by hand": (lambda t: t.replace("120960", "120961"), False,
                        "the lock was changed since hst123r wrote it"),
    "no seal": (lambda t: t, None, "the lock was changed"),
    "newer": (lambda t: t.replace("hst123r_lock: 1", "hst123r_lock: 2"), True,
              "the lock is of version 2, this hst123r knows 1. Install a newer hst123r"),
    "true is no version": (lambda t: t.replace("hst123r_lock: 1", "hst123r_lock: true"), True,
                           "of version true"),
    "no lock": (lambda _: "name: 1\n", True, "this is not a lock of hst123r"),
    "a section twice": (lambda t: t + "software:\n", True,
                        "r.lock.yaml:16: software stands here twice"),
    "a key twice": (lambda t: t.replace('"size": 1', '"size": 5, "size": 1'), True,
                    "r.lock.yaml:13: size stands here twice"),
    "a folder in a name": (lambda t: t.replace('"name": "jsi', '"name": "../../jsi'), True,
                           "[0].name: ../../jsi00101q_flc.fits does not have the right form"),
    "hidden": (lambda t: t.replace('"name": "jsi', '"name": ".jsi'), True, "products[0].name"),
    "a folder in a URI": (lambda t: t.replace("HST/product/j", "HST/../j"), True, "[0].uri"),
    "another server": (lambda t: t.replace("mast:HST", "https://x.org"), True, "[0].uri"),
    "a folder in an exposure": (lambda t: t.replace('"exposure": "j', '"exposure": "/j'), True,
                                "products[0].exposure"),
    "no sha256": (lambda t: t.replace(f'"sha256": "{SHA}', '"sha256": "abc'), True,
                  "products[0].sha256: abc does not have the right form"),
    "unknown": (lambda t: t.replace('"role"', '"odd": 1, "role"'), True, "odd: is not known"),
    "a merge": (lambda t: t.replace("software:", "<<<<<<< HEAD\nsoftware:"), True,
                "r.lock.yaml:4: this line is not of a lock"),
    "too deep": (lambda t: t + "more: " + "[" * 100_000, True, "this line is not of a lock"),
    "no number": (lambda t: t.replace("120960", "NaN"), True, "products[0].size"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_anything_else_has_a_sentence(lock, tmp_path, name):
    change, sealed, told = WRONG[name]
    text = unsealed(lock)
    changed = change(text)
    assert changed != text or sealed is None
    if sealed:
        changed = lock_file.seal(changed)
    elif sealed is False:
        changed += lock_file.as_text(lock).rpartition("\ndigest: ")[2].join(("digest: ", ""))
    with pytest.raises(InputError) as caught:
        read(tmp_path, changed)
    assert told in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_what_is_no_text(tmp_path):
    (tmp_path / "r.lock.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        lock_file.read(tmp_path / "r.lock.yaml")

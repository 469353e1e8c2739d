"""A bundle of somebody else is read with care."""

import json
import stat
import struct
import zipfile

import pytest

from hst123r.errors import InputError
from hst123r.sharing import unpack
from hst123r.sharing.unpack import read_bundle

GOOD = {"recipe.yaml": "hst123r: 1\n", "run.json": ""}


def write(path, members, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, data)
    return path


def members(extract, **more):
    return [("recipe.yaml", "hst123r: 1\n"), ("run.json", json.dumps({**extract, **more}))]


def test_a_bundle(bundled, extract):
    opened = read_bundle(bundled)
    assert opened.recipe == "hst123r: 1\nname: r\n"
    assert opened.lock == "x: 1\n"
    assert opened.extract == extract


@pytest.mark.parametrize("name", [
    "../evil", "a/../../evil", "/etc/passwd", "a\\..\\evil", "results/../../../x",
])  # fmt: skip
def test_names_that_lead_elsewhere(extract, tmp_path, name):
    path = write(tmp_path / "p.zip", [*members(extract), (name, "x")])
    with pytest.raises(InputError, match="leads out of the bundle"):
        read_bundle(path)


def test_links_and_doubles(extract, tmp_path):
    path = write(tmp_path / "l.zip", [*members(extract), ("a", "/etc/passwd")], links={"a"})
    with pytest.raises(InputError, match="is a link"):
        read_bundle(path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write(tmp_path / "d.zip", [*members(extract), ("recipe.yaml", "x")])
    with pytest.raises(InputError, match="there twice"):
        read_bundle(path)


def test_a_bomb_is_not_unpacked(extract, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "SMALL", 100_000)
    bomb = ("run.json", b"[" + b"[]," * 10_000_000 + b"[]]")
    path = write(tmp_path / "b.zip", [members(extract)[0], bomb])
    assert path.stat().st_size < 200_000
    # json would make gigabytes of it
    with pytest.raises(InputError, match=r"run.json in it has more than \d+ bytes"):
        read_bundle(path)
    monkeypatch.setattr(unpack, "LARGEST_RATIO", 10_000)
    monkeypatch.setattr(unpack, "LARGEST_TEXT", 1_000_000)
    with pytest.raises(InputError, match="more than 1000000 bytes"):
        read_bundle(path)


@pytest.mark.parametrize(("harm", "says"), [
    (lambda p: p.write_bytes(p.read_bytes()[:-200]), "damaged"),
    (lambda p: p.write_bytes(b"no zip"), "damaged"),
    (lambda p: p.unlink(), "no such file"),
])  # fmt: skip
def test_damage(bundled, harm, says):
    harm(bundled)
    with pytest.raises(InputError, match=says):
        read_bundle(bundled)


def test_a_flipped_byte_is_found(bundled):
    data = bytearray(bundled.read_bytes())
    place = data.index(b"run.json") + 200
    data[place] ^= 0xFF
    bundled.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        read_bundle(bundled)


@pytest.mark.parametrize(("made", "says"), [
    ([("recipe.yaml", "x")], "holds no run.json"),
    ([("recipe.yaml", "x"), ("run.json", "{")], "no JSON"),
    ([("recipe.yaml", "x"), ("run.json", "[]")], "written as None"),
    ([("recipe.yaml", "x"), ("run.json", '{"format": "other/9"}')], "Install the version"),
    ([("recipe.yaml", b"\xff"), ("run.json", "{}")], "no UTF-8"),
    ([("recipe.yaml", "x"), ("run.json", '{"format": "hst123r-extract/1"}')], "lacks run"),
    ([("recipe.yaml", "x"), ("run.json", "[" * 200_000)], "no JSON"),
])  # fmt: skip
def test_what_is_no_bundle(tmp_path, made, says):
    with pytest.raises(InputError, match=says):
        read_bundle(write(tmp_path / "p.zip", made))


@pytest.mark.parametrize(("harm", "says"), [
    (lambda e: e.pop("run"), "lacks run"),
    (lambda e: e["run"].pop("recipe"), "lacks recipe of run"),
    (lambda e: e.update(jobs=[1]), "lacks jobs"),
    (lambda e: e["jobs"][0].update(parts=None), "lacks parts of jobs"),
    (lambda e: e["environment"].update(packages=[]), "lacks packages of environment"),
    (lambda e: e["photometry"][0].update(flux_njy="1"), "lacks a number as flux_njy"),
])  # fmt: skip
def test_an_extract_of_another_shape(extract, tmp_path, harm, says):
    harm(extract)
    with pytest.raises(InputError, match=says):
        read_bundle(write(tmp_path / "p.zip", members(extract)))


def test_an_encrypted_member_is_refused(extract, tmp_path):
    path = write(tmp_path / "p.zip", members(extract))
    data = bytearray(path.read_bytes())
    # the flag of encryption, in the local header and in the directory
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(signature, place + 4)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"'recipe\.yaml' is encrypted"):
        read_bundle(path)


def test_a_result_is_read_by_its_path(bundled):
    opened = read_bundle(bundled)
    assert opened.result("products/scrape/a.ecsv") == b"# %ECSV"
    assert opened.result("products/none") is None


def test_more_members_than_any_bundle_has(extract, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MOST_MEMBERS", 20)
    path = write(tmp_path / "p.zip", [*members(extract), *((f"a{n}", "") for n in range(19))])
    with pytest.raises(InputError, match="21 members are more than any bundle has"):
        read_bundle(path)


def test_a_directory_that_claims_millions_of_members(extract, tmp_path):
    """The number stands in the last record; what is not there makes it damage."""
    path = write(tmp_path / "p.zip", members(extract))
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 8 : end + 12] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    opened_or_refused(path)


@pytest.mark.parametrize("new", [False, True])
def test_a_list_of_members_that_would_fill_the_memory_is_not_read(
    extract, tmp_path, monkeypatch, new
):
    path = write(tmp_path / "p.zip", [*members(extract), *((f"a{n}", "") for n in range(40))])
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<LL", data, end + 12)
    if new:
        # the same list told of by the record for large files
        record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 42, 42, size, start)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        data[end + 12 : end + 20] = b"\xff" * 8
        data[end:end] = record + locator
        path.write_bytes(bytes(data))
    assert read_bundle(path).recipe == "hst123r: 1\n"
    monkeypatch.setattr(unpack, "LARGEST_DIRECTORY", 1000)
    monkeypatch.setattr(unpack.zipfile, "ZipFile", None)
    with pytest.raises(InputError, match=f"its list of members has {size} bytes"):
        read_bundle(path)


def test_a_record_within_the_last_one_does_not_hide_its_size(extract, tmp_path, monkeypatch):
    path = write(tmp_path / "p.zip", [*members(extract), *((f"a{n}", "") for n in range(40))])
    data = bytearray(path.read_bytes())
    data[-6:-2] = b"PK\x05\x06"
    path.write_bytes(bytes(data))
    monkeypatch.setattr(unpack, "LARGEST_DIRECTORY", 1000)
    with pytest.raises(InputError, match="its list of members has"):
        read_bundle(path)
    path.write_bytes(bytes(data) + b"PK\x05\x06")
    with pytest.raises(InputError, match="its last record is cut"):
        read_bundle(path)


def opened_or_refused(path):
    """Read a bundle; it is either as it was, or refused with a sentence."""
    try:
        assert read_bundle(path).recipe == "hst123r: 1\n"
    except InputError as error:
        assert "damaged" in str(error)  # noqa: PT017


@pytest.mark.parametrize("flag", [0x0, 0x800])
def test_a_name_that_is_no_utf8(extract, tmp_path, flag):
    path = write(tmp_path / "p.zip", [*members(extract), ("results/abcd", "x")])
    data = bytearray(path.read_bytes().replace(b"results/abcd", b"results/\xff\xfe\xc3\x28"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset + 1] |= flag >> 8
            place = data.find(signature, place + 4)
    path.write_bytes(bytes(data))
    if flag:
        with pytest.raises(InputError, match="damaged"):
            read_bundle(path)
    else:
        # an old zip has names of code page 437, in which all bytes mean something
        assert read_bundle(path).result("abcd") is None


def test_a_local_name_that_is_another_than_the_listed_one(extract, tmp_path):
    path = write(tmp_path / "p.zip", [*members(extract), ("results/abcd", "x")])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"results/abcd", b"../../../abc", 1))
    with pytest.raises(InputError, match="damaged"):
        read_bundle(path).result("abcd")

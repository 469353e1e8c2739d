"""`repair` of what came from MAST: fetched anew, the same bytes, and nothing else is done."""

from __future__ import annotations

import io
import json
import sqlite3

import pytest
from astropy.io import fits

from hst123r.cli.main import invoke


def jobs(folder):
    with sqlite3.connect(folder / "hst123r.sqlite") as db:
        return db.execute("select stage, label, state from job order by id").fetchall()


def change_a_pixel(path):
    """Change one bit of the image in place, as a bad disk does: no header tells of it."""
    with fits.open(path) as hdus:
        place = hdus["SCI", 1].fileinfo()["datLoc"]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[place + 401] ^= 0x10
    path.write_bytes(content)


def truncate(path):
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-2880])


def make_anew(archive, uri):
    """Let the archive have other pixels under the same name."""
    with fits.open(io.BytesIO(archive.holdings.files[uri].data)) as hdus:
        hdus["SCI"].data += 1
        out = io.BytesIO()
        hdus.writeto(out, checksum=True)
    archive.holdings.replace(uri, out.getvalue())


@pytest.fixture
def fetched(archive, run_recipe, recipe):
    """Return the work directory of a run on the archive."""
    answer = run_recipe(recipe())
    assert answer.code == 0, answer.err
    return answer.folder / "r"


@pytest.fixture
def repair(fetched, capfd):
    """Repair it; return exit code, and what was said of each file."""

    def call(*options):
        capfd.readouterr()
        code = invoke(["repair", "-C", str(fetched), "--json", *options])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, {row["file"]: row for row in json.loads(out)["files"]}

    return call


def test_exactly_what_is_broken_is_fetched_again(archive, fetched, repair, data):
    names = sorted(path.name for path in data.iterdir())
    changed, cut, gone, well = (fetched / "raw" / name for name in names)
    kept = {path: path.stat().st_mtime_ns for path in [well, *fetched.glob("products/**/*.*")]}
    before, asked = jobs(fetched), len(archive.log)
    change_a_pixel(changed)
    truncate(cut)
    gone.unlink()
    harmed = {f"raw/{path.name}": path.read_bytes() for path in (changed, cut)}
    code, pieces = repair()
    assert code == 0
    assert [pieces[f"raw/{name}"]["state"] for name in names[:3]] == [
        "altered", "altered", "missing",
    ]  # fmt: skip
    assert "pixels" in pieces[f"raw/{names[0]}"]["what"]
    for name in names[:3]:
        piece = pieces.pop(f"raw/{name}")
        assert (piece["action"], piece["outcome"]) == ("fetch", "fetched again, the same bytes")
        assert piece["source"] == f"mast:HST/product/{name}"
        assert (fetched / "raw" / name).read_bytes() == (data / name).read_bytes()
        assert (fetched / "raw" / name).stat().st_mode & 0o777 == 0o444
        if piece["aside"]:
            assert (fetched / piece["aside"]).read_bytes() == harmed.pop(piece["file"])
    assert (pieces, harmed) == ({}, {})
    # one request and one job for each, and no other file was touched
    wanted = [f"GET /api/v0.1/Download/file?uri=mast:HST/product/{name}" for name in names[:3]]
    assert sorted(entry["request"] for entry in archive.log[asked:]) == wanted
    assert sorted(jobs(fetched)[len(before) :]) == [("fetch", n[:9], "done") for n in names[:3]]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert invoke(["verify", "-C", str(fetched)]) == 0
    assert repair() == (0, {})


@pytest.mark.heavy
def test_what_cannot_be_had_again_is_left_with_a_sentence(archive, fetched, repair, data):
    name = min(path.name for path in data.iterdir())
    uri, place = f"mast:HST/product/{name}", fetched / "raw" / name
    change_a_pixel(place)
    harmed, asked = place.read_bytes(), len(archive.log)
    code, pieces = repair("--offline")
    piece = pieces[f"raw/{name}"]
    assert (code, piece["outcome"], piece["aside"]) == (3, "left as it is", "")
    assert f"{name} is not here, and --offline forbids to fetch it" in piece["source"]
    assert (place.read_bytes(), len(archive.log)) == (harmed, asked)
    # MAST has made it anew: that is no repair, whether a lock says so or only the store
    make_anew(archive, uri)
    (fetched.parent / "recipe.lock.yaml").unlink()
    code, pieces = repair()
    piece = pieces[f"raw/{name}"]
    assert (code, piece["outcome"], piece["aside"]) == (3, "left as it is", "")
    assert "the archive has another version of it than the recorded one" in piece["source"]
    assert "`hst123r update RECIPE` takes the new version" in piece["source"]
    assert place.read_bytes() == harmed
    # which it does
    assert invoke(["update", str(fetched.parent / "recipe.yaml")]) == 0
    assert place.read_bytes() == archive.holdings.files[uri].data

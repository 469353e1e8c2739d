"""The lock and MAST: the same files whatever its list says by now, and what it has made anew."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from astropy.io import fits

from hst123r.cli.main import invoke


def roots(data):
    return sorted(path.name[:9] for path in data.iterdir())


def remake(archive, root, change):
    """Make a file of the archive anew."""
    uri = f"mast:HST/product/{root}_flc.fits"
    with fits.open(io.BytesIO(archive.holdings.files[uri].data)) as hdus:
        change(hdus)
        out = io.BytesIO()
        hdus.writeto(out, checksum=True)
    archive.holdings.replace(uri, out.getvalue())
    for row in archive.holdings.products:
        if row["dataURI"] == uri:
            row["size"] = len(out.getvalue())


def shift(hdus):
    hdus["SCI"].header["CRVAL1"] += 1e-5
    hdus[0].header["DATE"] = "2026-01-01"


def test_the_same_files_whatever_the_list_says(archive, run_recipe, recipe, data, capfd):
    assert run_recipe(recipe()).code == 0
    held = archive.holdings
    held.add_product(held.observations[0], "jtst88abq_flc.fits", "jtst88abq")
    held.products[0]["prvversion"] = "DMS CALACS 11"
    answer = run_recipe(recipe(), "-C", "other")
    assert answer.code == 0, answer.err
    name = held.products[0]["productFilename"]
    assert f"MAST lists {name} by DMS CALACS 11, the lock by DMS CALACS 10.2.1; " in answer.err
    assert "MAST has jtst88abq, which the lock does not have; it is not fetched" in answer.err
    there = sorted(path.name for path in (answer.folder / "other" / "raw").glob("*.fits"))
    assert there == sorted(path.name for path in data.iterdir())
    # a query without a work directory asks, and tells the same
    assert invoke(["query", str(recipe()), "-C", "fourth"]) == 0
    out = capfd.readouterr().out
    assert "MAST has jtst88abq, which the lock does not have; it is not fetched" in out
    assert "A run goes by the lock" in out
    # with --locked nobody is asked
    number = len(archive.log)
    assert run_recipe(recipe(), "--locked", "-C", "third").code == 0
    assert {entry["request"][:3] for entry in archive.log[number:]} == {"GET"}
    assert run_recipe(recipe(), "--locked", "-C", "third", "--offline").code == 0


@pytest.mark.heavy
def test_what_was_made_anew_is_refused_found_and_taken(
    archive, run_recipe, recipe, data, capfd, tmp_path
):
    assert run_recipe(recipe()).code == 0
    assert invoke(["update", str(recipe()), "--check"]) == 0
    assert "no file anew" in capfd.readouterr().out
    assert run_recipe(recipe(), "-C", "b").code == 0
    root = roots(data)[1]
    remake(archive, root, shift)
    number = len(archive.requests(root))
    answer = run_recipe(recipe(), "-C", "other")
    assert answer.code == 5
    told = f"{root}_flc.fits: the archive has another version of it than the recorded one"
    assert told in answer.err
    # twice, since it could have been damaged on the way
    assert len(archive.requests(root)) == number + 2
    lock = tmp_path / "recipe.lock.yaml"
    before = lock.read_text()
    assert invoke(["update", str(recipe()), "--check", "--json"]) == 10
    (row,) = json.loads(capfd.readouterr().out)["redelivered"]
    assert row["exposure"] == root
    assert "Last-Modified" not in row["why"]
    assert " → " in row["why"]
    assert lock.read_text() == before
    assert invoke(["update", str(recipe())]) == 0
    out = capfd.readouterr().out
    assert f"{root}_flc.fits was made anew" in out
    assert "changed: WCS only" in out
    assert f"products: fetch {root}_flc.fits: size" in out
    changed = [
        a != b for a, b in zip(before.splitlines(), lock.read_text().splitlines(), strict=True)
    ]
    # the file, the answers of MAST about it, and the seal
    assert sum(changed) == 3
    again = run_recipe(recipe())
    assert again.code == 0
    assert "fetch      5 reused" in again.out
    assert "1 done" in again.out
    # where the old one lies it is another version than the locked one, and is fetched
    other = run_recipe(recipe(), "-C", "b")
    assert other.code == 0, other.err
    assert f"raw/{root}_flc.fits is not the locked version" in other.err
    new = archive.holdings.files[f"mast:HST/product/{root}_flc.fits"].data
    assert (tmp_path / "b" / "raw" / f"{root}_flc.fits").read_bytes() == new
    assert invoke(["update", str(recipe())]) == 0
    assert "recipe.lock.yaml is up to date" in capfd.readouterr().out


def test_an_update_asks_mast_for_its_list_once(archive, run_recipe, recipe):
    """First to see what was made anew, and then to run; the second time it is remembered."""
    assert run_recipe(recipe(), "--until", "fetch").code == 0

    def questions():
        return [entry["body"] for entry in archive.requests("invoke")]

    number = len(questions())
    assert invoke(["update", str(recipe())]) == 0
    asked = questions()[number:]
    # the same as the run, and each once
    assert len(asked) == number


GUARD = """
import os, socket, sys

def guard(event, arguments):
    inside = event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6)
    if inside or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["OPENED"], "a") as out:
            out.write(f"{sys.argv} {event} {arguments[1:]}\\n")

sys.addaudithook(guard)
"""


def guarded(folder, *arguments):
    """Run a command in a child that notes every socket, its own children's too."""
    (folder / "guard").mkdir(exist_ok=True)
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    (folder / "opened").unlink(missing_ok=True)
    paths = os.pathsep.join([str(folder / "guard"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OPENED": str(folder / "opened")}
    done = subprocess.run(
        [sys.executable, "-m", "hst123r", *map(str, arguments)], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    opened = (folder / "opened").read_text() if (folder / "opened").exists() else ""
    return done, opened


@pytest.mark.heavy
def test_offline_opens_no_socket_and_says_what_is_missing(archive, recipe, data, tmp_path):
    path = recipe()
    for command in ("run", "query", "update"):
        done, opened = guarded(tmp_path, command, path, "--offline")
        assert (done.returncode, opened) == (5, ""), done.stderr
        assert "MAST was not asked for these observations yet" in done.stderr
    # the guard sees what there is to see, of the jobs too
    done, opened = guarded(tmp_path, "run", path)
    assert done.returncode == 0, done.stderr
    assert "hst123r" in opened
    assert "socket.getaddrinfo" in opened
    for command in ("run", "plan", "query", "update"):
        done, opened = guarded(tmp_path, command, path, "--offline")
        assert (done.returncode, opened) == (0, ""), done.stderr
    done, opened = guarded(tmp_path, "verify")
    assert (done.returncode, opened) == (0, "")
    done, opened = guarded(tmp_path, "update", path, "--check", "--offline")
    assert (done.returncode, opened) == (5, "")
    # elsewhere the lock says what it should be, file by file
    done, opened = guarded(tmp_path, "run", path, "--offline", "-C", "other")
    assert (done.returncode, opened) == (5, "")
    for name in (item.name for item in data.iterdir()):
        assert f"{name} is not here, and --offline forbids to fetch it" in done.stderr
    assert archive.log


@pytest.mark.heavy
def test_a_shared_archive_and_a_lock_are_enough_without_a_network(
    archive, recipe, data, tmp_path, monkeypatch
):
    path = recipe()
    text = path.read_text().replace(
        '{name: T, position: "150.1 2.2"}', "{name: SN T, resolve: true}"
    )
    archive.holdings.add_name("SN T", 150.1, 2.2)
    (tmp_path / "common").mkdir()
    path.write_text(text.replace("{from: mast}", "{from: mast, archive: common, source: auto}"))
    archive.faults.add(f"GET.*Download.*{roots(data)[0]}", "status", None, code=404)
    # an update asks the bucket about what came from there
    monkeypatch.setenv("HST123R_S3_URL", archive.url)
    done, _ = guarded(tmp_path, "run", path, "-C", "a")
    assert done.returncode == 0, done.stderr
    assert f"the public bucket is asked for {roots(data)[0]}_flc.fits" in done.stderr
    there = sorted(p.name for p in (tmp_path / "common" / "ACS" / "WFC" / "150").iterdir())
    assert there == sorted(p.name for p in data.iterdir())
    done, opened = guarded(tmp_path, "run", path, "-C", "b", "--locked", "--offline")
    assert (done.returncode, opened) == (0, ""), done.stderr
    with sqlite3.connect(tmp_path / "b" / "hst123r.sqlite") as db:
        facts = [row[0] for row in db.execute("select facts from product where kind = 'file'")]
    # where the folder lies is nobody else's affair
    assert any('"source_science": "shared archive"' in text for text in facts)
    assert not any(str(tmp_path) in text for text in facts)
    for file in data.iterdir():
        assert (tmp_path / "b" / "raw" / file.name).read_bytes() == file.read_bytes()
    # elsewhere by now, and found out by an update only
    archive.holdings.names.clear()
    archive.holdings.add_name("SN T", 150.1001, 2.2)
    assert guarded(tmp_path, "run", path, "-C", "a")[0].returncode == 0
    done, _ = guarded(tmp_path, "update", path, "-C", "a")
    assert "targets: SNT: ra_deg 150.1 → 150.1001" in done.stdout, done.stderr
    path.write_text(text.replace("{from: mast}", "{from: mast, archive: nowhere}"))
    done, _ = guarded(tmp_path, "run", path, "-C", "c")
    assert done.returncode == 2
    assert "nowhere: there is no such folder. Make it, or check `archive`" in done.stderr


def test_a_re_fetch_that_fails_leaves_what_is_here_as_good_as_it_was(
    archive, run_recipe, recipe, data, capfd, tmp_path
):
    assert run_recipe(recipe()).code == 0
    root = roots(data)[1]
    place = tmp_path / "r" / "raw" / f"{root}_flc.fits"
    before = place.read_bytes()
    remake(archive, root, shift)
    archive.faults.add(f"GET.*Download.*{root}", "status", None, code=404)
    assert invoke(["update", str(recipe())]) == 5
    out, err = capfd.readouterr()
    assert "the archive does not have it" in err
    assert f"{root}_flc.fits was made anew" in out
    assert "and did not come; the old one stays" in out
    archive.faults.clear()
    number = len(archive.log)
    for options in (("--offline",), ("--offline", "--locked"), ()):
        again = run_recipe(recipe(), *options)
        assert again.code == 0, again.err
        assert "fetch      5 reused" in again.out
    # a store that is lost costs no file: the lock says which one is meant, and it is here
    for path in (tmp_path / "r").glob("hst123r.sqlite*"):
        path.unlink()
    again = run_recipe(recipe(), "--offline")
    assert again.code == 0, again.err
    assert run_recipe(recipe(), "--redo", "exposures").code == 0
    assert len(archive.log) == number
    assert place.read_bytes() == before


def test_what_mast_has_no_more_is_told_and_not_asked_for(
    archive, run_recipe, recipe, data, capfd, tmp_path
):
    """Nor is it said to be unchanged where that cannot be told."""
    assert run_recipe(recipe()).code == 0
    first, second = roots(data)[:2]
    archive.faults.add(f"HEAD.*{first}", "status", None, code=404)
    archive.faults.add(f"HEAD.*{second}", "status", None, code=403)
    assert invoke(["update", str(recipe()), "--check"]) == 0
    out = capfd.readouterr().out
    assert f"MAST does not have {first}_flc.fits any more; the one that is here stays" in out
    assert f"Whether MAST has made 1 file anew cannot be told: {second}_flc.fits came" in out
    assert "MAST has made no file anew, as far as can be told" in out
    number = len(downloads(archive))
    assert invoke(["update", str(recipe()), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["gone"], found["unknown"], found["redelivered"]) == ([f"{first}_flc.fits"], 1, [])
    assert len(downloads(archive)) == number
    assert "fetch      5 reused" in run_recipe(recipe()).out


def downloads(archive):
    return archive.requests("GET.*Download/file")

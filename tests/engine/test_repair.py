"""A repair mends what is broken, byte for byte or by the job that made it, and nothing else."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from hst123r.cli.main import invoke
from hst123r.cli.progress import Lines
from hst123r.engine import aside as aside_module
from hst123r.engine import copies as copies_module
from hst123r.engine import repair as module
from hst123r.engine.hold import holding
from hst123r.engine.pieces import Repaired, Wanted
from hst123r.engine.verify import verify
from hst123r.engine.workspace import Workspace
from hst123r.errors import Busy, EnvironmentProblem, InputError
from hst123r.provenance.reading import reading

RAW = "raw/jsi00101q_flc.fits"
TABLE = "products/exposures/all/exposures.ecsv"
SIMULATED = """\
hst123r: 1
name: s
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch:
      from: simulated
      simulation:
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 2, size: 64 pix}
        stars: {number: 5, radius: 4 arcsec}
  - exposures: {}
"""


def break_(path, word=b"EXPTIME"):
    """Change a digit of a card, or the last byte of a file that has none such."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    place = content.find(word + b" ")
    if place < 0:
        content[-2] ^= 1
    else:
        digit = next(i for i in range(place + 10, place + 30) if chr(content[i]).isdigit())
        content[digit] = ord("1") if content[digit] != ord("1") else ord("2")
    path.write_bytes(content)
    return bytes(content)


class Heard(Lines):
    """A listener that remembers what was started."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def started(self, planned):
        self.lines.append(planned.name)


def mend(workspace, **wanted):
    heard = Heard()
    with holding(workspace) as store:
        found = module.repair(store, workspace, Wanted(jobs=2, **wanted), heard)
    return found, heard.lines


def look(workspace, **wanted):
    with reading(workspace.folder) as store:
        return module.look(store, workspace, Wanted(**wanted))


def rows(workspace):
    with reading(workspace.folder) as store:
        return store.db.execute("select count(*) from job").fetchone()[0]


def states(folder):
    return {row["state"] for row in verify(folder)}


@pytest.fixture(scope="module")
def simulated(module_folder):
    """Exposures that nobody has a copy of, and a table of them."""
    folder = module_folder("simulated")
    (folder / "s.yaml").write_text(SIMULATED)
    assert invoke(["run", str(folder / "s.yaml"), "-C", str(folder / "s")]) == 0
    return folder / "s"


@pytest.fixture
def alone(simulated, tmp_path):
    shutil.copytree(simulated, tmp_path / "s")
    return Workspace(tmp_path / "s")


@pytest.mark.parametrize("word", [b"EXPTIME", b"CRVAL1", b"NOTHING"])
def test_a_broken_raw_file_is_restored_from_where_it_came(ran, word):
    place = ran.workspace.folder / RAW
    before = place.read_bytes()
    broken = break_(place, word)
    jobs = rows(ran.workspace)
    found, started = mend(ran.workspace)
    (piece,) = found.pieces
    assert (piece.file, piece.action, piece.outcome) == (RAW, "restore", "restored")
    assert (found.exit_code, found.runs, started, rows(ran.workspace)) == (0, [], [], jobs)
    assert place.read_bytes() == before
    assert not os.access(place, os.W_OK) or os.getuid() == 0
    assert (ran.workspace.folder / piece.aside).read_bytes() == broken
    assert states(ran.workspace.folder) == {"ok"}
    with reading(ran.workspace.folder) as store:
        (event,) = store.db.query("select * from event where code = 'repaired'")
    assert event["message"].startswith(f"{RAW} was restored from /")


@pytest.mark.parametrize("how", ["broken", "gone"])
def test_a_product_is_made_again_by_one_job(ran, first_run, how, reasons):
    place = ran.workspace.folder / TABLE
    before = place.read_bytes()
    if how == "gone":
        shutil.rmtree(place.parent)
    else:
        place.write_text("mine, on purpose")
    jobs = rows(ran.workspace)
    seen = look(ran.workspace)
    assert [(piece.action, piece.outcome) for piece in seen.pieces] == [("make", "")]
    assert rows(ran.workspace) == jobs
    found, started = mend(ran.workspace)
    assert started == ["exposures:all"]
    assert rows(ran.workspace) == jobs + 1
    assert found.pieces[0].outcome == "made again, the same bytes"
    assert place.read_bytes() == before
    if how == "broken":
        kept = ran.workspace.folder / found.pieces[0].aside
        assert kept.read_text() == "mine, on purpose"
    assert states(ran.workspace.folder) == {"ok"}
    assert reasons(ran.plan(first_run)) == {}


@pytest.mark.parametrize(("role", "code"), [("table", 3), ("plot", 0)])
def test_a_table_that_comes_out_otherwise_is_not_mended(ran, role, code):
    """Numbers with other bytes are other numbers; a picture has the name of its run in it."""
    with sqlite3.connect(ran.workspace.store) as db:
        db.execute(
            "update content set digest = 'blake3:of-another-table' where id = "
            "(select content_id from product_file where path = ?)", [TABLE],
        )  # fmt: skip
        db.execute("update product_file set role = ? where path = ?", [role, TABLE])
    db.close()
    (ran.workspace.folder / TABLE).unlink()
    found, _ = mend(ran.workspace)
    assert found.pieces[0].outcome == "made again, with other bytes"
    assert found.exit_code == code


def test_exactly_the_broken_ones_are_fetched_and_made(alone):
    first, other = sorted(alone.raw.glob("*_flc.fits"))
    untouched = other.read_bytes(), other.stat().st_mtime_ns
    whole = first.read_bytes()
    break_(first)
    (alone.folder / TABLE).unlink()
    found, started = mend(alone)
    assert sorted(started) == ["exposures:all", f"fetch:{first.name[:9]}"]
    assert {piece.file: piece.action for piece in found.pieces} == {
        f"raw/{first.name}": "fetch", TABLE: "make",
    }  # fmt: skip
    assert first.read_bytes() == whole
    assert (other.read_bytes(), other.stat().st_mtime_ns) == untouched
    assert states(alone.folder) == {"ok"}
    assert mend(alone) == (Repaired([]), [])


def test_what_would_be_something_else_is_not_made(ran, monkeypatch):
    """A new version of a stage makes another table; the old one cannot be had back."""
    from hst123r.stage import registry

    monkeypatch.setattr(registry.get("exposures"), "version", 999)
    place = ran.workspace.folder / TABLE
    place.write_text("mine")
    found, started = mend(ran.workspace)
    assert (found.exit_code, started) == (3, [])
    assert "version of the stage" in found.pieces[0].source
    # it is where it was, as it was found
    assert place.read_text() == "mine"
    assert found.pieces[0].aside == ""
    assert "version of the stage" in look(ran.workspace).pieces[0].source


def test_a_copy_is_found_in_another_work_directory(ran, alone, simulated, tmp_path):
    first = min(alone.raw.glob("*_flc.fits"))
    first.unlink()
    (alone.folder / TABLE).unlink()
    plain = tmp_path / "plain" / "deep"
    plain.mkdir(parents=True)
    shutil.copy(simulated / TABLE, plain)
    found, started = mend(alone, folders=[simulated, plain.parent])
    assert started == []
    assert {piece.outcome for piece in found.pieces} == {"restored"}
    assert states(alone.folder) == {"ok"}


def test_a_folder_is_walked_once_and_its_store_may_be_damaged(alone, tmp_path, monkeypatch):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "hst123r.sqlite").write_bytes(b"this is no store" * 1000)
    for path in alone.raw.glob("*_flc.fits"):
        shutil.copy(path, plain)
        path.unlink()
    walked, walk = [], os.walk
    monkeypatch.setattr(os, "walk", lambda top: walked.append(top) or walk(top))
    found, started = mend(alone, folders=[plain])
    assert started == []
    assert {piece.outcome for piece in found.pieces} == {"restored"}
    assert walked.count(plain) == 1


def test_a_recipe_that_says_something_else_by_now_does_not_matter(ran, first_run, tmp_path):
    place = ran.workspace.folder / TABLE
    text = first_run.read_text()
    first_run.write_text("nonsense: [")
    try:
        place.unlink()
        found, _ = mend(ran.workspace)
    finally:
        first_run.write_text(text)
    assert found.pieces[0].outcome == "made again, the same bytes"


@pytest.mark.parametrize("at", ["copy", "aside"])
def test_a_full_disk_leaves_everything_as_it_was(ran, monkeypatch, at):
    place = ran.workspace.folder / RAW
    broken = break_(place)
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_args, **_options):
        raise full

    if at == "copy":
        monkeypatch.setattr(copies_module, "copy", refuse)
    else:
        monkeypatch.setattr(aside_module, "make_folder", refuse)
    found, _ = mend(ran.workspace)
    assert found.exit_code == 3
    assert "disk is full" in found.pieces[0].source
    assert place.read_bytes() == broken
    assert sorted(path.name for path in place.parent.iterdir() if ".part" in path.name) == []
    monkeypatch.undo()
    assert mend(ran.workspace)[0].exit_code == 0


def across(monkeypatch, names):
    """Refuse to move some files to `aside/`, as where they are on another file system."""
    rename = Path.rename

    def refuse(self, target):
        if self.name in names and "aside" in Path(target).parts:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)


def test_what_is_on_another_file_system_is_put_aside_too(ran, monkeypatch):
    place = ran.workspace.folder / RAW
    before, broken = place.read_bytes(), break_(place)
    across(monkeypatch, [place.name])
    (piece,) = mend(ran.workspace)[0].pieces
    assert piece.outcome == "restored"
    assert place.read_bytes() == before
    assert (ran.workspace.folder / piece.aside).read_bytes() == broken


@pytest.mark.parametrize("error", [EnvironmentProblem("the disk is full"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_put_aside_leaves_the_others_in_place(alone, monkeypatch, error):
    places = sorted(alone.raw.glob("*_flc.fits"))
    broken = [break_(place) for place in places]
    put, calls = module.Aside.put, []

    def refuse(self, file):
        calls.append(file)
        if len(calls) == 2:
            raise error
        return put(self, file)

    monkeypatch.setattr(module.Aside, "put", refuse)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            mend(alone)
        assert [place.read_bytes() for place in places] == broken
    else:
        found, started = mend(alone)
        assert (found.exit_code, len(started)) == (3, 1)
        left = next(piece for piece in found.pieces if piece.outcome == "left as it is")
        assert "the disk is full" in left.source
        assert (alone.folder / left.file).read_bytes() in broken
        assert left.aside == ""


def test_a_restore_that_is_interrupted_leaves_the_file(ran, monkeypatch):
    place = ran.workspace.folder / RAW
    broken = break_(place)

    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "publish", stop)
    with pytest.raises(KeyboardInterrupt):
        mend(ran.workspace)
    assert place.read_bytes() == broken
    assert not [path for path in place.parent.iterdir() if ".part" in path.name]


def test_a_copy_that_is_interrupted_leaves_nothing(ran, monkeypatch):
    place = ran.workspace.folder / RAW
    break_(place)

    def half(source, destination):
        destination.write_bytes(source.read_bytes()[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr(copies_module, "copy", half)
    with pytest.raises(KeyboardInterrupt):
        mend(ran.workspace)
    assert not [path for path in place.parent.iterdir() if ".part" in path.name]


def test_a_project_that_was_moved_is_looked_for_where_it_is(made_exposures, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(made_exposures, old / "data")
    (old / "s.yaml").write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '150.1 2.2'}]\n"
        "stages: [fetch: {from: directory, path: data}, exposures: {}]\n"
    )
    assert invoke(["run", str(old / "s.yaml"), "-C", str(old / "s")]) == 0
    old.rename(new)
    table = new / "s" / TABLE
    before = table.read_bytes()
    table.unlink()
    assert mend(Workspace(new / "s"))[0].exit_code == 0
    assert table.read_bytes() == before


def test_two_at_once_is_one_too_many(ran):
    with holding(ran.workspace), pytest.raises(Busy):
        mend(ran.workspace)


def test_an_interrupted_repair_leaves_the_truth(alone, monkeypatch):
    """The job ends without a result: the row says so, and the file is where it was."""
    place = alone.folder / TABLE
    place.write_text("mine")

    def stop(self, planner):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Runner, "_loop", stop)
    found, _ = mend(alone)
    assert found.exit_code == 130
    assert place.read_text() == "mine"
    monkeypatch.undo()
    with reading(alone.folder) as store:
        states_ = [row[0] for row in store.db.execute("select state from run order by id")]
    assert states_ == ["done", "interrupted"]
    assert mend(alone)[0].pieces[0].outcome.startswith("made again")


def test_a_folder_to_look_in_has_to_be_there(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        copies_module.check_folders([tmp_path / "none"])
    assert copies_module.check_folders([tmp_path]) == [tmp_path]


def test_what_a_run_would_do_besides_is_not_done(ran, monkeypatch):
    """Another stage has a new version: that is the business of the next run."""
    from hst123r.stage import registry

    monkeypatch.setattr(registry.get("select"), "version", 999)
    (ran.workspace.folder / TABLE).unlink()
    found, started = mend(ran.workspace)
    assert (found.exit_code, started) == (0, ["exposures:all"])

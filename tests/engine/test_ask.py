"""Questions: a file that was moved is found by the stamps in its header."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits

from hst123r.engine.ask import exposures, show
from hst123r.engine.history import Filter, history
from hst123r.engine.trace import by_stamp
from hst123r.engine.workspace import Lock, Workspace
from hst123r.errors import EnvironmentProblem, InputError
from hst123r.files.content import digest_bytes
from hst123r.provenance.reading import reading
from hst123r.provenance.stamps import digits, read_stamps, stamp, stamps_of

STACK = "products/stacks/SN-acs_wfc-f606w/SN-acs_wfc-f606w_drz.fits"


def test_a_file_in_its_place_is_found_by_its_path(finished):
    said = show(finished, str(finished / STACK))
    assert said["found"] == "by its path"
    assert said["made_by"]["label"] == "SN-acs_wfc-f606w"
    assert [name.partition("#")[0] for name in said["read_by"]] == [
        "detect:SN", "scrape:SN", "scrape:nothing", "report:report",
    ]  # fmt: skip


def test_a_file_of_another_work_directory_is_not_taken_for_ours(finished, tmp_path):
    """Job 1 is in every work directory; the run's own name is not."""
    stray = tmp_path / "theirs.fits"
    shutil.copy(finished / STACK, stray)
    fits.setval(stray, "H123RUN", value="20200101T000000Z-abcdef")
    assert show(finished, str(stray))["found"] == "not made here"


def test_a_file_that_is_gone_is_told_with_its_maker(copy_of_finished):
    (copy_of_finished / STACK).unlink()
    said = show(copy_of_finished, str(copy_of_finished / STACK))
    assert said["state"] == "missing"
    assert said["made_by"]["stage"] == "stacks"


def test_what_nobody_knows_is_the_users_error(finished):
    for what in ("99", "#9999", "stacks:nothing", "products/none.fits"):
        with pytest.raises(InputError, match="there is no"):
            show(finished, what)


TABLE = "products/exposures/all/exposures.ecsv"


@pytest.fixture
def recipe(first_run):
    return first_run


@pytest.fixture
def done(ran):
    return ran.workspace.folder


def stamps(folder, job_id):
    """Return what the products of an attempt would be stamped with."""
    with reading(folder) as store:
        uid, name, key, recipe = store.db.execute(
            "select r.uid, j.stage || ':' || j.label, j.key, c.digest from job j "
            "join run r on r.id = j.run_id join recipe c on c.id = r.recipe_id where j.id = ?",
            [job_id],
        ).fetchone()
    return stamps_of(run=uid, job_id=job_id, name=name, key=key, recipe=recipe)


@pytest.fixture
def stray(done, data, tmp_path):
    """Write a FITS file with stamps somewhere else."""

    def write(marks):
        path = tmp_path / "stray.fits"
        shutil.copy(data / "jsi00101q_flc.fits", path)
        stamp(path, marks)
        return path

    return write


def test_a_stray_file_is_found_by_its_stamps(done, stray, recipe):
    path = stray(stamps(done, 3))
    found = show(done, str(path))
    assert found["found"] == "by the stamps in its header"
    assert found["made_by"]["job"] == 3
    with reading(done) as store:
        (digest,) = store.db.execute("select digest from recipe").fetchone()
    assert digest == digest_bytes(recipe.read_bytes())
    assert read_stamps(path)["H123RCP"] == digits(digest)


@pytest.mark.parametrize(
    "other", [{"H123RUN": "20200101T000000Z-abcdef"}, {"H123KEY": "0123456789abcdef"}]
)
def test_a_file_of_another_work_directory_is_not_ours(done, stray, other):
    found = show(done, str(stray({**stamps(done, 3), **other})))
    assert found["found"] == "not made here"
    assert found["made_by"] == {}


def test_a_long_name_does_not_lose_its_number(done, stray):
    long = "stage:" + "o'clock" * 20
    path = stray({**stamps(done, 8), "H123JOB": f"#8 {long}"})
    with reading(done) as store:
        assert by_stamp(store, path) == 8
    with fits.open(path) as hdus:
        hdus[0].verify("exception")
        assert hdus[0].header["H123JOB"].startswith("#8 stage:o'clock")


def test_stamps_of_the_first_versions_are_read(done, stray):
    marks = stamps(done, 8)
    name = marks["H123JOB"].partition(" ")[2]
    with reading(done) as store:
        assert by_stamp(store, stray({**marks, "H123JOB": f"{name}#8"})) == 8


def test_paths_through_links_and_dots_are_found(done, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(done)
    for way in (
        f"{done.name}/{TABLE}", f"{done.name}/../{done.name}/{TABLE}", f"link/{TABLE}", TABLE,
    ):  # fmt: skip
        assert show(done, way)["made_by"]["stage"] == "exposures", way
        assert [job["stage"] for job in history(done, Filter(file=Path(way)))] == ["exposures"]
    (tmp_path / "mine").symlink_to(recipe.parent / "data")
    for way in ("mine/jsi00101q_flc.fits", "mine/../data/jsi00101q_flc.fits"):
        assert [job["stage"] for job in history(done, Filter(file=Path(way)))] == ["fetch"]


def test_a_folder_is_a_sentence(done, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="this is a folder"):
        show(done, str(done / "products"))
    # a folder that happens to have the name of a job's stage does not hide the jobs
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exposures:all").mkdir()
    assert show(done, "exposures:all")["stage"] == "exposures"


def test_a_tighter_cut_leaves_nothing_in_use(ran, recipe):
    assert len(exposures(ran.workspace)["used"]) == 4
    ran.run(recipe, "select.min_exposure=500 s", until="select")
    found = exposures(ran.workspace)
    assert found["used"] == []
    assert len(found["rejected"]) == 4
    ran.run(recipe)
    found = exposures(ran.workspace)
    assert (len(found["used"]), found["rejected"]) == (4, [])


def test_a_plan_takes_no_lock_and_no_lease(ran, recipe, monkeypatch):
    with reading(ran.workspace.folder) as store:
        before = store.lease()
    lock = Lock(ran.workspace)
    assert lock.acquire()
    try:
        assert ran.plan(recipe)
    finally:
        lock.release()
    # the copies of the files are remembered now, so there is nothing to keep
    assert ran.plan(recipe)
    monkeypatch.setattr(Lock, "acquire", lambda _: pytest.fail("a plan wants the lock"))
    assert ran.plan(recipe)
    with reading(ran.workspace.folder) as store:
        assert store.lease() == before


def test_a_plan_remembers_what_it_read(ran, recipe):
    path = ran.workspace.raw / "jsi00101q_flc.fits"
    os.utime(path)
    with reading(ran.workspace.folder) as store:
        assert store.contents.peek(str(path)) is None
    ran.plan(recipe)
    with reading(ran.workspace.folder) as store:
        assert store.contents.peek(str(path)) is not None


def damaged(path, how):
    content = path.read_bytes()
    third = len(content) // 3
    path.write_bytes(
        {
            "last two thirds": content[:third] + b"\xa5" * (2 * third),
            "zeros": content[:third] + bytes(2 * third),
            "cut": content[: third // 4096 * 4096],
            "empty": b"",
        }[how]
    )


@pytest.mark.parametrize("how", ["last two thirds", "zeros", "cut", "empty"])
def test_a_damaged_store_is_a_sentence(ran, done, recipe, how):
    damaged(ran.workspace.store, how)
    before = ran.workspace.store.read_bytes()
    for question in (
        lambda: history(done, Filter(run=1)),
        lambda: show(done, "exposures:all"),
        lambda: exposures(ran.workspace),
        lambda: ran.plan(recipe),
        lambda: ran.run(recipe),
    ):
        with pytest.raises(EnvironmentProblem, match="the store cannot be used") as caught:
            question()
        assert "backup" in caught.value.hint
    # nothing was started afresh over it
    if how == "empty":
        assert ran.workspace.store.read_bytes() == before


def test_values_that_make_no_sense_are_checked_for_damage(ran, done):
    with sqlite3.connect(ran.workspace.store) as connection:
        connection.execute("update job set reasons = 'no json'")
    connection.close()
    # the file itself is whole, so this is a bug of ours and stays one
    with pytest.raises(ValueError, match="Expecting value"):
        history(done, Filter(run=1))


def test_an_empty_store_of_a_run_that_was_killed_at_once(bench, recipe, states):
    bench.workspace.create()
    bench.workspace.store.touch()
    assert set(states(bench.run(recipe, until="fetch")).values()) == {"done"}


ASKED = """
import sys
from pathlib import Path
from pathlib import Path
from hst123r.cli.main import invoke
for line in {questions}:
    code = invoke([*line, "-C", {folder!r}])
    if code not in (0, 10):
        sys.exit(f"{{line}}: {{code}}")
"""


def test_a_folder_that_cannot_be_written_can_be_asked(done, recipe, tmp_path):
    without_power = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv")
        without_power = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    questions = [["history"], ["show", "exposures:all"], ["verify"], ["plan", str(recipe)],
                 ["exposures", str(recipe)], ["explain", str(recipe), "exposures:all"]]  # fmt: skip
    program = ASKED.format(questions=questions, folder=str(done))
    before = sorted(path.name for path in done.iterdir())
    done.chmod(0o555)
    try:
        end = subprocess.run(
            [*without_power, sys.executable, "-c", program],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        refused = subprocess.run(
            [*without_power, sys.executable, "-m", "hst123r", "run", str(recipe), "-C", str(done)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        done.chmod(0o755)
    assert end.returncode == 0, end.stderr
    assert sorted(path.name for path in done.iterdir()) == before
    assert refused.returncode == 6
    assert "move it away" not in refused.stderr
    assert "ermission" in refused.stderr


def test_rows_that_are_only_in_the_log_are_not_passed_over(done, monkeypatch):
    store = Workspace(done).store
    connection = sqlite3.connect(store)
    connection.execute("pragma journal_mode = wal")
    connection.execute("update run set state = 'running'")
    connection.commit()
    for name in ("hst123r.sqlite", "hst123r.sqlite-wal"):
        shutil.copy(done / name, done / f"{name}.kept")
    connection.close()
    for name in ("hst123r.sqlite", "hst123r.sqlite-wal"):
        (done / f"{name}.kept").rename(done / name)

    class Refusing:
        def __init__(self, *_):
            pass

        def execute(self, *_):
            raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("hst123r.provenance.store.sqlite3.connect", lambda *_, **__: Refusing())
    monkeypatch.setattr("hst123r.provenance.store.os.access", lambda _, mode: mode == os.R_OK)
    with pytest.raises(EnvironmentProblem, match="a run here did not end") as caught:
        history(done, Filter())
    assert "Copy hst123r.sqlite" in caught.value.hint


def test_reference_files_and_packages_are_recorded(bench, data, write_recipe):
    with fits.open(data / "jsi00101q_flc.fits", mode="update") as hdus:
        hdus[0].header["CRDS_CTX"] = "hst_1127.pmap"
        hdus[0].header["IDCTAB"] = "jref$0461802ej_idc.fits"
    bench.run(write_recipe("exposures: {}"), until="fetch")
    found = show(bench.workspace.folder, "fetch:jsi00101q")["references"]
    assert {row["keyword"]: row["name"] for row in found} == {
        "CRDS_CTX": "hst_1127.pmap", "IDCTAB": "jref$0461802ej_idc.fits",
    }  # fmt: skip
    packages = show(bench.workspace.folder, "1")["environment"]["packages"]
    assert {"rich", "platformdirs", "drizzlepac"} <= set(packages)

"""What was made elsewhere is taken in as such, and whatever is made from it says so."""

import errno
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from hst123r.cli.main import invoke
from hst123r.cli.progress import Lines
from hst123r.engine import adopt as module
from hst123r.engine import garbage
from hst123r.engine.adopt import adopt, candidates, mark
from hst123r.engine.flow import inherit
from hst123r.engine.hold import holding
from hst123r.engine.lineage import trace
from hst123r.engine.pieces import Wanted
from hst123r.engine.repair import look, repair
from hst123r.engine.verify import verify
from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance import adopted
from hst123r.provenance.extract import extract
from hst123r.provenance.of_run import last_run
from hst123r.provenance.reading import reading
from hst123r.provenance.rows import Made
from hst123r.records.outcome import Caveat, Product
from hst123r.sharing.methods import methods
from hst123r.stage.contract import Job

NOTE = "Gaia DR3, selected by Ann"


@pytest.fixture
def stars(tmp_path):
    """A catalogue about the target of the recipe."""
    rng = np.random.default_rng(7)
    table = Table({
        "ra": 150.1 + rng.uniform(-1e-3, 1e-3, 300), "dec": 2.2 + rng.uniform(-1e-3, 1e-3, 300),
        "ra_error": np.full(300, 0.5), "dec_error": np.full(300, 0.5),
    })  # fmt: skip
    table.write(tmp_path / "gaia.ecsv")
    return tmp_path / "gaia.ecsv"


def take(workspace, *files, note=NOTE):
    wanted = candidates(files)
    with holding(workspace) as store:
        return adopt(store, workspace, wanted, note)


def test_a_file_is_copied_and_recorded_as_made_elsewhere(ran, first_run, stars, reasons):
    folder = ran.workspace.folder
    with reading(folder) as store:
        before = last_run(store.db)
    (found,) = take(ran.workspace, stars)
    assert (found.state, found.kind, found.file) == ("adopted", "catalogue", "adopted/gaia.ecsv")
    copy = folder / found.file
    assert copy.read_bytes() == stars.read_bytes()
    assert copy.stat().st_mode & 0o222 == 0
    with reading(folder) as store:
        (row,) = store.db.query("select * from job where stage = 'adopted'")
        assert (row["state"], row["quality"]) == ("done", "caveat")
        (run,) = store.db.query("select * from run where id = ?", [row["run_id"]])
        assert (run["state"], run["user"] != "") == ("done", True)
        # it is no run of the recipe, and no question about the last one gets it
        assert last_run(store.db) == before
        caveat = adopted.caveats(store.db)[found.file]
    assert caveat.text == f"gaia.ecsv was made elsewhere and adopted: {NOTE}"
    tree = trace(folder, str(copy))
    assert [job["name"] for job in tree["jobs"]] == ["adopted:gaia.ecsv"]
    assert [end["path"] for end in tree["ends"]] == [str(stars)]
    assert {row["state"] for row in verify(folder)} == {"ok"}
    assert reasons(ran.plan(first_run)) == {}


def test_again_is_no_news_and_another_of_the_name_is_refused(ran, stars):
    take(ran.workspace, stars)
    assert [row.state for row in take(ran.workspace, stars)] == ["known"]
    stars.write_text(stars.read_text().replace("0.5", "0.6"))
    with pytest.raises(InputError, match="another file of this name"):
        take(ran.workspace, stars)
    with reading(ran.workspace.folder) as store:
        states = [row[0] for row in store.db.execute("select state from run order by id")]
    assert states[-3:] == ["done", "done", "failed"]


def test_of_a_folder_the_rest_is_left_with_the_reason(ran, stars, tmp_path):
    folder = tmp_path / "old"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(stars, folder / "deep")
    (folder / "letter.txt").write_text("Dear Ann,\n")
    found = {row.source: row for row in take(ran.workspace, folder)}
    assert found[str(folder / "letter.txt")].why.startswith("it is no exposure")
    assert found[str(folder / "deep" / "gaia.ecsv")].file == "adopted/old/deep/gaia.ecsv"
    with pytest.raises(InputError, match="no exposure, image"):
        candidates([folder / "letter.txt"])
    (folder / "deep" / "gaia.ecsv").unlink()
    with pytest.raises(InputError, match="nothing in this folder"):
        candidates([folder])
    with pytest.raises(InputError, match="no such file"):
        candidates([folder / "none"])


def test_a_killed_adoption_is_done_again(ran, stars):
    """The copy is there and no row: it is not ours until it is adopted."""
    ran.workspace.adopted.mkdir()
    shutil.copy(stars, ran.workspace.adopted)
    odd = [row for row in verify(ran.workspace.folder) if row["state"] != "ok"]
    assert [(row["file"], row["state"]) for row in odd] == [("adopted/gaia.ecsv", "not ours")]
    assert [row.state for row in take(ran.workspace, stars)] == ["adopted"]
    assert {row["state"] for row in verify(ran.workspace.folder)} == {"ok"}


def test_a_broken_one_comes_from_where_it_was_or_not_at_all(ran, stars):
    (found,) = take(ran.workspace, stars)
    (ran.workspace.folder / found.file).unlink()
    with reading(ran.workspace.folder) as store:
        (piece,) = look(store, ran.workspace, Wanted()).pieces
        assert (piece.action, piece.source) == ("restore", str(stars))
        stars.unlink()
        (piece,) = look(store, ran.workspace, Wanted()).pieces
        assert piece.action == "none"
        assert "cannot be made here" in piece.source


def test_what_is_made_from_it_says_so(ran, first_run, stars, tmp_path):
    take(ran.workspace, stars)
    data = first_run.parent / "data"
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "hst123r: 1\nname: work\ntargets: [{name: T, position: '150.1 2.2'}]\n"
        f"stages: [fetch: {{from: directory, path: {data},\n"
        "  exclude: [jsi00102q, jsi00201q, jsi00202q]},\n"
        "  reference: {file: work/adopted/gaia.ecsv}]\n"
    )
    assert ran.run(recipe).exit_code in (0, 3)
    with reading(ran.workspace.folder) as store:
        number = last_run(store.db)
        found = extract(store.db, number)
        rows = store.db.execute(
            "select i.identity from job_input i join job j on j.id = i.job_id "
            "where j.stage = 'reference' and i.role = 'facts' and i.name = 'gaia.ecsv'"
        ).fetchall()
        told = store.db.execute(
            "select j.quality, c.text from job j join caveat c on c.job_id = j.id "
            "where j.stage = 'reference' and c.code = 'adopted'"
        ).fetchall()
    assert '"good:adopted"' in rows[0][0]
    ((quality, text),) = told
    assert quality in ("caveat", "bad")
    assert text.endswith(NOTE)
    (row,) = found["adopted"]
    assert (row["name"], row["kind"], row["facts"]) == (
        "gaia.ecsv", "adopted catalogue", {"note": NOTE},
    )  # fmt: skip
    assert not any(job["handler"] == "adopted" for job in found["jobs"])
    assert f"The catalogue gaia.ecsv was made elsewhere and adopted ({NOTE})." in methods(found)
    names = [job["name"] for job in trace(ran.workspace.folder, "reference:T")["jobs"]]
    assert "adopted:gaia.ecsv" in names


def test_another_note_is_taken_in(ran, stars):
    take(ran.workspace, stars, note="")
    assert [row.state for row in take(ran.workspace, stars)] == ["adopted"]
    assert [row.state for row in take(ran.workspace, stars)] == ["known"]
    assert [row.state for row in take(ran.workspace, stars, note="")] == ["known"]
    with reading(ran.workspace.folder) as store:
        (caveat,) = adopted.caveats(store.db).values()
    assert caveat.text.endswith(NOTE)
    assert {row["state"] for row in verify(ran.workspace.folder)} == {"ok"}


@pytest.mark.parametrize(
    ("error", "ended"),
    [(KeyboardInterrupt(), ("interrupted", 130)),
     (OSError(errno.ENOSPC, "No space left on device"), ("failed", 6))],
)  # fmt: skip
def test_history_has_how_an_adoption_ended(ran, stars, monkeypatch, error, ended):
    def half(source, destination, **_options):
        destination.write_bytes(source.read_bytes()[:10])
        raise error

    monkeypatch.setattr(module, "copy", half)
    with pytest.raises((KeyboardInterrupt, EnvironmentProblem)):
        take(ran.workspace, stars)
    assert list(ran.workspace.adopted.iterdir()) == []
    with reading(ran.workspace.folder) as store:
        row = store.db.execute("select state, exit_code from run order by id desc").fetchone()
    assert row == ended


def test_a_restored_one_is_read_only_again(ran, stars):
    (found,) = take(ran.workspace, stars)
    place = ran.workspace.folder / found.file
    place.unlink()
    with holding(ran.workspace) as store:
        repair(store, ran.workspace, Wanted(), Lines())
    assert place.stat().st_mode & 0o222 == 0


def test_a_link_on_the_way_does_not_hide_it(ran, stars, tmp_path):
    (found,) = take(ran.workspace, stars)
    (tmp_path / "link").symlink_to(ran.workspace.folder)
    path = str(tmp_path / "link" / found.file)
    product = Product("catalogue", "g", files={"file": path})
    other = Product("catalogue", "h", files={"file": str(stars)})
    job = Job("T", {}, {"reference": [product, other]})
    with reading(ran.workspace.folder) as store:
        mark(job, adopted.caveats(store.db), store)
    assert [caveat.code for caveat in product.caveats] == ["adopted"]
    assert other.caveats == []
    with holding(ran.workspace) as store:
        store.db.execute(
            "insert into job_input (job_id, kind, name, role, position, path, content_id, identity)"
            " select 1, 'catalogue', 'g', 'file', 99, ?, content_id, '{}' from product_file "
            "where path = ?", [path, found.file],
        )  # fmt: skip
        assert [row["path"] for row in adopted.behind(store.db, [1])] == [found.file]


def test_it_follows_into_each_exposure_that_is_aligned_to_it():
    caveat = Caveat("adopted", "x was made elsewhere")
    reference = Product("reference", "T", {"field": "T"}, caveats=[caveat, Caveat("few", "few")])
    made = Made(Product("exposure", "ja", {"exposure": "ja"}), {}, {})
    inherit(SimpleNamespace(job=Job("ja", {}, {"reference": [reference]}), made=[made]))
    assert made.product.caveats == [caveat]


def test_no_run_and_no_cleaning_touches_it(ran, first_run, stars):
    (found,) = take(ran.workspace, stars)
    ran.run(first_run, redo=("exposures",))
    with holding(ran.workspace) as store:
        garbage.remove(ran.workspace, store, 1)
    assert (ran.workspace.folder / found.file).is_file()
    assert {row["state"] for row in verify(ran.workspace.folder)} == {"ok"}


def test_no_stage_can_have_its_name(first_run, tmp_path, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(first_run.read_text().replace("exposures: {}", "exposures: {name: adopted}"))
    assert invoke(["check", str(recipe)]) == 2
    assert "is kept for files made elsewhere" in capsys.readouterr().err

"""A run obeys its lock, completes it and never changes it; what is not as locked is said."""

import pytest
from astropy.io import fits

from hst123r.cli.main import invoke
from hst123r.errors import InputError
from hst123r.recipe import lock as lock_file


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


def said(bench):
    return [text for kind, text in bench.heard.lines if kind == "said"]


def change_pixel(path):
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[5, 5] += 1


def test_a_run_leaves_a_lock_and_the_next_ones_leave_it_alone(bench, recipe, data, tmp_path):
    path = tmp_path / "recipe.lock.yaml"
    bench.run(recipe, "exposures.epoch_gap=2 day")
    assert not path.exists()
    assert bench.run(recipe).exit_code == 0
    assert said(bench) == ["written recipe.lock.yaml: 4 files"]
    found = lock_file.read(path)
    import hashlib

    for item in found.products:
        assert item.sha256 == hashlib.sha256((data / item.name).read_bytes()).hexdigest()
        assert item.size == (data / item.name).stat().st_size
    assert {row.name for row in found.software} >= {"hst123r", "python", "numpy"}
    before = path.read_bytes()
    assert bench.run(recipe, locked=True).exit_code == 0
    assert said(bench) == []
    # a file that is not as it was is used, and said; the lock stays
    change_pixel(data / "jsi00102q_flc.fits")
    assert bench.run(recipe).exit_code == 0
    (line,) = said(bench)
    assert "not as locked: fetch jsi00102q_flc.fits: its content is not the locked one" in line
    assert path.read_bytes() == before


def test_the_lock_that_is_kept_is_the_one_that_was_obeyed(bench, recipe, tmp_path, monkeypatch):
    from hst123r.engine.locking import Locking

    def kept():
        query = "select k.text from run r left join lock k on k.id = r.lock_id order by r.id desc"
        with bench.store() as store:
            return store.db.execute(query).fetchone()[0]

    path = tmp_path / "recipe.lock.yaml"
    bench.run(recipe)
    text = path.read_text()
    assert kept() == text
    begun = Locking.of_stage

    def meanwhile(self, *arguments):
        path.write_text("another: lock\n")
        return begun(self, *arguments)

    monkeypatch.setattr(Locking, "of_stage", meanwhile)
    bench.run(recipe)
    assert path.read_text() == "another: lock\n"
    assert kept() == text
    monkeypatch.undo()
    # an update obeys none, and keeps the one that it leaves
    bench.run(recipe, update=True)
    assert kept() == path.read_text() != "another: lock\n"
    bench.run(recipe, update=True)
    assert kept() == path.read_text()


def test_locked_names_everything_that_is_not_as_it_was(bench, recipe, data, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no lock, and --locked needs one"):
        bench.run(recipe, locked=True)
    bench.run(recipe)
    runs = bench.count()["run"]
    path = tmp_path / "recipe.lock.yaml"
    text = path.read_text().replace(
        '"name": "numpy", "version": "', '"name": "numpy", "version": "0'
    )
    path.write_text(lock_file.seal(text.rpartition("digest: ")[0]))
    change_pixel(data / "jsi00102q_flc.fits")
    (data / "jsi00101q_flc.fits").rename(data / "jsi00109q_flc.fits")
    with pytest.raises(InputError) as caught:
        bench.run(recipe, "exposures.epoch_gap=2 day", locked=True)
    told = str(caught.value)
    for part in (
        "parameters: exposures epoch_gap: value 1 day → 2 day", "software: numpy: version 0",
        "jsi00102q_flc.fits: its content is not the locked one", "jsi00101q_flc.fits: gone",
        "jsi00109q_flc.fits: new",
    ):  # fmt: skip
        assert part in told, told
    assert bench.count()["run"] == runs
    assert bench.plan(recipe)


def test_a_changed_recipe_renews_its_lock_and_another_recipe_has_none(bench, recipe, tmp_path):
    bench.run(recipe)
    path = tmp_path / "recipe.lock.yaml"
    text = recipe.read_text()
    recipe.write_text(text.replace("select: {}", "select: {exclude: [jsi00101q]}"))
    with pytest.raises(InputError, match="the recipe is not the one that was locked"):
        bench.run(recipe, locked=True)
    assert bench.run(recipe).exit_code == 0
    assert said(bench) == ["renewed recipe.lock.yaml: 4 files"]
    # comments, layout and defaults are not the recipe
    defaults = recipe.read_text().replace("targets: [{", "targets: [{resolve: false, ")
    recipe.write_text("# a comment\n" + defaults)
    assert bench.run(recipe, locked=True).exit_code == 0
    recipe.write_text(text.replace("name: r\n", "name: other\n"))
    with pytest.raises(InputError, match="the lock is of the recipe r, this one is other"):
        bench.run(recipe)
    assert path.is_file()


def test_what_only_shows_when_it_is_made_fails_its_job(bench, recipe, tmp_path):
    """As with simulated exposures, whose bytes nobody knows before."""
    bench.run(recipe, until="fetch")
    bench.run(recipe)
    path = tmp_path / "recipe.lock.yaml"
    found = lock_file.read(path)
    (first, *others) = found.products
    first = first.model_copy(update={"sha256": "ab" * 32})
    lock_file.save(found.model_copy(update={"products": [first, *others]}), path)
    report = bench.run(recipe, locked=True, redo=(f"fetch:{first.exposure}",))
    assert report.exit_code == 2
    (failed,) = [job for item in report.progress for job in item.jobs if job.error]
    assert failed.error.startswith(f"{first.name} is not the locked one (sha256 ")
    # without --locked it is taken, and the lock stays
    before = path.read_bytes()
    assert bench.run(recipe).exit_code == 0
    assert path.read_bytes() == before


@pytest.mark.heavy
def test_a_lock_that_cannot_be_used_stops_all_but_an_update(
    bench, recipe, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    bench.run(recipe)
    path = tmp_path / "recipe.lock.yaml"
    good = path.read_text()
    path.write_text(good.replace("120960", "120961"))
    for command in ("run", "plan", "explain"):
        more = ["exposures:all"] if command == "explain" else []
        assert invoke([command, str(recipe), *more, "-C", "work"]) == 2
        assert "the lock was changed since hst123r wrote it" in capfd.readouterr().err
    assert invoke(["update", str(recipe), "-C", "work"]) == 0
    assert "recipe.lock.yaml is made anew: the lock was changed" in capfd.readouterr().err
    assert path.read_text() == good
    # with --offline it locks what is here
    path.unlink()
    assert invoke(["update", str(recipe), "-C", "work", "--offline"]) == 0
    assert "written recipe.lock.yaml" in capfd.readouterr().out
    assert path.read_text() == good


def test_the_lock_of_a_shipped_recipe_stands_in_the_work_directory(tmp_path):
    from hst123r.engine.locking import path_of
    from hst123r.recipe.load import load
    from hst123r.resources import shipped_recipes

    shipped = load(shipped_recipes()["quickstart"])
    assert path_of(shipped, tmp_path) == tmp_path / "quickstart.lock.yaml"

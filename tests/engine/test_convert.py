"""A work directory of hst123 is read, its results are adopted, and a recipe goes on from there."""

import errno
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits

from hst123r.cli.main import invoke
from hst123r.engine import hst123_folder as module
from hst123r.engine.convert import check_places, convert, sketch
from hst123r.engine.hst123_folder import survey
from hst123r.engine.workspace import Workspace
from hst123r.errors import InputError
from hst123r.provenance.reading import reading
from hst123r.recipe.load import load

PHOT = """\
# x = 2000.1
# magsystem = AB
# ra = 150.1000000
# dec = 2.2000000
# MJD Instrument Filter Exposure Magnitude Uncertainty
58574.00000 ACS/WFC F606W 100.0000 22.0000 0.0200

# Average Photometry
"""


def drizzled(path):
    path.parent.mkdir(exist_ok=True)
    hdu = fits.PrimaryHDU(np.ones((16, 16), "f4"))
    hdu.header["NDRIZIM"] = 2
    hdu.writeto(path)


@pytest.fixture
def old(made_exposures, tmp_path):
    """The layout of hst123: raw files, links and an aligned copy, products, DOLPHOT's files."""
    folder = tmp_path / "sn 2019"
    (folder / "workspace").mkdir(parents=True)
    shutil.copytree(made_exposures, folder / "raw")
    names = sorted(path.name for path in (folder / "raw").glob("*.fits"))
    (folder / "workspace" / names[0]).symlink_to(f"../raw/{names[0]}")
    shutil.copy(folder / "raw" / names[1], folder / "workspace")
    aligned = folder / "workspace" / names[2]
    shutil.copy(folder / "raw" / names[2], aligned)
    aligned.chmod(0o644)
    with fits.open(aligned, mode="update") as hdus:
        hdus["SCI", 1].header["CRVAL1"] += 1e-5
        hdus["SCI", 1].header["WCSNAME"] = "TWEAK"
    drizzled(folder / "sn2019.acs.f606w.ref_0001.drc.fits")
    drizzled(folder / "drizzle" / "sn2019.acs.f606w.ut190401_0001.drc.fits")
    (folder / "workspace" / "jsi00101q_flc.chip1.fits").write_bytes(b"x")
    (folder / "sn2019.acs.f606w.ref_0001.sky.fits").write_bytes(b"x")
    dolphot = folder / "dolphot"
    dolphot.mkdir()
    (dolphot / "dp0000").write_text("1 2.0 3.0\n4 5.0 6.0\n")
    (dolphot / "dp0000.columns").write_text("1. Extension\n")
    (dolphot / "dp0000.param").write_text("Nimg = 2\n")
    (dolphot / "dp0000.phot").write_text(PHOT)
    (dolphot / "dp0000.snana").write_text("SNID: sn2019\n")
    (dolphot / "dp0001").write_text("not numbers\n")
    (dolphot / "dp0001.columns").write_text("1. Extension\n")
    (dolphot / "dp0002").write_text("1 2\n")
    with h5py.File(folder / "dp0000.h5", "w") as out:
        out["photometry"] = np.zeros(3)
    for name in ("cals", "logs"):
        (folder / name).mkdir()
        (folder / name / "x.txt").write_text("x")
    return folder, names


def digests(folder):
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_everything_in_it_is_named(old):
    folder, names = old
    found = {item.file: item for item in survey(folder).entries}
    acts = {file: (item.action, item.role) for file, item in found.items()}
    for name in names:
        assert acts.pop(f"raw/{name}") == ("read", "raw")
    assert acts == {
        "cals/": ("left", ""), "logs/": ("left", ""),
        f"workspace/{names[0]}": ("left", ""), f"workspace/{names[1]}": ("left", ""),
        f"workspace/{names[2]}": ("adopt", "aligned exposure"),
        "workspace/jsi00101q_flc.chip1.fits": ("left", ""),
        "sn2019.acs.f606w.ref_0001.drc.fits": ("adopt", "reference"),
        "sn2019.acs.f606w.ref_0001.sky.fits": ("left", ""),
        "drizzle/sn2019.acs.f606w.ut190401_0001.drc.fits": ("adopt", "drizzled image"),
        "dolphot/dp0000": ("adopt", "catalogue"), "dolphot/dp0000.phot": ("adopt", "light curve"),
        "dolphot/dp0001": ("left", "catalogue"), "dolphot/dp0001.columns": ("left", ""),
        "dolphot/dp0002": ("left", ""), "dp0000.h5": ("adopt", "HDF5"),
    }  # fmt: skip
    assert found[f"workspace/{names[0]}"].why == "a link to a raw file"
    assert found[f"workspace/{names[1]}"].why == "equal to the raw file of this name"
    assert found[f"workspace/{names[2]}"].why == "it differs from the raw file in wcs"
    assert found[f"workspace/{names[2]}"].found.facts["wcsname"] == "TWEAK"
    assert set(found["dolphot/dp0000"].found.beside) == {"columns", "param"}
    assert all(item.why for item in found.values() if item.action == "left")


def test_its_results_are_adopted_and_the_folder_is_as_it_was(old, tmp_path):
    folder, names = old
    before = digests(folder)
    work = tmp_path / "new"
    taken = convert(survey(folder), Workspace(work), "by Ann in 2020")
    assert {row.state for row in taken} == {"adopted"}
    assert digests(folder) == before
    with reading(work) as store:
        rows = {
            row["label"]: row["text"]
            for row in store.db.query("select label, text from job join caveat on job_id = job.id")
        }
        files = [row[0] for row in store.db.execute("select path from product_file order by path")]
    assert len(rows) == 6
    text = rows[f"hst123/workspace/{names[2]}"]
    assert text.endswith(": made by hst123 in sn 2019; by Ann in 2020")
    assert "adopted/hst123/dolphot/dp0000.columns" in files
    assert "adopted/hst123/dolphot/dp0000.snana" in files
    assert {row.state for row in convert(survey(folder), Workspace(work))} == {"known"}


def test_an_exposure_that_cannot_be_read_is_left_and_said(old, monkeypatch):
    folder, names = old
    real = module.look

    def refuse(path):
        if path == folder / "workspace" / names[2]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(module, "look", refuse)
    found = {item.file: item for item in survey(folder).entries}
    entry = found[f"workspace/{names[2]}"]
    assert (entry.action, entry.why) == ("left", "it cannot be read: Permission denied")


def test_a_folder_of_raw_files_may_be_a_link(old, tmp_path):
    folder, names = old
    (folder / "raw").rename(tmp_path / "elsewhere")
    (folder / "raw").symlink_to(tmp_path / "elsewhere")
    found = survey(folder)
    assert {item.file for item in found.entries if item.action == "read"} == {
        f"raw/{name}" for name in names
    }  # fmt: skip


def test_the_recipe_passes_and_says_what_it_supposes(old, tmp_path):
    folder, _ = old
    work = tmp_path / "new"
    text = sketch(survey(folder), "new", work)
    (tmp_path / "new.yaml").write_text(text)
    recipe = load(tmp_path / "new.yaml")
    assert [item.name for item in recipe.head.targets] == ["sn2019"]
    stages = [item.stage for item in recipe.instances if not item.implied]
    assert stages[0] == "fetch"
    assert {"reference", "align", "drizzle", "photometry", "scrape"} <= set(stages)
    assert f"path: {str(folder / 'raw')!r}".replace("'", '"') in text
    assert "It supposes a call" in text
    assert "new/adopted/hst123/sn2019.acs.f606w.ref_0001.drc.fits" in text.replace("\n# ", " ")
    given = sketch(survey(folder), "new", work, "hst123 150.1 2.2 --run-dolphot --scrape-radius 1")
    assert "It supposes" not in given
    assert str(folder / "raw") in given


def test_without_a_light_curve_the_telescope_tells_or_nobody(old, tmp_path):
    folder, names = old
    (folder / "dolphot" / "dp0000.phot").unlink()
    found = survey(folder)
    assert found.where == f"raw/{names[0]}, where the telescope was pointed"
    shutil.rmtree(folder / "raw")
    shutil.rmtree(folder / "workspace")
    with pytest.raises(InputError, match="tells where the target is"):
        sketch(survey(folder), "new", tmp_path / "new")


def test_the_command_and_its_look(old, tmp_path, monkeypatch, capsys):
    folder, _ = old
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert invoke(["convert-workdir", str(folder), "--check"]) == 0
    assert "6 results to adopt, 4 raw files that the recipe reads" in capsys.readouterr().out
    assert set(tmp_path.iterdir()) == before
    assert invoke(["convert-workdir", str(folder)]) == 0
    assert invoke(["check", "sn_2019-converted.yaml"]) == 0
    assert invoke(["verify", "-C", "sn_2019-converted"]) == 0
    assert invoke(["convert-workdir", str(folder)]) == 2
    assert "such a recipe already" in capsys.readouterr().err


def test_what_is_no_folder_of_hst123_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "letter.txt").write_text("Dear Ann")
    (tmp_path / "a" / "gone.fits").symlink_to("nowhere")
    with pytest.raises(InputError, match="no work directory of hst123"):
        survey(tmp_path / "a")
    with pytest.raises(InputError, match="no such folder"):
        survey(tmp_path / "none")
    for place in (tmp_path / "a", tmp_path / "a" / "b", tmp_path):
        with pytest.raises(InputError, match=r"would lie in|cannot be the name"):
            check_places(tmp_path / "a", place)
    with pytest.raises(InputError, match="cannot be the name"):
        check_places(tmp_path / "a", Path("/x/a b"))

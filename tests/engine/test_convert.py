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
# y = 1.0
# sharpness = 0.0
# roundness = 0.1
# limit = 3-sigma estimate
# separation = 0.1
# magsystem = abmag
# ra = 150.1
# dec = 2.2
# MJD        Instrument Filter   Exposure       Magnitude Uncertainty Limit
58574.10000  ACS/WFC    F606W    100.0000       22.0000   0.0200      26.0000


# Average Photometry
# MJD        Instrument Filter   Exposure       Magnitude Uncertainty Limit
-----------  ACS/WFC    F606W    100.0000       22.0000   0.0200      26.0000
"""
"""As version 1.1 writes it."""


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


def aligned(path, **cards):
    """Change an exposure as hst123 does when it aligns it."""
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus["SCI", 1].header["CRVAL1"] += 1e-5
        hdus[0].header.update(cards)


def masked(path):
    """Change an exposure as hst123 does for DOLPHOT: pixels without their masks, and a mark."""
    path.chmod(0o644)
    with fits.open(path) as hdus:
        hdus["SCI", 1].header["DOL_ACS"] = 0
        kept = fits.HDUList([hdus[0].copy(), hdus["SCI", 1].copy()])
    kept.writeto(path, overwrite=True)


def acts(folder):
    return {item.file: (item.action, item.role) for item in survey(folder).entries}


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


def test_all_that_a_run_of_version_1_1_leaves(made_exposures, tmp_path):
    """Scraping of all sources, artificial stars, intermediate files of a run that was ended."""
    folder = tmp_path / "w"
    shutil.copytree(made_exposures, folder / "raw")
    dolphot, workspace = folder / "dolphot", folder / "workspace"
    dolphot.mkdir()
    workspace.mkdir()
    for name in ("SN2019.f1.acs.f606w.ref_0003", "wfc3_uvis.f814w.ref_0001"):
        drizzled(folder / f"{name}.drc.fits")
    drizzled(folder / "drizzle" / "wfpc2.f300w.ut080401_0012.drc.fits")
    (dolphot / "mydp.v20000").write_text("1 2.0 3.0\n4 5.0 6.0\n")
    beside = {
        "columns", "param", "info", "data", "warnings", "output", "orig", "psfs", "fake",
        "fakelist", "fake.output",
    }  # fmt: skip
    for end in beside:
        (dolphot / f"mydp.v20000.{end}").write_text("1 2\n")
    for number in ("00", "01"):
        (dolphot / f"mydp.v20000_{number}.phot").write_text(PHOT)
        (dolphot / f"mydp.v20000_{number}.snana").write_text("SNID: dummy\n")
    (dolphot / "dp0001.param").write_text("Nimg = 2\n")
    for name in (
        "dummy.fits", "jsi00101q_flc.rawtmp.fits", "acs_wfc_full.ref.drc.fits", "skymask_cat",
        "u2eq0101t_hst123drz0123456789abcdef_c0m.fits", "jsi00101q_flc.drztmp.fits",
        "jsi00101q_flc.drztmp_crmask.fits", "a_single_sci.fits", "jsi00101q_staticMask.fits",
        "jsi00101q_flc_hlet.fits", "jsi00101q_flc_sci1_xy.coo", "drizzle_shifts.txt",
    ):  # fmt: skip
        (workspace / name).write_bytes(b"x")
    for name in (
        "jsi00101q_flc.chip1.fits", "jsi00101q_flc.chip1.sky.fits", "astrodrizzle.log",
        "SN2019.f1.acs.f606w.ref_0003.drc.sky.fits", "SN2019.f1.acs.f606w.ref_0003.drc.noise.fits",
    ):  # fmt: skip
        (folder / name).write_bytes(b"x")
    (folder / ".mast_download_staging").mkdir()
    (workspace / ".hst123_runfiles").mkdir()
    (workspace / ".hst123_runfiles" / "x_flc.fits").write_bytes(b"x")
    found = survey(folder)
    assert {item.file: item.role for item in found.entries if item.action == "adopt"} == {
        "SN2019.f1.acs.f606w.ref_0003.drc.fits": "reference",
        "wfc3_uvis.f814w.ref_0001.drc.fits": "reference",
        "drizzle/wfpc2.f300w.ut080401_0012.drc.fits": "drizzled image",
        "dolphot/mydp.v20000": "catalogue",
        "dolphot/mydp.v20000_00.phot": "light curve", "dolphot/mydp.v20000_01.phot": "light curve",
    }  # fmt: skip
    assert found.target == "SN2019.f1"
    (catalogue,) = found.of("catalogue")
    assert set(catalogue.found.beside) == beside
    left = {item.file: item.why for item in found.entries if item.action == "left"}
    assert not [file for file, why in left.items() if why.startswith("nothing that hst123r")]
    assert left["dolphot/dp0001.param"] == "it belongs to a catalogue that is not there"
    assert left["workspace/acs_wfc_full.ref.drc.fits"] == "an intermediate file"


def test_the_flat_folder_of_versions_up_to_1_0(made_exposures, tmp_path):
    """`raw/` has what came, the folder itself the aligned copies and everything else."""
    folder = tmp_path / "old"
    shutil.copytree(made_exposures, folder / "raw")
    shutil.copytree(made_exposures, folder, dirs_exist_ok=True)
    names = sorted(path.name for path in made_exposures.iterdir())
    for name in names[1:]:
        aligned(folder / name, TWEAKSUC=1)
    for name in (
        "17eaw.wfc3.f814w.ref_0001.drz", "acs.f606w.ref.drz", "acs.f606w.ref_001.drz",
        "acs_f606w_drz", "17eaw.acs.f606w.ut190401_0001.drz", "acs_f606w_visit001_drz", "drizzled",
    ):  # fmt: skip
        drizzled(folder / f"{name}.fits")
    for end in ("weight", "mask", "sky", "noise"):
        drizzled(folder / f"17eaw.wfc3.f814w.ref_0001.drz.{end}.fits")
    (folder / "dp").write_text("1 2.0 3.0\n4 5.0 6.0\n")
    for end in ("columns", "param", "output", "fake"):
        (folder / f"dp.{end}").write_text("1 2\n")
    (folder / "dp.phot").write_text(PHOT.replace("# ra = 150.1\n# dec = 2.2\n", ""))
    (folder / "dp0.phot").write_text(PHOT.replace("# MJD", "# Julian Date"))
    for name in (
        "acs.ref.drz.fits", "jsi00101q_flcrawtmp.fits", "qbu16424j_idc.fits", "abc0001j_npl.fits",
        "jsi00101q_flc.chip2.fits", "tweakreg.log",
    ):  # fmt: skip
        (folder / name).write_bytes(b"x")
    found = survey(folder)
    roles = {item.file: item.role for item in found.entries if item.action == "adopt"}
    assert roles == {
        **dict.fromkeys(names[1:], "aligned exposure"),
        **dict.fromkeys(
            ("17eaw.wfc3.f814w.ref_0001.drz.fits", "acs.f606w.ref.drz.fits",
             "acs.f606w.ref_001.drz.fits", "acs_f606w_drz.fits"), "reference",
        ),
        **dict.fromkeys(
            ("17eaw.acs.f606w.ut190401_0001.drz.fits", "acs_f606w_visit001_drz.fits",
             "drizzled.fits"), "drizzled image",
        ),
        "dp": "catalogue", "dp.phot": "light curve", "dp0.phot": "light curve",
    }  # fmt: skip
    planes = {item.file: set(item.found.beside) for item in found.of("reference")}
    assert planes["17eaw.wfc3.f814w.ref_0001.drz.fits"] == {"weight", "mask"}
    assert acts(folder)[names[0]] == ("left", "")
    assert not [item for item in found.entries if item.why.startswith("nothing that hst123r")]
    assert found.target == "17eaw"
    taken = convert(found, Workspace(tmp_path / "new"))
    assert {row.state for row in taken} == {"adopted"}
    kept = tmp_path / "new/adopted/hst123/17eaw.wfc3.f814w.ref_0001.drz.weight.fits"
    assert kept.read_bytes() == (folder / kept.name).read_bytes()


def test_exposures_of_a_run_from_an_archive(made_exposures, tmp_path):
    """They lie in the folder itself, and ``raw/`` is empty: what was done to them is said."""
    folder = tmp_path / "w"
    shutil.copytree(made_exposures, folder)
    (folder / "raw").mkdir()
    names = sorted(path.name for path in made_exposures.iterdir())
    aligned(folder / names[0], TWEAKSUC=1)
    masked(folder / names[1])
    found = survey(folder)
    why = {item.file: (item.action, item.why) for item in found.entries}
    assert why[names[0]] == ("read", "hst123 aligned it here, and there is no copy from before")
    assert why[names[1]][0] == "left"
    assert "wrote DOLPHOT's masked image over it" in why[names[1]][1]
    assert (why[names[2]], why[names[3]]) == (("read", ""), ("read", ""))
    text = " ".join(sketch(found, "new", tmp_path / "new").replace("\n#", " ").split())
    assert f"exclude: [{names[1][:9]}]" in text
    assert "1 exposures in" in text
    assert "are as hst123 aligned them" in text
    # where some are in raw/, of the others only the aligned ones are results
    for name in names[2:]:
        (folder / name).rename(folder / "raw" / name)
    (folder / "workspace").mkdir()
    (folder / names[1]).rename(folder / "workspace" / names[1])
    shutil.copy(made_exposures / names[1], folder / names[1])
    found = {item.file: (item.action, item.why) for item in survey(folder).entries}
    assert found[names[0]][0] == "adopt"
    assert found[names[1]][1].startswith("there is no raw file of this name, and nothing says")
    assert found[f"workspace/{names[1]}"][1] == "an exposure masked for DOLPHOT; it is made again"


def test_a_raw_file_that_hst123_wrote_over_is_not_read(old, tmp_path):
    folder, names = old
    masked(folder / "raw" / names[3])
    found = survey(folder)
    assert found.masked() == [names[3][:9]]
    (tmp_path / "new.yaml").write_text(sketch(found, "new", tmp_path / "new"))
    (fetch,) = [item for item in load(tmp_path / "new.yaml").instances if item.stage == "fetch"]
    assert fetch.values["exclude"] == [names[3][:9]]


def test_a_copy_that_is_masked_for_dolphot_is_no_aligned_exposure(old):
    """Its pixels are multiplied by their areas, so it is of no use as an exposure."""
    folder, names = old
    copy = folder / "workspace" / names[2]
    masked(copy)
    found = {item.file: item for item in survey(folder).entries}[f"workspace/{names[2]}"]
    assert (found.action, found.why) == ("left", "an exposure masked for DOLPHOT; it is made again")
    assert survey(folder).masked() == []


def test_a_recipe_says_of_raw_files_what_is_so(old, tmp_path):
    """One that does not open was not aligned, and an archive gives again what was masked."""
    folder, names = old
    masked(folder / "raw" / names[3])
    broken = folder / "raw" / names[1]
    broken.chmod(0o644)
    broken.write_bytes(b"no FITS file")
    found = survey(folder)
    (entry,) = [item for item in found.entries if item.file == f"raw/{names[1]}"]
    assert entry.why.startswith("it does not open")
    text = sketch(found, "new", tmp_path / "new")
    assert "as hst123 aligned them" not in text
    assert f"Left out are {names[3][:9]}" in text
    assert "exclude:" in text
    call = "hst123 10:00:24.0 +02:12:00 --download"
    text = sketch(found, "new", tmp_path / "new", call)
    assert "from: mast" in text
    assert "Left out" not in text
    assert "exclude:" not in text


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

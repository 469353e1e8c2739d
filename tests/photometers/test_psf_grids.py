"""Measured PSFs of the stage `photometry`: from a folder, or fetched once."""

import numpy as np
import pytest
from astropy.io import fits
from loopback.holdings import Held
from loopback.server import Archive

from hst123r import instruments
from hst123r.archives import endpoints
from hst123r.engine.offline import forbidden
from hst123r.errors import ArchiveError, InputError
from hst123r.photometers.params import PhotometryParams
from hst123r.records.outcome import Product
from hst123r.stage import registry
from hst123r.stage.contract import PSF_GRID, Scope

NAME = "STDPSF_ACSWFC_F606W.fits"
FETCH = {"psf": "grid", "fetch_psf_grids": True}
LABELS = {"field": "SN", "detector": "ACS/WFC", "filter": "F606W"}
INPUTS = {
    "sources": [Product("sources", "SN", {"field": "SN"}, {}, {"targets": ["SN"]})],
    "exposure": [
        Product("exposure", "jsi00101q", {**LABELS, "epoch": "a"}, {}, {"start_mjd": 59000.0})
    ],
}


def grid(path):
    header = fits.Header([("NXPSFS", 1), ("NYPSFS", 2), ("IPSFX01", 1)])
    header.extend([("JPSFY01", 1), ("JPSFY02", 2048)])
    fits.PrimaryHDU(np.ones((2, 101, 101), "f4"), header).writeto(path)
    return path


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A server with one grid; no other machine can be reached."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with Archive() as archive, forbidden():
        monkeypatch.setenv(endpoints.STDPSF_VARIABLE, f"{archive.url}/psfs")
        archive.plain[f"/psfs/ACSWFC/{NAME}"] = Held(grid(tmp_path / "made.fits").read_bytes())
        yield archive


@pytest.fixture
def divided(tmp_path):
    """Divide the work of the stage; returns the job, and what was told."""

    def call(params=FETCH, inputs=INPUTS, **how):
        told = []
        scope = Scope(
            "r", "", str(tmp_path), (), "photometry", work_folder=str(tmp_path / "w"),
            tell=told.append, **how,
        )  # fmt: skip
        checked = PhotometryParams.model_validate(params)
        (job,) = registry.get("photometry").divide(inputs, checked, scope)
        return job, told

    return call


def test_a_grid_is_fetched_once_and_its_digest_is_for_the_lock(library, divided, tmp_path):
    place = tmp_path / "w" / "raw" / "stdpsf" / NAME
    planned, told = divided(dry=True)
    assert library.log == []
    assert told == [f"a run fetches {NAME} from {library.url}/psfs"]
    server = f"{library.url}/psfs"
    assert planned.notes == {"asks": [{"archive": "STDPSF", "server": server, "what": NAME}]}
    with pytest.raises(ArchiveError, match=r"not here, or not as it came, and --offline forbids"):
        divided(offline=True)
    job, told = divided()
    assert told == []
    assert [item.files for item in job.inputs[PSF_GRID]] == [{"grid": str(place)}]
    assert planned.inputs[PSF_GRID] == job.inputs[PSF_GRID]
    (asked,) = job.notes["queries"]
    assert (asked["service"], asked["what"]) == ("stdpsf", NAME)
    assert asked["digest"].startswith("sha256:")
    number = len(library.log)
    assert divided(offline=True)[0] == divided()[0] == job
    assert len(library.log) == number
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-2880])
    with pytest.raises(ArchiveError, match="not as it came"):
        divided(offline=True)
    assert divided()[0] == job


def test_a_folder_of_the_users_comes_first_and_older_names_do(library, divided, tmp_path):
    (tmp_path / "grids").mkdir()
    mine = grid(tmp_path / "grids" / "PSFSTD_ACSWFC_F606W.fits")
    job, _ = divided({"psf": "grid", "psf_grids": "grids"})
    assert job.inputs[PSF_GRID][0].files == {"grid": str(mine)}
    again, _ = divided({**FETCH, "psf_grids": "grids"})
    assert again.inputs[PSF_GRID] == job.inputs[PSF_GRID]
    assert again.notes == {}
    assert library.log == []
    mine.unlink()
    fetched, _ = divided({**FETCH, "psf": "hybrid", "psf_grids": "grids"})
    assert fetched.inputs[PSF_GRID][0].files == {"grid": str(tmp_path / "grids" / NAME)}


def test_a_detector_that_is_not_covered_and_a_missing_file_are_said(library, divided, monkeypatch):
    bare = instruments.get("ACS/WFC").model_copy(update={"psf_library": None})
    with monkeypatch.context() as patch:
        patch.setattr(instruments, "get", lambda _name: bare)
        with pytest.raises(InputError, match="no files of ACS/WFC"):
            divided()
    with pytest.raises(InputError, match="set `fetch_psf_grids: true`"):
        divided({"psf": "grid", "psf_grids": "nowhere"})
    library.plain.clear()
    with pytest.raises(ArchiveError, match="does not have it"):
        divided()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"psf": "grid"}, "needs `psf_grids`"),
        ({"fetch_psf_grids": True}, "this is for `psf: grid` or `psf: hybrid`"),
    ],
)
def test_parameters_that_would_do_nothing_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        PhotometryParams.model_validate(values)

"""Files of the STDPSF library: whole, fetched once, and the same ever since."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from loopback.client import IMPATIENT, QUICK
from loopback.holdings import Held

from hst123r.archives import endpoints, stdpsf
from hst123r.archives.stdpsf import Library, digest_of, record_of, verify
from hst123r.errors import ArchiveError, EnvironmentProblem, InputError
from hst123r.files.publish import write

NAME = "STDPSF_ACSWFC_F606W.fits"
PATH = f"/psfs/ACSWFC/{NAME}"


def grid(path, number=4, columns=2, rows=2, seed=1):
    """Write a grid of PSFs, and return its bytes."""
    header = fits.Header([("NXPSFS", columns), ("NYPSFS", rows)])
    header.extend([(f"IPSFX{k:02d}", 100 * k) for k in range(1, columns + 1)])
    header.extend([(f"JPSFY{k:02d}", 100 * k) for k in range(1, rows + 1)])
    data = np.random.default_rng(seed).random((number, 101, 101), np.float32)
    fits.PrimaryHDU(data, header).writeto(path, overwrite=True)
    return path.read_bytes()


@pytest.fixture
def library(archive, tmp_path):
    archive.plain[PATH] = Held(grid(tmp_path / "made.fits"))
    return Library(f"{archive.url}/psfs", tmp_path / "here", QUICK)


def test_a_file_arrives_once_with_its_digest_beside_it(archive, library):
    path = library.file("ACSWFC", "F606W")
    assert path == library.place("ACSWFC", "F606W") == library.folder / NAME
    assert path.read_bytes() == archive.plain[PATH].data
    said = json.loads(record_of(path).read_bytes())
    assert said["url"] == f"{library.server}/ACSWFC/{NAME}"
    assert digest_of(path) == said["sha256"]
    number = len(archive.log)
    assert library.file("ACSWFC", "F606W") == library.here("ACSWFC", "F606W") == path
    assert len(archive.log) == number


def test_a_file_that_was_altered_is_fetched_again_and_another_version_is_refused(
    archive, library, tmp_path
):
    path = library.file("ACSWFC", "F606W")
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:9000] + b"?" + whole[9001:])
    assert library.here("ACSWFC", "F606W") is None
    assert library.file("ACSWFC", "F606W").read_bytes() == whole
    path.chmod(0o644)
    path.unlink()
    archive.plain[PATH] = Held(grid(tmp_path / "other.fits", seed=2))
    with pytest.raises(ArchiveError, match="sha256"):
        library.file("ACSWFC", "F606W")
    assert not path.exists()


def test_an_end_after_the_file_came_leaves_its_digest(library, monkeypatch):
    def ends(path, data):
        # the file is there already
        if library.place("ACSWFC", "F606W").exists():
            raise KeyboardInterrupt
        write(path, data)

    monkeypatch.setattr(stdpsf, "write", ends)
    with pytest.raises(KeyboardInterrupt):
        library.file("ACSWFC", "F606W")
    path = library.place("ACSWFC", "F606W")
    whole = path.read_bytes()
    assert library.here("ACSWFC", "F606W") == path
    path.chmod(0o644)
    path.write_bytes(whole[:9000] + b"?" + whole[9001:])
    assert library.here("ACSWFC", "F606W") is None
    monkeypatch.undo()
    assert library.file("ACSWFC", "F606W").read_bytes() == whole


def test_a_file_of_the_users_is_used_as_it_is(archive, library):
    library.folder.mkdir()
    path = library.place("ACSWFC", "F606W")
    grid(path, seed=3)
    assert library.file("ACSWFC", "F606W") == path
    assert digest_of(path) is None
    assert archive.log == []
    record_of(path).write_text("{}")
    with pytest.raises(ArchiveError, match=r"what was kept of STDPSF.* is damaged"):
        library.here("ACSWFC", "F606W")


@pytest.mark.parametrize(
    ("kind", "times", "options"),
    [("status", 2, {"code": 503}), ("html", 1, {}), ("drop", 2, {}), ("truncate", 2, {}),
     ("stall", 1, {"seconds": 5}), ("truncate_no_length", 1, {}), ("chunked", 1, {})],
)  # fmt: skip
def test_trouble_that_passes_changes_nothing(archive, library, kind, times, options):
    if kind == "stall":
        library = replace(library, patience=replace(QUICK, **IMPATIENT))
    archive.faults.add(f"GET.*{NAME}", kind, times, **options)
    assert library.file("ACSWFC", "F606W").read_bytes() == archive.plain[PATH].data


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [("status", {"code": 503}, "could not be fetched"), ("html", {}, "a web page in place of"),
     ("truncate_no_length", {}, "what arrived is not the file"), ("redirect", {}, "in circles")],
)  # fmt: skip
def test_trouble_that_stays_is_a_typed_failure(archive, library, kind, options, says):
    archive.faults.add(f"GET.*{NAME}", kind, None, **options)
    with pytest.raises(ArchiveError, match=says):
        library.file("ACSWFC", "F606W")
    assert not library.place("ACSWFC", "F606W").exists()
    assert not record_of(library.place("ACSWFC", "F606W")).exists()


def test_what_the_library_does_not_have_is_said(library):
    with pytest.raises(ArchiveError, match="does not have it") as caught:
        library.file("ACSWFC", "F999W")
    assert caught.value.hint


def test_a_folder_that_cannot_be_written_is_said(library):
    library.folder.write_text("a file")
    with pytest.raises(EnvironmentProblem):
        library.file("ACSWFC", "F606W")


def test_only_whole_grids_are_taken(tmp_path):
    path = tmp_path / "grid.fits"
    data = grid(path)
    assert verify(path) == "absent"
    path.write_bytes(data + b"\x00" * 100)
    assert verify(path) == "absent"
    path.write_bytes(data[:-9000])
    with pytest.raises(InputError):
        verify(path)
    grid(path, number=3)
    with pytest.raises(InputError, match="it is no grid of PSFs"):
        verify(path)
    path.write_text("no FITS")
    with pytest.raises(InputError):
        verify(path)


def test_the_address_can_be_changed(monkeypatch):
    monkeypatch.delenv(endpoints.STDPSF_VARIABLE, raising=False)
    assert endpoints.stdpsf().startswith("https://www.stsci.edu/~jayander/HST1PASS/")
    monkeypatch.setenv(endpoints.STDPSF_VARIABLE, "http://127.0.0.1:1/psfs/")
    assert endpoints.stdpsf() == "http://127.0.0.1:1/psfs"


def test_four_chips_in_one_frame_are_a_grid_as_any_other(archive, tmp_path):
    data = grid(tmp_path / "made.fits", 36, 6, 6)
    archive.plain["/psfs/WFPC2/STDPSF_WFPC2_F555W.fits"] = Held(data)
    library = Library(f"{archive.url}/psfs", tmp_path / "here", QUICK)
    assert library.file("WFPC2", "F555W").read_bytes() == data

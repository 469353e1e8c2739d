"""Masking and splitting by programs that the user has."""

import sys

import pytest

from hst123r.errors import EnvironmentProblem, StageError
from hst123r.external.dolphot_programs import mask_exposure

MASK = "open(sys.argv[-1], 'a').write(' '.join(sys.argv[1:]))"
SPLIT = "open(sys.argv[1].replace('.fits', '.chip1.fits'), 'w').write(open(sys.argv[1]).read())"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Mask a copy with programs of a line of Python each."""
    folder = tmp_path / "room"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "none"))

    def call(mask=MASK, split=SPLIT, names=("a.fits",), **more):
        for name in names:
            (folder / name).write_text("pixels ")
        for name, line in (("acsmask", mask), ("splitgroups", split)):
            if line is not None:
                program = tmp_path / name
                program.write_text(f"#!{sys.executable}\nimport sys\n{line}\n")
                program.chmod(0o755)
        mask_exposure(folder, names, "acsmask", tmp_path / "dolphot", **more)
        return (folder / "a.chip1.fits").read_text()

    return call


def test_the_copy_is_masked_and_split(run):
    assert run() == "pixels a.fits"


def test_cosmic_rays_are_kept_on_demand(run):
    assert run(keep=True) == "pixels -keepcr a.fits"


def test_what_goes_wrong(run):
    with pytest.raises(StageError, match=r"acsmask ended with status 3; .* was: no memory"):
        run(mask="print('no memory')\nsys.exit(3)")
    with pytest.raises(StageError, match=r"made no chip of it; .* is not a fits file"):
        run(split="print('a.fits is not a fits file')")


def test_a_program_that_is_missing(run):
    with pytest.raises(EnvironmentProblem, match="no program acsmask beside DOLPHOT"):
        run(mask=None)

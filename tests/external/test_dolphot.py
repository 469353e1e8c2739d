from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hst123r.errors import EnvironmentProblem, StageError
from hst123r.external.dolphot import align, find_program, run_dolphot, run_fake

GOOD = """
open(output, "w").write("0 1 10.00 20.00\\n" * 3)
for ending in (".columns", ".info", ".warnings"):
    open(output + ending, "w").close()
print("3 stars written; 7 stars deleted")
"""


@pytest.fixture
def run(tmp_path):
    """Run something that behaves as DOLPHOT does in one respect: a few lines of Python."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.param").write_text("Nimg = 1\n")

    def call(lines, **more):
        program = tmp_path / "dolphot"
        program.write_text(
            f"#!{sys.executable}\nimport os, signal, sys\noutput = sys.argv[1]\n{lines}\n"
        )
        program.chmod(0o755)
        return run_dolphot(folder, "run.phot", "run.param", program=program, **more)

    call.folder = folder
    return call


def test_a_run(run):
    done = run(
        "print('Cannot match parameter name:\\nMaxThreads')\n"
        "print(sys.argv[3], sys.argv[2], os.getcwd(), os.environ['OMP_NUM_THREADS'])" + GOOD,
        threads=3,
    )
    assert (done.written, done.deleted) == (3, 7)
    assert done.catalogue == run.folder / "run.phot"
    assert done.unknown == ("MaxThreads",)
    assert f"MaxThreads=3 -prun.param {os.path.realpath(run.folder)} 3" in done.log.read_text()


@pytest.mark.parametrize("status", [0, 1, 255])
def test_the_exit_status_decides_nothing(run, status):
    assert run(f"{GOOD}sys.exit({status})").written == 3
    with pytest.raises(StageError, match=rf"early with status {status}; the last .*: b \| c \| d"):
        run(f"print('a\\n\\nb\\nc\\nd\\n')\nsys.exit({status})")


@pytest.mark.parametrize(
    ("lines", "kind", "sentence"),
    [
        ("print('Could not find /d/acs/data/filters.dat')", EnvironmentProblem,
         "did not find /d/acs/data/filters.dat, a file of one of its modules"),
        ("print('Cannot open /d/acs/data/F606W.wfc1.psf')\nsys.exit(255)", EnvironmentProblem,
         "has no PSF /d/acs/data/F606W.wfc1.psf.*Install the library"),
        ("print('Memory allocation error')\nsys.exit(1)", EnvironmentProblem, "not enough memory"),
        ("sys.stdout.flush()\nos.kill(os.getpid(), signal.SIGKILL)", EnvironmentProblem,
         "was killed, as it is when memory runs out"),
        ("print('** Chip 1 **', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)", StageError,
         r"crashed \(SIGSEGV\); the last it said was: \*\* Chip 1 \*\*"),
        ("print('Error reading \"a.chip1.fits\"')\nsys.exit(1)", StageError,
         "cannot read a.chip1.fits"),
        ("print('****Error opening FakeStars file fake.list')\nsys.exit(255)", StageError,
         "cannot open fake.list"),
        ("pass", StageError, "ended early with status 0 and said nothing"),
        (GOOD.replace("* 3", "* 0").replace("3 stars", "0 stars"), StageError, "found no star"),
        (GOOD.replace("* 3", "* 2"), StageError, "says it wrote 3 stars, .* has 2 rows"),
        (GOOD.replace("* 3)", "* 3 + '0 1 1')"), StageError, "3 stars, .* has 3 rows"),
        (GOOD.replace('".info", ', ""), StageError, "wrote no run.phot.info"),
    ],
)  # fmt: skip
def test_each_failure_has_its_sentence(run, lines, kind, sentence):
    with pytest.raises(kind, match=sentence):
        run(lines)
    # what it printed is kept
    assert (run.folder / "run.phot.log").is_file()


@pytest.mark.parametrize("name", ["dolphot.param", "fits.param"])
def test_files_that_it_reads_unasked_are_not_there(run, name):
    (run.folder / name).write_text("FitSky = 0\n")
    with pytest.raises(StageError, match=f"there is a {name}, which DOLPHOT would read"):
        run(GOOD)


def test_what_is_no_run(run, tmp_path):
    with pytest.raises(StageError, match=r"there is no none\.param"):
        run_dolphot(run.folder, "run.phot", "none.param", program=tmp_path / "x")
    with pytest.raises(StageError, match="'a/b' is no name of a file"):
        run_dolphot(run.folder, "a/b", "run.param", program=tmp_path / "x")
    with pytest.raises(EnvironmentProblem, match="cannot be started: No such file"):
        run_dolphot(run.folder, "run.phot", "run.param", program=tmp_path / "x")


def test_a_program_that_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match=r"no program dolphot on the search path.*Install"):
        find_program()
    (tmp_path / "dolphot").touch(mode=0o755)
    assert find_program() == Path(tmp_path / "dolphot")


def test_a_line_for_each_chip_is_counted(run):
    assert run(GOOD.replace("3 stars written; 7", "1 stars written; 2 stars deleted\\n2 stars "
                            "written; 5")).deleted == 7  # fmt: skip


@pytest.fixture
def program(run, tmp_path):
    def call(lines):
        path = tmp_path / "dolphot"
        path.write_text(f"#!{sys.executable}\nimport os, signal, sys\n{lines}\n")
        path.chmod(0o755)
        return path

    return call


def test_alignment_alone_writes_no_catalogue(run, program):
    line = "print('image 2: 39 matched, 29 used, -0.01 -0.00 1.0 0.0 0.0, sig=0.02')"
    done = align(run.folder, "run.phot", "run.param", program=program(line))
    assert done.written == 0
    with pytest.raises(StageError, match="ended early with status 0 and said nothing"):
        align(run.folder, "run.phot", "run.param", program=program("pass"))


def test_artificial_stars_have_a_log_of_their_own(run, program):
    log = run_fake(run.folder, "run.phot", "run.param", program=program("print(1)"), log_name="f")
    assert log == run.folder / "f"
    assert log.read_text() == "1\n"
    lines = "print('****Error opening FakeStars file fake.list')\nsys.exit(255)"
    with pytest.raises(StageError, match=r"cannot open fake\.list"):
        run_fake(run.folder, "run.phot", "run.param", program=program(lines), log_name="f")


@pytest.mark.parametrize(
    ("lines", "kind", "sentence"),
    [
        ("print('Memory allocation error')\nsys.exit(1)", EnvironmentProblem, "not enough memory"),
        ("print('Memory allocation error')", EnvironmentProblem, "not enough memory"),
        (
            "print('write error')\nsys.exit(255)",
            StageError,
            "ended early with status 255.*write er",
        ),
    ],
)
def test_artificial_stars_that_end_early_are_no_success(run, program, lines, kind, sentence):
    with pytest.raises(kind, match=sentence):
        run_fake(run.folder, "run.phot", "run.param", program=program(lines), log_name="f")

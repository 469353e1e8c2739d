"""Whether what arrived is the exposure, to its last byte."""

import pytest
from loopback.holdings import exposure_bytes

from hst123r.archives.exposure_file import verify
from hst123r.errors import InputError

ROOT = "jtst01abq"


@pytest.fixture(scope="module")
def data():
    return exposure_bytes(ROOT, rows=64, columns=64)


def check(tmp_path, data, **more):
    path = tmp_path / "x.fits"
    path.write_bytes(data)
    return verify(path, root=ROOT, **more)


def test_whole_files_pass(tmp_path, data):
    assert check(tmp_path, data) == "absent"
    assert check(tmp_path, exposure_bytes(ROOT, checksums=True)) == "verified"


@pytest.mark.parametrize("end", [-1, -2880, 2880, 2881, 0, 1000])
def test_a_file_that_ends_elsewhere_is_refused(tmp_path, data, end):
    with pytest.raises(InputError):
        check(tmp_path, data[:end])


@pytest.mark.parametrize("more", [b"x", b"\0" * 2880, b" " * 2880 * 2, b"<html>" * 480])
def test_what_stands_behind_the_last_extension_is_refused(tmp_path, data, more):
    with pytest.raises(InputError):
        check(tmp_path, data + more)


def test_a_chip_that_is_missing_is_refused(tmp_path, data):
    with pytest.raises(InputError, match="no SDQ extension"):
        check(tmp_path, data, names=("SDQ",))


def test_another_exposure_is_refused(tmp_path):
    with pytest.raises(InputError, match="ROOTNAME"):
        check(tmp_path, exposure_bytes("jtst02abq"))

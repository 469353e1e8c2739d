"""What AstroDrizzle asks of files again and again; that its pixels stay is in test_astrodrizzle."""

import os
import shutil

import pytest
from astropy.io import fits

# stsci.tools sets the priorities of its own warnings
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tools():
    from fitsblender import blendheaders
    from stsci.tools import fileutil

    return fileutil, blendheaders


@pytest.fixture
def opened(monkeypatch, tools):
    """Count the files that are opened."""
    fileutil, _ = tools
    seen, plain = [], fileutil.fits.open

    def counted(name, *more, **options):
        seen.append(name)
        return plain(name, *more, **options)

    monkeypatch.setattr(fileutil.fits, "open", counted)
    return seen


@pytest.fixture
def file(tmp_path, monkeypatch):
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["ROOTNAME"] = "a"
    for number in (1, 2):
        for name in ("SCI", "ERR", "DQ"):
            hdus.append(fits.ImageHDU(name=name, ver=number))
            hdus[-1].header["CCDCHIP"] = number
    fits.HDUList(hdus).writeto(tmp_path / "a_flc.fits")
    monkeypatch.chdir(tmp_path)
    return "a_flc.fits"


@pytest.mark.parametrize("extension", ["", "[2]", "[sci,2]"])
def test_answers_are_the_same_and_given_once(tools, file, opened, extension):
    from hst123r.external.known_files import files_known

    fileutil, blendheaders = tools
    plain = blendheaders.getSingleTemplate(file + extension, extlist=["SCI", "DQ", ""])
    kind = fileutil.isFits(file)
    opened.clear()
    with files_known():
        first, again = (
            blendheaders.getSingleTemplate(file + extension, extlist=["SCI", "DQ", ""])
            for _ in range(2)
        )
        # one opening tells the kind, and one has the headers
        assert len(opened) == 2
        assert [fileutil.isFits(file) for _ in range(2)] == [kind, kind]
        assert len(opened) == 2
        other = blendheaders.getSingleTemplate(file + extension)
        assert len(opened) == 3
    for found in (first, again):
        assert [header.tostring() for header in found] == [header.tostring() for header in plain]
    first[1]["CCDCHIP"] = -999
    assert again[1]["CCDCHIP"] == plain[1]["CCDCHIP"]
    assert other[2].get("EXTNAME", "") == ("ERR" if not extension else other[2]["EXTNAME"])


def test_a_file_that_changed_is_asked_again(tools, file):
    from hst123r.external.known_files import files_known

    _, blendheaders = tools
    with files_known():
        blendheaders.getSingleTemplate(file)
        fits.setval(file, "ROOTNAME", value="b")
        assert blendheaders.getSingleTemplate(file)[0]["ROOTNAME"] == "b"
        shutil.copy(file, "c_flc.fits")
        fits.setval("c_flc.fits", "ROOTNAME", value="c")
        os.utime("c_flc.fits", ns=(1, 1))
        os.utime(file, ns=(1, 1))
        assert blendheaders.getSingleTemplate("c_flc.fits")[0]["ROOTNAME"] == "c"


def test_what_is_no_file_is_asked_as_before(tools, file):
    from hst123r.external.known_files import files_known

    fileutil, blendheaders = tools
    before = fileutil.isFits, blendheaders.getSingleTemplate
    with files_known():
        with fits.open(file) as hdus:
            assert fileutil.isFits(hdus) == (True, "mef")
        assert fileutil.isFits("nothing") == (False, None)
        with pytest.raises(FileNotFoundError):
            fileutil.isFits("nothing.fits")
        with pytest.raises(ValueError, match="No data files"):
            blendheaders.getSingleTemplate(None)
    assert (fileutil.isFits, blendheaders.getSingleTemplate) == before

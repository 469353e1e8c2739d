"""Copies that other people's programs may change."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r.products.working_copy import equalise, state_units, working_copy


def test_copies_are_equal_writable_and_the_source_stays(acs, tmp_path):
    source = Path(acs["science"])
    source.chmod(0o444)
    before = source.read_bytes()
    folder = tmp_path / "scratch"
    folder.mkdir()
    copies = working_copy(acs, folder)
    mine = Path(copies["science"])
    assert (mine.parent, mine.name) == (folder, source.name)
    assert mine.read_bytes() == before
    fits.setval(mine, "EXPTIME", value=1.0)
    assert source.read_bytes() == before
    assert source.stat().st_ino != mine.stat().st_ino
    # a second copy takes the place of a spoilt one
    assert Path(working_copy(acs, folder)["science"]).read_bytes() == before


def test_a_unit_is_written_where_there_is_none(wfpc2, acs, read):
    fits.delval(wfpc2["science"], "BUNIT", extname="SCI", extver=2)
    state_units(wfpc2["science"], read(wfpc2))
    with fits.open(wfpc2["science"]) as hdus:
        assert [hdus["SCI", n].header["BUNIT"] for n in (1, 2, 3, 4)] == ["COUNTS"] * 4
    fits.setval(acs["science"], "BUNIT", value="ELECTRONS/S", extname="SCI", extver=1)
    state_units(acs["science"], read(acs))
    assert fits.getval(acs["science"], "BUNIT", extname="SCI", extver=1) == "ELECTRONS/S"


def test_chips_are_brought_to_one_sensitivity_and_the_flux_stays(wfpc2, acs, read):
    fits.setval(wfpc2["science"], "PHOTFLAM", value=3.0e-18, extname="SCI", extver=3)
    before = fits.getdata(wfpc2["science"], "SCI", 3).copy()
    equalise(wfpc2["science"], read(wfpc2), 1.5e-18)
    with fits.open(wfpc2["science"]) as hdus:
        assert [hdus["SCI", n].header["PHOTFLAM"] for n in (1, 2, 3, 4)] == [1.5e-18] * 4
        assert np.allclose(hdus["SCI", 3].data, 2 * before, rtol=1e-6)
    with fits.open(acs["science"]) as hdus:
        was = hdus["SCI", 2].header["PHOTFLAM"]
        science, error = hdus["SCI", 2].data.copy(), hdus["ERR", 2].data.copy()
    equalise(acs["science"], read(acs), 2 * was)
    with fits.open(acs["science"]) as hdus:
        assert hdus["SCI", 2].header["PHOTFLAM"] == pytest.approx(2 * was)
        assert np.allclose(2 * hdus["SCI", 2].data, science, rtol=1e-6)
        assert np.allclose(2 * hdus["ERR", 2].data, error, rtol=1e-6)


def test_what_is_equal_already_is_not_touched(acs, read):
    before = Path(acs["science"]).read_bytes()
    equalise(acs["science"], read(acs), read(acs).chips[0].photflam)
    assert Path(acs["science"]).read_bytes() == before

"""Copies that other people's programs may change."""

from pathlib import Path

from astropy.io import fits

from hst123r.products.working_copy import state_units, working_copy


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

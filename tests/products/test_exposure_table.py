"""The columns of the exposure table."""

import numpy as np
import pytest

from hst123r.products.exposure_table import COLUMNS, row

HST123 = {
    "image", "exptime", "datetime", "filter", "instrument", "detector", "zeropoint", "chip",
    "imagenumber", "visit", "drizname",
}  # fmt: skip


def test_every_column_of_hst123_is_there_and_more():
    assert {column.name for column in COLUMNS} >= HST123
    assert all(column.description for column in COLUMNS)


def test_a_row_is_about_the_chip_with_the_target(acs, read):
    exposure = read(acs)
    (chip,) = [chip for chip in exposure.chips if chip.targets]
    found = row(exposure, 3, 2, {"field": "T", "visit": "99900_01", "epoch": "20190401"})
    assert set(found) == {column.name for column in COLUMNS}
    assert (found["chip"], found["pa_y"]) == (chip.number, chip.position_angle_deg)
    assert found["chips"] == [2, 1]
    assert found["instrument"] == "acs_wfc_sub"
    assert found["drizname"] == "T-acs_wfc-f606w-20190401"
    assert found["zeropoint"] == chip.zeropoint_ab


def test_without_a_target_the_first_chip_stands_for_the_exposure(acs, read):
    exposure = read(acs, {"far": (10.0, 10.0)})
    found = row(exposure, 1, 1, {"field": "T", "visit": "v", "epoch": "e"})
    assert found["chip"] == exposure.chips[0].number
    assert found["targets"] == ""


def test_the_table_of_a_run(small):
    table = small.table("exposures/all/exposures.ecsv")
    assert table["imagenumber"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.all(np.diff(table["mjd"]) > 0)
    assert table["epoch"].tolist() == [1, 1, 1, 1, 2, 2]
    truth = small.truth("jsi00101q")
    assert table["zeropoint"][0] == pytest.approx(truth.meta["zeropoint_ab"], abs=1e-4)
    assert table.meta["fields"] == {"SN": "SN", "nothing": "SN"}

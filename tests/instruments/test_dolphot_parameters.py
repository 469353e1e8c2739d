from __future__ import annotations

import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.dolphot_parameters import parameters, preset, table


def names(values):
    return {name.removeprefix("img_").lower() for name in values}


def test_names_are_there_once_and_ranges_make_sense():
    assert len(parameters()) == len(table().parameters)
    for parameter in table().parameters:
        assert parameter.help
        if parameter.low is not None and parameter.high is not None:
            assert parameter.low < parameter.high


@pytest.mark.parametrize("name", ["hst123", "manual", "phat"])
def test_presets_hold_known_parameters_only(name):
    found = preset(name)
    assert found.source
    assert names(found.values) <= set(parameters())
    assert set(found.detectors) <= set(instruments.names())
    for detector in instruments.names():
        values = found.detectors.get(detector, instruments.get(detector).dolphot.parameters)
        assert names(values) == {"raper", "rchi", "rpsf", "rsky", "rsky2", "apsky"}
        assert all(parameters()[n].image for n in names(values))


def test_the_table_of_hst123():
    values = preset("hst123").values
    wanted = {"FlagMask": 7, "Force1": 1, "SecondPass": 1, "NegSky": 1, "AlignTol": 0.5}
    assert {name: values[name] for name in wanted} == wanted
    assert preset("manual").values["Force1"] == 0
    assert preset("phat").values["RCombine"] == 1.415


def test_an_unknown_preset():
    with pytest.raises(InputError, match=r"no preset 'phatt'.*did you mean 'phat'"):
        preset("phatt")

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hst123r.simulation.model import Observation, Programme, StarField, Transient


def test_a_light_curve_needs_a_magnitude_for_each_date():
    with pytest.raises(ValidationError, match="2 dates and 1 magnitudes"):
        Transient(ra_deg=1, dec_deg=1, dates_mjd=[1, 2], magnitudes_ab=[20])
    with pytest.raises(ValidationError, match="must increase"):
        Transient(ra_deg=1, dec_deg=1, dates_mjd=[2, 2], magnitudes_ab=[20, 21])


def test_a_luminosity_function_goes_from_bright_to_faint():
    with pytest.raises(ValidationError, match="not fainter"):
        StarField(brightest_ab=25, faintest_ab=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ra_deg": 360.0},
        {"dec_deg": -90.1},
        {"seed": -1},
        {"program": "SIM"},
        {"observations": []},
        {"dither_arcsec": float("nan")},
        {"unknown": 1},
    ],
)
def test_impossible_programmes_are_refused(wrong):
    right = {
        "ra_deg": 10.0,
        "dec_deg": -3.0,
        "observations": [{"detector": "ACS/WFC", "filter": "F606W", "dates_mjd": [55000.0]}],
    }
    assert Programme(**right).seed == 1
    with pytest.raises(ValidationError):
        Programme(**{**right, **wrong})


def test_an_exposure_lasts_longer_than_nothing():
    with pytest.raises(ValidationError):
        Observation(detector="ACS/WFC", filter="F606W", dates_mjd=[1.0], exposure_time_s=0)

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.simulation.model import Observation, PointingError, Programme
from hst123r.simulation.schedule import dither, plan


def observation(detector="ACS/WFC", name="F606W", dates=(55000.0,), **changes):
    return Observation(detector=detector, filter=name, dates_mjd=list(dates), **changes)


def programme(*observations, **changes):
    return Programme(ra_deg=10.0, dec_deg=-3.0, observations=list(observations), **changes)


def test_roots_are_of_hst_form_and_unique():
    wanted = programme(
        observation(dates=[55000.0, 55050.0], exposures=20),
        observation("WFC3/UVIS", "F555W", [55000.0], exposures=20),
        observation("WFPC2", "F555W", [54000.0]),
    )
    planned = plan(wanted, instruments.get)
    roots = [item.root for item in planned]
    assert len(roots) == len(set(roots)) == 63
    assert all(len(root) == 9 and root.endswith("q") for root in roots)
    assert {root[0] for root in roots} == {"u", "j", "i"}
    assert roots[0] == "usim0101q"
    assert all(item.root[4:6] == item.visit for item in planned)


def test_exposures_of_a_date_are_one_visit_and_follow_one_another():
    wanted = programme(
        observation(exposures=2, exposure_time_s=400.0),
        observation(name="F814W", exposures=2, exposure_time_s=100.0),
        pointing_rms_arcsec=0.3,
        roll_rms_deg=0.01,
    )
    planned = plan(wanted, instruments.get)
    assert {item.visit for item in planned} == {"01"}
    assert len({item.error.east_arcsec for item in planned}) == 1
    assert planned[0].start_mjd == 55000.0
    for before, after in pairwise(planned):
        assert after.start_mjd > before.end_mjd
    assert [item.line for item in planned] == [1, 2, 3, 4]


def test_visits_differ_in_roll_and_error_and_repeat_with_the_seed():
    wanted = programme(
        observation(dates=[55000.0, 55100.0]),
        pa_v3_deg=350.0,
        roll_per_epoch_deg=20.0,
        pointing_rms_arcsec=0.3,
        roll_rms_deg=0.01,
    )
    planned = plan(wanted, instruments.get)
    assert sorted({item.pa_v3_deg for item in planned}) == [10.0, 350.0]
    assert planned[0].error != planned[-1].error
    assert planned == plan(wanted, instruments.get)
    other = plan(wanted.model_copy(update={"seed": 9}), instruments.get)
    assert other[0].error != planned[0].error


def test_given_errors_go_before_random_ones():
    errors = [PointingError(), PointingError(east_arcsec=0.3, roll_deg=0.01)]
    wanted = programme(
        observation(dates=[1.0, 2.0, 3.0], exposures=1), errors=errors, pointing_rms_arcsec=5.0
    )
    found = [item.error for item in plan(wanted, instruments.get)]
    assert found == [*errors, PointingError()]


def test_without_errors_the_pointing_is_exact():
    assert plan(programme(observation()), instruments.get)[0].error == PointingError()


def test_dithers_spread_over_the_phases_of_a_pixel():
    steps = np.array([dither(k, 1.3) for k in range(8)])
    assert steps[0].tolist() == [0.0, 0.0]
    assert np.abs(steps).max() <= 1.3
    phase = steps / 0.05 % 1
    for axis in (0, 1):
        gaps = np.diff(np.sort(np.append(phase[:4, axis], phase[:4, axis].min() + 1)))
        assert gaps.max() < 0.75


def test_what_does_not_exist_is_refused():
    with pytest.raises(InputError, match="no filter 'F999W'"):
        plan(programme(observation(name="F999W")), instruments.get)
    with pytest.raises(InputError, match="no detector 'NICMOS'"):
        plan(programme(observation("NICMOS")), instruments.get)
    with pytest.raises(InputError, match="no root name"):
        plan(programme(observation(exposures=1300)), instruments.get)

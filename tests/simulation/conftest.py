from __future__ import annotations

import pytest

from hst123r import instruments
from hst123r.simulation.exposure import expose
from hst123r.simulation.model import Observation, PointingError, Programme, StarField
from hst123r.simulation.scene import build
from hst123r.simulation.schedule import plan

FILTERS = {
    "ACS/WFC": "F606W",
    "ACS/HRC": "F606W",
    "WFC3/UVIS": "F555W",
    "WFC3/IR": "F160W",
    "WFPC2": "F555W",
}


def small_programme(name):
    """Return a programme of one small exposure whose header is wrong by a known amount."""
    return Programme(
        ra_deg=150.1,
        dec_deg=2.2,
        target_name="SN-SIM",
        observations=[
            Observation(
                detector=name,
                filter=FILTERS[name],
                dates_mjd=[55000.25],
                exposures=1,
                exposure_time_s=350.0,
                size_pix=128,
            )
        ],
        field=StarField(stars=150, radius_arcsec=10.0),
        errors=[PointingError(east_arcsec=0.4, north_arcsec=0.1, roll_deg=0.02)],
    )


def run_small(name):
    programme, detector = small_programme(name), instruments.get(name)
    (planned,) = plan(programme, instruments.get)
    return detector, planned, expose(planned, programme, build(programme), detector)


@pytest.fixture(scope="session", params=list(FILTERS))
def simulated(request):
    """Detector, planned exposure and simulated exposure, for each detector."""
    return run_small(request.param)


@pytest.fixture(scope="session")
def simulate_again():
    """The function that made :func:`simulated`."""
    return run_small

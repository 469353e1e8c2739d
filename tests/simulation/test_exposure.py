"""Speed, seeds, and real templates, end to end."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.simulation.exposure import expose
from hst123r.simulation.model import Observation, Programme, StarField
from hst123r.simulation.pointing import template_from
from hst123r.simulation.scene import build
from hst123r.simulation.schedule import PlannedExposure, plan


def programme(size=512, stars=400, radius=35.0, **changes):
    observation = Observation(
        detector="ACS/WFC", filter="F606W", dates_mjd=[55000.0], exposures=2, size_pix=size
    )
    return Programme(
        ra_deg=150.1,
        dec_deg=2.2,
        observations=[observation],
        field=StarField(stars=stars, radius_arcsec=radius),
        **changes,
    )


def test_a_small_frame_is_made_in_a_fraction_of_a_second():
    wanted = programme(stars=1100)
    detector, scene = instruments.get("ACS/WFC"), build(wanted)
    planned = plan(wanted, instruments.get)[0]
    assert len(expose(planned, wanted, scene, detector).truth) > 300
    elapsed = []
    for _ in range(3):
        start = time.process_time()
        expose(planned, wanted, scene, detector)
        elapsed.append(time.process_time() - start)
    # 0.18 s on one 2.5 GHz core
    assert min(elapsed) < 0.5


def test_noise_differs_between_exposures_and_chips_and_with_the_seed():
    wanted = programme(size=64, stars=0)
    other = wanted.model_copy(update={"seed": 2})
    detector, scene = instruments.get("ACS/WFC"), build(wanted)
    planned = plan(wanted, instruments.get)

    def pixels(item, of, extver=1):
        exposure = expose(item, of, scene, detector)
        return next(iter(exposure.files.values()))["SCI", extver].data

    base = pixels(planned[0], wanted)
    assert np.array_equal(base, pixels(planned[0], wanted))
    for different in (
        pixels(planned[1], wanted),
        pixels(planned[0], wanted, 2),
        pixels(planned[0], other),
    ):
        assert np.mean(base == different) < 0.01


def test_a_filter_without_sensitivity_is_refused():
    wanted = programme(size=64, stars=0)
    planned = plan(wanted, instruments.get)[0]
    values = {name: getattr(planned, name) for name in PlannedExposure.__slots__}
    grism = PlannedExposure(**{**values, "filter": "G800L"})
    with pytest.raises(InputError, match="sensitivity"):
        expose(grism, wanted, build(wanted), instruments.get("ACS/WFC"))


@pytest.mark.real
def test_a_real_template_puts_stars_where_its_tables_say(shared_data):
    from astropy.wcs import WCS

    path = shared_data / "acs_wfc" / "jbt122x8q_flc_header.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    detector = instruments.get("ACS/WFC")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        with fits.open(path) as hdus:
            template = template_from(detector, hdus)
    wanted = programme(size=300, stars=300, radius=25.0)
    planned = plan(wanted, instruments.get)[1]
    exposure = expose(planned, wanted, build(wanted), detector, template)
    (hdus,) = exposure.files.values()
    names = [hdu.name for hdu in hdus]
    assert names.count("D2IMARR") == names.count("WCSDVARR") == 4
    for extver in (1, 2):
        rows = exposure.truth[exposure.truth["extver"] == extver]
        assert len(rows) > 10
        wcs = WCS(hdus["SCI", extver].header, fobj=hdus)
        assert wcs.cpdis1 is not None
        ra, dec = wcs.all_pix2world(rows["x"], rows["y"], 0)
        assert np.array(rows["ra"]) == pytest.approx(ra, abs=2e-9)
        assert np.array(rows["dec"]) == pytest.approx(dec, abs=2e-9)

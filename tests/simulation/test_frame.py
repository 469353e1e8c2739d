"""The HDU lists: structure, keywords, units, and that they belong to their detector."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

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
STRUCTURE = {
    "ACS/WFC": {"flc": ["SCI", "ERR", "DQ"] * 2},
    "ACS/HRC": {"flt": ["SCI", "ERR", "DQ"]},
    "WFC3/UVIS": {"flc": ["SCI", "ERR", "DQ"] * 2},
    "WFC3/IR": {"flt": ["SCI", "ERR", "DQ", "SAMP", "TIME"]},
    "WFPC2": {"c0m": ["SCI"] * 4, "c1m": ["SCI"] * 4},
}
ERROR = PointingError(east_arcsec=0.4, north_arcsec=0.1, roll_deg=0.02)


@pytest.fixture(scope="module", params=list(FILTERS))
def simulated(request):
    programme = Programme(
        ra_deg=150.1,
        dec_deg=2.2,
        target_name="SN-SIM",
        observations=[
            Observation(
                detector=request.param,
                filter=FILTERS[request.param],
                dates_mjd=[55000.25],
                exposures=1,
                exposure_time_s=350.0,
                size_pix=128,
            )
        ],
        field=StarField(stars=30, radius_arcsec=10.0),
        errors=[ERROR],
    )
    detector = instruments.get(request.param)
    (planned,) = plan(programme, instruments.get)
    return detector, planned, expose(planned, programme, build(programme), detector)


def test_files_and_extensions_are_those_of_the_archive(simulated):
    detector, planned, exposure = simulated
    wanted = STRUCTURE[detector.name]
    assert list(exposure.files) == [f"{planned.root}_{suffix}.fits" for suffix in wanted]
    for (name, hdus), extensions in zip(exposure.files.items(), wanted.values(), strict=True):
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus[1:]] == extensions
        assert all(hdu.data.shape == (128, 128) for hdu in hdus[1:])
        primary = hdus[0].header
        assert primary["FILENAME"] == name
        assert primary["NEXTEND"] == len(extensions)
        assert instruments.match(primary) is detector


def test_the_primary_header_tells_what_was_done(simulated):
    detector, planned, exposure = simulated
    primary = next(iter(exposure.files.values()))[0].header
    assert primary["ROOTNAME"] == planned.root
    assert primary["TARGNAME"] == "SN-SIM"
    assert primary["EXPTIME"] == 350.0
    assert primary["EXPSTART"] == 55000.25
    assert primary["EXPEND"] == pytest.approx(55000.25 + 350 / 86400)
    assert (primary["DATE-OBS"], primary["TIME-OBS"]) == ("2009-06-18", "06:00:00")
    assert primary["PA_V3"] == pytest.approx(60.02)
    assert primary["REFFRAME"] == "ICRS"
    assert primary["SIMULATD"] is True
    elements = [primary[keyword].strip() for keyword in detector.header.filters]
    clear = tuple(detector.header.clear)
    named = [name for name in elements if name and not name.startswith(clear)]
    assert named == [FILTERS[detector.name]]
    assert all(primary[keyword] == "N/A" for keyword in detector.reference_files)


def test_science_headers_have_unit_chip_and_photometry(simulated):
    detector, planned, exposure = simulated
    hdus = next(iter(exposure.files.values()))
    facts = detector.filters[planned.filter]
    for chip in detector.chips:
        header = hdus["SCI", chip.extver].header
        assert header["BUNIT"] == detector.products.unit
        assert header[detector.header.chip] == chip.number
        assert header[detector.header.position_angle] == header["ORIENTAT"]
        assert header["NGOODPIX"] > 10000
        place = hdus[0].header if detector.noise.cosmic_rays is None else header
        assert place["PHOTFLAM"] == facts.photflam.value
        assert place["PHOTPLAM"] == pytest.approx(facts.pivot.value * 10)
        wcs = WCS(header)
        assert wcs.sip is not None
        angle = np.degrees(np.arctan2(wcs.wcs.cd[0, 1], wcs.wcs.cd[1, 1]))
        assert header["ORIENTAT"] == pytest.approx(angle)


def test_headers_have_the_wrong_pointing_and_the_truth_the_right_one(simulated):
    detector, _, exposure = simulated
    hdus = next(iter(exposure.files.values()))
    truth = exposure.truth
    assert len(truth) > 0
    for chip in detector.chips:
        rows = truth[truth["extver"] == chip.extver]
        if len(rows) == 0:
            continue
        wcs = WCS(hdus["SCI", chip.extver].header)
        ra, dec = wcs.all_pix2world(rows["x"], rows["y"], 0)
        # a roll of 0.02 degrees about a target some arcseconds away adds a milliarcsecond or so
        east = (ra - np.array(rows["ra"])) * np.cos(np.radians(2.2)) * 3600
        assert east == pytest.approx(0.4, abs=0.01)
        assert (dec - np.array(rows["dec"])) * 3600 == pytest.approx(0.1, abs=0.01)


def test_equal_programmes_make_equal_bytes(simulated):
    detector, planned, exposure = simulated
    programme = Programme(
        ra_deg=150.1,
        dec_deg=2.2,
        target_name="SN-SIM",
        observations=[
            Observation(
                detector=detector.name,
                filter=planned.filter,
                dates_mjd=[55000.25],
                exposures=1,
                exposure_time_s=350.0,
                size_pix=128,
            )
        ],
        field=StarField(stars=30, radius_arcsec=10.0),
        errors=[ERROR],
    )
    again = expose(planned, programme, build(programme), detector)
    for first, second in zip(exposure.files.values(), again.files.values(), strict=True):
        assert contents(first) == contents(second)


def contents(hdus):
    file = io.BytesIO()
    fits.HDUList([hdu.copy() for hdu in hdus]).writeto(file)
    return file.getvalue()


def test_stwcs_reads_the_headers(simulated):
    from stwcs.wcsutil import HSTWCS

    detector, _, exposure = simulated
    hdus = next(iter(exposure.files.values()))
    for chip in detector.chips:
        wcs = HSTWCS(hdus, ext=("SCI", chip.extver))
        assert wcs.naxis1 == wcs.naxis2 == 128
        assert wcs.idcscale == pytest.approx(chip.geometry.idc["IDCSCALE"])
        assert wcs.pscale == pytest.approx(chip.geometry.idc["IDCSCALE"], rel=0.12)
        plain = WCS(hdus["SCI", chip.extver].header).all_pix2world(60, 70, 0)
        assert np.array(wcs.all_pix2world(60, 70, 0)) == pytest.approx(np.array(plain), abs=1e-12)

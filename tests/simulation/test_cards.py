"""Header cards: what a calibrated exposure says about itself."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS


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
    # nothing is lost, as in files that were corrected
    losses = {"WFC3/IR": ("RNLCDONE", "PERFORMED")}
    keyword, value = losses.get(detector.name, ("PCTECORR", "COMPLETE"))
    assert primary[keyword] == value
    elements = [primary[keyword].strip() for keyword in detector.header.filters]
    clear = tuple(detector.header.clear)
    named = [name for name in elements if name and not name.startswith(clear)]
    assert named == [planned.filter]
    assert all(primary[keyword] == "N/A" for keyword in detector.reference_files)


def test_science_headers_have_unit_chip_and_photometry(simulated):
    detector, planned, exposure = simulated
    hdus = next(iter(exposure.files.values()))
    facts = detector.filters[planned.filter]
    for chip in detector.chips:
        header = hdus["SCI", chip.extver].header
        assert header["BUNIT"] == detector.products.unit
        assert header[detector.header.chip] == chip.number
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

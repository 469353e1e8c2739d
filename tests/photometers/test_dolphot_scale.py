"""What all magnitudes of a filter by DOLPHOT share."""

import math
from types import SimpleNamespace

import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.photometers.dolphot_images import ChipPlace
from hst123r.photometers.dolphot_scale import systematic_mag, unknown_errors
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.stage.contract import Job


def field_of(tmp_path, simulated):
    """Return a run of two exposures of ACS/HRC F814W."""
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    chip = Chip(1, 1, [8, 8], "ELECTRONS", 1e-19, 8100.0, 25.0, 24.0, 1.0, 0.0)
    places, products = [], []
    for number, root in enumerate(("ja", "jb")):
        path = tmp_path / f"{root}_flt.fits"
        primary = fits.PrimaryHDU()
        primary.header["SIMULATD"] = simulated
        fits.HDUList([primary, fits.ImageHDU(name="SCI")]).writeto(path, overwrite=True)
        exposure = Exposure(
            **{**values, "root": root, "image": path.name, "detector": "ACS/HRC",
               "filter": "F814W", "start_mjd": 54000.0, "end_mjd": 54000.1,
               "exposure_time_s": 100.0, "chips": [chip]}
        )  # fmt: skip
        places.append(ChipPlace(number, exposure, chip))
        products.append(Product("exposure", root, {}, {"science": str(path)}))
    return SimpleNamespace(
        job=Job("SN", {}, {"exposure": products}), chips=places,
        exposures=[place.exposure for place in places],
    )  # fmt: skip


def test_both_errors_are_there_and_more_images_make_it_no_smaller(tmp_path):
    detector = instruments.get("ACS/HRC")
    beyond = aperture_correction(detector, "F814W", 1, radius_arcsec=0.3).error_mag
    assert 0.02 < beyond < 0.03
    field = field_of(tmp_path, simulated=False)
    assert systematic_mag(field, [0.01, 0.01], [0, 1]) == pytest.approx(math.hypot(0.01, beyond))
    assert systematic_mag(field, [0.0, 0.02], [1]) == pytest.approx(math.hypot(0.02, beyond))
    alone = field_of(tmp_path, simulated=True)
    assert systematic_mag(alone, [0.01, 0.02], [0, 1]) == pytest.approx(math.sqrt(2.5e-4))


def test_what_is_not_known_is_said(tmp_path):
    field = field_of(tmp_path, simulated=True)
    assert math.isnan(systematic_mag(field, [0.01, math.nan], [0, 1]))
    assert systematic_mag(field, [0.01, math.nan], [0]) == pytest.approx(0.01)
    (caveat,) = unknown_errors(field, [0.01, math.nan])
    assert caveat.text.endswith(f"for {field.chips[1].name}")
    assert unknown_errors(field, [0.01, 0.02]) == []

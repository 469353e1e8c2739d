"""What DOLPHOT's fluxes need to become those in an infinite aperture."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.telescope import effective_psf
from hst123r.photometers.dolphot_images import ChipPlace
from hst123r.photometers.dolphot_outcome import notes_of
from hst123r.photometers.params import PhotometryParams
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.stage.contract import Job


@pytest.fixture
def field(tmp_path):
    """Return a run of two exposures, with some parameters."""
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    chip = Chip(1, 2, [8, 8], "ELECTRONS", 1e-19, 9000.0, 25.0, 24.0, 1.0, 0.0)
    places, products = [], []
    for number, root in enumerate(("one", "two")):
        path = tmp_path / f"{root}_flc.fits"
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((8, 8)), name="SCI")]).writeto(path)
        exposure = Exposure(
            **{**values, "root": root, "image": path.name, "detector": "ACS/WFC",
               "filter": "F850LP", "start_mjd": 54000.0, "end_mjd": 54000.1,
               "exposure_time_s": 100.0, "chips": [chip]}
        )  # fmt: skip
        places.append(ChipPlace(number, exposure, chip))
        products.append(Product("exposure", root, {}, {"science": str(path)}))
    job = Job("SN", {}, {"exposure": products})
    exposures = [place.exposure for place in places]

    def of(**params):
        return SimpleNamespace(
            job=job, exposures=exposures, chips=places, params=PhotometryParams(**params)
        )

    return of


def test_light_beyond_the_aperture_is_the_published_one(field):
    detector = instruments.get("ACS/WFC")
    factor = aperture_correction(detector, "F850LP", 2, radius_arcsec=0.5).factor
    assert factor > 1.015
    light = float(effective_psf(detector, "F850LP", chip=2).encircled_energy(0.5 / 0.05))
    one, two = notes_of(field())
    left, _ = notes_of(field(encircled_energy="computed"))
    assert one.aperture_mag == two.aperture_mag
    assert left.aperture_mag == pytest.approx(2.5 * np.log10(light), abs=3e-3)
    # its aperture is one of the radii of the curve of growth, but round on the chip, not on the sky
    assert one.aperture_mag == pytest.approx(2.5 * np.log10(0.893), abs=5e-4)
    gain = one.aperture_mag - left.aperture_mag
    assert gain == pytest.approx(-2.5 * np.log10(factor), abs=1e-6)
    assert replace(one, whole_psf=False).beyond(0.0) == pytest.approx(one.aperture_mag)

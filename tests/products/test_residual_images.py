"""Residual images and targets without their neighbours."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from hst123r import instruments
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.frame import Frame
from hst123r.photometry.measure import measure
from hst123r.photometry.paint import paint
from hst123r.products.residual_images import HALF_PIX, Residuals

SHAPE, SKY = (150, 160), 40.0
X, Y, LIGHT = np.array([70.2, 73.1, 120.4]), np.array([60.7, 60.9, 30.2]), [2e4, 4e4, 3e4]


@pytest.fixture
def measured():
    """One chip with three stars, the first of which is a target beside the second."""
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W")
    rng = np.random.default_rng(1)
    image = rng.poisson(SKY + paint(SHAPE, psf, X, Y, LIGHT, 0.0)) + rng.normal(0, 4, SHAPE)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150, 2], [80, 75], [-1.4e-5, 1.4e-5]
    no = np.zeros(SHAPE, np.bool_)
    frame = Frame(image, no, no, 4.0, 500.0, wcs, psf, np.ones(SHAPE))
    found = measure(frame, X, Y)
    chip = SimpleNamespace(extver=1, targets={"SN": [X[0], Y[0]]})
    exposure = SimpleNamespace(root="jabc01a1q", exposure_time_s=500.0, chips=[chip])
    joint = SimpleNamespace(fluxes=[found.fluxes], backgrounds=[found.background])
    return Residuals([exposure], [frame], joint), wcs


def test_residuals_are_noise(measured, tmp_path):
    residuals, _ = measured
    residuals.write([tmp_path / "r.fits"])
    with fits.open(tmp_path / "r.fits") as hdus:
        left, model = hdus["SCI", 1].data, hdus["MODEL", 1].data
        chi = left / np.sqrt(SKY + 16 + model)
        assert np.std(chi) == pytest.approx(1.0, abs=0.03)
        assert np.abs(chi).max() < 6
        assert model.sum() == pytest.approx(sum(LIGHT), rel=0.1)


def test_the_target_stands_alone(measured, tmp_path):
    residuals, wcs = measured
    residuals.write([tmp_path / "r.fits"])
    assert residuals.write_cutouts("SN", tmp_path / "c.fits")
    assert not residuals.write_cutouts("other", tmp_path / "o.fits")
    with fits.open(tmp_path / "c.fits") as hdus:
        image, header = hdus["JABC01A1Q"].data, hdus["JABC01A1Q"].header
    assert image.shape == (2 * HALF_PIX + 1, 2 * HALF_PIX + 1)
    # its own light is there, the brighter neighbour's is not
    assert image.sum() == pytest.approx(LIGHT[0], rel=0.12)
    ra, dec = wcs.all_pix2world(X[0], Y[0], 0)
    x, y = WCS(header).all_world2pix(ra, dec, 0)
    row, column = np.unravel_index(np.argmax(image), image.shape)
    assert (column, row) == (round(float(x)), round(float(y)))

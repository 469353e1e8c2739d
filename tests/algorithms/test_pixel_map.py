"""Maps of pixels: as exact as they say, kinks of lookup tables included."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable, Sip

from hst123r.algorithms import pixel_map as module
from hst123r.algorithms.pixel_map import pixel_map
from hst123r.errors import StageError

SHAPE = (150, 230)
RNG = np.random.default_rng(3)


def plane(scale_arcsec=0.05, crpix=(400.0, 400.0)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.1, 2.2], crpix
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    return wcs


def distorted(*tables, strength=1e-5, fifth=0.0):
    """Return the WCS of a chip: a polynomial as strong as that of ACS, and lookup tables."""
    wcs = plane(crpix=(115.0, 75.0))
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    a, b = np.zeros((6, 6)), np.zeros((6, 6))
    a[2, 0], a[1, 1], a[0, 3] = strength, -strength, strength * 1e-3
    b[0, 2], b[1, 1], b[3, 0] = strength, strength / 2, -strength * 1e-3
    a[5, 0] = fifth
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    for name, step in tables:
        shape = tuple(int(np.ceil(n / s)) + 1 for n, s in zip(SHAPE, step[::-1], strict=True))
        data = RNG.normal(0, 0.02, shape).astype("f4")
        table = DistortionLookupTable(data, (1.0, 1.0), (1.0, 1.0), tuple(map(float, step)))
        setattr(wcs, name, table)
    wcs.wcs.set()
    return wcs


def exact(source, target, shape):
    y, x = np.indices(shape, float)
    sky = source.all_pix2world(np.stack([x.ravel(), y.ravel()], 1), 0)
    return target.wcs_world2pix(sky, 0).reshape(*shape, 2)


def error(found, source, target):
    return np.hypot(*np.moveaxis(found.full() - exact(source, target, found.shape), -1, 0)).max()


@pytest.mark.parametrize(
    ("tables", "bound"),
    [
        ([], 1e-6),
        # as ACS: one detector correction for each column, and a table of 64 pixels for each axis
        ([("det2im1", (1, 1))], 2e-5),
        ([("cpdis1", (64, 64)), ("cpdis2", (64, 64))], 1e-6),
        ([("det2im1", (64, 64)), ("cpdis1", (40, 30)), ("cpdis2", (64, 64))], 1e-4),
    ],
)
def test_a_map_is_as_exact_as_it_says(tables, bound):
    source, target = distorted(*tables), plane()
    found = pixel_map(source, target, SHAPE, 3e-4)
    true = error(found, source, target)
    assert true < bound
    # beside a kink that another table has moved it can be more than at the nine pixels of a cell
    assert true < 1.6 * found.error_pix + 1e-9


def test_a_table_of_one_row_is_followed_over_the_whole_chip():
    """As a DGEOFILE of WFPC2: a shift for each column, which the polynomial turns and stretches."""
    shape, target = (800, 230), plane()
    source = distorted(strength=3e-5)
    shifts = RNG.normal(0, 0.02, (1, 230)).astype("f4")
    source.det2im2 = DistortionLookupTable(shifts, (0.0, 0.0), (0.0, 0.0), (1.0, 1.0))
    found = pixel_map(source, target, shape)
    assert error(found, source, target) < 3e-5


def test_tables_are_not_smoothed_away(monkeypatch):
    """Without the lines of the tables the error is what the tables bend."""
    source, target = distorted(("cpdis1", (64, 64))), plane()
    monkeypatch.setattr(module, "_without_tables", lambda wcs: wcs)
    with pytest.raises(StageError, match="too rough"):
        pixel_map(source, target, SHAPE)


def test_the_grid_is_made_finer_where_it_must():
    source, target = distorted(fifth=3e-12), plane()
    coarse = pixel_map(distorted(), target, SHAPE)
    fine = pixel_map(source, target, SHAPE, 1e-5)
    assert (coarse.step, fine.step) == (32, 8)
    assert error(fine, source, target) < 1.6e-5


def test_a_pixel_without_a_place_is_an_error():
    target = plane()
    target.wcs.crval = [330.1, -2.2]
    with pytest.raises(StageError, match="no place on the sky"):
        pixel_map(distorted(), target, SHAPE)


def test_a_part_is_the_part_of_the_whole():
    source, target = distorted(("cpdis2", (64, 64))), plane()
    found = pixel_map(source, target, SHAPE)
    rows, columns = slice(32, 101), slice(64, 230)
    part = found.part(rows, columns)
    assert np.allclose(part.full(), found.full()[rows, columns], atol=1e-9, rtol=0)
    assert np.allclose(part.moved(7).full(), part.full() + 7, atol=1e-9, rtol=0)


def test_what_reaches_a_target_holds_every_pixel_in_it():
    source = distorted()
    for crpix, shape in (
        ((400.0, 400.0), (800, 800)),
        ((0.0, 20.0), (60, 50)),
        ((-30.0, 9.0), (30, 9)),
    ):
        target = plane(crpix=crpix)
        found = pixel_map(source, target, SHAPE)
        rows, columns = found.reaching(shape)
        inside = np.zeros(SHAPE, bool)
        inside[rows, columns] = True
        x, y = np.moveaxis(found.full(), -1, 0)
        near = (np.abs(x - shape[1] / 2) < shape[1] / 2 + 4) & (
            np.abs(y - shape[0] / 2) < shape[0] / 2 + 4
        )
        assert inside[near].all()
    assert found.reaching((5, 5)) is not None
    # however little of a chip is near, the kernels get more than a line of it
    for x in np.arange(-400.0, 60.0, 7.0):
        near = pixel_map(source, plane(crpix=(x, 200.0)), SHAPE).reaching((300, 20))
        assert near is None or min(part.stop - part.start for part in near) >= 8
    assert pixel_map(source, plane(crpix=(2e4, 0.0)), SHAPE).reaching((60, 50)) is None


def test_how_far_a_chip_lies_beyond_a_target():
    source = distorted()
    assert pixel_map(source, plane(), SHAPE).beyond((800, 800)) == 0
    found = pixel_map(source, plane(crpix=(75.0, 400.0)), SHAPE)
    assert found.beyond((800, 800)) == pytest.approx(-found.full()[..., 0].min(), abs=0.01)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "scale", "shape", "bound"),
    [
        ("acs_wfc/jbt122x8q_flc_header.fits", 0.05, (2051, 4096), 6e-5),
        ("wfc3_uvis/sample_ipppssoot_flc.fits", 0.04, (2051, 4096), 4e-5),
        ("acs_hrc/j8bt06nyq_flt_sip.fits", 0.025, (1024, 1024), 1e-6),
        ("wfc3_ir/sample_ipppssoot_flt.fits", 0.08, (1014, 1014), 2e-6),
    ],
)
def test_the_distortion_of_real_headers(shared_data, name, scale, shape, bound):
    """Polynomials of order 4 and 5, D2IMARR and WCSDVARR as the archive delivers them."""
    with fits.open(shared_data / name) as hdus:
        for hdu in hdus:
            if hdu.name != "SCI":
                continue
            source = WCS(hdu.header, hdus)
            target = plane(scale)
            target.wcs.crval = source.all_pix2world([[shape[1] / 2, shape[0] / 2]], 0)[0]
            found = pixel_map(source, target, shape)
            # a third of a million pixels at random
            x, y = RNG.uniform(0, shape[1] - 1, 300_000), RNG.uniform(0, shape[0] - 1, 300_000)
            sky = source.all_pix2world(np.stack([x, y], 1), 0)
            true = target.wcs_world2pix(sky, 0) @ [1, 1j]
            worst = np.abs(true - found.at(x, y)).max()
            assert worst < bound
            assert worst < 1.6 * found.error_pix

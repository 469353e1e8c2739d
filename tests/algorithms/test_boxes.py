"""Boxes on the sky, through the whole distortion of real geometries."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from hst123r import instruments
from hst123r.algorithms.boxes import in_boxes, outside, pixels_in_box
from hst123r.algorithms.merge import Catalogue, StarList
from hst123r.algorithms.proper_motion import Motions
from hst123r.simulation.pointing import place, template_of
from hst123r.sources.stars import ChipStars

SHAPE = (500, 700)
"""Part of a chip, in its corner, where distortion is largest."""


@pytest.fixture(scope="module", params=["ACS/WFC", "WFPC2"])
def wcs(request):
    return place(template_of(instruments.get(request.param)), (359.999, -60.0), 30.0).true[0].wcs


@pytest.fixture(scope="module")
def centres(wcs):
    y, x = np.indices(SHAPE)
    return SkyCoord(*wcs.all_pix2world(x.ravel(), y.ravel(), 0), unit="deg")


@pytest.mark.parametrize(
    ("x", "y", "half"), [(300, 200, 2.0), (690, 40, 5.5), (300.2, 200.1, 0.05), (0, 0, 500.0)]
)
def test_a_pixel_is_inside_if_its_centre_is(wcs, centres, x, y, half):
    """Against every pixel, by astropy's own offsets on the sky."""
    middle = SkyCoord(*wcs.all_pix2world(x, y, 0), unit="deg")
    found = pixels_in_box(wcs, SHAPE, middle.ra.deg, middle.dec.deg, half)
    offsets = [np.abs(a.to_value("arcsec")) for a in middle.spherical_offsets_to(centres)]
    away = np.max(offsets, axis=0).reshape(SHAPE)
    # angles on the sphere and offsets in the plane differ by less than this
    sure = np.abs(away - half) > 1e-6
    assert sure.mean() > 0.99
    assert np.array_equal(found[sure], (away < half)[sure])
    assert found[round(y), round(x)]


def test_a_box_elsewhere_holds_nothing(wcs):
    for ra, dec in ((179.999, 60.0), (359.999, 0.0), (0.5, -60.0)):
        assert not pixels_in_box(wcs, SHAPE, ra, dec, 10.0).any()


def test_a_star_is_in_a_box_where_the_pixel_under_it_is(wcs):
    """Pixels through the WCS, and their places on the sky as a list, across the meridian."""
    y, x = np.indices(SHAPE)
    ra, dec = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    boxes = [(*map(float, wcs.all_pix2world(x, y, 0)), h) for x, y, h in ((9, 9, 2), (400, 90, 3))]
    wanted = pixels_in_box(wcs, SHAPE, *boxes[0]) | pixels_in_box(wcs, SHAPE, *boxes[1])
    found = in_boxes(ra % 360.0, dec, boxes).reshape(SHAPE)
    assert np.array_equal(found, wanted)
    assert 0 < wanted.sum() < wanted.size


def test_a_box_holds_stars_of_its_own_side_of_the_sky_alone():
    ra, dec = np.array([10.0, 190.0, 10.0, 123.0]), np.array([20.0, -20.0, 20.1, 90.0])
    assert in_boxes(ra, dec, [(10.0, 20.0, 5.0)]).tolist() == [True, False, False, False]
    assert in_boxes(ra, dec, [(0.0, 90.0, 1.0)]).tolist() == [False, False, False, True]
    assert not in_boxes(ra, dec, []).any()
    assert in_boxes(ra[:0], dec[:0], [(10.0, 20.0, 5.0)]).shape == (0,)


N = 4.0
"""As many stars as a chip has corners, so that one is not taken for the other."""


@pytest.mark.parametrize("kind", [ChipStars, StarList, Catalogue])
def test_every_list_of_stars_is_cut_down_as_a_whole(kind):
    ra, dec, others = (
        np.array([1.0, 2, 3, 4]),
        np.zeros(4),
        [np.arange(N) + 10 * k for k in range(7)],
    )
    corners = np.arange(8.0).reshape(4, 2)
    stars = {
        ChipStars: lambda: ChipStars(
            others[0], others[1], ra, dec, others[2], others[3], others[4], others[5], corners
        ),
        StarList: lambda: StarList(ra, dec, others[2], others[3], others[4], (corners,), "a"),
        Catalogue: lambda: Catalogue(
            ra, dec, others[0], others[1], others[2], others[3], others[4], np.zeros((1, 2)), {},
            Motions(others[0], others[1], others[2], others[3]), others[5], others[6], others[0],
        ),
    }[kind]()  # fmt: skip
    left = outside(stars, [(2.0, 0.0, 1.0), (4.0, 0.0, 1.0)])
    assert type(left) is kind
    assert left.ra_deg.tolist() == [1.0, 3.0]
    for name in kind.__dataclass_fields__:
        before, after = getattr(stars, name), getattr(left, name)
        if name in ("corners", "footprints", "label", "problems", "shift_arcsec"):
            assert after is before
        elif name == "motions":
            assert after.epoch.tolist() == before.epoch[[0, 2]].tolist()
        else:
            assert after.tolist() == before[[0, 2]].tolist(), name
    assert outside(stars, []) is stars

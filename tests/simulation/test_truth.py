"""The truth belongs to the pixels: positions, fluxes, counts."""

from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.telescope import effective_psf
from hst123r.simulation.exposure import expose
from hst123r.simulation.geometry import Window
from hst123r.simulation.model import Observation, Programme, Sky, Star, StarField, Transient
from hst123r.simulation.scene import build
from hst123r.simulation.schedule import plan
from hst123r.simulation.starlight import starlight
from hst123r.simulation.truth import catalogue

QUIET = Sky(
    brightness_ab=None, photon_noise=False, read_noise=False, cosmic_rays=False, bad_pixels=False
)


def run(detector="ACS/WFC", name="F606W", *, size=200, dates=(55000.0,), **changes):
    programme = Programme(
        **{
            "ra_deg": 150.1,
            "dec_deg": 2.2,
            "observations": [
                Observation(
                    detector=detector,
                    filter=name,
                    dates_mjd=list(dates),
                    exposures=1,
                    size_pix=size,
                )
            ],
            "field": StarField(stars=0),
            "sky": QUIET,
            **changes,
        }
    )
    scene = build(programme)
    facts = instruments.get(detector)
    exposures = [
        expose(planned, programme, scene, facts) for planned in plan(programme, instruments.get)
    ]
    return exposures, scene, facts


@pytest.mark.parametrize(
    ("detector", "name"),
    [
        ("ACS/WFC", "F606W"),
        pytest.param("ACS/HRC", "F606W", marks=pytest.mark.heavy),
        pytest.param("WFC3/UVIS", "F555W", marks=pytest.mark.heavy),
        ("WFC3/IR", "F160W"),
        ("WFPC2", "F555W"),
    ],
)
def test_a_bright_star_in_the_frame_is_its_flux_over_the_pixel_area(detector, name):
    star = Star(ra_deg=150.1, dec_deg=2.2, magnitude_ab=20.0)
    # whole counts are unbiased only where noise blurs the steps
    counts = instruments.get(detector).noise.gain.value != 1.0
    sky = QUIET.model_copy(update={"read_noise": counts})
    (exposure,), _, facts = run(detector, name, stars=[star], sky=sky)
    (row,) = [row for row in exposure.truth if 20 < row["x"] < 180 and 20 < row["y"] < 180]
    hdus = next(iter(exposure.files.values()))
    data = hdus["SCI", row["extver"]].data.astype(float)
    x, y = round(row["x"]), round(row["y"])
    half = 15
    found = data[y - half : y + half + 1, x - half : x + half + 1].sum()
    time = 1.0 if facts.products.unit.endswith("/S") else 500.0
    header = hdus["SCI", row["extver"]].header
    part = Window(-round(header["LTV1"]), -round(header["LTV2"]), *data.shape[::-1])
    inside = sum(
        share[0] * term.stamps([row["x"] - x], [row["y"] - y], half)[0].sum()
        for term, share in starlight(facts, name, int(row["chip"]), part).shares(
            np.array([row["x"]]), np.array([row["y"]])
        )
    )
    area = _area(facts, exposure, row)
    tolerance = 0.015 if counts else 0.001
    assert found * area == pytest.approx(row["rate"] * time * inside, rel=tolerance)
    assert row["magnitude"] == 20.0


def _area(facts, exposure, row):
    """Return the pixel area at a star, from the header's own polynomials."""
    from astropy.wcs import WCS

    header = next(iter(exposure.files.values()))["SCI", row["extver"]].header
    wcs = WCS(header)
    corners = wcs.all_pix2world(row["x"] + np.array([0, 1, 0]), row["y"] + np.array([0, 0, 1]), 0)
    east = np.diff(corners[0])[[0, 1]]
    vectors = np.array(
        [
            [(corners[0][k] - corners[0][0]) * np.cos(np.radians(2.2)) for k in (1, 2)],
            [corners[1][k] - corners[1][0] for k in (1, 2)],
        ]
    )
    assert east.size == 2
    chip = next(item for item in facts.chips if item.extver == row["extver"])
    return abs(np.linalg.det(vectors)) / (chip.geometry.idc["IDCSCALE"] / 3600) ** 2


def test_positions_are_where_the_light_is():
    rng = np.random.default_rng(6)
    stars = [
        Star(ra_deg=150.1 + east / 3600, dec_deg=2.2 + north / 3600, magnitude_ab=20.5)
        for east, north in rng.uniform(-4, 4, (12, 2))
    ]
    (exposure,), _, _ = run(stars=stars)
    hdus = next(iter(exposure.files.values()))
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W", chip=2)
    checked = 0
    for row in exposure.truth[exposure.truth["extver"] == 1]:
        x, y = round(row["x"]), round(row["y"])
        others = np.hypot(exposure.truth["x"] - row["x"], exposure.truth["y"] - row["y"])
        if np.sort(others)[1] < 15 or not (8 < x < 191 and 8 < y < 191):
            continue
        data = hdus["SCI", 1].data[y - 2 : y + 3, x - 2 : x + 3].astype(float)
        stamp = psf.stamps([row["x"]], [row["y"]], 2)[0][0]
        assert data / data.sum() == pytest.approx(stamp / stamp.sum(), abs=0.01)
        checked += 1
    assert checked >= 3


def test_no_star_one_star_and_a_star_off_the_frame():
    (empty,), _, _ = run()
    assert len(empty.truth) == 0
    assert next(iter(empty.files.values()))["SCI", 1].data.max() == 0.0
    one = Star(ra_deg=150.1, dec_deg=2.2, magnitude_ab=22.0)
    (single,), _, _ = run(stars=[one])
    assert single.truth["star"].tolist() == [1]
    # just off the upper edge of a two-chip frame, its light comes in all the same
    off = Star(ra_deg=150.1 + 1.0, dec_deg=-20.0, magnitude_ab=15.0)
    (outside,), _, _ = run(stars=[off])
    assert len(outside.truth) == 0


def test_light_of_stars_beside_the_frame_comes_in():
    (exposure,), _, _ = run(
        "WFC3/IR",
        "F160W",
        stars=[Star(ra_deg=150.1 + 14.5 / 3600, dec_deg=2.2, magnitude_ab=15.0)],
        pa_v3_deg=45.0,
    )
    assert len(exposure.truth) == 0
    assert next(iter(exposure.files.values()))["SCI", 1].data.max() > 0


def test_a_transient_has_its_magnitude_of_the_day():
    curve = Transient(
        ra_deg=150.1,
        dec_deg=2.2,
        dates_mjd=[54999.0, 55009.0],
        magnitudes_ab=[20.0, 21.0],
    )
    exposures, scene, facts = run(dates=[54000.0, 55000.0, 55004.0], transients=[curve])
    middle = 250.0 / 86400
    wanted = [99.0, 20.1 + 0.1 * middle, 20.5 + 0.1 * middle]
    assert [item.truth["magnitude"][0] for item in exposures] == pytest.approx(wanted)
    pivot = facts.filters["F606W"].pivot.value * 10
    table = catalogue(scene, {"F606W": pivot}, 55004.0)
    assert table["transient"].tolist() == [True]
    assert table["magnitude_F606W"][0] == pytest.approx(20.5)


def test_the_truth_tells_errors_and_counts():
    (exposure,), _, _ = run(
        sky=Sky(),
        stars=[Star(ra_deg=150.1, dec_deg=2.2, magnitude_ab=14.0)],
        pointing_rms_arcsec=0.2,
    )
    meta = exposure.truth.meta
    assert meta["error_east_arcsec"] != 0.0
    assert meta["saturated_pixels"][1] > 0
    assert meta["cosmic_ray_pixels"] == {
        extver: int(mask.sum()) for extver, mask in exposure.cosmic_rays.items()
    }
    assert exposure.truth["flux"].unit == "electron"

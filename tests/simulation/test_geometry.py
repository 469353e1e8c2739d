"""Rotations of the sphere, cropping, pixel areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from hst123r import instruments
from hst123r.simulation.geometry import (
    ChipFrame,
    Window,
    basis,
    crop,
    error_rotation,
    rotation,
    sky_position,
    turned,
)
from hst123r.simulation.pointing import template_of


def full(chip):
    window = Window(0, 0, chip.columns, chip.rows)
    return ChipFrame(chip.number, chip.extver, window, chip.header, chip.tables)


def test_a_basis_is_orthonormal_and_points_east_and_north():
    axes = basis(40.0, 25.0)
    assert axes.T @ axes == pytest.approx(np.eye(3))
    assert sky_position(axes[:, 0]) == pytest.approx((40.0, 25.0))
    ra, dec = sky_position(axes[:, 0] + 1e-6 * axes[:, 1])
    assert ra > 40.0
    assert dec == pytest.approx(25.0, abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 33.0, -170.0])
def test_a_rotation_moves_a_position_and_adds_to_position_angles(turn):
    matrix = rotation((359.9, -72.0), (10.0, 40.0), turn)
    assert matrix @ matrix.T == pytest.approx(np.eye(3))
    here = SkyCoord(359.9, -72.0, unit="deg")
    there = SkyCoord(10.0, 40.0, unit="deg")
    for angle in (0.0, 77.0, 200.0):
        point = here.directional_offset_by(np.radians(angle), np.radians(0.02))
        moved = matrix @ np.array(point.cartesian.xyz)
        moved = SkyCoord(*sky_position(moved), unit="deg")
        assert there.separation(moved).deg == pytest.approx(0.02, abs=1e-10)
        wanted = (angle + turn) % 360
        assert there.position_angle(moved).deg == pytest.approx(wanted, abs=1e-6)


def test_a_turned_wcs_keeps_all_distances():
    chip = template_of(instruments.get("ACS/WFC")).chips[1]
    frame = full(chip)
    matrix = rotation(chip.crval, (0.05, 75.0), 123.0)
    moved = ChipFrame(
        frame.number, frame.extver, frame.window, turned(chip.header, matrix), chip.tables
    )
    x, y = np.array([0.0, 4000.0, 2000.0, 77.7]), np.array([0.0, 30.0, 2000.0, 999.9])
    before = SkyCoord(*frame.wcs.all_pix2world(x, y, 0), unit="deg")
    after = SkyCoord(*moved.wcs.all_pix2world(x, y, 0), unit="deg")
    for k in range(1, 4):
        distance = before[0].separation(before[k]).arcsec
        assert after[0].separation(after[k]).arcsec == pytest.approx(distance, abs=1e-7)
    # and the same points come out of the rotation itself
    expected = [sky_position(matrix @ vector) for vector in np.array(before.cartesian.xyz).T]
    found = np.column_stack([after.ra.deg, after.dec.deg])
    assert found == pytest.approx(np.array(expected), abs=1e-10)


def test_a_pointing_error_moves_and_turns_about_the_target():
    target = SkyCoord(150.0, 60.0, unit="deg")
    matrix = error_rotation(150.0, 60.0, 0.3, -0.2, 0.01)

    def image(position):
        return SkyCoord(*sky_position(matrix @ np.array(position.cartesian.xyz)), unit="deg")

    moved = image(target)
    east, north = target.spherical_offsets_to(moved)
    assert east.arcsec == pytest.approx(0.3, abs=1e-6)
    assert north.arcsec == pytest.approx(-0.2, abs=1e-6)
    star = target.directional_offset_by(np.radians(45.0), np.radians(0.03))
    assert moved.position_angle(image(star)).deg == pytest.approx(45.01, abs=1e-6)
    assert moved.separation(image(star)).deg == pytest.approx(0.03, abs=1e-10)


@pytest.mark.parametrize("name", instruments.names())
def test_a_crop_is_the_full_chip_shifted(name):
    for chip in template_of(instruments.get(name)).chips:
        window = Window(100, 60, 300, 200)
        header, tables = crop(chip, window)
        part = ChipFrame(chip.number, chip.extver, window, header, tables)
        x, y = np.array([0.0, 150.3, 299.0]), np.array([0.0, 199.0, 70.2])
        inside = part.wcs.all_pix2world(x, y, 0)
        whole = full(chip).wcs.all_pix2world(x + 100, y + 60, 0)
        assert np.array(inside) == pytest.approx(np.array(whole), abs=1e-12)
        assert header["LTV1"] == -100.0


@pytest.mark.parametrize("name", instruments.names())
def test_pixel_positions_are_exact_and_only_near_ones_come(name):
    detector = instruments.get(name)
    rng = np.random.default_rng(4)
    for chip in template_of(detector).chips:
        frame = full(chip)
        x = rng.uniform(-20, chip.columns + 20, 200)
        y = rng.uniform(-20, chip.rows + 20, 200)
        ra, dec = frame.wcs.all_pix2world(x, y, 0)
        index, found_x, found_y = frame.pixels(ra, dec, 30.0)
        assert index.tolist() == list(range(200))
        assert np.abs(found_x - x).max() < 1e-5
        assert np.abs(found_y - y).max() < 1e-5
        # the other side of the sky, and a degree away
        far = frame.pixels(np.array([ra[0] + 180, ra[0]]) % 360, np.array([-dec[0], dec[0] + 1]), 9)
        assert far[0].size == 0


@pytest.mark.parametrize("name", instruments.names())
def test_pixel_area_is_that_of_the_polynomials(name):
    from hst123r.optics.telescope import sip_jacobian

    detector = instruments.get(name)
    for facts, chip in zip(
        sorted(detector.chips, key=lambda item: item.extver),
        template_of(detector).chips,
        strict=True,
    ):
        area = full(chip).pixel_area()
        assert area.shape == (facts.rows, facts.columns)
        assert 0.85 < area.min() < area.max() < 1.15
        for x, y in ((0, 0), (facts.columns - 1, facts.rows - 1), (333, 77)):
            jacobian = np.array(facts.geometry.cd) @ sip_jacobian(
                facts.geometry.sip,
                x + 1 - facts.geometry.crpix[0],
                y + 1 - facts.geometry.crpix[1],
            )
            scale = facts.geometry.idc["IDCSCALE"] / 3600
            exact = abs(np.linalg.det(jacobian)) / scale**2
            assert area[y, x] == pytest.approx(exact, abs=2e-6)


@pytest.mark.heavy
def test_pixel_area_is_the_same_at_the_pole():
    chip = template_of(instruments.get("WFC3/IR")).chips[0]
    here = full(chip)
    matrix = rotation(tuple(chip.crval), (10.0, 90.0), 30.0)
    there = replace(here, header=turned(here.header, matrix))
    assert there.header["CRVAL2"] == pytest.approx(90.0, abs=1e-9)
    assert there.pixel_area() == pytest.approx(here.pixel_area(), abs=1e-6)

"""Measured grids: reading, interpolation, and the computed PSFs against them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.stdpsf import read_stdpsf
from hst123r.optics.telescope import effective_psf

HEADER = {
    "NXPSFS": 2,
    "NYPSFS": 4,
    "IPSFX01": 1,
    "IPSFX02": 101,
    "JPSFY01": 0,
    "JPSFY02": 50,
    "JPSFY03": 50,
    "JPSFY04": 100,
}
TWO = {"tiles": (1, 2)}


@pytest.fixture
def images():
    nodes = np.arange(-40, 41) / 4
    base = np.exp(-(nodes[:, None] ** 2 + nodes**2) / 3)
    return np.stack([base ** (1 + 0.1 * k) for k in range(8)])


def test_two_chips_come_apart_at_the_repeated_row(images):
    lower, upper = read_stdpsf(images, HEADER, **TWO)
    assert lower.psfs.shape == upper.psfs.shape == (2, 2, 81, 81)
    assert lower.x.tolist() == [0.0, 100.0]
    assert lower.y.tolist() == upper.y.tolist() == [-1.0, 49.0]


def test_psfs_are_scaled_to_the_fraction_asked_for(images):
    for fractions in ((1.0, 1.0), (0.9, 0.8)):
        grids = read_stdpsf(images, HEADER, **TWO, fractions=fractions, radius_pix=4.0)
        for grid, fraction in zip(grids, fractions, strict=True):
            assert grid.at(30.0, 20.0).encircled_energy(4.0) == pytest.approx(fraction)
            assert grid.mean().encircled_energy(4.0) == pytest.approx(fraction)


def test_interpolation_is_bilinear_and_stops_at_the_edges(images):
    grid, _ = read_stdpsf(images, HEADER, **TWO)
    corner = [grid.psfs[j, i] for j in (0, 1) for i in (0, 1)]
    middle = grid.at(50.0, 24.0).data
    assert middle == pytest.approx(np.mean(corner, axis=0))
    assert grid.at(0.0, -1.0).data == pytest.approx(corner[0])
    assert grid.at(100.0, -1.0).data == pytest.approx(corner[1])
    assert grid.at(-50.0, 500.0).data == pytest.approx(corner[2])


def test_a_header_that_does_not_fit_is_refused(images):
    with pytest.raises(InputError, match="does not fit an array"):
        read_stdpsf(images[:7], HEADER)
    with pytest.raises(InputError, match="JPSFY04"):
        read_stdpsf(images, {key: HEADER[key] for key in list(HEADER)[:-1]})
    with pytest.raises(InputError, match="places 0, 50, 50, 100 along an axis, not of one chip"):
        read_stdpsf(images, HEADER)
    with pytest.raises(InputError, match="places 1, 101 along an axis, not of 3 chips"):
        read_stdpsf(images, HEADER, tiles=(3, 1))
    with pytest.raises(InputError, match="not of 2 chips"):
        # the upper chip goes beyond the length of the lower one
        read_stdpsf(images, {**HEADER, "JPSFY04": 110}, **TWO)


def test_four_chips_come_apart_as_the_header_of_the_library_has_them():
    """Places as in STDPSF_WFPC2_F814W.fits, whose header a test file of photutils has."""
    places = [50, 425, 800, 850, 1225, 1600]
    header = {"NXPSFS": 6, "NYPSFS": 6}
    header |= {f"{key}{k:02d}": p for key in ("IPSFX", "JPSFY") for k, p in enumerate(places, 1)}
    nodes = np.arange(-20, 21) / 4
    base = np.exp(-(nodes[:, None] ** 2 + nodes**2) / 3)
    images = np.stack([base ** (1 + 0.01 * number) for number in range(36)])
    grids = read_stdpsf(images, header, tiles=(2, 2), radius_pix=4.0)
    assert len(grids) == 4
    for number, grid in enumerate(grids):
        assert grid.x.tolist() == grid.y.tolist() == [49.0, 424.0, 799.0]
        row, column = divmod(number, 2)
        # the middle place of each chip, in the order of the file
        own = base ** (1 + 0.01 * (6 * (3 * row + 1) + 3 * column + 1))
        assert grid.psfs[1, 1] / grid.psfs[1, 1].max() == pytest.approx(own)


LIBRARY = [
    ("WFC3UV_F336W", "WFC3/UVIS"),
    ("WFC3UV_F555W", "WFC3/UVIS"),
    ("WFC3UV_F775W", "WFC3/UVIS"),
    ("WFC3IR_F110W", "WFC3/IR"),
    ("WFC3IR_F140W", "WFC3/IR"),
    ("WFC3IR_F160W", "WFC3/IR"),
]


@pytest.mark.real
@pytest.mark.parametrize(("file", "detector"), LIBRARY)
def test_computed_psfs_agree_with_measured_ones(file, detector, shared_data):
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    path = shared_data / "psf" / f"PSFSTD_{file}.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    computed = effective_psf(instruments.get(detector), file.partition("_")[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        with fits.open(path) as hdus:
            # the same light within ten pixels, where the measured arrays end
            chips = instruments.get(detector).chips
            light = float(computed.encircled_energy(10.0))
            grids = read_stdpsf(
                hdus[0].data,
                hdus[0].header,
                tiles=(1, len(chips)),
                fractions=[light] * len(chips),
                radius_pix=10.0,
            )
    size = grids[0].psfs.shape[-1]
    everywhere = np.concatenate([grid.psfs.reshape(-1, size, size) for grid in grids])
    measured = type(computed)(everywhere.mean(axis=0), grids[0].oversampling)
    assert computed.fwhm_pix == pytest.approx(measured.fwhm_pix, rel=0.10)
    assert computed.central_fraction == pytest.approx(measured.central_fraction, rel=0.15)
    assert computed.encircled_energy(3.0) == pytest.approx(measured.encircled_energy(3.0), abs=0.04)


def spike_angle(psf, inner=7.0, outer=11.0):
    """Return the direction of the diffraction spikes on the detector, degrees modulo 90."""
    angles = np.radians(np.arange(0, 90, 1.0))
    radius = np.linspace(inner, outer, 60)[:, None]
    light = sum(
        psf.at(radius * np.cos(angles + turn), radius * np.sin(angles + turn)).mean(axis=0)
        for turn in np.arange(4) * np.pi / 2
    )
    # the phase of the fourfold symmetry, which noise and rings do not move
    phase = np.angle(np.sum(light * np.exp(4j * angles)))
    return np.degrees(phase) / 4 % 90


@pytest.mark.real
def test_spikes_point_where_the_measured_ones_do(shared_data):
    from astropy.io import fits

    path = shared_data / "psf" / "PSFSTD_WFC3IR_F160W.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    with fits.open(path) as hdus:
        (grid,) = read_stdpsf(hdus[0].data, hdus[0].header)
    computed = effective_psf(instruments.get("WFC3/IR"), "F160W")
    assert spike_angle(computed) == pytest.approx(spike_angle(grid.mean()), abs=3.0)


@pytest.mark.parametrize(("detector", "name"), [("WFC3/IR", "F110W"), ("WFC3/UVIS", "F814W")])
def test_spikes_of_wide_field_camera_3_are_diagonal(detector, name):
    # its detectors stand at 45 degrees to the V2 and V3 axes (Instrument Handbook, figure 2.2)
    psf = effective_psf(instruments.get(detector), name)
    assert spike_angle(psf, 25.0, 55.0) == pytest.approx(45, abs=5)

"""Stars of a PSF that changes over the chip, by its mean and by the interpolated one."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from star_frames import SETUPS, observe
from tiers import these

from hst123r import instruments
from hst123r.files.psf_library import read_grid
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.telescope import effective_psf
from hst123r.optics.varying import VaryingPSF
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.cutout import cut_out
from hst123r.photometry.forced import forced
from hst123r.photometry.frame import Frame
from hst123r.photometry.measure import measure

pytestmark = pytest.mark.truth
SKY, READ = 30.0, 3.0


def computed_grid(columns, rows):
    """Return a grid whose focus and charge diffusion change from corner to corner."""
    detector = instruments.get("WFC3/UVIS")
    x, y = np.linspace(0, columns - 1, 3), np.linspace(0, rows - 1, 3)
    psfs = [
        [
            effective_psf(
                detector, "F555W", half_pix=24, focus_nm=10.0 * i, blur_pix=0.40 + 0.05 * j
            ).data
            for i in range(3)
        ]
        for j in range(3)
    ]
    return PSFGrid(x, y, np.array(psfs), 5)


def field(grid, columns, rows, spacing, flux, seed=3):
    """Return a frame and its stars: each is drawn with the one PSF of its own place."""
    rng = np.random.default_rng(seed)
    steps = [np.arange(spacing, size - spacing / 2, spacing) for size in (columns, rows)]
    x, y = (a.ravel() + rng.uniform(-0.5, 0.5, a.size) for a in np.meshgrid(*steps))
    light = np.zeros((rows, columns))
    for star_x, star_y in zip(x, y, strict=True):
        psf = grid.at(star_x, star_y)
        ((stamp,), (x0,), (y0,)) = psf.stamps([star_x], [star_y], psf.half_pix)
        left, low = max(x0, 0), max(y0, 0)
        right, high = min(x0 + stamp.shape[1], columns), min(y0 + stamp.shape[0], rows)
        light[low:high, left:right] += flux * stamp[low - y0 : high - y0, left - x0 : right - x0]
    expected = np.maximum(light + SKY, 0.0)
    data = rng.poisson(expected) + rng.normal(0, READ, light.shape)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-5, 1e-5]
    nothing = np.zeros(light.shape, bool)
    frame = Frame(
        data=data, mask=nothing, saturated=nothing, read_noise_e=READ, exposure_time_s=1.0,
        wcs=wcs, psf=EffectivePSF(grid.psfs.mean(axis=(0, 1)), grid.oversampling),
        area=np.ones(light.shape),
    )  # fmt: skip
    return frame, x, y


def with_psf(frame, psf):
    arguments = {name: getattr(frame, name) for name in Frame.__dataclass_fields__}
    return Frame(**{**arguments, "psf": psf})


def by_place(frame, x, y, flux, cells=3):
    """Return the mean magnitude difference in cells of the frame, and the whole scatter."""
    found = measure(frame, x, y, FitOptions(fit_radius_pix=3.0)).fluxes
    difference = -2.5 * np.log10(found.flux / flux)
    rows, columns = frame.shape
    cell = (y * cells // rows).astype(int) * cells + (x * cells // columns).astype(int)
    means = np.bincount(cell, difference, cells**2) / np.bincount(cell, minlength=cells**2)
    return means, found


def test_the_interpolated_psf_has_no_bias_with_place():
    grid = computed_grid(600, 600)
    flux = 60000.0
    frame, x, y = field(grid, 600, 600, 28, flux)
    mean, _ = by_place(frame, x, y, flux)
    right, found = by_place(with_psf(frame, VaryingPSF.of(grid)), x, y, flux)
    assert np.ptp(mean) > 0.03
    assert np.abs(right).max() < 0.003
    assert np.median(found.chi) == pytest.approx(1.0, abs=0.05)


def test_a_piece_of_a_frame_keeps_the_psf_of_its_place():
    grid = computed_grid(600, 600)
    flux = 60000.0
    frame, x, y = field(grid, 600, 600, 28, flux)
    whole = with_psf(frame, VaryingPSF.of(grid))
    measured = measure(whole, x, y)
    piece = cut_out(whole, measured.background, measured.fluxes, (480.0, 480.0), 60.0, 5.0)
    px, py = piece.local(x[piece.inside], y[piece.inside])
    again = forced(piece.frame, px, py, piece.background).flux
    # those at the edge of the piece lose pixels
    inner = (np.abs(px - 60) < 45) & (np.abs(py - 60) < 45)
    assert inner.sum() >= 9
    assert again[inner] == pytest.approx(measured.fluxes.flux[piece.inside][inner], rel=1e-3)
    # with the PSF of the corner of the chip they would be wrong
    corner = with_psf(piece.frame, whole.psf)
    wrong = forced(corner, px, py, piece.background).flux[inner]
    assert np.median(np.abs(wrong / again[inner] - 1)) > 0.005


LIBRARY = [("ACS/WFC", "ACSWFC", "F775W", 0.005), ("WFC3/UVIS", "WFC3UV", "F336W", 0.01)]


@pytest.mark.real
@pytest.mark.heavy
@pytest.mark.parametrize(("name", "library", "band", "spread"), LIBRARY)
def test_a_chip_with_the_psfs_of_the_library(name, library, band, spread, shared_data):
    path = shared_data / "psf" / f"PSFSTD_{library}_{band}.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    detector = instruments.get(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        psf = read_grid(path, detector, band)[detector.chips[0].number]
    rows, columns = detector.chips[0].rows, detector.chips[0].columns
    flux = 80000.0
    frame, x, y = field(psf.grid, columns, rows, 75, flux)
    mean, _ = by_place(frame, x, y, flux, cells=6)
    right, found = by_place(with_psf(frame, psf), x, y, flux, cells=6)
    assert np.ptp(mean) > spread
    assert np.abs(right).max() < 0.003
    assert np.median(found.chi) == pytest.approx(1.0, abs=0.05)


@pytest.mark.heavy
@pytest.mark.parametrize("name", these(["WFC3/IR", "WFPC2", "ACS/HRC"], "WFC3/IR"))
def test_simulated_stars_of_a_full_chip_are_right_at_every_place(name):
    """The simulator draws each with the PSF of its own place, the engine has its nine places."""
    filter_name, bright, _, spacing = SETUPS[name]
    side = 66 if name == "WFC3/IR" else 13 if name == "ACS/HRC" else 38
    rng = np.random.default_rng(4)
    steps = np.arange(-side, side, 1.2 * spacing)
    east, north = (a.ravel() + rng.uniform(-0.1, 0.1, a.size) for a in np.meshgrid(steps, steps))
    field = observe(
        name, filter_name, east, north, np.full(east.size, bright + 0.5), 1, size=None,
        cosmic_rays=False, bad_pixels=False,
    )  # fmt: skip
    (frame,), ((x, y),) = field.frames, zip(field.x, field.y, strict=True)
    rows, columns = frame.shape
    on = (x > 10) & (x < columns - 10) & (y > 10) & (y < rows - 10)
    assert on.sum() > 200
    right, _ = by_place(frame, x[on], y[on], field.flux[on])
    assert np.abs(right).max() < 0.004
    # the PSF of the middle, which is the fifth place
    middle = frame.psf.grid.psfs[1, 1]
    one = with_psf(frame, EffectivePSF(middle, frame.psf.oversampling))
    one, _ = by_place(one, x[on], y[on], field.flux[on])
    # in WFPC2 what changes from cell to cell is no more than the noise of the cells
    assert name == "WFPC2" or np.ptp(one) > 3 * np.ptp(right)

"""The light of stars on a chip: of their own place, and as much as was published."""

from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.diffraction import typical
from hst123r.optics.encircled import published_light
from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.telescope import effective_psf, pixel_matrix
from hst123r.optics.varying import VaryingPSF
from hst123r.simulation.geometry import Window
from hst123r.simulation.starlight import starlight, starlight_of_grid

# taken as they are without their tables of encircled energy
PLAIN = [("WFPC2", "F606W", 2, None), ("ACS/HRC", "F555W", 1, 256)]
TABLES = [("ACS/WFC", "F850LP", 1, 512), ("WFC3/IR", "F160W", 1, None)]


def chip_of(name, number, size):
    detector = instruments.get(name)
    chip = next(c for c in detector.chips if c.number == number)
    if size is None:
        return detector, chip, Window(0, 0, chip.columns, chip.rows)
    return detector, chip, Window(chip.columns - size, 0, size, size)


def at(light, x, y):
    """Return the PSF that a star at a place of the part is drawn with."""
    whole = np.zeros_like(light.terms[0].data)
    for term, share in light.shares(np.array([float(x)]), np.array([float(y)])):
        edge = light.terms[0].middle - term.middle
        inner = slice(edge, whole.shape[0] - edge)
        whole[inner, inner] += share[0] * term.data
    return whole


def places(window):
    return [
        (along * (window.columns - 1), up * (window.rows - 1))
        for along, up in ((0.0, 1.0), (0.3, 0.2), (0.5, 0.5), (1.0, 0.0))
    ]


def fitted(data, model):
    """Return the flux that a PSF would get in a fit of another, within three pixels."""
    steps = (np.arange(data.shape[0]) - data.shape[0] // 2) / 5
    inside = np.hypot(steps, steps[:, None]) < 3
    return (data * model)[inside].sum() / (model**2)[inside].sum()


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "band", "number", "size"), PLAIN)
def test_stars_have_the_psf_of_their_own_place(name, band, number, size):
    detector, _, window = chip_of(name, number, size)
    facts = detector.encircled_energy.model_copy(update={"curves": None, "wavelengths": []})
    detector = detector.model_copy(update={"encircled_energy": facts})
    light = starlight(detector, band, number, window)
    middle = at(light, (window.columns - 1) / 2, (window.rows - 1) / 2)
    away = []
    for x, y in places(window):
        place = window.x0 + x, window.y0 + y
        true = effective_psf(detector, band, chip=number, position=place).data
        assert fitted(at(light, x, y), true) == pytest.approx(1.0, abs=1e-4)
        assert at(light, x, y).sum() == pytest.approx(true.sum(), rel=5e-4)
        away.append(abs(fitted(middle, true) - 1))
    # what the PSF of one place would do
    assert max(away) > (0.003 if size is None else 0.001)


@pytest.mark.parametrize(("name", "band", "number", "size"), TABLES)
def test_the_published_fraction_of_the_light_is_within_the_circle_on_the_sky(
    name, band, number, size
):
    """Counted pixel by pixel through the true shape of the pixels, at any place."""
    detector, chip, window = chip_of(name, number, size)
    light = starlight(detector, band, number, window)
    published = published_light(detector, band)
    steps = (np.arange(light.terms[0].data.shape[0]) - light.terms[0].middle) / 5
    for x, y in places(window):
        place = window.x0 + x, window.y0 + y
        matrix = np.reshape(pixel_matrix(detector, chip.geometry, place), (2, 2))
        away = matrix @ np.stack([a.ravel() for a in np.meshgrid(steps, steps)])
        inside = np.hypot(*away) * 180 / np.pi * 3600 < published.radius_arcsec
        found = at(light, x, y).ravel()[inside].sum() / 25
        assert found == pytest.approx(published.fraction, abs=1e-3)
        # what is more or less there is missing or put in the halo, of which most is in the array
        computed = effective_psf(detector, band, chip=number, position=place).data
        change = published.fraction - computed.ravel()[inside].sum() / 25
        assert abs(change) > 0.001
        assert abs((at(light, x, y) - computed).sum() / 25) < 0.5 * abs(change)


def test_a_measured_psf_gets_the_published_light_too():
    detector, chip, window = chip_of("WFC3/IR", 1, 300)
    data = effective_psf(detector, "F160W", half_pix=12).data
    psf = VaryingPSF.of(
        PSFGrid(np.array([0.0, 1013.0]), np.array([0.0]), np.stack([[data, 1.1 * data]]), 5)
    )
    light = starlight_of_grid(detector, "F160W", chip.number, window, psf)
    published = published_light(detector, "F160W")
    ((term, share),) = light.shares(np.array([10.0]), np.array([20.0]))
    assert share.tolist() == [1.0]
    for one in term.places:
        # 3.1 pixels; those of this chip are 0.1355 by 0.1211 arcsec
        found = one.encircled_energy(published.radius_arcsec / chip.pixel_arcsec)
        assert float(found) == pytest.approx(published.fraction, abs=3e-3)
    # the part begins where the window does
    values, _, _ = term.stamps([0.0], [0.0], 2)
    whole, _, _ = VaryingPSF.of(term.grid).stamps([window.x0], [0.0], 2)
    assert values == pytest.approx(whole)


def test_a_small_part_needs_few_psfs_and_they_are_kept():
    detector, _, window = chip_of("ACS/WFC", 2, 320)
    before = typical.cache_info().misses
    light = starlight(detector, "F625W", 2, window)
    assert typical.cache_info().misses - before == 3
    assert starlight(detector, "F625W", 2, window).terms is light.terms
    assert typical.cache_info().misses - before == 3
    assert light.half_pix == 64
    assert max(term.half_pix for term in light.terms[1:]) == 24

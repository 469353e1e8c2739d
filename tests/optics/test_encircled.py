"""Published encircled energies and the computed PSFs."""

import numpy as np
import pytest
from pydantic import ValidationError

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.detector import GrowthCurves
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.telescope import chip_facts, effective_psf, pixel_matrix

# by hand from the tables: WFC3 Instrument Handbook 6.6 and 7.6, Bohlin 2016 (tables 8 and 9), and
# WFPC2 Data Handbook 5.1
PUBLISHED = [
    ("WFC3/UVIS", "F336W", 0.8872, 0.4),
    ("WFC3/UVIS", "F606W", 0.9097, 0.4),
    ("WFC3/UVIS", "F814W", 0.9059, 0.4),
    ("WFC3/IR", "F110W", 0.8473, 0.4),
    ("WFC3/IR", "F160W", 0.8385, 0.4),
    ("ACS/WFC", "F435W", 0.863, 0.25),
    ("ACS/WFC", "F606W", 0.866, 0.25),
    ("ACS/WFC", "F814W", 0.853, 0.25),
    ("ACS/HRC", "F220W", 0.799, 0.25),
    ("ACS/HRC", "F435W", 0.873, 0.25),
    ("ACS/HRC", "F606W", 0.878, 0.25),
    ("WFPC2", "F555W", 1 / 1.096, 0.5),
    ("WFPC2", "F814W", 1 / 1.096, 0.5),
]


@pytest.mark.parametrize(("name", "band", "fraction", "radius"), PUBLISHED)
def test_the_correction_brings_the_computed_psf_to_what_was_published(name, band, fraction, radius):
    detector = instruments.get(name)
    chip = detector.chips[0].number
    found = aperture_correction(detector, band, chip)
    assert found.published == pytest.approx(fraction, abs=1e-3)
    assert found.radius_arcsec == radius
    psf = effective_psf(detector, band, chip=chip)
    light = float(psf.encircled_energy(radius / detector.chips[0].pixel_arcsec))
    # a star of 1 in an infinite aperture has `fraction` within the circle, and is fitted as that
    assert fraction / light * found.factor == pytest.approx(1.0, abs=1e-3)
    assert abs(found.magnitudes) < (0.021 if name == "WFPC2" else 0.012)
    assert found.magnitudes == pytest.approx(-2.5 * np.log10(light / fraction), abs=2e-3)
    assert 0.004 < found.error_mag < 0.014


def test_red_light_of_acs_needs_the_largest_correction():
    found = aperture_correction(instruments.get("ACS/WFC"), "F850LP", 2)
    assert found.magnitudes == pytest.approx(-0.061, abs=0.003)
    assert found.error_mag > 0.03


# the smallest radius of the table beyond that of the fit, 3 pixels, and the reddest filter without
# a halo: what the PSF has too much within that radius there is an error of the core
CORES = [("ACS/WFC", 0.15, "F775W"), ("ACS/HRC", 0.1, "F660N")]


@pytest.mark.parametrize(("name", "radius", "plain"), CORES)
def test_light_within_the_fit_radius_is_right_for_a_halo_too(name, radius, plain):
    """Fluxes come from within the fit radius; what the circle misses there is in the error."""
    detector = instruments.get(name)
    chip = detector.chips[-1].number

    def missed(band):
        psf = effective_psf(detector, band, chip=chip)
        at_fit = aperture_correction(detector, band, chip, psf, radius_arcsec=radius)
        found = aperture_correction(detector, band, chip, psf)
        return at_fit.magnitudes - found.magnitudes, found.error_mag

    core, _ = missed(plain)
    assert abs(core) < 0.022
    red = [band for band in detector.encircled_energy.curves.filters if band in RED]
    assert len(red) >= 3
    for band in red:
        halo, error = missed(band)
        assert abs(halo - core) < error


@pytest.mark.parametrize(("name", "radius", "plain"), CORES)
def test_what_a_fit_of_the_computed_psf_is_off_by_is_in_its_error(name, radius, plain):
    """In every filter that has a curve of growth, and not ten times over."""
    detector = instruments.get(name)
    chip = detector.chips[-1].number
    assert plain in detector.encircled_energy.curves.filters
    for band in set(detector.encircled_energy.curves.filters) & set(detector.filters):
        psf = effective_psf(detector, band, chip=chip)
        found = aperture_correction(detector, band, chip, psf)
        at_fit = aperture_correction(detector, band, chip, psf, radius_arcsec=radius)
        off = abs(at_fit.magnitudes - found.magnitudes)
        shared = found.shared_error_mag(computed=True)
        assert off < 1.1 * shared
        # one of a measured PSF has no part of it
        assert found.shared_error_mag(computed=False) == found.error_mag < shared
        if band not in RED:
            assert found.core_error_mag == pytest.approx(off, abs=0.008)
            assert shared < off + 0.011


def test_the_errors_of_light_and_core_add_in_quadrature():
    """By hand: 0.0222 and 0.0088 in quadrature, and 0.0528 in all for the reddest filter."""
    for band, shared in (("F814W", 0.0238), ("F850LP", 0.0528)):
        found = aperture_correction(instruments.get("ACS/WFC"), band, 2)
        assert found.shared_error_mag(computed=True) == pytest.approx(shared, abs=5e-4)


RED = {"F775W", "F814W", "F850LP", "F892N"}


def test_the_halo_of_red_light_of_the_hrc_is_not_in_the_computed_psf():
    """Bohlin 2016, table 9: 0.8 and 0.682 within 0.25 arcsec in F814W and F850LP."""
    detector = instruments.get("ACS/HRC")
    for band, fraction, low, high in [("F814W", 0.8, -0.1, -0.07), ("F850LP", 0.682, -0.28, -0.23)]:
        found = aperture_correction(detector, band, 1)
        assert found.published == fraction
        assert low < found.magnitudes < high
        assert found.error_mag > 0.02
        # within the core the PSF has the right shape: what is lost to the halo is lost there too
        core = aperture_correction(detector, band, 1, radius_arcsec=0.1)
        assert core.factor == pytest.approx(found.factor, rel=0.04)
    blue = aperture_correction(detector, "F606W", 1)
    assert abs(blue.magnitudes) < 0.005


def test_a_curve_of_growth_is_read_at_the_radius_of_an_aperture():
    detector = instruments.get("ACS/HRC")
    found = aperture_correction(detector, "F850LP", 1, radius_arcsec=0.3)
    assert (found.published, found.radius_arcsec) == (pytest.approx(0.7), 0.3)
    between = aperture_correction(detector, "F850LP", 1, radius_arcsec=0.275)
    assert between.published == pytest.approx((0.682 + 0.7) / 2)
    # a table of one radius has no other
    wide = aperture_correction(instruments.get("WFC3/UVIS"), "F606W", 1, radius_arcsec=0.5)
    assert wide.radius_arcsec == 0.4


def test_every_chip_of_wfpc2_has_its_own_pixels():
    """A radius in arcseconds is half as many pixels of the Wide Field chips."""
    detector = instruments.get("WFPC2")
    factors = [aperture_correction(detector, "F555W", chip).factor for chip in (1, 2, 3, 4)]
    assert np.ptp(factors) < 0.002
    assert factors[0] == pytest.approx(0.9071 * 1.096, abs=1e-3)


def test_a_filter_without_a_table_keeps_its_light_and_says_how_sure_it_is():
    detector = instruments.get("ACS/WFC")
    facts = detector.encircled_energy.model_copy(update={"curves": None})
    bare = detector.model_copy(update={"encircled_energy": facts})
    found = aperture_correction(bare, "F606W", 2)
    assert (found.factor, found.published) == (1.0, None)
    assert found.error_mag == pytest.approx(0.0084, abs=1e-3)


def test_curves_that_fall_or_miss_a_radius_are_refused():
    good = {"radii": [0.1, 0.2], "filters": {"F606W": [0.7, 0.8]}}
    assert GrowthCurves.model_validate(good).filters["F606W"] == [0.7, 0.8]
    for values in ([0.8, 0.7], [0.7]):
        with pytest.raises(ValidationError, match="F606W must be 2 numbers that do not fall"):
            GrowthCurves.model_validate({**good, "filters": {"F606W": values}})


def test_every_filter_with_a_wavelength_has_an_error():
    for name in instruments.names():
        detector = instruments.get(name)
        facts = detector.encircled_energy
        for table in (facts.errors, facts.wavelengths, facts.core_errors):
            wavelengths = [pair[0] for pair in table]
            assert wavelengths == sorted(set(wavelengths))
        curves = detector.encircled_energy.curves
        assert curves is None or set(curves.filters) <= set(detector.filters)
    with pytest.raises(InputError):
        aperture_correction(instruments.get("WFC3/IR"), "G102", 1)


def test_the_published_circle_is_one_on_the_sky():
    """HRC's pixels are 18 % longer one way, and a circle on them is none on the sky."""
    detector = instruments.get("ACS/HRC")
    psf, chip = effective_psf(detector, "F555W", chip=1), chip_facts(detector, 1)
    pixel = np.reshape(pixel_matrix(detector, chip.geometry), (2, 2)) * np.degrees(3600)
    found = aperture_correction(detector, "F555W", 1)
    # the light in rings on the sky, by polar coordinates
    radii = (np.arange(400) + 0.5) * found.radius_arcsec / 400
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    sky = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)])[:, None]
    x, y = np.einsum("ij,jkl->ikl", np.linalg.inv(pixel), sky)
    rings = psf.at(x, y).mean(axis=1) * 2 * np.pi * radii * found.radius_arcsec / 400
    light = rings.sum() / abs(np.linalg.det(pixel))
    assert found.factor == pytest.approx(light / found.published, abs=3e-4)
    on_pixels = float(psf.encircled_energy(found.radius_arcsec / chip.pixel_arcsec))
    assert found.factor - on_pixels / found.published > 1e-3

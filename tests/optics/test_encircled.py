"""Published encircled energies and the computed PSFs."""

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.encircled import aperture_correction
from hst123r.optics.telescope import effective_psf

# by hand from the tables: WFC3 Instrument Handbook 6.6 and 7.6, and ISR ACS 2012-01
PUBLISHED = [
    ("WFC3/UVIS", "F336W", 0.8872, 0.4),
    ("WFC3/UVIS", "F606W", 0.9097, 0.4),
    ("WFC3/UVIS", "F814W", 0.9059, 0.4),
    ("WFC3/IR", "F110W", 0.8473, 0.4),
    ("WFC3/IR", "F160W", 0.8385, 0.4),
    ("ACS/WFC", "F435W", 0.909, 0.5),
    ("ACS/WFC", "F606W", 0.916, 0.5),
    ("ACS/WFC", "F814W", 0.914, 0.5),
]


@pytest.mark.parametrize(("name", "band", "fraction", "radius"), PUBLISHED)
def test_the_correction_brings_the_computed_psf_to_what_was_published(name, band, fraction, radius):
    detector = instruments.get(name)
    chip = detector.chips[0].number
    found = aperture_correction(detector, band, chip)
    assert found.published == pytest.approx(fraction, abs=1e-3)
    assert found.radius_arcsec == radius
    psf = effective_psf(detector, band, chip=chip)
    light = float(psf.encircled_energy(radius / detector.pixel_scale.value))
    # a star of 1 in an infinite aperture has `fraction` within the circle, and is fitted as that
    assert fraction / light * found.factor == pytest.approx(1.0, abs=1e-3)
    assert abs(found.magnitudes) < 0.01
    assert found.magnitudes == pytest.approx(-2.5 * np.log10(light / fraction), abs=2e-3)
    assert 0.004 < found.error_mag < 0.013


def test_red_light_of_acs_needs_the_largest_correction():
    found = aperture_correction(instruments.get("ACS/WFC"), "F850LP", 2)
    assert found.magnitudes == pytest.approx(-0.022, abs=0.003)
    assert found.error_mag > 0.012


@pytest.mark.parametrize("name", ["ACS/HRC", "WFPC2"])
def test_where_nothing_is_published_the_computed_light_stays_and_says_how_sure_it_is(name):
    detector = instruments.get(name)
    found = aperture_correction(detector, "F606W", detector.chips[0].number)
    assert (found.factor, found.published) == (1.0, None)
    assert found.error_mag == pytest.approx(0.012, abs=0.001)
    red = aperture_correction(detector, "F814W", detector.chips[0].number)
    assert (red.error_mag > 0.02) == (name == "ACS/HRC")


def test_every_filter_with_a_wavelength_has_an_error():
    for name in instruments.names():
        detector = instruments.get(name)
        for table in (detector.encircled_energy.errors, detector.encircled_energy.wavelengths):
            wavelengths = [pair[0] for pair in table]
            assert wavelengths == sorted(set(wavelengths))
        assert set(detector.encircled_energy.filters) <= set(detector.filters)
    with pytest.raises(InputError):
        aperture_correction(instruments.get("WFC3/IR"), "G102", 1)

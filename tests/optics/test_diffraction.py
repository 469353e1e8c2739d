"""Images through a pupil: what the books say of them, and that they are kept between processes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics import diffraction
from hst123r.optics.diffraction import Light, from_light, typical
from hst123r.optics.pupil import POLISH_RMS_M, Pupil
from hst123r.optics.telescope import effective_psf, pixel_matrix


def test_an_airy_disc_has_the_width_and_energy_of_the_book():
    # an open circle, tiny pixels, no blur: the first dark ring at 1.22 lambda / D holds 83.8 %
    wavelength = 1e-6
    pixel = wavelength / 2.4 / 12
    light = Light((wavelength,), (pixel, 0.0, 0.0, pixel), _Open(0.0, 0.0), 0.0, 0.0)
    psf = from_light(light, 4, 96)
    scattered = np.exp(-((2 * np.pi * POLISH_RMS_M / wavelength) ** 2))
    assert psf.fwhm_pix == pytest.approx(1.029 * 12, rel=0.01)
    assert psf.encircled_energy(1.22 * 12) == pytest.approx(0.838 * scattered, abs=0.002)


HANDBOOK = {
    # WFC3 Instrument Handbook, section 6.6: encircled energy within 0.2, 0.4, 1 and 2 arcsec
    300: (0.822, 0.880, 0.946, 0.992),
    500: (0.859, 0.911, 0.954, 0.985),
    800: (0.853, 0.906, 0.955, 0.976),
}


@pytest.mark.parametrize("nanometres", HANDBOOK)
def test_encircled_energy_is_that_of_the_handbook(nanometres):
    detector = instruments.get("WFC3/UVIS")
    light = Light(
        tuple(nanometres * 1e-9 * np.array([0.98, 1.0, 1.02])),
        pixel_matrix(detector, detector.chips[0].geometry),
        Pupil(0.33, 0.022),
        wavefront_m=25e-9,
        blur_pix=0.45,
    )
    radii = np.array([0.2, 0.4, 1.0, 2.0]) / detector.pixel_scale.value
    energies = from_light(light, 5, 64).encircled_energy(radii)
    assert energies == pytest.approx(HANDBOOK[nanometres], abs=0.012)


class _Open(Pupil):
    """A mirror without vanes or pads."""

    def transmission(self, v2, v3, edge):
        return np.clip(0.5 + (1.0 - np.hypot(v2, v3)) / edge, 0.0, 1.0)


SMALL = Light((6e-7,), (2e-7, 0.0, 0.0, 2e-7), Pupil(0.33, 0.022), 25e-9, 0.3)


@pytest.fixture
def computed(tmp_path, monkeypatch):
    """Return the lights that were computed, with an empty cache on disk and in memory."""
    monkeypatch.setenv("HST123R_CACHE", str(tmp_path))
    seen = []
    inner = from_light.__wrapped__

    def counted(light, oversampling, half_pix):
        seen.append(light)
        return inner(light, oversampling, half_pix)

    monkeypatch.setattr(diffraction, "from_light", counted)
    typical.cache_clear()
    diffraction._code.cache_clear()
    yield seen
    typical.cache_clear()
    diffraction._code.cache_clear()


def test_a_psf_is_computed_once_for_all_processes(computed):
    first = typical(SMALL, 4, 16)
    assert typical(SMALL, 4, 16) is first
    typical.cache_clear()
    again = typical(SMALL, 4, 16)
    assert np.array_equal(again.data, first.data)
    assert np.array_equal(first.data, from_light(SMALL, 4, 16).data)
    assert len(computed) == 1
    script = (
        "from hst123r.optics import diffraction\n"
        "from hst123r.optics.diffraction import Light, Pupil\n"
        f"light = {SMALL!r}\n"
        "diffraction.from_light = None\n"
        "print(diffraction.typical(light, 4, 16).data.sum())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == first.data.sum()


def test_all_that_its_values_depend_on_is_in_its_name(computed, monkeypatch):
    typical(SMALL, 4, 16)
    other = Light(SMALL.band_m, SMALL.pixel_rad, SMALL.pupil, 26e-9, SMALL.blur_pix)
    for case in ((other, 4, 16), (SMALL, 5, 16), (SMALL, 4, 17)):
        typical(*case)
    assert len(computed) == 4
    for module, name in ((np, "__version__"), (diffraction, "_SOURCES")):
        monkeypatch.setattr(module, name, "pupil.py" if name[1] == "_" else ("pupil.py",))
        typical.cache_clear()
        diffraction._code.cache_clear()
        typical(SMALL, 4, 16)
    assert len(computed) == 6


def test_what_an_image_was_tried_with_is_not_kept(computed, tmp_path):
    detector = instruments.get("ACS/HRC")
    effective_psf(detector, "F555W", half_pix=16, focus_nm=3.0)
    effective_psf(detector, "F555W", half_pix=16, blur_pix=0.4)
    assert not list(tmp_path.rglob("*.bin"))
    effective_psf(detector, "F555W", half_pix=16)
    assert len(list(tmp_path.rglob("*.bin"))) == 1
    # what every fit of an image begins with is no other than that
    blur = detector.optics.blur.value
    first = effective_psf(detector, "F555W", half_pix=16, blur_pix=blur)
    assert first is effective_psf(detector, "F555W", half_pix=16)

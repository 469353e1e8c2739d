from __future__ import annotations

import numpy as np
import pytest

from hst123r.optics.pupil import PADS, Pupil, halo


@pytest.fixture(scope="module")
def grid():
    axis = np.linspace(-1.1, 1.1, 661)
    return np.meshgrid(axis, axis)


def test_open_area_is_that_of_mirror_less_shadows(grid):
    v2, v3 = grid
    step = v2[0, 1] - v2[0, 0]
    area = Pupil(0.33, 0.022).transmission(v2, v3, step).sum() * step**2
    ring = np.pi * (1 - 0.33**2)
    vanes = 4 * 0.022 * (1 - 0.33)
    # each pad lies wholly inside the mirror but for a sliver
    pads = len(PADS) * np.pi * 0.065**2
    assert area == pytest.approx(ring - vanes - pads, rel=0.005)


def test_what_is_open_and_what_is_not():
    pupil = Pupil(0.33, 0.022, cold_stop=0.4)
    v2 = np.array([0.0, 0.5, 0.5, 0.27, 0.9, 0.7555])
    v3 = np.array([0.0, 0.5, 0.0, 0.27, 0.9, -0.4615])
    wanted = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert pupil.transmission(v2, v3, 1e-3).tolist() == wanted
    assert pupil.shadow == 0.4
    # without the cold stop the point between the two shadows is open
    assert Pupil(0.33, 0.022).transmission(v2[3:4], v3[3:4], 1e-3)[0] == 1.0


def test_wavefront_has_unit_rms_over_the_pupil(grid):
    v2, v3 = grid
    pupil = Pupil(0.33, 0.022)
    transmission = pupil.transmission(v2, v3, 0.003)
    waves = pupil.wavefront(v2, v3, transmission)
    weight = transmission / transmission.sum()
    assert np.sum(weight * waves) == pytest.approx(0.0, abs=1e-12)
    assert np.sum(weight * waves**2) == pytest.approx(1.0, abs=1e-12)


def test_scattering_loses_no_light_and_is_worse_in_the_blue():
    far = np.array([0.0, 0.001, 1.0])
    blue, red = halo(far, 300e-9), halo(far, 800e-9)
    assert blue[0] == red[0] == 1.0
    assert np.all(np.diff(blue) < 0)
    assert blue[2] == pytest.approx(np.exp(-((2 * np.pi * 16.1 / 300) ** 2)))
    assert red[2] > blue[2]

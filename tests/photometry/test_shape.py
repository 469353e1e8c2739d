from __future__ import annotations

import numpy as np

from hst123r.photometry.shape import broadened


def test_the_broadening_of_a_gaussian(psf, make_psf):
    wider = make_psf(np.sqrt(0.9**2 + 0.004))
    change = (wider.data - psf.data) / 0.004
    assert np.abs(broadened(psf).data - change).max() < 0.01 * np.abs(change).max()


def test_light_is_only_moved(psf):
    assert abs(broadened(psf).data.sum()) < 1e-6
    assert broadened(psf) is broadened(psf)

"""Focus and charge diffusion of a frame's own stars."""

import numpy as np
import pytest

from hst123r.errors import StageError
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.psf_hybrid import hybrid_psf
from hst123r.photometry.sky import Background

BLUR = 0.9


@pytest.fixture
def model(make_psf):
    """A telescope whose defocus throws light from the core into a wider disc."""
    wide = make_psf(sigma=2.2)

    def of(focus_nm, blur_pix):
        out = 0.1 + 4e-4 * (focus_nm - 10.0) ** 2 / (1 + abs(focus_nm) / 100)
        core = make_psf(sigma=max(blur_pix, 0.3))
        return EffectivePSF((1 - out) * core.data + out * wide.data, core.oversampling)

    return of


def scene(make_frame, grid, model, true, number=25):
    x, y = (place[:number] for place in grid(shape=(240, 240)))
    light = np.linspace(2e4, 9e4, x.size)
    frame = make_frame(
        x, y, light, shape=(240, 240), used_psf=model(0.0, BLUR), with_psf=model(*true)
    )
    return frame, x, y, light


def test_both_are_found_within_their_errors(make_frame, grid, model):
    frame, x, y, _ = scene(make_frame, grid, model, (6.0, 0.96))
    sky = Background.flat(50.0, frame.shape, np.nan)
    found = hybrid_psf(frame, x, y, sky, model, BLUR)
    assert abs(found.focus_nm - 6.0) < 5 * found.focus_error_nm + 0.3
    assert abs(found.blur_pix - 0.96) < 5 * found.blur_error_pix + 0.003
    assert found.stars >= 20
    assert found.error_after <= found.error_before


def test_a_psf_that_is_right_stays(make_frame, grid, model):
    frame, x, y, _ = scene(make_frame, grid, model, (0.0, BLUR))
    sky = Background.flat(50.0, frame.shape, np.nan)
    found = hybrid_psf(frame, x, y, sky, model, BLUR)
    change = np.abs(found.psf.data - frame.psf.data).max()
    assert change < 0.01 * frame.psf.central_fraction


def test_too_few_stars_are_said(make_frame, grid, model):
    frame, x, y, _ = scene(make_frame, grid, model, (0.0, BLUR), number=5)
    sky = Background.flat(50.0, frame.shape, np.nan)
    with pytest.raises(StageError, match="5 bright isolated stars"):
        hybrid_psf(frame, x, y, sky, model, BLUR)

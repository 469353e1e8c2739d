"""Stars seen by a telescope out of focus: which PSF gives the right fluxes."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS
from tiers import these

from hst123r import instruments
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.forced import forced
from hst123r.photometry.frame import Frame
from hst123r.photometry.paint import paint
from hst123r.photometry.psf_hybrid import hybrid_psf
from hst123r.photometry.sky import Background

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
SHAPE, SKY, READ = (600, 600), 50.0, 4.0


@pytest.mark.parametrize(
    ("name", "band", "focus_nm", "more_blur"),
    these(
        [
            ("ACS/WFC", "F606W", 15.0, 0.05),
            ("WFC3/UVIS", "F336W", 18.0, -0.05),
            ("ACS/HRC", "F555W", 12.0, 0.04),
            ("WFPC2", "F555W", 15.0, 0.05),
            ("WFC3/IR", "F110W", 40.0, 0.03),
        ],
        "ACS/WFC",
    ),
)
def test_fluxes_of_a_telescope_out_of_focus(name, band, focus_nm, more_blur):
    """The computed PSF is off by per cents, that of the fitted focus by less than 0.3 %."""
    detector = instruments.get(name)
    blur = detector.optics.blur.value
    chip = detector.chips[-1].number

    def model(focus_nm, blur_pix):
        return effective_psf(detector, band, chip=chip, focus_nm=focus_nm, blur_pix=blur_pix)

    true, rng = model(focus_nm, blur + more_blur), np.random.default_rng(1)
    steps = np.arange(30, 580, 40.0)
    x, y = (a.ravel() + rng.uniform(-5, 5, a.size) for a in np.meshgrid(steps, steps))
    light = 10 ** rng.uniform(3.5, 5, x.size)
    image = rng.poisson(SKY + paint(SHAPE, true, x, y, light, 0.0)) + rng.normal(0, READ, SHAPE)
    no = np.zeros(SHAPE, np.bool_)
    frame = Frame(
        image, no, no, READ, 500.0, WCS(naxis=2), model(0.0, blur), np.ones(SHAPE), label="t"
    )
    sky = Background.flat(SKY, SHAPE, np.sqrt(SKY + READ**2))
    found = hybrid_psf(frame, x, y, sky, model, blur)

    def bias(psf):
        fluxes = forced(replace(frame, psf=psf), x, y, sky)
        return abs(float(np.median(-2.5 * np.log10(fluxes.flux / light))))

    assert bias(frame.psf) > 0.008
    assert bias(found.psf) < 0.003
    assert abs(found.focus_nm) == pytest.approx(focus_nm, abs=max(1.0, 5 * found.focus_error_nm))
    assert found.blur_pix == pytest.approx(
        blur + more_blur, abs=max(0.01, 5 * found.blur_error_pix)
    )

"""The computed PSF at any place of a chip."""

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.over_chip import psf_over_chip
from hst123r.optics.telescope import effective_psf


def fitted(star, model, radius=3.0):
    """Return the magnitude error of a fit of one PSF to a star of another, mean over phases."""
    steps = np.arange(-4, 5)
    found = []
    for phase in (0.0, 0.25, 0.5):
        inside = (steps - phase) ** 2 + steps[:, None] ** 2 <= radius**2
        found.append((star(phase) * model(phase))[inside].sum() / (model(phase) ** 2)[inside].sum())
    return -2.5 * np.log10(np.mean(found))


CASES = [
    pytest.param(name, band, number, marks=[] if name == "ACS/WFC" else pytest.mark.heavy)
    for name, band, number in [
        ("ACS/WFC", "F606W", 1), ("WFC3/UVIS", "F555W", 2), ("WFC3/IR", "F160W", 1),
        ("ACS/HRC", "F555W", 1), ("WFPC2", "F606W", 2),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("name", "band", "number"), CASES)
def test_fluxes_are_right_at_every_place(name, band, number):
    detector = instruments.get(name)
    chip = next(c for c in detector.chips if c.number == number)
    psf = psf_over_chip(detector, band, number)
    middle = effective_psf(detector, band, chip=number)
    right, one = [], []
    for along, up in ((0.02, 0.97), (0.25, 0.25), (0.75, 0.3), (0.98, 0.02)):
        x, y = round(along * chip.columns), round(up * chip.rows)
        there = effective_psf(detector, band, chip=number, position=(x, y), half_pix=16)

        def star(phase, there=there):
            return there.stamps([10 + phase], [10.0], 4)[0][0]

        def model(phase, x=x, y=y):
            return psf.stamps([x + phase], [y], 4)[0][0]

        def single(phase):
            return middle.stamps([10 + phase], [10.0], 4)[0][0]

        right.append(fitted(star, model))
        one.append(fitted(star, single))
    assert np.abs(right).max() < (0.003 if name == "WFPC2" else 0.0015)
    # what the PSF of the middle would do
    assert np.abs(one).max() > 0.004

"""A supernova that is bright in one exposure of several is light, and never taken for a hit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from star_frames import DEC, OUTLIER, SETUPS, lattice, observe
from tiers import these

from hst123r.photometry.joint import common_positions

pytestmark = [pytest.mark.truth, pytest.mark.heavy]

EXPOSURES, BRIGHT = 4, 1
NOTHING = 35.0
"""A magnitude of which no photon comes."""


def supernovae(name, focus_nm):
    """Return frames of which one alone has supernovae, and which stars these are.

    Every third star of a lattice is one, of all magnitudes that the detector is tested with; half
    of them have a neighbour three pixels away that is one magnitude brighter and always there.
    """
    filter_name, bright, faint, spacing = SETUPS[name]
    pixel, rng = 0.0996 if name == "WFPC2" else spacing / 48, np.random.default_rng(3)
    east, north = lattice(spacing, 6.5 * spacing)
    magnitude, new = rng.uniform(bright, faint, east.size), np.arange(east.size) % 3 == 0
    beside, angle = new & (np.arange(east.size) % 2 == 0), rng.uniform(0, 2 * np.pi, east.size)
    east = np.append(east, (east + 3 * pixel * np.sin(angle))[beside])
    north = np.append(north, (north + 3 * pixel * np.cos(angle))[beside])
    magnitude = np.append(magnitude, np.maximum(magnitude[beside] - 1, bright))
    new = np.append(new, np.zeros(beside.sum(), bool))
    with_them, without = (
        observe(
            name,
            filter_name,
            east,
            north,
            seen,
            EXPOSURES,
            size=720,
            focus_nm=focus_nm,
            only=only,
            cosmic_rays=False,
        )
        for seen, only in ((magnitude, BRIGHT), (np.where(new, NOTHING, magnitude), None))
    )
    frames = list(without.frames)
    (frames[BRIGHT],) = with_them.frames
    return replace(with_them, frames=frames), new & np.isfinite(without.x).all(axis=0), pixel


@pytest.mark.parametrize("focus_nm", [0.0, 40.0], ids=["right PSF", "PSF out of focus"])
@pytest.mark.parametrize("name", these(SETUPS, "ACS/WFC"))
def test_a_supernova_in_one_exposure_is_no_hit(name, focus_nm):
    """Also where the PSF is wrong by 40 nm of defocus, which changes fluxes by some per cent."""
    field, new, pixel = supernovae(name, focus_nm)
    wrong = np.random.default_rng(9).normal(0, 0.05 * pixel, (2, new.size))
    places = field.ra + wrong[0] / 3600 / np.cos(np.radians(DEC)), field.dec + wrong[1] / 3600
    alone, compared = (
        common_positions(field.frames, *places, prior_arcsec=0.1 * pixel, scales=scales)
        for scales in (None, np.ones(EXPOSURES))
    )
    before, after = alone.fluxes[BRIGHT], compared.fluxes[BRIGHT]
    assert new.sum() > 40
    # nothing of their light is taken, and no pixel more is left out
    assert np.all(np.abs(after.flux - before.flux)[new] < 0.1 * before.error[new])
    assert not np.any((after.flags & ~before.flags)[new] & OUTLIER)
    if not focus_nm:
        pull = ((after.flux - field.flux) / after.error)[new & (after.flags == 0)]
        assert pull.size > 30
        assert abs(np.mean(pull)) < 0.5
        assert np.mean(np.abs(pull) < 2) > 0.85
        # nor is anything put where they are not; a wrong PSF of the neighbours puts much there
        for number in {*range(EXPOSURES)} - {BRIGHT}:
            dark, still = compared.fluxes[number], alone.fluxes[number]
            assert np.all(np.abs(dark.flux - still.flux)[new] < 0.1 * still.error[new])
            assert np.median(np.abs(dark.flux / dark.error)[new]) < 1

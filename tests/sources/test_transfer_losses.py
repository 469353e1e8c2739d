"""Losses of charge transfer made good in measured fluxes."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r import instruments
from hst123r.photometry.transfer import power_loss
from hst123r.sources.measured import Measurements
from hst123r.sources.transfer_losses import Readout, Transfer, losses, made_good, uncorrected

WFC, HRC = instruments.get("ACS/WFC"), instruments.get("ACS/HRC")
TIME = 500.0


def readout(suffix="flt", mjd=53500.0, corrected=False, first=(0.0, 0.0)):
    return Readout(
        "jabc01a1q", suffix, corrected, False, mjd, TIME, {1: 2, 2: 1}, {1: first, 2: first}
    )


def measured(rate, y, extver):
    shape = np.shape(rate)
    real = {
        name: np.full(shape, 1.0)
        for name in (
            "flux",
            "error",
            "fixed_error",
            "photon_slope",
            "rate_error",
            "x",
            "chi",
            "crowding",
            "usable",
        )
    }  # fmt: skip
    real["sky"] = np.full(shape, 20.0)
    return Measurements(
        **real, rate=np.asarray(rate, float), y=np.broadcast_to(np.asarray(y, float), shape),
        extver=np.broadcast_to(extver, shape), flags=np.zeros(shape, np.int64),
        cte=np.zeros(shape),
    )  # fmt: skip


def test_which_exposures_lose_light():
    given = [
        readout(), readout("flc"), readout(corrected=True), readout(mjd=56000.0),
    ]  # fmt: skip
    assert uncorrected(WFC, given) == ([0], [3])
    assert uncorrected(instruments.get("WFC3/UVIS"), [readout()]) == ([], [0])
    assert uncorrected(instruments.get("WFC3/IR"), [readout()]) == ([], [])


def test_the_chip_that_is_read_from_the_top_is_turned():
    found = measured([[2.0, 2.0]], [99.0, 2048.0 - 100.0], [[1, 2]])
    loss = losses(found, WFC, [readout()], [0])
    assert loss[0, 0] == pytest.approx(loss[0, 1], rel=1e-12)
    expected = power_loss(
        1000.0, 20.0, 100 / 2000, 1167 / 365, amplitude=0.708, sky_power=-0.25, flux_power=-0.44
    )
    assert loss[0, 0] == pytest.approx(float(expected))


def test_a_subarray_counts_from_the_edge_of_the_chip():
    whole = losses(measured([[2.0]], 900.0, [[1]]), WFC, [readout()], [0])
    part = losses(measured([[2.0]], 400.0, [[1]]), WFC, [readout(first=(0.0, 500.0))], [0])
    assert part == pytest.approx(whole)


def test_what_was_lost_comes_back_without_bias():
    """Stars of S/N 3 in each of four exposures: their own noise must not choose the loss."""
    rng = np.random.default_rng(1)
    stars, exposures = 4000, 4
    true = np.full(stars, 0.6)
    y = np.linspace(0, 2047, stars)
    given = [readout() for _ in range(exposures)]
    loss = losses(measured(np.tile(true, (exposures, 1)), y, 1), WFC, given, range(exposures))
    seen = true * 10 ** (-0.4 * loss) + rng.normal(0, 0.2, loss.shape)
    found = replace(measured(seen, y, 1), flux=seen)
    corrected = made_good(found, losses(found, WFC, given, range(exposures)))
    assert np.mean(seen) / 0.6 < 0.97
    assert np.mean(corrected.flux) / 0.6 == pytest.approx(1.0, abs=0.01)
    assert np.all(corrected.error > found.error)
    assert np.array_equal(corrected.of([1]).cte[0], corrected.cte[1])


def test_dimming_is_the_inverse_of_making_good():
    transfer = Transfer(WFC, [readout(), readout("flc")], [0])
    x = y = np.array([900.0, 1900.0])
    light, sky = np.array([60.0, 4000.0]), np.full(2, 20.0)
    left = transfer.dimmed(0, 1, light, sky, x, y)
    assert np.all(left < 0.99 * light)
    found = replace(measured((left / TIME)[None], y, 1), x=x[None])
    one = Transfer(WFC, [readout()], [0]).made_good(found)
    assert one.rate[0] * TIME == pytest.approx(light, rel=1e-6)
    assert np.array_equal(transfer.dimmed(1, 1, light, sky, x, y), light)


def test_other_exposures_stay_as_they_are():
    found = measured([[2.0], [2.0]], 1000.0, [[1], [1]])
    loss = losses(found, HRC, [replace(readout(), chips={1: 1}), readout("flc")], [0])
    assert loss[0, 0] > 0
    assert loss[1, 0] == 0

"""The page of hst123's numbers beside ours: both columns are computed here, and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hst123r import instruments
from hst123r.algorithms.epochs import link
from hst123r.errors import InputError
from hst123r.photometry.annulus_sky import Clipping
from hst123r.photometry.combine import combine
from hst123r.photometry.dolphot_mask import above, below, mask_pixels
from hst123r.photometry.limits import limiting_magnitude
from hst123r.photometry.magnitudes import (
    flux_njy,
    magnitude_ab,
    magnitude_error,
    zeropoint_ab,
    zeropoint_st,
)
from hst123r.photometry.relation import fit_relation
from hst123r.products.dolphot.images import mask_rules
from hst123r.records import position
from hst123r.stages.drizzle import DrizzleParams
from hst123r.stages.select import SelectParams

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hst123-numbers.md"
POGSON = 2.5 / np.log(10)


def table():
    """Return the rows of the page by case: input, hst123, ours, why."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {name: rest for name, *rest in cells[2:]}


def mean(flux, error):
    one = np.ones(len(flux))
    return combine(np.array(flux, float), np.array(error, float), one, one)


def hst123_mean(flux, error):
    """Mean and error by hst123's formulas: the rms of the errors, whatever their number."""
    flux, error = np.array(flux, float), np.array(error, float)
    value = np.sum(flux / error**2) / np.sum(error**-2)
    return value, np.sqrt(np.mean(error**2))


def faint(seed=1, stars=20000):
    """Eight exposures of S/N 2 for many stars of flux 1."""
    return 1 + np.random.default_rng(seed).normal(0, 0.5, (8, stars))


def by_chip(*photflam):
    return ", ".join(f"{float(zeropoint_ab(value, 5000.0)):.5f}" for value in photflam)


def weighted():
    found = mean([100, 200], [10, 20])
    mag = 27.5 - 2.5 * np.log10(found.flux[0])
    errors = [POGSON * e[0] / found.flux[0] for e in (found.error, found.error_weights)]
    return f"{mag:.5f} ± {errors[0]:.4f}; from the weights {errors[1]:.4f}"


def hst123_weighted():
    value, error = hst123_mean([100, 200], [10, 20])
    return f"{27.5 - 2.5 * np.log10(value):.5f} ± {1.086 * error / value:.4f}"


def bad_one():
    found = mean([100, 300], [0.1 * 100 / POGSON, 2.0 * 300 / POGSON])
    return f"{found.flux[0]:.2f}, of 2"


def nothing():
    with pytest.raises(InputError):
        combine([], [], [], [])
    zero = mean([0, 0], [5, 5])
    assert zero.flux[0] == 0
    assert np.isnan(zero.magnitude_ab()[0])
    return f"an error; flux 0 ± {zero.error[0]:.3f}, no magnitude"


def shrinking():
    found = [mean([100.0] * n, [10.0] * n) for n in (1, 4, 16)]
    return ", ".join(f"{float(magnitude_error(f.flux, f.error)[0]):.4f}" for f in found)


def hst123_shrinking():
    found = [hst123_mean([100.0] * n, [10.0] * n) for n in (1, 4, 16)]
    return ", ".join(f"{1.086 * error / value:.4f}" for value, error in found)


def eight():
    flux = faint()
    one = np.ones(8)
    value = np.median(combine(flux, np.full(flux.shape, 0.5), one, one).flux)
    return f"{abs(-2.5 * np.log10(value)):.2f}"


def hst123_eight():
    flux = faint()
    kept = (flux > 0) & (1.086 * 0.5 / np.maximum(flux, 1e-9) < 0.5)
    number = kept.sum(axis=0)
    value = np.sum(np.where(kept, flux, 0), axis=0)[number > 0] / number[number > 0]
    return f"{2.5 * np.log10(np.median(value)):.2f}"


def synthetic():
    """Stars of 20 to 28 mag with the same error of the flux, a third of that of magnitude 27."""
    truth = flux_njy(np.random.default_rng(3).uniform(20, 28, 4000))
    sigma = float(flux_njy(27.0)) / 3
    flux = truth + np.random.default_rng(4).normal(0, sigma, truth.size)
    relation = magnitude_ab(fit_relation(flux, np.full(flux.size, sigma)).limit(3.0))
    forced = limiting_magnitude(flux[0], sigma)
    return f"forced {float(forced):.2f}, relation {float(relation):.2f}"


def no_limit():
    mags = np.linspace(20, 26, 50)
    constant = fit_relation(flux_njy(mags), 0.1 * flux_njy(mags) / POGSON)
    found = [fit_relation([], []), fit_relation([1.0], [0.1]), constant]
    return ", ".join(f"{one.limit(3.0):g}" for one in found)


def epochs(*days):
    return str(link(days, 1.0))


def three_filters():
    return f"{link([0, 2 / 24], 1.0)} for F606W, {link([1 / 24], 1.0)} for F814W"


def combining():
    params = DrizzleParams()
    return ", ".join(
        f"{kind} {number}" for kind, number in (params.rule(n) for n in (2, 6, 7, 10, 20))
    )


def snana():
    unit = 10 ** (0.4 * (27.5 - 31.4))
    flux = float(flux_njy(25.2))
    return f"{flux * unit:.4f} ± {0.03 / POGSON * flux * unit:.5f}"


def hst123_snana():
    flux = 10 ** (0.4 * (27.5 - 25.2))
    return f"{flux:.4f} ± {0.03 * flux / 1.086:.5f}"


def safely():
    return ", ".join(f"{float(below(v)):.7g} and {float(above(v)):.7g}" for v in (0, -250, 100))


def masked():
    rules = mask_rules(instruments.get("ACS/WFC"))
    values = [(50, 2048), (50, 16), (50, 8192), (50, 64), (70000, 0), (-500, 0)]
    data = np.array([[value for value, _ in values]], np.float32)
    quality = np.array([[bits for _, bits in values]], np.int32)
    found = mask_pixels(data, quality, rules, (-100.0, 60000.0)).data[0]
    return ", ".join(f"{float(value):.7g}" for value in found)


def places():
    one, two = position.parse("180 -45"), position.parse("12:00:00 +00:00:00")
    with pytest.raises(ValueError, match="not valid"):
        position.parse("not valid")
    return f"{one.ra_deg:g} {one.dec_deg:g}; {two.ra_deg:g} {two.dec_deg:g}; an error"


ST = f"; ST {float(zeropoint_st(1e-19)):.1f}"
OURS = {
    "AB and ST zeropoint": lambda: by_chip(1e-19) + ST,
    "zeropoint of each chip": lambda: by_chip(1e-19, 2e-19),
    "mean of one": lambda: (
        f"{27.5 - 2.5 * np.log10(10 * 10**1.0):.1f} ± "
        f"{POGSON * mean([100], [10 / POGSON]).error[0] / 100:.1f}"
    ),
    "mean of nothing": nothing,
    "a poor exposure": bad_one,
    "weighted mean": weighted,
    "error of 1, 4 and 16": shrinking,
    "eight of S/N 2": eight,
    "limit of nothing": no_limit,
    "limit at 27": synthetic,
    "flux of magnitude 0": lambda: f"{float(flux_njy(0.0)) / 1e9:.0f} Jy",
    "SNANA": snana,
    "half a day": lambda: epochs(0, 0.5),
    "nine days": lambda: epochs(0, 9),
    "a chain": lambda: epochs(0, 23 / 24, 46 / 24),
    "two filters in two hours": three_filters,
    "shortest exposure": lambda: f"{SelectParams().min_exposure.to('s'):g} s",
    "combining a stack": combining,
    "samples of the sky": lambda: ", ".join(
        str(len(Clipping(*annulus, 2.0, 2.25).offsets())) for annulus in ((15, 35, 4), (10, 25, 2))
    ),
    "safely outside": safely,
    "masked values": masked,
    "positions": places,
}
HST123 = {
    "AB and ST zeropoint": OURS["AB and ST zeropoint"],
    "zeropoint of each chip": OURS["zeropoint of each chip"],
    "a poor exposure": lambda: "100.00, of 1",
    "weighted mean": hst123_weighted,
    "error of 1, 4 and 16": hst123_shrinking,
    "eight of S/N 2": hst123_eight,
    "SNANA": hst123_snana,
}
"""Where a formula of hst123's is enough; its other numbers come from running it."""


def test_every_case_stands_on_the_page_and_no_other():
    assert list(table()) == list(OURS)


@pytest.mark.parametrize("case", OURS)
def test_our_number_is_the_one_on_the_page(case):
    assert OURS[case]() == table()[case][2]


@pytest.mark.parametrize("case", HST123)
def test_the_number_of_hst123_is_that_of_its_formula(case):
    assert HST123[case]() == table()[case][1]


def test_where_they_differ_the_page_says_why():
    for case, (_, theirs, ours, why) in table().items():
        assert bool(why) is (theirs != ours), case

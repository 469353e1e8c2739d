"""Sources of a field, and its targets where there is none."""

import numpy as np
import pytest

from hst123r.algorithms.sphere import separation_arcsec
from hst123r.products.source_table import read_sources
from hst123r.products.stacks import read_stack

RA, DEC = 150.1, 2.2


@pytest.fixture
def inputs(small):
    return {"stack": small.products("stacks", "stack")}


def test_every_star_that_is_bright_enough_is_found_where_it_is(small):
    """Stars of 24 mag have S/N of dozens in these stacks; two in a hundred may be missed.

    Only stars on both exposures of a visit are asked for: at the edges of the dither, where
    cosmic rays could not be told, nothing is searched.
    """
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    truth, other = small.truth("jsi00102q"), small.truth("jsi00101q")
    for name in ("x", "y"):
        truth = truth[(truth[name] > 4) & (truth[name] < 315)]
        other = other[(other[name] > 4) & (other[name] < 315)]
    truth = truth[np.isin(truth["star"], other["star"])]
    truth = truth[truth["magnitude"] < 24.5]
    found = 0
    for star in truth:
        apart = separation_arcsec(
            star["ra"], star["dec"], np.asarray(sources["ra"]), np.asarray(sources["dec"])
        )
        nearest = int(np.argmin(apart))
        if apart[nearest] < 0.05:
            found += 1
            assert apart[nearest] < 4 * sources["pos_err"][nearest] / 1000
    assert found >= 0.97 * len(truth)


def test_what_is_clear_in_the_deep_part_is_a_star(small):
    """Of cosmic rays hardly one bright leftover remains where every epoch has two exposures."""
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    sources = sources[sources["target"] == ""]
    truths = [small.truth(path.name[:9]) for path in small.folder.glob("raw/*_flc.fits")]
    ra = np.concatenate([np.asarray(table["ra"]) for table in truths])
    dec = np.concatenate([np.asarray(table["dec"]) for table in truths])
    apart = np.array([separation_arcsec(s["ra"], s["dec"], ra, dec).min() for s in sources])
    blue = read_stack(small.path("stacks/*f606w/*_drz.fits"))
    red = read_stack(small.path("stacks/*f814w/*_drz.fits"))
    deep = np.ones(len(sources), bool)
    for stack, depth in ((blue, 1200), (red, 450)):
        x, y = np.round(stack.wcs.all_world2pix(sources["ra"], sources["dec"], 0)).astype(int)
        deep &= stack.weight[y, x] > depth
    clear = deep & (np.asarray(sources["snr"]) > 50)
    assert clear.sum() > 20
    assert (apart[clear] > 0.1).sum() <= 1


def test_a_target_without_a_source_is_measured_where_the_recipe_puts_it(small):
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    (row,) = sources[sources["target"] != ""]
    assert row["target"] == "nothing"
    assert row["dec"] == pytest.approx(DEC + 4.3 / 3600, abs=1e-8)
    assert small.facts("sources")["SN"]["unseen"] == ["nothing"]


def test_a_higher_threshold_finds_fewer_and_none_is_a_caveat(inputs, divide, do):
    job = divide("detect", inputs)["SN"]
    counts = []
    for threshold in (5.0, 50.0, 100.0):
        outcome = do("detect", job, {"threshold": threshold})
        counts.append(outcome.products[0].facts["sources"])
        table = read_sources(outcome.products[0].files["catalog"])
        assert np.all(table["snr"][table["target"] == ""] >= threshold)
    assert counts[0] > counts[1] > counts[2] > 0
    outcome = do("detect", job, {"threshold": 100.0, "min_sources": 1000})
    assert outcome.quality.value == "caveat"


def test_the_deepest_stack_comes_first_and_its_positions_win(inputs, divide, small):
    (job,) = divide("detect", inputs).values()
    assert [p.name for p in job.inputs["stack"]] == ["SN-acs_wfc-f606w", "SN-acs_wfc-f814w"]
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    target = sources[np.argmin(np.hypot(sources["ra"] - RA, sources["dec"] - DEC))]
    assert target["stack"] == "SN-acs_wfc-f606w"


def test_no_two_sources_are_one_star(small):
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    ra, dec = np.asarray(sources["ra"]), np.asarray(sources["dec"])
    for i in range(len(sources)):
        apart = separation_arcsec(ra[i], dec[i], np.delete(ra, i), np.delete(dec, i))
        assert apart.min() > 0.05


def test_the_noise_is_that_of_the_pixels(small):
    noise = small.measured("detect", "noise")
    stack = read_stack(small.path("stacks/*f606w/*_drz.fits"))
    depth = stack.weight > 1500
    pixels = stack.science[depth]
    spread = 1.4826 * np.median(np.abs(pixels - np.median(pixels)))
    weight = np.median(stack.weight[stack.weight > 0])
    expected = spread * np.sqrt(np.median(stack.weight[depth]) / weight)
    assert noise["SN-acs_wfc-f606w"] == pytest.approx(expected, rel=0.15)

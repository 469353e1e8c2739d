"""Stacks: how exposures are grouped, what is made of cosmic rays, units and caveats."""

import math

import numpy as np
import pytest
from astropy.io import fits

from hst123r.products.quality import read_mask
from hst123r.products.stacks import read_stack

RA, DEC = 150.1, 2.2
EPOCH = "SN-acs_wfc-f606w-20190401"


@pytest.fixture
def inputs(small):
    return {"exposure": small.products("align", "exposure"), "cosmic-ray mask": []}


def aperture(path, mag):
    """Magnitude of the transient in a stack, by the zeropoint of its header."""
    stack = read_stack(path)
    x, y = stack.wcs.all_world2pix([[RA, DEC]], 0)[0]
    rows, columns = np.indices(stack.science.shape)
    scale = 3600 * math.sqrt(abs(np.linalg.det(stack.wcs.pixel_scale_matrix)))
    inside = np.hypot(columns - x, rows - y) * scale < 0.4
    flux = float(np.nansum(stack.science[inside]))
    return stack.header["ZP_AB"] - 2.5 * math.log10(flux) - mag


@pytest.mark.parametrize(
    ("per", "count", "label"),
    [
        (["detector", "filter"], 2, "SN-acs_wfc-f606w"),
        (["detector", "filter", "epoch"], 3, EPOCH),
        (["visit"], 3, "SN-acs_wfc-f606w-99900_02"),
        (["epoch", "visit"], 3, "SN-acs_wfc-f814w-20190401-99900_01"),
    ],
)
def test_exposures_are_grouped_by_what_the_recipe_says(inputs, divide, per, count, label):
    jobs = divide("drizzle", inputs, {"per": per})
    assert len(jobs) == count
    assert label in jobs
    assert sum(len(job.inputs["exposure"]) for job in jobs.values()) == 6


def test_masks_of_each_epoch_are_taken_over_and_those_across_epochs_are_not(small, divide):
    exposures = small.products("align", "exposure")
    masks = small.products("epochs", "cosmic-ray mask")
    given = {"exposure": exposures, "cosmic-ray mask": masks}
    jobs = divide("drizzle", given)
    assert len(jobs["SN-acs_wfc-f606w"].inputs["cosmic-ray mask"]) == 4
    given["cosmic-ray mask"] = masks[1:]
    missing = [job for job in divide("drizzle", given).values() if len(
        job.inputs["cosmic-ray mask"]) == 0]  # fmt: skip
    assert len(missing) == 1
    for mask in masks:
        mask.facts["epochs"] = 2
    given["cosmic-ray mask"] = masks
    assert not any(j.inputs["cosmic-ray mask"] for j in divide("drizzle", given).values())


def test_stacks_of_a_field_share_their_pixels(small):
    places = set()
    for path in small.folder.glob("products/*/*/*_drz.fits"):
        header = fits.getheader(path, "SCI")
        assert (header["CRVAL1"], header["CRVAL2"]) == (RA, DEC)
        assert header["CRPIX1"] == round(header["CRPIX1"])
        places.add((header["CD1_1"], header["CD2_2"]))
    assert len(places) == 1


def test_the_transient_is_as_bright_as_it_was(small):
    first = small.path("epochs/*f606w-20190401/*_drz.fits")
    assert aperture(first, 21.0) == pytest.approx(0.08, abs=0.06)
    red = small.path("epochs/*f814w-20190401/*_drz.fits")
    assert aperture(red, 21.0) == pytest.approx(0.09, abs=0.07)


def test_a_source_that_changed_is_not_taken_for_a_cosmic_ray(small):
    """Four exposures of two epochs: the mean of 21 and 24 mag, not one of them."""
    mean = -2.5 * math.log10((1 + 10 ** (-0.4 * 3)) / 2) + 21.0
    path = small.path("stacks/*f606w/*_drz.fits")
    assert aperture(path, mean) == pytest.approx(0.08, abs=0.06)


def test_cosmic_rays_are_found_where_they_are(small):
    """In the overlap of two exposures nearly every flagged pixel was hit, and most hits are."""
    fractions = small.measured("epochs", "cosmic_ray_fraction")
    assert set(fractions) == {path.name[:9] for path in small.folder.glob("raw/*_flc.fits")}
    for root, fraction in fractions.items():
        hit = sum(small.truth(root).meta["cosmic_ray_pixels"].values()) / (2 * 320 * 320)
        assert 0.5 * hit < fraction < 1.3 * hit
    mask = read_mask(small.path("epochs/*f606w-20190401/jsi00101q_crmask.fits"))
    assert sum(int(plane.sum()) for plane in mask.values()) / (2 * 320 * 320) == pytest.approx(
        fractions["jsi00101q"]
    )


def test_counts_are_stated_as_such_and_measure_the_same(inputs, divide, do):
    params = {"units": "counts", "per": ["epoch"]}
    outcome = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    stack = outcome.products[0]
    assert stack.facts["unit"] == "ELECTRONS"
    assert aperture(stack.files["science"], 21.0) == pytest.approx(0.08, abs=0.06)


def test_scale_and_rotation_are_the_users(inputs, divide, do):
    params = {"scale": "0.08 arcsec", "rotation": "25 deg", "per": ["epoch"]}
    outcome = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    facts = outcome.products[0].facts
    assert (facts["scale_arcsec"], facts["weight_type"]) == (0.08, "EXP")
    stack = read_stack(outcome.products[0].files["science"])
    assert list(stack.science.shape) == facts["shape"]
    matrix = stack.wcs.pixel_scale_matrix * 3600
    assert math.sqrt(abs(np.linalg.det(matrix))) == pytest.approx(0.08)
    assert math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])) == pytest.approx(25.0, abs=1e-6)
    assert aperture(outcome.products[0].files["science"], 21.0) == pytest.approx(0.08, abs=0.07)


def test_weights_by_err_take_light_from_bright_stars_and_it_is_said(inputs, divide, do):
    """Where a star is bright its own photons are in ERR, so its core counts less than its wings."""
    params = {"weight": "ERR", "per": ["epoch"]}
    outcome = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    assert outcome.products[0].facts["weight_type"] == "ERR"
    assert [caveat.code for caveat in outcome.caveats] == ["weight_err"]
    lost = aperture(outcome.products[0].files["science"], 21.0)
    assert 0.15 < lost < 0.6


def test_what_a_user_should_know_is_said(inputs, divide, do):
    params = {"kernel": "gaussian"}
    outcome = do("drizzle", divide("drizzle", inputs, params)["SN-acs_wfc-f606w"], params)
    assert {caveat.code for caveat in outcome.caveats} == {"kernel", "cosmic_rays_across_epochs"}
    masks = [product for product in outcome.products if product.kind == "cosmic-ray mask"]
    assert [mask.facts["epochs"] for mask in masks] == [2] * 4


def test_one_exposure_alone_is_drizzled_without_a_search(inputs, divide, do):
    inputs["exposure"] = [p for p in inputs["exposure"] if p.name == "jsi00103q"]
    (job,) = divide("drizzle", inputs).values()
    outcome = do("drizzle", job)
    assert [product.kind for product in outcome.products] == ["stack"]
    assert outcome.measurements == []
    assert outcome.products[0].facts["exposure_time_s"] == 300.0


def test_no_product_is_an_error(inputs, divide, do, tmp_path):
    import shutil

    product = next(p for p in inputs["exposure"] if p.name == "jsi00103q")
    path = tmp_path / "jsi00103q_flc.fits"
    shutil.copy(product.files["science"], path)
    path.chmod(0o644)
    fits.setval(path, "EXPTIME", value=0.0)
    product.files["science"] = str(path)
    (job,) = divide("drizzle", {"exposure": [product], "cosmic-ray mask": []}).values()
    assert "AstroDrizzle" in do("drizzle", job)

"""Stacks: how exposures are grouped, what is made of cosmic rays, units and caveats."""

import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.optics.telescope import effective_psf
from hst123r.products.quality import read_mask, read_searched
from hst123r.products.stacks import read_stack
from hst123r.records.outcome import Product

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
        (["proposal"], 2, "SN-acs_wfc-f606w-99900"),
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
    # one of two was left out where its epoch was searched; whether it is again shows later
    given["cosmic-ray mask"] = masks[1:]
    counts = [len(job.inputs["cosmic-ray mask"]) for job in divide("drizzle", given).values()]
    assert sorted(counts) == [2, 3]
    # an epoch that was not searched
    first = masks[0].labels["epoch"], masks[0].labels["filter"]
    given["cosmic-ray mask"] = [
        mask for mask in masks if (mask.labels["epoch"], mask.labels["filter"]) != first
    ]
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


@pytest.mark.heavy
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


def test_one_exposure_alone_has_the_time_and_counts_of_its_input(inputs, small, divide, do):
    """hst123 gave AstroDrizzle the exposure twice, and both were doubled."""
    inputs["exposure"] = [p for p in inputs["exposure"] if p.name == "jsi00103q"]
    params = {"units": "counts", "object": "SN 2019x"}
    (job,) = divide("drizzle", inputs, params).values()
    outcome = do("drizzle", job, params)
    assert [product.kind for product in outcome.products] == ["stack"]
    assert outcome.measurements == []
    assert outcome.products[0].facts["exposure_time_s"] == 300.0
    path = outcome.products[0].files["science"]
    source = fits.getheader(inputs["exposure"][0].files["science"])
    with fits.open(path) as hdus:
        header = hdus[0].header
        assert (header["EXPTIME"], header["NINPUT"]) == (300.0, 1)
        assert header["INPUT"] == "jsi00103q"
        assert (header["TARGNAME"], header["OBJECT"]) == ("SN 2019x", "SN 2019x")
        assert header["EXPSTART"] == source["EXPSTART"]
        assert header["EXPEND"] == source["EXPEND"]
        assert list(hdus["HDRTAB"].data["EXPTIME"]) == [300.0, 300.0]
        for keyword in ("PHOTFLAM", "PHOTPLAM", "ZP_AB"):
            assert hdus["SCI"].header[keyword] > 0
    with fits.open(path) as hdus:
        # flagged in the one exposure there is: not a value that AstroDrizzle left there
        assert np.isnan(hdus["SCI"].data[hdus["WHT"].data == 0]).all()
    stack = read_stack(path)
    # its sky is off although there is none to match it with
    sky = np.median(fits.getdata(inputs["exposure"][0].files["science"], "SCI"))
    assert sky > 10
    assert abs(np.nanmedian(stack.science)) < 0.1 * sky
    star = max(small.truth("jsi00103q"), key=lambda row: row["rate"])
    x, y = stack.wcs.all_world2pix([[star["ra"], star["dec"]]], 0)[0]
    rows, columns = np.indices(stack.science.shape)
    counts = float(np.nansum(stack.science[np.hypot(columns - x, rows - y) < 10]))
    psf = effective_psf(instruments.get("ACS/WFC"), "F814W")
    expected = 300.0 * star["rate"] * psf.encircled_energy(10)
    assert counts == pytest.approx(expected, rel=0.05)


@pytest.mark.heavy
def test_the_order_of_the_inputs_does_not_count(inputs, divide, do):
    pixels = []
    for order in (1, -1):
        given = {"exposure": inputs["exposure"][::order], "cosmic-ray mask": []}
        outcome = do("drizzle", divide("drizzle", given, {"per": ["epoch"]})[EPOCH])
        with fits.open(outcome.products[0].files["science"]) as hdus:
            pixels.append([hdus[name].data.tobytes() for name in ("SCI", "WHT", "CTX")])
    assert pixels[0] == pixels[1]


@pytest.mark.heavy
def test_the_engine_drizzle_makes_the_same_products(inputs, divide, do):
    """Facts, measurements, caveats, cards and masks; the pixels within AstroDrizzle's own error."""
    from hst123r.stage import registry

    params = {"per": ["epoch"], "bits": [64, 32]}
    job = divide("drizzle", inputs, params)[EPOCH]
    theirs, ours = (
        do("drizzle", job, {**params, "engine": name}) for name in ("astrodrizzle", "drizzle")
    )
    assert [(p.kind, p.name, p.labels) for p in ours.products] == [
        (p.kind, p.name, p.labels) for p in theirs.products
    ]
    before, after = theirs.products[0].facts, ours.products[0].facts
    assert {k: v for k, v in after.items() if k != "covered"} == {
        k: v for k, v in before.items() if k != "covered"
    }
    assert after["covered"] == pytest.approx(before["covered"], abs=2e-5)
    fractions = [[m.value for m in outcome.measurements] for outcome in (theirs, ours)]
    assert fractions[1] == pytest.approx(fractions[0], rel=5e-3)
    one, other = (outcome.products[0].files["science"] for outcome in (theirs, ours))
    with fits.open(one) as a, fits.open(other) as b:
        assert [hdu.name for hdu in a] == [hdu.name for hdu in b]
        assert [list(hdu.header) for hdu in a] == [list(hdu.header) for hdu in b]
    assert aperture(other, 21.0) == pytest.approx(aperture(one, 21.0), abs=2e-4)
    stage = registry.get("drizzle")
    made = [stage.params.model_validate({"engine": name}) for name in ("astrodrizzle", "drizzle")]
    assert "drizzle" not in stage.software(made[0])
    assert stage.software(made[1]) == (*stage.tools, "drizzle")


@pytest.mark.heavy
def test_the_order_of_the_inputs_does_not_count_for_the_engine_drizzle(inputs, divide, do):
    params, pixels = {"per": ["epoch"], "engine": "drizzle", "size": "300 pix"}, []
    for order in (1, -1):
        given = {"exposure": inputs["exposure"][::order], "cosmic-ray mask": []}
        outcome = do("drizzle", divide("drizzle", given, params)[EPOCH], params)
        with fits.open(outcome.products[0].files["science"]) as hdus:
            pixels.append([hdus[name].data.tobytes() for name in ("SCI", "WHT", "CTX")])
    assert pixels[0] == pixels[1]


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ["astrodrizzle", "drizzle"])
def test_beside_a_small_stack_nothing_is_a_cosmic_ray(small, inputs, divide, do, engine):
    """The model is zero there, so each star was flagged, and a larger stack took that over."""
    params = {"engine": engine}
    few = {"exposure": [p for p in inputs["exposure"] if p.labels["epoch"] == "20190401"
                        and p.labels["filter"] == "F606W"], "cosmic-ray mask": []}  # fmt: skip
    little = {**params, "size": "150 pix"}
    (job,) = divide("drizzle", few, little).values()
    first = do("drizzle", job, little)
    masks = [p for p in first.products if p.kind == "cosmic-ray mask"]
    assert len(masks) == 2
    for mask in masks:
        searched = read_searched(mask.files["mask"])
        pixels = sum(int(plane.sum()) for plane in searched.values())
        # the stack has 150 x 150 pixels, and the gap between the chips takes some
        assert 10000 < pixels < 25000
        for version, plane in read_mask(mask.files["mask"]).items():
            assert not (plane & ~searched[version]).any()
        (measured,) = (m for m in first.measurements if m.subject == mask.name)
        hit = sum(small.truth(mask.name).meta["cosmic_ray_pixels"].values()) / (2 * 320 * 320)
        assert measured.value < 2 * hit
    # a stack that reaches beyond looks anew, and loses no light; one of the same size does not
    known = {"exposure": few["exposure"], "cosmic-ray mask": masks}
    with_masks, without = (divide("drizzle", given, params) for given in (known, few))
    stacks = [do("drizzle", next(iter(jobs.values())), params) for jobs in (with_masks, without)]
    assert {c.code for c in stacks[0].caveats} == {"mask_too_small"}
    one, other = (fits.getdata(stack.products[0].files["science"]) for stack in stacks)
    assert np.array_equal(one, other, equal_nan=True)
    (again,) = divide("drizzle", known, little).values()
    same = do("drizzle", again, {**little, "max_cosmic_ray_fraction": 1e-6})
    assert [(p.kind, c) for p in same.products for c in same.caveats] == []
    # masks that were taken over are measured like those that were found
    assert [m.value for m in same.measurements] == [m.value for m in first.measurements]
    assert all(m.high == 1e-6 for m in same.measurements)


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ["astrodrizzle", "drizzle"])
def test_an_exposure_beside_the_stack_is_left_out_and_named(inputs, divide, do, tmp_path, engine):
    """Moved away by three arcmin, it would be one of zeros: cores of stars would be cosmic rays."""
    params = {"per": ["epoch"], "engine": engine, "size": "300 pix", "combine": "median"}
    alone = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    job = divide("drizzle", inputs, params)[EPOCH]
    last = job.inputs["exposure"][-1]
    path = tmp_path / "jsi00999q_flc.fits"
    shutil.copy(last.files["science"], path)
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["ROOTNAME"], hdus[0].header["FILENAME"] = "jsi00999q", path.name
        for hdu in hdus[1:]:
            if "CRVAL1" in hdu.header:
                hdu.header["CRVAL1"] += 0.05
    facts = {**last.facts, "root": "jsi00999q"}
    far = Product("exposure", "jsi00999q", dict(last.labels), {"science": str(path)}, facts)
    job.inputs["exposure"].append(far)
    outcome = do("drizzle", job, params)
    (said,) = (c for c in outcome.caveats if c.code == "beside_stack")
    assert said.subject == "jsi00999q"
    assert "jsi00999q" not in outcome.products[0].facts["exposures"]
    assert [p.name for p in outcome.products] == [p.name for p in alone.products]
    for one, other in zip(alone.products[1:], outcome.products[1:], strict=True):
        before, after = read_mask(one.files["mask"]), read_mask(other.files["mask"])
        assert all(np.array_equal(before[version], after[version]) for version in before)


@pytest.fixture
def last_flagged(inputs, tmp_path):
    """Leave exposures of one filter, and flag the last of them but for some pixels of each chip."""

    def flag(*good):
        inputs["exposure"] = [p for p in inputs["exposure"] if p.labels["filter"] == "F606W"]
        last = inputs["exposure"][-1]
        path = Path(shutil.copy(last.files["science"], tmp_path))
        path.chmod(0o644)
        with fits.open(path, mode="update") as hdus:
            for version in (1, 2):
                plane = hdus["DQ", version].data
                kept = [(part, plane[part].copy()) for part in good]
                plane |= 16
                for part, values in kept:
                    plane[part] = values
        last.files["science"] = str(path)
        return last

    return flag


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ["astrodrizzle", "drizzle"])
def test_an_exposure_that_is_flagged_all_over_is_left_out_and_named(
    small, inputs, divide, do, last_flagged, engine
):
    """drizzlepac finds no sky on it, and stopped; its epoch has masks of the others alone."""
    params, last = {"engine": engine, "size": "300 pix"}, last_flagged()
    # the other exposure of its epoch was searched without it
    masks = [p for p in small.products("epochs", "cosmic-ray mask") if p.name != last.name]
    inputs["cosmic-ray mask"] = [p for p in masks if p.labels["filter"] == "F606W"]
    (job,) = divide("drizzle", inputs, params).values()
    assert len(job.inputs["cosmic-ray mask"]) == 3
    outcome = do("drizzle", job, params)
    assert [(c.code, c.subject) for c in outcome.caveats] == [("all_flagged", last.name)]
    assert last.name not in outcome.products[0].facts["exposures"]
    assert [product.kind for product in outcome.products] == ["stack"]
    assert outcome.products[0].facts["exposure_time_s"] == 1200.0


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ["astrodrizzle", "drizzle"])
def test_an_exposure_that_shares_too_few_good_pixels_is_named(
    inputs, divide, do, last_flagged, engine
):
    params, last = {"engine": engine, "size": "300 pix"}, last_flagged(np.s_[140:150, 140:180])
    (job,) = divide("drizzle", inputs, params).values()
    outcome = do("drizzle", job, params)
    said = [(c.code, c.subject) for c in outcome.caveats if c.code == "sky_unmatched"]
    assert said == [("sky_unmatched", last.name)]
    assert last.name in outcome.products[0].facts["exposures"]


SECOND = "SN-acs_wfc-f606w-20190610"


@pytest.mark.heavy
def test_stacks_of_a_field_can_share_one_grid(inputs, divide, do):
    """A size and a position angle of the user's, and what all cover: always pixel on pixel."""
    shapes = []
    for params in (
        {"per": ["epoch"], "grid": "shared"},
        {"per": ["epoch"], "grid": "shared", "rotation": None, "size": "301 pix"},
    ):
        jobs = divide("drizzle", inputs, params)
        placed = []
        for label in (EPOCH, SECOND):
            stack = read_stack(do("drizzle", jobs[label], params).products[0].files["science"])
            corner = stack.wcs.all_pix2world([[0, 0], [200, 100]], 0)
            placed.append((stack.science.shape, corner.round(9).tolist(), stack.wcs.wcs.crpix[0]))
        assert placed[0] == placed[1]
        shapes.append(stack)
    assert shapes[1].science.shape == (301, 301)
    assert tuple(shapes[1].wcs.wcs.crpix) == (151.0, 151.0)
    # rotation: null keeps the position angle of the first exposure
    matrix = shapes[1].wcs.pixel_scale_matrix
    first = min(inputs["exposure"], key=lambda p: p.facts["start_mjd"])
    angle = first.facts["chips"][0]["position_angle_deg"]
    found = math.degrees(math.atan2(matrix[0, 1], matrix[1, 1]))
    assert (found - angle + 180) % 360 - 180 == pytest.approx(0.0, abs=1e-3)


def test_a_stack_for_each_target_lies_around_it(inputs, divide):
    jobs = divide("drizzle", inputs, {"per": ["target"]})
    centres = {job.labels["target"]: tuple(job.arguments["centre"]) for job in jobs.values()}
    assert set(centres) == {"SN", "nothing"}
    assert centres["SN"] == (RA, DEC)
    assert centres["nothing"][1] == pytest.approx(DEC + 4.3 / 3600)
    assert "SN-acs_wfc-f606w-nothing" in jobs


def test_exposures_without_a_target_are_named_once_and_make_no_stack_anew(inputs, divide, do):
    """By a job of their own: the stacks are what they are without them, argument by argument."""
    given = {"exposure": inputs["exposure"], "cosmic-ray mask": []}
    for product in given["exposure"]:
        if product.name == "jsi00201q" or product.labels["filter"] == "F814W":
            for chip in product.facts["chips"]:
                chip["targets"] = {}
    params = {"per": ["target"], "size": "60 pix", "cosmic_rays": False}
    jobs = divide("drizzle", given, params)
    assert sorted(jobs) == ["SN-acs_wfc-f606w-SN", "SN-acs_wfc-f606w-nothing", "left-out"]
    outcome = do("drizzle", jobs["left-out"], params)
    assert outcome.products == []
    assert sorted((r.subject, r.code) for r in outcome.rejects) == [
        ("jsi00103q", "no_target"), ("jsi00104q", "no_target"), ("jsi00201q", "no_target"),
    ]  # fmt: skip
    assert "no target lies on a chip" in outcome.rejects[0].reason
    assert {r.labels["filter"] for r in outcome.rejects} == {"F606W", "F814W"}
    left_out = {reject.subject for reject in outcome.rejects}
    given["exposure"] = [p for p in given["exposure"] if p.name not in left_out]
    without = divide("drizzle", given, params)
    assert "left-out" not in without
    for label, job in without.items():
        assert (job.arguments, job.labels) == (jobs[label].arguments, jobs[label].labels)


def test_every_parameter_reaches_astrodrizzle(inputs, divide, do, tmp_path):
    """What AstroDrizzle writes down of its own parameters, against the recipe's."""
    params = {
        "per": ["epoch"], "pixfrac": 0.7, "kernel": "turbo", "bits": [64, 32], "fill": -9.0,
        "combine": "imedian", "combine_nhigh": 1, "combine_nlow": 0, "combine_low": -10000.0,
        "combine_high": 90000.0, "combine_nsigma": [5.0, 2.0], "combine_mask": 0.3,
        "combine_grow": 2, "cr_snr": [4.0, 3.2], "cr_scale": [1.4, 0.8], "cr_grow": 3,
        "cr_cte_grow": 2, "sky_method": "localmin", "sky_statistic": "median", "sky_width": 0.2,
        "sky_lower": -90.0, "sky_upper": 800.0, "sky_clip": 4, "sky_sigma": [3.5, 3.0],
        "static_mask": False, "static_sigma": 5.0, "size": "400 pix", "zeropoint": 25.0,
        "rms": True,
    }  # fmt: skip
    outcome = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    (log,) = tmp_path.glob("do0/scratch/drizzle/astrodrizzle.log")
    said = log.read_text()
    for name, value in {
        "combine_type": "imedian", "combine_nhigh": 1,
        "combine_lthresh": -10000.0, "combine_hthresh": 90000.0, "combine_nsigma": "5 2",
        "combine_maskpt": 0.3, "combine_grow": 2, "driz_cr_snr": "4 3.2",
        "driz_cr_scale": "1.4 0.8", "driz_cr_grow": 3, "driz_cr_ctegrow": 2,
        "skymethod": "localmin", "skystat": "median", "skywidth": 0.2, "skylower": -90.0,
        "skyupper": 800.0, "skyclip": 4, "skylsigma": 3.5, "skyusigma": 3.0,
    }.items():  # fmt: skip
        assert re.search(rf"\b{name}\b\s*[:=]\s*'?{re.escape(str(value))}'?\s", said), name
    path = outcome.products[0].files["science"]
    stack = read_stack(path)
    header = fits.getheader(path)
    assert (header["D001PIXF"], header["D001KERN"]) == (0.7, "turbo")
    assert float(header["D001FVAL"]) == -9.0
    # a fill is a number in the file, and no data to us
    raw = fits.getdata(path, "SCI")
    assert np.isnan(stack.science[stack.weight == 0]).all()
    assert (raw[stack.weight == 0] == -9.0).all()
    assert stack.header["ZP_AB"] == 25.0
    noise = fits.getheader(path, "RMS")
    assert noise["RMSCORR"] == pytest.approx(1 / (1 - 0.7 / 3))
    assert noise["BUNIT"] == stack.header["BUNIT"]
    assert np.array_equal(np.isnan(fits.getdata(path, "RMS")), stack.weight == 0)
    assert aperture(path, 21.0) == pytest.approx(0.08, abs=0.06)


@pytest.mark.heavy
def test_sensitivities_are_equalised_before_pixels_are_read(inputs, divide, do, tmp_path):
    """One exposure in units of twice the light: half the pixels, twice PHOTFLAM."""
    job = divide("drizzle", inputs, {"per": ["epoch"]})[EPOCH]
    product = job.inputs["exposure"][1]
    path = tmp_path / Path(product.files["science"]).name
    shutil.copy(product.files["science"], path)
    path.chmod(0o644)
    with fits.open(path, mode="update") as hdus:
        for chip in product.facts["chips"]:
            for name in ("SCI", "ERR"):
                hdus[name, chip["extver"]].data /= 2
            hdus["SCI", chip["extver"]].header["PHOTFLAM"] *= 2
            chip["photflam"] *= 2
    product.files["science"] = str(path)
    found = do("drizzle", job).products[0].files["science"]
    assert aperture(found, 21.0) == pytest.approx(0.08, abs=0.06)
    wrong = do("drizzle", job, {"equalise": False}).products[0].files["science"]
    assert abs(aperture(wrong, 21.0) - 0.08) > 0.1


def test_a_forecast_is_what_is_made(small, divide):
    """Shape and disk of the stacks that were made, foretold from the records alone."""
    from hst123r.records.drizzling import DrizzleParams
    from hst123r.stage import registry
    from hst123r.stage.resources import in_words

    masks = small.products("epochs", "cosmic-ray mask")
    given = {"exposure": small.products("align", "exposure"), "cosmic-ray mask": masks}
    params = DrizzleParams.model_validate({"bits": [64, 32]})
    made = {product.name: product for product in small.products("stacks", "stack")}
    for label, job in divide("drizzle", given).items():
        found = registry.get("drizzle").forecast(job, params)
        assert np.abs(np.subtract(found.shape, made[label].facts["shape"])).max() <= 1
        size = Path(made[label].files["science"]).stat().st_size / 1e6
        assert found.disk_mb == pytest.approx(size, rel=0.1)
        assert not found.refused
        assert f"{found.shape[1]} x {found.shape[0]} pixels" in in_words([found])
        pixels = found.shape[0] * found.shape[1]
        small_limit = params.model_copy(update={"max_megapixels": pixels / 1e6 - 0.001})
        assert "max_megapixels allows" in registry.get("drizzle").forecast(job, small_limit).refused


def test_no_product_is_an_error(inputs, divide, do, tmp_path):
    product = next(p for p in inputs["exposure"] if p.name == "jsi00103q")
    path = tmp_path / "jsi00103q_flc.fits"
    shutil.copy(product.files["science"], path)
    path.chmod(0o644)
    fits.setval(path, "EXPTIME", value=0.0)
    product.files["science"] = str(path)
    (job,) = divide("drizzle", {"exposure": [product], "cosmic-ray mask": []}).values()
    assert "AstroDrizzle" in do("drizzle", job)


def planes(outcome):
    with fits.open(outcome.products[0].files["science"]) as hdus:
        return {name: hdus[name].data.copy() for name in ("SCI", "WHT", "CTX")}


def depth(path):
    """How far inside a box around the transient each pixel of a stack lies, in arcsec."""
    stack = read_stack(path)
    rows, columns = np.indices(stack.science.shape)
    ra, dec = stack.wcs.all_pix2world(columns.ravel(), rows.ravel(), 0)
    x = np.abs((ra - RA) * math.cos(math.radians(DEC)) * 3600)
    y = np.abs((dec - DEC) * 3600)
    return 1.5 - np.maximum(x, y).reshape(stack.science.shape)


def test_a_box_is_left_out_of_the_stack_and_nothing_else_changes(inputs, small, divide, do):
    """Sky, cosmic rays and all pixels outside are, byte for byte, those of a stack without it."""
    before = {p: p.read_bytes() for p in small.folder.glob("raw/*_flc.fits")}
    params = {"per": ["epoch"]}
    plain = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    params["mask"] = [
        {"position": f"{RA} {DEC}", "half_size": "1.5 arcsec"},
        {"position": "12:00:00 -40:00:00"},
    ]
    boxed = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    without, with_box = planes(plain), planes(boxed)
    inside = depth(plain.products[0].files["science"])
    # a drop is at most as large as a pixel of 0.05 arcsec, and is turned
    assert np.all(with_box["WHT"][inside > 0.08] == 0)
    assert np.all(np.isnan(with_box["SCI"][inside > 0.08]))
    assert np.median(without["WHT"][inside > 0.08]) > 700
    for name, plane in with_box.items():
        assert plane[inside < -0.15].tobytes() == without[name][inside < -0.15].tobytes(), name
    for first, second in zip(plain.products[1:], boxed.products[1:], strict=True):
        assert first.kind == "cosmic-ray mask"
        assert Path(first.files["mask"]).read_bytes() == Path(second.files["mask"]).read_bytes()
    assert [(c.code, c.subject) for c in boxed.caveats] == [("mask_unused", "12:00:00 -40:00:00")]
    assert plain.caveats == []
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.heavy
def test_an_extra_exposure_fills_the_box_and_nothing_else(inputs, small, divide, do):
    """Each part of the stack is that of one exposure drizzled alone."""
    before = {p: p.read_bytes() for p in small.folder.glob("raw/*_flc.fits")}
    params = {"per": ["epoch"], "size": "300 pix", "cosmic_rays": False, "subtract_sky": False}
    alone = {}
    for root in ("jsi00101q", "jsi00102q"):
        chosen = [p for p in inputs["exposure"] if p.name == root]
        (job,) = divide("drizzle", {"exposure": chosen, "cosmic-ray mask": []}, params).values()
        alone[root] = planes(do("drizzle", job, params))
    box = {"position": f"{RA} {DEC}", "half_size": "1.5 arcsec"}
    params |= {"mask": [box], "extra": ["jsi00102q", "jxxxxxxxq"]}
    outcome = do("drizzle", divide("drizzle", inputs, params)[EPOCH], params)
    inside = depth(outcome.products[0].files["science"])
    filled = planes(outcome)
    for part, root in ((inside > 0.1, "jsi00102q"), (inside < -0.15, "jsi00101q")):
        assert np.array_equal(filled["WHT"][part], alone[root]["WHT"][part])
        seen = part & (filled["WHT"] > 0)
        assert seen.sum() > 0.9 * (alone[root]["WHT"][part] > 0).sum() > 1000
        assert filled["SCI"][seen] == pytest.approx(alone[root]["SCI"][seen], rel=1e-5, abs=1e-6)
    assert [(c.code, c.subject) for c in outcome.caveats] == [("extra_absent", "jxxxxxxxq")]
    header = fits.getheader(outcome.products[0].files["science"])
    facts = outcome.products[0].facts
    assert (header["EXPTIME"], header["INPUT"], header["NINPUT"]) == (400.0, "jsi00101q", 1)
    assert (header["XEXPTIME"], header["EXTRA"], header["NEXTRA"]) == (400.0, "jsi00102q", 1)
    assert (facts["exposure_time_s"], facts["exposures"]) == (400.0, ["jsi00101q"])
    assert (facts["start_mjd"], facts["end_mjd"]) == (header["EXPSTART"], header["EXPEND"])
    assert all(path.read_bytes() == content for path, content in before.items())

"""Stacks: one file with image, weight and context, and the unit stated."""

import math

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import StageError
from hst123r.files.content import facet_of_card
from hst123r.products.stacks import cards_of, read_stack, write_stack


def ab(flam, plam):
    return -2.5 * math.log10(flam) - 5 * math.log10(plam) - 2.408


def test_image_weight_and_context_are_kept(stack):
    rng = np.random.default_rng(1)
    image = rng.normal(size=(40, 50)).astype("f4")
    weight = np.where(np.arange(50) < 10, 0, 800).astype("f4") * np.ones((40, 1), "f4")
    path, facts = stack(image, weight)
    found = read_stack(path)
    assert np.array_equal(found.science, np.where(weight > 0, image, np.nan), equal_nan=True)
    assert np.array_equal(found.weight, weight)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "WHT", "CTX"]
        assert hdus["CTX"].data.dtype.kind == "i"
        assert hdus[0].header["NINPUT"] == 2
        assert hdus[0].header["TARGNAME"] == "SN"
        assert "drizzled" in str(hdus[0].header["HISTORY"])
    assert facts["covered"] == 0.8


def test_every_plane_lies_on_the_sky_as_the_image_does(stack):
    path, _ = stack()
    with fits.open(path) as hdus:
        for name in ("WHT", "CTX"):
            for card in hdus["SCI"].header.cards:
                if facet_of_card(card.keyword) == "wcs":
                    assert hdus[name].header[card.keyword] == card.value
            assert hdus[name].header["BUNIT"] == "UNITLESS"
            assert "PHOTFLAM" not in hdus[name].header


@pytest.mark.parametrize("fill", [math.nan, -9.0])
def test_pixels_without_weight_hold_the_fill_and_no_stale_value(stack, fill):
    """AstroDrizzle leaves what was flagged everywhere, and a kernel can have weights below zero."""
    weight = np.full((40, 50), 800.0, "f4")
    weight[:, :10], weight[7, 20] = 0, -1
    path, _ = stack(np.ones((40, 50), "f4"), weight, fill=fill, zeropoint=25.0)
    found = fits.getdata(path, "SCI")
    assert np.array_equal(found[:, :10], np.full((40, 10), fill), equal_nan=True)
    assert np.ptp(found[:, 10:]) == 0
    assert found[7, 20] == fits.getval(path, "FIXSCALE", "SCI")
    # to those who read it as we do it is what it was
    assert np.isnan(read_stack(path).science).sum() == 400


def test_what_fills_boxes_is_listed_apart(acs, data, read):
    """Times and dates are those of nearly all pixels, and of the boxes under names of their own."""
    first, second = read(acs), read({"science": data / "jsi00201q_flc.fits"})
    plain = cards_of("x", "F606W", [first, second], None)
    assert not {"EXPTIME", "EXTRA"} & set(plain)
    assert (plain["NINPUT"][0], plain["EXPEND"][0]) == (2, second.end_mjd)
    cards = {k: v for k, (v, _) in cards_of("x", "F606W", [first], None, [second]).items()}
    assert (cards["NINPUT"], cards["INPUT"], cards["EXPTIME"]) == (1, "jsi00101q", 100.0)
    assert (cards["EXPSTART"], cards["EXPEND"]) == (first.start_mjd, first.end_mjd)
    assert cards["MJD-AVG"] == pytest.approx(first.middle_mjd, abs=1e-8)
    assert (cards["NEXTRA"], cards["EXTRA"], cards["XEXPTIME"]) == (1, "jsi00201q", 100.0)
    assert (cards["XEXPSTA"], cards["XEXPEND"]) == (second.start_mjd, second.end_mjd)


def test_the_time_of_the_cards_is_that_of_the_stack(drizzled, tmp_path):
    about = {"EXPTIME": (100.0, "s"), "TEXPTIME": (100.0, "s")}
    facts = write_stack(drizzled(), tmp_path / "stack.fits", about, "ELECTRONS/S")
    assert facts["exposure_time_s"] == 100.0
    with fits.open(tmp_path / "stack.fits") as hdus:
        assert [hdus[n].header["EXPTIME"] for n in (0, "SCI")] == [100.0, 100.0]


@pytest.mark.parametrize(
    ("unit", "more"),
    [("ELECTRONS/S", 0.0), ("COUNTS/S", 0.0), ("ELECTRONS", 2.5 * math.log10(400))],
)
def test_the_unit_and_the_zeropoint_of_one_unit_are_stated(stack, unit, more):
    path, facts = stack(unit=unit)
    header = read_stack(path).header
    assert header["BUNIT"] == unit == facts["unit"]
    zeropoint = ab(7.8e-20, 5921.0)
    assert header["ZP_AB"] == pytest.approx(zeropoint + more, abs=1e-3)
    # the fact is of one unit per second, whatever the unit
    assert facts["zeropoint_ab"] == pytest.approx(zeropoint, abs=1e-3)
    assert facts["exposure_time_s"] == 400.0


@pytest.mark.parametrize("cards", [{"PHOTFLAM": 0.0}, {"PHOTPLAM": None}, {"PHOTFLAM": -1.0}])
@pytest.mark.parametrize("unit", ["ELECTRONS/S", "ELECTRONS"])
def test_no_sensitivity_is_no_zeropoint(stack, cards, unit):
    path, facts = stack(unit=unit, **cards)
    assert facts["zeropoint_ab"] is None
    assert "ZP_AB" not in read_stack(path).header


def test_a_stack_measures_the_light_its_zeropoint_says(small):
    """The transient of the first epoch, 21 mag, in an aperture that holds nearly all of it."""
    path = small.path("epochs/*f606w-20190401/*_drz.fits")
    found = read_stack(path)
    x, y = found.wcs.all_world2pix([[150.1, 2.2]], 0)[0]
    rows, columns = np.indices(found.science.shape)
    inside = np.hypot(columns - x, rows - y) < 8
    flux = float(found.science[inside].sum())
    assert found.header["ZP_AB"] - 2.5 * math.log10(flux) == pytest.approx(21.0, abs=0.12)
    assert np.median(found.weight[inside]) == pytest.approx(800, rel=0.25)


def test_no_path_of_this_machine_is_in_a_stack(tmp_path):
    paths = {role: tmp_path / f"{role}.fits" for role in ("science", "weight", "context")}
    for path in paths.values():
        hdu = fits.PrimaryHDU(np.ones((4, 4), "f4"))
        hdu.header.update(
            RULEFILE="/home/ann/venv/fitsblender/acs_header.rules", EXPTIME=100.0,
            IDCTAB="jref$0461802ej_idc.fits", PHOTFLAM=7.8e-20, PHOTPLAM=5921.0,
        )  # fmt: skip
        hdu.writeto(path)
    write_stack(paths, tmp_path / "stack.fits", {}, "ELECTRONS/S")
    with fits.open(tmp_path / "stack.fits") as hdus:
        cards = [str(card.value) for hdu in hdus for card in hdu.header.cards]
        assert hdus[0].header["RULEFILE"] == "acs_header.rules"
        assert "jref$0461802ej_idc.fits" in cards
    assert not any("/home/ann" in value for value in cards)


def test_a_fixed_zeropoint_is_that_of_the_pixels(stack):
    """FIXFLUX by hand: AB 25 is 3631 Jy x 1e-10, that is 3.631e-4 mJy."""
    image = np.full((40, 50), 2.0, "f4")
    path, facts = stack(image, zeropoint=25.0)
    found = read_stack(path)
    factor = 10 ** (0.4 * (25.0 - ab(7.8e-20, 5921.0)))
    assert found.science[5, 5] == pytest.approx(2.0 * factor, rel=1e-3)
    assert found.header["ZP_AB"] == found.header["FIXZPT"] == facts["zeropoint_ab"] == 25.0
    # electrons they are no more
    assert found.header["BUNIT"] == facts["unit"] == "adu/s"
    assert found.header["FIXFLUX"] == pytest.approx(3.631e-4, rel=1e-6)
    assert found.header["FIXSCALE"] == facts["scaled"] == pytest.approx(factor, rel=1e-3)
    # the flux of a pixel in erg/cm2/s/A is what it was
    flux = found.science[5, 5] * found.header["PHOTFLAM"]
    assert flux == pytest.approx(2.0 * 7.8e-20, rel=1e-5)


def test_a_zeropoint_cannot_be_fixed_where_there_is_none(stack):
    with pytest.raises(StageError, match="no PHOTFLAM"):
        stack(zeropoint=25.0, PHOTFLAM=0.0)


def test_depth_grows_with_time_and_finer_pixels():
    from hst123r.products.stacks import depth

    facts = {"zeropoint_ab": 26.0, "exposure_time_s": 100.0, "scale_arcsec": 0.1}
    assert depth({**facts, "exposure_time_s": 1000.0}) - depth(facts) == pytest.approx(1.25)
    assert depth({**facts, "scale_arcsec": 0.05}) > depth(facts)
    assert depth({**facts, "zeropoint_ab": None}) < depth(facts)

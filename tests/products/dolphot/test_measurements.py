from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

from hst123r.errors import InputError
from hst123r.photometry.flags import Flag
from hst123r.photometry.magnitudes import njy_per_unit
from hst123r.products.dolphot.catalogue import read_catalogue
from hst123r.products.dolphot.columns import read_columns
from hst123r.products.dolphot.info import Info, Section, Setup, read_info
from hst123r.products.dolphot.measurements import (
    ImageNote,
    convert,
    dolphot_positions,
    sky_positions,
)
from hst123r.sources.measured import mean_fluxes

AB = 26.0


@pytest.fixture
def run(samples):
    """Read a sample run, and convert it with one exposure for each image."""

    def call(name, **more):
        catalogue = read_catalogue(samples / name, read_columns(samples / f"{name}.columns"))
        info = read_info(samples / f"{name}.info")
        notes = [ImageNote(i, 1, AB, **more) for i in range(len(info.images))]
        return catalogue, info, convert(catalogue, info, notes, len(notes))

    return call


@pytest.fixture
def info():
    section = Section(0, 1, aperture_corrections=[0.0, 0.0, 0.0])
    return Info(("a.chip1", "b.chip1", "c.chip1"), (1.0, 2.0, 3.0), (section,))


def nearest(catalogue, stars):
    away = np.hypot(*(catalogue.objects[a][:, None] - stars[:, i] for i, a in enumerate("xy")))
    return away.argmin(axis=0), away.min(axis=0) < 1


@pytest.mark.parametrize(
    ("name", "per_count", "zeropoints"),
    [
        # placeholders of the runs; ACS pixels were divided by 0.951763
        ("acs_wfc3_multi/multi.phot", 0.951763, [26.40, 26.40, 25.52]),
        ("wfc3_uvis/noref.phot", 1.0, [25.987, 25.987, 24.680, 24.680]),
        ("generic/p2.phot", 1.0, [25.0, 25.0]),
    ],
)
def test_the_zeropoint_is_found_from_the_catalogue(run, name, per_count, zeropoints):
    _, _, converted = run(name, electrons_per_count=per_count)
    assert converted.zeropoints[: len(zeropoints)] == pytest.approx(zeropoints, abs=3e-4)


@pytest.mark.parametrize("name", ["acs_wfc3_multi/multi.phot", "wfpc2_pc/wfpc2.phot"])
def test_magnitudes_of_vega_are_dolphots_own(run, name):
    """Real output: AB less the AB magnitude of Vega is what the catalogue has."""
    catalogue, _, converted = run(name, aperture_mag=-0.06)
    ab = 31.4 - 2.5 * np.log10(np.where(converted.found.flux > 0, converted.found.flux, np.nan))
    seen = 0
    for number, above in enumerate(converted.above_vega_mags):
        own = np.where(
            catalogue.images[number]["mag"] < 90, catalogue.images[number]["mag"], np.nan
        )
        away = np.abs(ab[number] - above - own)
        seen += np.isfinite(away).sum()
        assert np.nanmax(away) < 1e-3
    assert seen > 300
    assert converted.of([0]).above_vega_mags == converted.above_vega_mags


def test_electrons_are_those_that_were_put_in(run, samples):
    """The truth holds all light; 0.0545 mag of it are beyond DOLPHOT's aperture."""
    catalogue, _, converted = run("wfc3_uvis/noref.phot", aperture_mag=-0.0545)
    stars = np.loadtxt(samples / "wfc3_uvis" / "truth.txt")
    row, near = nearest(catalogue, stars)
    true = 10 ** (-0.4 * (stars[near, 2] - 25.987))
    found = converted.found
    for image in (0, 1):
        rate, error = found.rate[image, row[near]], found.rate_error[image, row[near]]
        bright = np.isfinite(rate) & (true > 20 * error)
        assert bright.sum() > 100
        assert np.median(rate[bright] / true[bright]) == pytest.approx(1, abs=0.006)
        pull = (rate - true)[bright] / error[bright]
        assert np.std(pull[np.abs(pull) < 5]) < 1.4
    assert np.allclose(found.flux / found.rate, njy_per_unit(AB), equal_nan=True)


def test_fluxes_are_finer_than_the_rates_that_are_written(run):
    catalogue, _, converted = run("generic/p2.phot")
    seen = np.isfinite(catalogue.images[0]["mag"])
    rate = converted.found.rate[0, seen]
    again = converted.zeropoints[0] - 2.5 * np.log10(rate)
    assert np.abs(again - catalogue.images[0]["mag"][seen]).max() < 2e-6
    written = catalogue.images[0]["rate"][seen] * 10 ** (0.4 * converted.zeropoints[0])
    assert np.abs(written / rate - 1).max() > 0.003


def test_means_agree_with_dolphots_own(run):
    """Of stars that it combined from the same exposures; its own weights are its errors."""
    catalogue, info, converted = run("wfc3_uvis/noref.phot")
    times = np.array([400.0, 400.0, 500.0, 500.0])
    means = mean_fluxes(converted.found, [0, 1], np.array(info.mjd), times, 3.0)
    own = catalogue.combined[0]
    rate = own["rate"] * 10 ** (0.4 * converted.zeropoints[0]) * njy_per_unit(AB)
    error = own["rate_err"] * 10 ** (0.4 * converted.zeropoints[0]) * njy_per_unit(AB)
    clean = np.isfinite(rate) & (means.combined.exposures == 2) & (own["snr"] > 20)
    assert clean.sum() > 150
    assert np.median(means.combined.flux[clean] / rate[clean]) == pytest.approx(1, abs=2e-3)
    ratio = means.combined.error_weights[clean] / error[clean]
    assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_negative_fluxes_stay_and_what_is_off_an_image_does_not(read, made, info):
    rows = [
        made.row(made.measured(), made.measured(2000.0, 24.0), made.negative, made.unseen),
        made.row(made.rejected, made.measured(2000.0, 24.0), made.unseen, made.measured()),
        made.row(made.rejected, made.measured(2000.0, 24.0, flag=4),
                 made.measured(2000.0, 24.0, flag=2), made.unseen),
    ]  # fmt: skip
    found = read(*rows)
    converted = convert(found, info, [ImageNote(i, 2, AB) for i in range(3)], 3)
    measured = converted.found
    zeropoint = converted.zeropoints[1]
    assert zeropoint == pytest.approx(24.0 + 2.5 * np.log10(2000 / 450), abs=1e-6)
    assert measured.rate[1, 0] == pytest.approx(-50 / 450)
    assert measured.rate_error[1, 0] == pytest.approx(4e-12 * 10 ** (0.4 * zeropoint), rel=1e-6)
    assert measured.flux[1, 0] < 0
    assert np.isnan([measured.flux[2, 0], measured.flux[1, 1]]).all()
    off = int(Flag.OFF_FRAME | Flag.NO_PIXELS)
    assert measured.flags.tolist() == [
        [0, 0, int(Flag.SATURATED)], [0, off, int(Flag.PARTLY_MASKED)], [off, 0, off],
    ]  # fmt: skip
    assert converted.flags.tolist() == [[0, 0, 4], [0, 9, 2], [9, 0, 9]]
    assert measured.good.tolist() == [[True, True, False], [True, False, True],
                                      [False, True, False]]  # fmt: skip
    assert measured.extver.tolist() == [[2, 2, 2], [2, 0, 2], [0, 2, 0]]


def test_of_two_chips_the_one_that_holds_the_star_counts(read, made, info):
    rows = [
        made.row(made.rejected, made.unseen, made.measured(2000.0, 24.0), made.unseen),
        made.row(made.rejected, made.measured(3000.0, 23.6, flag=8), made.measured(), made.unseen),
    ]
    notes = [ImageNote(0, 1, AB), ImageNote(0, 2, AB), ImageNote(1, 1, AB)]
    converted = convert(read(*rows), info, notes, 2)
    assert converted.found.extver[0].tolist() == [2, 2]
    assert converted.flags[0].tolist() == [0, 0]


def test_an_image_with_nothing_but_negative_fluxes(read, made, info):
    found = read(made.row(made.rejected, made.negative, made.unseen, made.unseen))
    converted = convert(found, info, [ImageNote(i, 1, AB) for i in range(3)], 3)
    assert np.isnan(converted.zeropoints).all()
    assert converted.found.rate[0, 0] == pytest.approx(-50 / 350)
    assert converted.found.rate_error[0, 0] == pytest.approx(50 / 350 / 1.2)


def test_no_source(read, info):
    converted = convert(read(), info, [ImageNote(i, 1, AB) for i in range(3)], 3)
    assert converted.found.flux.shape == (3, 0)


def test_a_zeropoint_that_is_none(read, made, info):
    """A correction that differs from star to star cannot be told from the zeropoint."""
    blocks = [made.measured(2000.0, 24.0 + shift) for shift in (0.0, 0.02, 0.04, 0.06)]
    rows = [made.row(made.rejected, block, made.unseen, made.unseen) for block in blocks]
    notes = [ImageNote(i, 1, AB) for i in range(3)]
    with pytest.raises(InputError, match=r"a.chip1 differ from star to star by 0.0\d+ mag"):
        convert(read(*rows), info, notes, 3)
    given = [ImageNote(i, 1, AB, zeropoint_dolphot=25.5) for i in range(3)]
    converted = convert(read(*rows), info, given, 3)
    assert converted.found.rate[0] == pytest.approx(
        10 ** (-0.4 * (np.array([24.0, 24.02, 24.04, 24.06]) - 25.5)), rel=1e-6
    )


def test_files_of_another_run(read, made, info):
    found = read(made.row(*[made.measured()] * 4))
    other = Info(("a.chip1", "b.chip1", "d.chip1"), info.mjd, info.sections)
    notes = [ImageNote(i, 1, AB) for i in range(3)]
    with pytest.raises(InputError, match=r"\.info file: it is of another run"):
        convert(found, other, notes, 3)
    with pytest.raises(InputError, match="notes about 2 images of 3"):
        convert(found, info, notes[:2], 3)


def test_a_cut_off_info_file(samples, write):
    """Without its corrections, fluxes would be 4 to 5 % too bright."""
    name = samples / "wfc3_uvis" / "noref.phot"
    catalogue = read_catalogue(name, read_columns(f"{name}.columns"))
    notes = [ImageNote(i, 1, AB) for i in range(4)]
    text = (samples / "wfc3_uvis" / "noref.phot.info").read_text()
    for whole in (text.partition("Aperture")[0], text.partition("  0.046396")[0]):
        info = read_info(write(whole, "cut.info"))
        with pytest.raises(InputError, match="aperture correction for each image of ext") as caught:
            convert(catalogue, info, notes, 4)
        assert caught.value.where.endswith("cut.info")
    other = read_info(write(text.replace("EXTENSION 0", "EXTENSION 1"), "cut.info"))
    with pytest.raises(InputError, match=r"no section of extension 0, chip 1, which .*columns"):
        convert(catalogue, other, notes, 4)


def test_a_run_without_aperture_corrections(samples, write):
    """With ApCor=0 they are there, and 0."""
    name = samples / "wfc3_uvis" / "noref.phot"
    catalogue = read_catalogue(name, read_columns(f"{name}.columns"))
    notes = [ImageNote(i, 1, AB, aperture_mag=-0.0545) for i in range(4)]
    text = (samples / "wfc3_uvis" / "noref.phot.info").read_text()
    corrected = convert(catalogue, read_info(write(text)), notes, 4)
    assert not corrected.caveats
    assert corrected.beyond_mags == (-0.0545,) * 4
    none = read_info(write(text.replace("0.046396", "-0.000000").replace("0.050593", "-0.000000")))
    converted = convert(catalogue, none, notes, 4)
    assert [(caveat.code, caveat.subject) for caveat in converted.caveats] == [
        ("dolphot_no_aperture_correction", "iabc01q_f606w_flc.chip1"),
        ("dolphot_no_aperture_correction", "iabc04q_f814w_flc.chip1"),
    ]
    # counts of a PSF that holds all light need nothing more: with it they were 4 % too bright
    stars = np.loadtxt(samples / "wfc3_uvis" / "truth.txt")
    row, near = nearest(catalogue, stars)
    true = 10 ** (-0.4 * (stars[near, 2] - 25.987))
    found = converted.found
    bright = true > 20 * found.rate_error[0, row[near]]
    ratio = (found.rate[0, row[near]] / true)[bright]
    assert len(ratio) > 100
    assert np.median(ratio) == pytest.approx(1, abs=0.012)
    assert converted.beyond_mags == (0.0, -0.0545, -0.0545, 0.0)
    # the analytic PSF is no such thing
    notes = [ImageNote(i, 1, AB, aperture_mag=-0.0545, whole_psf=False) for i in range(4)]
    analytic = convert(catalogue, none, notes, 4)
    assert analytic.beyond_mags == (-0.0545,) * 4
    assert np.nanmedian(analytic.found.rate[0] / found.rate[0]) == pytest.approx(1.0515, abs=1e-4)


def test_short_exposures_have_the_time_of_the_info_file(write, made):
    """The columns say 0.5 s of 0.48 s."""
    images = ("a.chip1 (ACS_F606W, 0.5 sec)", *made.images[1:])
    layout = read_columns(write(made.columns(images=images), "run.phot.columns"))
    row = made.row(made.rejected, made.measured(2000.0, 24.0), made.measured(), made.negative)
    catalogue = read_catalogue(write(row), layout)
    notes = [ImageNote(i, 1, AB) for i in range(3)]

    def converted(time):
        section = Section(0, 1, aperture_corrections=[0.0] * 3)
        section.setups[1] = Setup("ACS", "F606W", 1, time)
        info = Info(("a.chip1", "b.chip1", "c.chip1"), (1.0, 2.0, 3.0), (section,))
        return convert(catalogue, info, notes, 3)

    found = converted(0.48)
    assert found.zeropoints[0] == pytest.approx(24 + 2.5 * np.log10(2000 / 0.48), abs=1e-6)
    assert found.found.rate[:2, 0] == pytest.approx([2000 / 0.48, 1000 / 450], rel=1e-6)
    with pytest.raises(
        InputError, match=r"a\.chip1 was exposed for 0\.5 s there and 0\.43 s"
    ) as caught:
        converted(0.43)
    assert caught.value.where.endswith("run.phot.columns")


def test_positions_by_the_half_pixel_rule():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.1, 2.2], [33.0, 21.0]
    wcs.wcs.cdelt = [-0.05 / 3600, 0.05 / 3600]
    # FITS has the middle of the first pixel at 1, DOLPHOT at 0.5
    ra, dec = sky_positions(wcs, [32.5], [20.5])
    assert (ra[0], dec[0]) == pytest.approx((150.1, 2.2), abs=1e-12)
    x, y = dolphot_positions(wcs, (60, 60), [150.1], [2.2])
    assert (x[0], y[0]) == pytest.approx((32.5, 20.5), abs=1e-6)
    assert np.isnan(dolphot_positions(wcs, (60, 60), [151.0], [2.2])).all()


def test_places_near_the_image_and_at_its_edge_are_off_it():
    """DOLPHOT crashes at a place that is off the reference, whose edge single precision moves."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.1, 2.2], [33.0, 21.0]
    wcs.wcs.cdelt = [-0.05 / 3600, 0.05 / 3600]
    places = np.array([[0.1, 5], [-0.1, 5], [5, 39.98], [5, 39.995], [5, 43], [59.98, 0.0001]])
    ra, dec = sky_positions(wcs, *places.T)
    x, y = dolphot_positions(wcs, (40, 60), ra, dec)
    assert np.isfinite(x).tolist() == [True, False, True, False, False, True]
    assert np.array_equal(np.isfinite(x), np.isfinite(y))

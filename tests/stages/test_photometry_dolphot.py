"""Photometry by DOLPHOT, with a stand-in for the program that sees the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hst123r.products.photometry_tables import read_table

DOLPHOT = {"engine": "dolphot"}
RED, BLUE = "SN-acs_wfc-f814w", "SN-acs_wfc-f606w"


@pytest.fixture
def inputs(small):
    return {
        "sources": small.products("detect", "sources"),
        "exposure": small.products("align", "exposure"),
        "cosmic-ray mask": small.products("epochs", "cosmic-ray mask"),
        "stack": small.products("stacks", "stack"),
    }


@pytest.fixture
def measure(small, inputs, divide, do, dolphot):
    """Measure with the stand-in, and return the outcome or what went wrong.

    Only images of the red filter with the target on them, two by default: sky maps take time.
    """

    def call(does="", *, images=2, cores=1, **params):
        dolphot(small.folder / "raw", does)
        given = {**DOLPHOT, "dolphot": {"chips": "target", "reference": "first", **params}}
        found = [p for p in inputs["exposure"] if p.labels["filter"] == "F814W"]
        inputs["exposure"] = found[:images]
        (job,) = divide("photometry", inputs, given).values()
        return do("photometry", job, given, cores=cores)

    return call


def against_truth(path, truth):
    """Return magnitude less truth, and that over its error, of the stars of an exposure."""
    catalogue = read_table(path)
    found = []
    for star in truth:
        apart = 3600 * np.hypot(
            (catalogue["ra"] - star["ra"]) * np.cos(np.radians(2.2)), catalogue["dec"] - star["dec"]
        )
        row = catalogue[int(np.argmin(apart))]
        if apart.min() < 0.02 and np.isfinite(row["mag_ab"]):
            difference = row["mag_ab"] - star["magnitude"]
            found.append((difference, difference / row["mag_err"]))
    return np.array(found).T


def test_a_field_is_one_job_with_all_filters_and_the_deepest_stack(inputs, divide, dolphot, small):
    program = dolphot(small.folder / "raw")
    (job,) = divide("photometry", inputs, DOLPHOT).values()
    assert job.label == "SN"
    assert len(job.inputs["exposure"]) == 6
    assert [product.name for product in job.inputs["stack"]] == [BLUE]
    assert [p.files["file"] for p in job.inputs["dolphot file"]] == [str(program)]
    assert set(job.arguments["targets"]) == {"SN", "nothing"}


def test_what_a_run_leaves(measure):
    outcome = measure("nan")
    # a target that DOLPHOT did not find is measured in a second run
    (product,) = (p for p in outcome.products if p.kind == "photometry")
    catalogue = read_table(product.files["catalog"])
    assert len(catalogue) > 20
    rows = catalogue[catalogue["target"] == "nothing"]
    assert len(rows) == 1
    assert rows["ra"][0] == pytest.approx(150.1, abs=1e-9)
    # SN was found, and needs no row of its own
    assert not np.any(catalogue["target"] == "SN")
    assert list(catalogue["source"]) == list(range(1, len(catalogue) + 1))
    # what DOLPHOT wrote is kept
    (kept,) = (p for p in outcome.products if p.kind == "dolphot run")
    assert {"parameters", "catalog", "columns", "info", "warnings", "log"} <= set(kept.files)
    assert "FlagMask = 7" in Path(kept.files["parameters"]).read_text()
    assert "stars written" in Path(kept.files["log"]).read_text()
    # and what it warned of are caveats
    caveats = {caveat.code: caveat.text for caveat in outcome.caveats}
    assert set(caveats) == {
        "dolphot_few_alignment_stars", "dolphot_few_aperture_stars", "dolphot_aperture_error",
        "dolphot_not_numbers", "dolphot_unknown_parameters", "dolphot_files_not_known",
    }  # fmt: skip
    assert "does not know NegSky, and" in caveats["dolphot_unknown_parameters"]
    # one in the first run, and one in the second
    assert caveats["dolphot_not_numbers"].startswith("2 fields")
    numbers = {m.name: m.value for m in outcome.measurements if not m.subject}
    assert numbers["stars"] > 20


@pytest.mark.parametrize("does", ["", "no aperture corrections"])
def test_fluxes_hold_all_light_with_aperture_corrections_and_without(measure, small, does):
    outcome = measure(does, images=1, forced=False)
    codes = {caveat.code for caveat in outcome.caveats}
    assert ("dolphot_no_aperture_correction" in codes) is bool(does)
    (product,) = (p for p in outcome.products if p.kind == "photometry")
    truth = small.truth(product.facts["exposures"][0])
    truth = truth[(truth["star"] != np.max(truth["star"])) & (truth["magnitude"] < 23.5)]
    difference, _ = against_truth(product.files["catalog"], truth)
    assert len(difference) > 8
    assert abs(np.median(difference)) < 0.01
    # Vega by DOLPHOT's zeropoint of an electron per second
    above = product.facts["vega_ab"]
    assert read_table(product.files["catalog"]).meta["vega_ab"] == above
    (kept,) = (p for p in outcome.products if p.kind == "dolphot run")
    own = np.loadtxt(kept.files["catalog"], usecols=15)
    mine = np.array(read_table(product.files["catalog"])["mag_ab"]) - above
    near = [np.abs(mine - value).min() for value in own[own < 24]]
    assert len(near) > 8
    assert max(near) < 0.002


@pytest.mark.parametrize("cte", ["auto", "none"])
def test_losses_of_charge_transfer_are_made_good(inputs, small, monkeypatch, cte):
    """As if exposures were not corrected; where stars are comes from the WCS."""
    from dataclasses import replace
    from types import SimpleNamespace

    from hst123r import instruments
    from hst123r.photometers.dolphot_images import chosen_chips
    from hst123r.photometers.dolphot_losses import without_losses
    from hst123r.photometers.params import PhotometryParams
    from hst123r.products import readout
    from hst123r.products.dolphot.measurements import Converted
    from hst123r.sources.measured import Measurements
    from hst123r.sources.transfer_losses import losses
    from hst123r.stage.contract import Job

    read = readout.read_readout
    monkeypatch.setattr(
        readout, "read_readout",
        lambda *given: replace(read(*given), transfer_corrected=False, suffix="flt", mjd=53500.0),
    )  # fmt: skip
    product = next(p for p in inputs["exposure"] if p.labels["filter"] == "F814W")
    params = PhotometryParams.model_validate({**DOLPHOT, "cte": cte})
    job = Job("SN", {"field": "SN"}, {**inputs, "exposure": [product]})
    chips = chosen_chips(job, params)
    exposure = chips[0].exposure
    field = SimpleNamespace(job=job, params=params, chips=chips, exposures=[exposure])
    truth = small.truth(exposure.root)
    shape = (1, len(truth))
    one = {name: np.full(shape, 1.0) for name in Measurements.__dataclass_fields__}
    one |= {"rate": np.full(shape, 2.0), "sky": np.full(shape, 20.0), "cte": None}
    one |= {"x": np.full(shape, np.nan), "y": np.full(shape, np.nan)}
    one |= {"flags": np.zeros(shape, int), "extver": np.array([truth["extver"]], int)}
    found = Measurements(**one)
    converted = Converted(found, found.flags, found.chi, found.chi, (25.5,))
    got, caveats = without_losses(field, converted, truth["ra"], truth["dec"])
    if cte == "none":
        assert [caveat.code for caveat in caveats] == ["transfer_losses"]
        assert got.found.flux == pytest.approx(found.flux)
        return
    assert not caveats
    placed = replace(found, x=np.array([truth["x"]], float), y=np.array([truth["y"]], float))
    told = [readout.read_readout(product.files, exposure)]
    wanted = losses(placed, instruments.get("ACS/WFC"), told, [0])
    assert np.median(wanted) > 0.005
    assert got.found.cte == pytest.approx(wanted, rel=1e-3)
    assert got.found.flux == pytest.approx(10 ** (0.4 * wanted), rel=1e-4)


def test_sources_of_detect_keep_their_numbers(measure, inputs):
    from hst123r.products.source_table import read_sources

    outcome = measure(positions="sources")
    sources = read_sources(inputs["sources"][0].files["catalog"])
    for product in (p for p in outcome.products if p.kind == "photometry"):
        catalogue = read_table(product.files["catalog"])
        assert len(catalogue) > 20
        assert set(catalogue["source"]) <= set(sources["source"])
        place = dict(zip(sources["source"], sources["ra"], strict=True))
        away = [3.6e6 * abs(row["ra"] - place[row["source"]]) for row in catalogue]
        assert max(away) < 10
        assert "nothing" in set(catalogue["target"])


def test_images_have_the_values_of_their_filter(inputs, dolphot, small):
    from hst123r.photometers import dolphot_images as field
    from hst123r.photometers.params import PhotometryParams
    from hst123r.stage.contract import Job

    job = Job("SN", {"field": "SN"}, {**inputs, "dolphot file": []})
    params = PhotometryParams.model_validate(DOLPHOT)
    wide = params.model_copy(
        update={"dolphot": params.dolphot.model_copy(update={"image_parameters": {"raper": 4.0,
                "RPSF": 12, "RChi": 2}})}
    )  # fmt: skip
    chips = field.chosen_chips(job, params)
    values = field.image_values(
        chips, None, lambda _, f: wide if f == "F814W" else params, analytic=False
    )
    found = field.parameters_of(chips, None, params, values)
    radii = {found[f"img{n}_RAper"] for n, c in enumerate(chips, 1) if c.exposure.band == "F814W"}
    assert radii == {"4"}
    assert found["img1_RAper"] == "2"
    # corrections of charge transfer would hide the zeropoint
    assert found["WFPC2useCTE"] == found["ACSuseCTE"] == "0"


def test_a_place_without_light_has_no_number_and_it_is_said(measure):
    outcome = measure("dark", images=1)
    (caveat,) = (c for c in outcome.caveats if c.code == "dolphot_no_light")
    assert caveat.subject == "nothing"
    catalogue = read_table(outcome.products[0].files["catalog"])
    (row,) = catalogue[catalogue["target"] == "nothing"]
    assert np.isnan(row["flux"])


@pytest.mark.parametrize(
    ("does", "sentence"),
    [
        ("cut", "the catalogue has"),
        ("columns of another run", "it describes no image. It was cut off"),
    ],
)
def test_each_failure_has_its_sentence(measure, does, sentence):
    """Those of the program alone are in the tests of its runner."""
    said = measure(does, images=1)
    assert isinstance(said, str), said
    assert sentence in said


def test_a_second_run_that_fails_leaves_the_first(measure):
    outcome = measure("forced crash", images=1)
    (caveat,) = (c for c in outcome.caveats if c.code == "dolphot_not_forced")
    assert "nothing could not be measured" in caveat.text
    assert "SIGSEGV" in caveat.text
    catalogue = read_table(outcome.products[0].files["catalog"])
    assert len(catalogue) > 20
    assert not np.any(catalogue["target"] != "")


def test_artificial_stars_come_back_as_they_were_put_in(measure):
    fake = {"number": 400, "magnitudes": ["19 mag", "32 mag"], "bin": "1 mag"}
    outcome = measure(fake=fake, forced=False)
    (product,) = (p for p in outcome.products if p.kind == "artificial stars")
    bins = read_table(product.files["table"])
    # those off the image are skipped; the reference is the first image, so none is
    assert product.facts["stars"] == sum(bins["stars"]) == 400
    assert bins["completeness"][0] == 1
    assert bins["completeness"][-1] < 0.1
    bright = bins["mag_ab"] < 24
    assert np.all(np.abs(bins["bias"][bright]) < 0.01)
    # two exposures of 300 s, noise of 12 counts each and a limit of S/N 3
    half = product.facts["half_complete_at"]
    assert {m.value for m in outcome.measurements if m.name == "half_complete_at"} == {half}
    assert 27.5 < half < 29.5
    stars = read_table(product.files["stars"])
    found = stars[stars["recovered"] == 1]
    pull = (found["mag_ab"] - found["mag_in"])[found["mag_in"] < 24]
    assert np.abs(np.median(pull)) < 0.003


def test_artificial_stars_are_the_same_however_many_cores_there_are(measure):
    fake = {"number": 320, "magnitudes": ["24 mag", "30 mag"]}
    made = {}
    for cores in (1, 3):
        outcome = measure(images=1, cores=cores, fake=fake, forced=False)
        (run,) = (p for p in outcome.products if p.kind == "dolphot run")
        (product,) = (p for p in outcome.products if p.kind == "artificial stars")
        assert product.facts["stars"] == 320
        # the number of threads is no parameter that is kept
        parameters = Path(run.files["parameters"]).read_bytes()
        assert b"MaxThreads" not in parameters
        made[cores] = Path(product.files["stars"]).read_bytes(), parameters
    assert made[1] == made[3]


def test_each_batch_of_artificial_stars_has_one_thread(tmp_path, monkeypatch):
    """As many at once as there are cores, and never cores times cores threads."""
    import threading
    from types import SimpleNamespace

    from hst123r.external import dolphot as program
    from hst123r.photometers.dolphot_fake import _run
    from hst123r.photometers.dolphot_params import FakeParams

    written, at_once = {}, set()
    running = []
    together = threading.Barrier(3, timeout=20)

    def run_fake(folder, output, name, **_):
        running.append(name)
        together.wait()
        at_once.add(len(running))
        together.wait()
        running.remove(name)

    monkeypatch.setattr(program, "run_fake", run_fake)
    field = SimpleNamespace(
        folder=tmp_path, program=None, context=SimpleNamespace(cores=3),
        write_parameters=written.__setitem__,
    )  # fmt: skip
    found = _run(field, FakeParams.model_validate({"number": 650}), ["x\n"] * 650)
    assert [path.name for path in found] == [f"fake{n}.out" for n in range(6)]
    assert at_once == {3}
    assert not any("MaxThreads" in values for values in written.values())
    lines = [(tmp_path / f"fake{n}.list").read_text().count("x") for n in range(6)]
    assert sum(lines) == 650
    assert max(lines) - min(lines) <= 1


def test_memory_counts_sky_maps_and_batches_at_once():
    from hst123r.photometers.dolphot import cores, memory_mb
    from hst123r.photometers.params import PhotometryParams
    from hst123r.records.outcome import Product
    from hst123r.stage.contract import Job

    plain = PhotometryParams.model_validate(DOLPHOT)
    fake = PhotometryParams.model_validate({**DOLPHOT, "dolphot": {"fake": {"number": 9}}})
    small = Job("SN", {}, {"exposure": [], "stack": []})
    assert memory_mb(small, plain) == 600.0
    assert (cores(small, plain).most, cores(small, plain).memory_mb) == (8, 110.0)
    # a stack of 36 million pixels
    stack = Product("stack", "s", facts={"shape": [6000, 6000]})
    large = Job("SN", {}, {"exposure": [], "stack": [stack]})
    assert cores(large, plain).memory_mb == pytest.approx(110 + 34 * 36)
    assert cores(large, fake).memory_mb == pytest.approx(110 + 34 * 36)


def test_artificial_stars_that_fail_leave_what_was_measured(measure):
    outcome = measure("fake no memory", images=1, fake={"number": 4}, forced=False)
    caveats = {caveat.code: caveat.text for caveat in outcome.caveats}
    assert "not enough memory" in caveats["dolphot_no_artificial_stars"]
    assert {product.kind for product in outcome.products} == {"photometry", "dolphot run"}


@pytest.fixture
def two_chips():
    """Return a job with an image of each of two filters, and no reference."""
    from types import SimpleNamespace

    exposure = SimpleNamespace(detector="ACS/WFC")
    chips = [
        SimpleNamespace(exposure=SimpleNamespace(**vars(exposure), band=name),
                        chip=SimpleNamespace(targets=targets))
        for name, targets in (("F606W", ()), ("F814W", ("SN",)))
    ]  # fmt: skip
    first = SimpleNamespace(labels={"filter": "F606W"})
    job = SimpleNamespace(inputs={"stack": [], "exposure": [first]}, label="SN")
    return SimpleNamespace(job=job, chips=chips)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"filter": "F098M"}, "no image in F098M.*F606W, F814W"),
        ({"positions": "target"}, "no target is on the first chip, the reference"),
        ({}, "acs/data/filters.dat, and DOLPHOT's folder is not known.*HST123R_DOLPHOT_BASE"),
    ],
)
def test_artificial_stars_that_cannot_be_are_refused_before_the_run(two_chips, given, sentence):
    from hst123r.errors import InputError
    from hst123r.photometers.dolphot_fake_places import check_fake
    from hst123r.photometers.dolphot_params import FakeParams

    fake = FakeParams.model_validate(given)
    with pytest.raises(InputError, match=sentence):
        check_fake(fake, two_chips.job, two_chips.chips, set())
    check_fake(FakeParams(), two_chips.job, two_chips.chips, {"acs/data/filters.dat"})


def test_the_order_of_filters_is_that_of_the_table(two_chips, tmp_path):
    from types import SimpleNamespace

    from hst123r.errors import InputError
    from hst123r.photometers.dolphot_fake_places import filter_order

    path = tmp_path / "filters.dat"
    path.write_text("2\nF814W\n1 2\nF606W\n")
    field = SimpleNamespace(**vars(two_chips), installed={"acs/data/filters.dat": path})
    assert filter_order(field) == [("acs", "F814W"), ("acs", "F606W")]
    path.write_text("F814W\n")
    with pytest.raises(InputError, match="it has no F606W"):
        filter_order(field)


def test_stars_off_the_images_of_a_filter_do_not_count(monkeypatch, tmp_path):
    """Of a chip that covers 40 % of the reference, all stars on it are found: all are."""
    from types import SimpleNamespace

    from astropy.wcs import WCS

    from hst123r.photometers import dolphot_fake
    from hst123r.photometers.dolphot_params import FakeParams
    from hst123r.products import exposures
    from hst123r.sources.measured import Measurements

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.1, 2.2], [1.0, 1.0]
    wcs.wcs.cdelt = [-0.05 / 3600, 0.05 / 3600]
    monkeypatch.setattr(exposures, "open_chips", lambda *_: {1: wcs})
    chip = SimpleNamespace(shape=(100, 40), extver=1)
    exposure = SimpleNamespace(middle_mjd=58000.0, exposure_time_s=300.0)
    given = {"exposure": [SimpleNamespace(files={"science": ""})]}
    job = SimpleNamespace(label="SN", labels={"field": "SN"}, inputs=given)
    field = SimpleNamespace(
        wcs=wcs, job=job, exposures=[exposure], params=SimpleNamespace(limit_snr=3.0),
        chips=[SimpleNamespace(number=0, chip=chip, exposure=exposure)],
        context=SimpleNamespace(product=lambda name: tmp_path / name),
    )  # fmt: skip
    rng = np.random.default_rng(1)
    x, y, put = rng.uniform(0, 100, 500), rng.uniform(0, 100, 500), rng.uniform(20, 22, 500)
    there = dolphot_fake.on_images(field, [0], x, y)
    assert there.tolist() == (x <= 40).tolist()
    flux = np.where(x <= 40, 10 ** (-0.4 * (put - 31.4)), np.nan)[None]
    one = {name: np.ones_like(flux) for name in Measurements.__dataclass_fields__}
    one |= {"flux": flux, "error": flux / 50, "fixed_error": flux / 50, "rate": flux, "cte": None}
    one |= {"photon_slope": 0 * flux}
    one |= {"flags": np.where(np.isfinite(flux), 0, 3), "extver": np.ones(flux.shape, int)}
    stars = x, y, put, x <= 40, there
    fake = FakeParams.model_validate({"bin": "1 mag"})
    product, _ = dolphot_fake._product(
        field, fake, ("ACS/WFC", "F814W"), stars, Measurements(**one), [0]
    )
    bins = read_table(product.files["table"])
    assert np.all(bins["completeness"] == 1)
    assert product.facts["stars"] == sum(bins["stars"]) == np.count_nonzero(x <= 40)


def test_a_source_that_has_no_row_is_said_and_no_row_is_of_two():
    from hst123r.photometers.dolphot_matching import matched

    rows = np.array([[10.0, 10.0], [20.0, 20.0], [20.8, 20.0]])
    places = np.array([[10.2, 10], [10.1, 10], [np.nan, 5], [50, 50], [20.5, 20], [20.7, 20]])
    # 10, 10 is of the nearest of two, and the other has nothing; of a pair each has its own
    assert matched(rows, places, 1.5).tolist() == [-1, 0, -1, -1, 1, 2]
    assert matched(np.empty((0, 2)), places, 1.5).tolist() == [-1] * 6


def catalogue_at(x, y):
    """Return a catalogue of one image with stars at some places."""
    from hst123r.products.dolphot.catalogue import Catalogue
    from hst123r.products.dolphot.columns import Layout

    count = len(x)
    objects = {"x": np.array(x), "y": np.array(y), "type": np.ones(count, int),
               "snr": np.full(count, 9.0)}  # fmt: skip
    images = ({"counts": np.full(count, 5.0)},)
    return Catalogue(Layout.__new__(Layout), objects, (), images, 0)


def test_sources_that_are_not_measured_are_said(forced_field, monkeypatch):
    """One is off the reference, one has no row, and a row without a place is nobody's."""
    from types import SimpleNamespace

    from astropy.table import Table

    from hst123r.photometers.dolphot_matching import placed
    from hst123r.photometers.dolphot_outcome import _by_source, _of_catalogue
    from hst123r.products import source_table

    sources = Table({
        "source": [3, 5, 7], "ra": [150.1, 150.1, 151.0], "dec": [2.2, 2.2 + 1 / 3600, 2.2],
        "target": ["", "two", "far"],
    })  # fmt: skip
    monkeypatch.setattr(source_table, "read_sources", lambda _: sources)
    given = [SimpleNamespace(files={"catalog": ""})]
    forced_field.job.inputs = {"sources": given}
    catalogue, nowhere = placed(catalogue_at([np.nan, 49.5], [np.nan, 49.5]))
    assert [caveat.code for caveat in _of_catalogue(catalogue, nowhere)] == ["dolphot_no_place"]
    rows, numbers, names, caveats = _by_source(forced_field, catalogue)
    assert (len(rows), numbers, names) == (1, [3], [""])
    assert caveats[0].text.startswith("2 of 3 sources were not measured: 1 are off")
    assert [caveat.subject for caveat in caveats] == ["", "two", "far"]


@pytest.mark.parametrize(("written", "codes"), [(4, []), (3, ["dolphot_artificial_stars_missing"])])
def test_artificial_stars_that_nothing_was_written_about_are_said(monkeypatch, written, codes):
    """Of five that were asked for, one lies off all images, which is no loss."""
    from types import SimpleNamespace

    from hst123r.photometers import dolphot_fake

    exposure = SimpleNamespace(detector="ACS/WFC", band="F814W")
    fake = SimpleNamespace(fake=SimpleNamespace())
    field = SimpleNamespace(chips=[SimpleNamespace(exposure=exposure)],
                            params=SimpleNamespace(dolphot=fake))  # fmt: skip
    lines = [f"0 1 {x}.00 5.00 24.000\n" for x in range(5)]
    stand_ins = {
        "filter_order": lambda _: [("acs", "F814W")], "star_lines": lambda *_: lines,
        "_run": lambda *_: [], "_outcome": lambda *_: ([], [], written),
        "on_images": lambda _, images, *xy: xy[0] < 4 * len(images),
    }  # fmt: skip
    for name, made in stand_ins.items():
        monkeypatch.setattr(dolphot_fake, name, made)
    _, _, caveats = dolphot_fake.artificial_stars(field, None)
    assert [caveat.code for caveat in caveats] == codes


@pytest.fixture
def forced_field(tmp_path):
    """Return a field with two targets where no star is, whose second run writes given places."""
    from types import SimpleNamespace

    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.1, 2.2], [50.0, 50]
    wcs.wcs.cdelt = [-0.05 / 3600, 0.05 / 3600]
    targets = {"one": [150.1, 2.2], "two": [150.1, 2.2 + 1 / 3600]}
    job = SimpleNamespace(arguments={"targets": targets}, label="SN")
    return SimpleNamespace(
        wcs=wcs, shape=(100, 100), job=job, write_positions=lambda *_: None, keep_all=dict,
        params=SimpleNamespace(dolphot=SimpleNamespace(forced=True)),
        run=lambda *_: SimpleNamespace(catalogue=tmp_path / "forced.phot"),
    )  # fmt: skip


def test_a_star_at_the_very_edge_stays_on_the_image(tmp_path):
    from types import SimpleNamespace

    from hst123r.photometers.dolphot_field import Field

    field = SimpleNamespace(shape=(80, 100), folder=tmp_path)
    Field.write_positions(field, "p", [(100.0, 3.0, 1, 5.0), (99.5, 80.0, 2, 7.0)])
    assert (tmp_path / "p").read_text() == "0 1 99.990 3.000 1 5.0\n0 1 99.500 79.990 2 7.0\n"


def test_one_target_that_is_lost_loses_no_other(forced_field, monkeypatch):
    from hst123r.photometers.dolphot_forced import add_targets
    from hst123r.products.dolphot import catalogue as catalogues

    # the first row of the second run has no place at all
    again = catalogue_at([np.nan, 10.0, 49.5], [np.nan, 10.0, 69.5])
    monkeypatch.setattr(catalogues, "read_catalogue", lambda *_: again)
    found, names, caveats = add_targets(forced_field, catalogue_at([10.0], [10.0]))
    assert names == ["", "two"]
    assert len(found) == 2
    assert [(c.code, c.subject) for c in caveats] == [("dolphot_not_forced", "one")]


def test_a_target_off_the_reference_is_said(forced_field, monkeypatch):
    """Where another target is measured, where none is to be, and where the run for it fails."""
    from hst123r.errors import StageError
    from hst123r.photometers.dolphot_forced import add_targets
    from hst123r.products.dolphot import catalogue as catalogues

    first, again = catalogue_at([10.0], [10.0]), catalogue_at([10.0, 49.5], [10.0, 69.5])
    monkeypatch.setattr(catalogues, "read_catalogue", lambda *_: again)
    targets = {"far": [150.2, 2.2], "two": [150.1, 2.2 + 1 / 3600]}
    forced_field.job.arguments["targets"] = targets
    _, names, caveats = add_targets(forced_field, first)
    assert names == ["", "two"]
    assert [(c.code, c.subject) for c in caveats] == [("dolphot_target_off", "far")]

    def fail(*_):
        raise StageError("DOLPHOT crashed")

    forced_field.run = fail
    _, names, caveats = add_targets(forced_field, first)
    assert names == [""]
    assert [c.code for c in caveats] == ["dolphot_target_off", "dolphot_not_forced"]
    del targets["two"]
    _, names, caveats = add_targets(forced_field, first)
    assert names == [""]
    assert [c.code for c in caveats] == ["dolphot_target_off"]


@pytest.mark.parametrize("positions", ["uniform", "grid", "target"])
def test_where_artificial_stars_are_put(small, positions):
    from types import SimpleNamespace

    from hst123r.photometers.dolphot_fake_places import places
    from hst123r.photometers.dolphot_params import FakeParams
    from hst123r.products.stacks import read_stack

    (path,) = small.folder.glob(f"products/stacks/{BLUE}/*_drz.fits")
    stack = read_stack(path)
    targets = {"SN": [150.1, 2.2], "nothing": [150.1, 2.2 + 4.3 / 3600], "far": [10.0, 2.0]}
    job = SimpleNamespace(arguments={"targets": targets}, label="SN")
    field = SimpleNamespace(wcs=stack.wcs, shape=stack.science.shape, job=job)
    fake = FakeParams.model_validate({"number": 30, "positions": positions, "radius": "1 arcsec"})
    x, y = places(field, fake, np.random.default_rng(1))
    assert np.all((x >= 0) & (x <= field.shape[1]) & (y >= 0) & (y <= field.shape[0]))
    if positions == "uniform":
        assert x.size == 30
        assert np.std(x) > 0.2 * field.shape[1]
    elif positions == "grid":
        assert x.size == len(set(x)) * len(set(y))
        assert 25 <= x.size <= 36
    else:
        # of two targets on the image, 10 each, within 20 pixels of their stars
        assert x.size == 20
        middle = stack.wcs.all_world2pix([[150.1, 2.2], [150.1, 2.2 + 4.3 / 3600]], 0) + 0.5
        away = [min(np.hypot(*(middle - (a, b)).T)) for a, b in zip(x, y, strict=True)]
        assert max(away) < 20.1
        assert max(away) > 12


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"parameters": {"FitSki": 2}}, "no parameter 'FitSki', did you mean 'FitSky'?"),
        ({"parameters": {"RAper": 2}}, "RAper is a parameter of an image"),
        ({"parameters": {"UsePhot": "x"}}, "UsePhot is set by hst123r itself"),
        ({"parameters": {"ACSuseCTE": 1}}, "it has to be 0"),
        ({"parameters": {"Zero": 25.0}}, "does nothing for images of Hubble"),
        ({"image_parameters": {"FitSky": 2}}, "FitSky is a parameter of the whole run"),
        ({"image_parameters": {"RAper": 2, "raper": 3}}, "RAper and raper are one parameter"),
        ({"psf": "analytic", "image_parameters": {"apRad": 25}}, "the detector's own aperture"),
        ({"parameters": {"FakeMatch": 2}}, "FakeMatch is set by `fake: {match: ...}`"),
        ({"fake": {"magnitudes": ["28 mag", "20 mag"]}}, "20 mag is not above 28 mag"),
        ({"fake": {}, "align_only": True}, "are not made with `align_only`"),
        ({"mask": "external", "areas": "maps"}, "leave it out"),
        ({"mask": "external", "psf": "analytic"}, "mark images as those of a camera"),
    ],
)
def test_a_recipe_is_told_what_dolphot_does_not_know(write_recipe, given, sentence):
    import json

    from hst123r.errors import InputError
    from hst123r.recipe.load import load

    text = json.dumps({"engine": "dolphot", "dolphot": given})
    with pytest.raises(InputError) as caught:
        load(write_recipe(f"photometry: {text}"))
    assert sentence in str(caught.value)
    # with the place of the value
    assert "recipe.yaml:7:" in str(caught.value)


def test_settings_of_dolphot_for_another_engine_are_a_mistake(write_recipe):
    from hst123r.errors import InputError
    from hst123r.recipe.load import load

    with pytest.raises(InputError, match="this is for `engine: dolphot`"):
        load(write_recipe("photometry: {dolphot: {preset: phat}}"))


def test_limits_from_artificial_stars_are_refused_before_the_run(write_recipe):
    from hst123r.errors import InputError
    from hst123r.recipe.load import load

    text = "photometry: {engine: dolphot}\n  - scrape: {limit: artificial}"
    with pytest.raises(InputError) as caught:
        load(write_recipe(text))
    assert "scrape.limit" in str(caught.value)
    assert "no limits from artificial stars with `engine: dolphot`" in str(caught.value)
    load(write_recipe(text.replace("artificial", "relation")))
    load(write_recipe(text.replace("{engine: dolphot}", "{artificial_stars: 300}")))


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"limit_snr": 5.0}, "limit_snr of ACS/WFC F814W differs"),
        ({"max_chi": 9.0}, "max_chi of ACS/WFC F814W differs"),
        ({"dolphot": {"parameters": {"FitSky": 3}}}, "dolphot.parameters of ACS/WFC"),
        ({"dolphot": {"psf": "analytic"}}, r"dolphot.psf of .*\{image_parameters\}"),
        ({"dolphot": {"image_parameters": {"RAper": 3}}}, ""),
        ({"cte": "none"}, ""),
    ],
)
def test_what_a_block_cannot_set_for_dolphot_is_refused(own, sentence):
    from hst123r.errors import InputError
    from hst123r.photometers.engines import one_engine
    from hst123r.photometers.params import PhotometryParams
    from hst123r.records.outcome import Product
    from hst123r.stage.contract import Scope

    params = PhotometryParams.model_validate(DOLPHOT)
    varied = PhotometryParams.model_validate({**DOLPHOT, **own})
    scope = Scope("r", "", "", (), "photometry", varied=lambda *_: varied)
    labels = {"detector": "ACS/WFC", "filter": "F814W"}
    inputs = {"exposure": [Product("exposure", "jsi00103q", labels)]}
    if not sentence:
        one_engine(inputs, params, scope)
        return
    with pytest.raises(InputError, match=sentence):
        one_engine(inputs, params, scope)


SPLIT = """
from astropy.io import fits
with fits.open(sys.argv[1]) as hdus:
    for version in (1, 2):
        part = hdus["SCI", version]
        header = part.header
        header.update({"BADPIX": -1e4, "SATURATE": 1e6, "MJD-OBS": hdus[0].header["EXPSTART"],
                       "EXPTIME": hdus[0].header["EXPTIME"], "DOL_ACS": version,
                       "FILTER1": hdus[0].header["FILTER1"], "FILTER2": hdus[0].header["FILTER2"]})
        bad = hdus["DQ", version].data & 4096 != 0
        part.data[bad] = -2e4
        name = sys.argv[1].replace(".fits", f".chip{version}.fits")
        fits.PrimaryHDU(part.data / 0.951763, header).writeto(name)
"""


def test_the_users_own_programs_mask_copies(measure, inputs, tmp_path):
    import sys

    for name, lines in (("acsmask", "pass"), ("splitgroups", SPLIT)):
        program = tmp_path / name
        program.write_text(f"#!{sys.executable}\nimport sys\n{lines}\n")
        program.chmod(0o755)
    paths = [Path(p.files["science"]) for p in inputs["exposure"]]
    before = [path.stat().st_mtime_ns for path in paths]
    outcome = measure(images=1, mask="external", forced=False)
    (product,) = (p for p in outcome.products if p.kind == "photometry")
    assert product.facts["detected"] > 15
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_alignment_alone(measure):
    outcome = measure(images=1, align_only=True)
    assert [product.kind for product in outcome.products] == ["dolphot run"]
    assert "dolphot_align_only" in {caveat.code for caveat in outcome.caveats}


def installed_for(params):
    """Return the files that the key of a job with one exposure holds, by name."""
    from hst123r.photometers.dolphot import installed_files
    from hst123r.photometers.params import PhotometryParams
    from hst123r.records.outcome import Product

    labels, facts = {"detector": "ACS/WFC", "filter": "F814W"}, {"chips": [{"number": 1}]}
    given = {"exposure": [Product("exposure", "jsi00103q", labels, {}, facts)], "stack": []}
    model = PhotometryParams.model_validate({**DOLPHOT, "dolphot": params})
    return {product.name: product.files["file"] for product in installed_files(model, given)}


def test_programs_that_mask_are_in_the_key(tmp_path, monkeypatch):
    from hst123r.errors import EnvironmentProblem

    monkeypatch.setenv("HST123R_DOLPHOT_BIN", str(tmp_path))
    monkeypatch.delenv("HST123R_DOLPHOT_BASE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("dolphot", "acsmask"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert set(installed_for({})) == {"dolphot"}
    with pytest.raises(EnvironmentProblem, match="no program splitgroups beside DOLPHOT"):
        installed_for({"mask": "external"})
    (tmp_path / "splitgroups").touch(mode=0o755)
    found = installed_for({"mask": "external"})
    assert set(found) == {"dolphot", "acsmask", "splitgroups"}
    assert found["acsmask"] == str(tmp_path / "acsmask")


def test_what_a_program_reads_unasked_is_in_the_key(tmp_path, monkeypatch):
    """Its folder's parameter files, and the tables of all modules it was built with."""
    from hst123r.errors import EnvironmentProblem

    base = tmp_path / "base"
    names = ["acs/data/F814W.wfc1.psf", "acs/data/F814W.wfc2.psf", "acs/data/filters.dat",
             "acs/data/hrc_idctab.dat", "acs/data/wfc_idctab.dat", "param/dolphot.param",
             "param/fits.param", "wfpc2/data/filters.dat"]  # fmt: skip
    for name in names:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).touch()
    program = tmp_path / "dolphot"
    program.write_bytes(b"\x7fELF\0" + str(base).encode() + b"\0DOL_ACS\0DOLWFPC2\0")
    program.chmod(0o755)
    monkeypatch.setenv("HST123R_DOLPHOT_BIN", str(program))
    monkeypatch.delenv("HST123R_DOLPHOT_BASE", raising=False)
    found = installed_for({})
    assert {"dolphot", "param/dolphot.param", "param/fits.param", "wfpc2/data/filters.dat",
            "acs/data/hrc_idctab.dat"} <= set(found)  # fmt: skip
    assert not any(name.startswith("wfc3") for name in found)
    (base / "wfpc2/data/filters.dat").unlink()
    with pytest.raises(EnvironmentProblem, match=r"has no .*wfpc2/data/filters\.dat"):
        installed_for({})


def test_without_the_program_nothing_is_planned(inputs, divide, monkeypatch, tmp_path):
    from hst123r.errors import EnvironmentProblem

    monkeypatch.setenv("HST123R_DOLPHOT_BIN", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="where there is no program dolphot"):
        divide("photometry", inputs, DOLPHOT)


def test_files_of_its_modules_that_are_missing_are_all_named(
    inputs, divide, dolphot, small, monkeypatch, tmp_path
):
    from hst123r.errors import EnvironmentProblem

    dolphot(small.folder / "raw")
    base = tmp_path / "base"
    data = base / "acs" / "data"
    data.mkdir(parents=True)
    monkeypatch.setenv("HST123R_DOLPHOT_BASE", str(base))
    names = ["filters.dat", "wfc_idctab.dat", "F606W.wfc1.psf", "F814W.wfc1.psf", "F606W.wfc2.psf"]
    for name in names[:3]:
        (data / name).write_text(name)
    with pytest.raises(EnvironmentProblem) as caught:
        divide("photometry", inputs, DOLPHOT)
    for name in names:
        assert (f"/acs/data/{name}" in str(caught.value)) is (name not in names[:3])
    for name in (*names, "F814W.wfc2.psf"):
        (data / name).write_text(name)
    (job,) = divide("photometry", inputs, DOLPHOT).values()
    assert len(job.inputs["dolphot file"]) == 7


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"reference": "mine"}, "no stack 'mine' of SN"),
        ({"image_parameters": {"RPSF": 3}}, "RPSF 3 is too small for RAper 2"),
        ({"image_parameters": {"RPSF": 34}}, "RPSF 34 is above 33"),
    ],
)
def test_what_dolphot_would_refuse_is_refused_before(
    inputs, divide, dolphot, small, params, sentence
):
    from hst123r.errors import InputError

    dolphot(small.folder / "raw")
    with pytest.raises(InputError, match=sentence):
        divide("photometry", inputs, {**DOLPHOT, "dolphot": params})


@pytest.fixture
def real_dolphot():
    """Return the DOLPHOT of the user's that the tests were given, and whether it knows ACS."""
    import os
    import shutil

    from hst123r.external.dolphot_installation import PROGRAM_VARIABLE, find

    if not os.environ.get(PROGRAM_VARIABLE) and shutil.which("dolphot") is None:
        pytest.skip(f"no DOLPHOT on the search path or in {PROGRAM_VARIABLE}")
    return find({"DOL_ACS"})


@pytest.mark.heavy
@pytest.mark.parametrize("psf", ["library", "analytic"])
def test_the_real_program(real_dolphot, psf, inputs, divide, do, small):
    """Two exposures of one chip; with a library of our own PSFs it is right to some mmag."""
    from hst123r.photometers.dolphot import needed_files
    from hst123r.photometers.params import PhotometryParams

    inputs["exposure"] = [p for p in inputs["exposure"] if p.labels["filter"] == "F814W"]
    given = {**DOLPHOT, "dolphot": {"chips": "target", "reference": "first", "psf": psf}}
    if psf == "library":
        if not real_dolphot.words or real_dolphot.base is None:
            pytest.skip("this DOLPHOT was built without its ACS module")
        params = PhotometryParams.model_validate(given)
        absent = [n for n in needed_files(params, inputs["exposure"])
                  if not (real_dolphot.base / n).is_file()]  # fmt: skip
        if absent:
            pytest.skip(f"this DOLPHOT has no {', '.join(absent)}")
        given["dolphot"]["fake"] = {"number": 12, "magnitudes": ["20 mag", "23 mag"]}
    (job,) = divide("photometry", inputs, given).values()
    outcome = do("photometry", job, given)
    assert not isinstance(outcome, str), outcome
    (product,) = (p for p in outcome.products if p.kind == "photometry")
    truth = small.truth("jsi00103q")
    truth = truth[(truth["star"] != np.max(truth["star"])) & (truth["magnitude"] < 23.5)]
    difference, pull = against_truth(product.files["catalog"], truth)
    assert len(pull) > 12
    if psf == "library":
        assert abs(np.median(difference)) < 0.02
        assert 0.3 < np.mean(pull**2) < 6
        (fake,) = (p for p in outcome.products if p.kind == "artificial stars")
        stars = read_table(fake.files["stars"])
        found = stars[stars["recovered"] == 1]
        assert len(found) > 8
        assert abs(np.median(found["mag_ab"] - found["mag_in"])) < 0.03
    else:
        # of a PSF that is none of its functions
        assert abs(np.median(difference)) < 0.3
    assert "dolphot_not_forced" not in {caveat.code for caveat in outcome.caveats}


@pytest.mark.heavy
def test_the_real_program_warm_started_and_stopped_after_alignment(
    real_dolphot, inputs, divide, do
):
    """With an analytic PSF, so that it needs no library: sources of `detect` keep their places."""
    from hst123r.products.source_table import read_sources

    assert real_dolphot is not None
    inputs["exposure"] = [p for p in inputs["exposure"] if p.labels["filter"] == "F814W"]
    made = {}
    for name, more in (("places", {"positions": "sources"}), ("aligned", {"align_only": True})):
        own = {"chips": "target", "reference": "first", "psf": "analytic", **more}
        given = {**DOLPHOT, "dolphot": own}
        (job,) = divide("photometry", inputs, given).values()
        made[name] = do("photometry", job, given, cores=2)
        assert not isinstance(made[name], str), made[name]
        (kept,) = (p for p in made[name].products if p.kind == "dolphot run")
        log = Path(kept.files["log"]).read_text()
        assert "image 2: " in log
        # 2.0 has no threads, 3 says how many
        assert "Cannot match parameter name:\nMaxThreads" in log or "Using 2 threads" in log
    assert [product.kind for product in made["aligned"].products] == ["dolphot run"]
    (product,) = (p for p in made["places"].products if p.kind == "photometry")
    catalogue = read_table(product.files["catalog"])
    sources = read_sources(inputs["sources"][0].files["catalog"])
    place = {row["source"]: (row["ra"], row["dec"]) for row in sources}
    assert len(catalogue) > 20
    for row in catalogue:
        ra, dec = place[row["source"]]
        # two digits of a pixel of 50 mas are written
        assert 3.6e6 * np.hypot(row["ra"] - ra, row["dec"] - dec) < 1
    assert np.count_nonzero(np.isfinite(catalogue["mag_ab"])) > 15


CAMERAS = """\
hst123r: 1
name: cameras
targets: [{name: SN, position: "10:00:24.0 +02:12:00"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 11
        at: [SN]
        observations: OBSERVATIONS
        errors: [{}]
        stars: STARS
  - align: {}
  - drizzle: {name: stacks}
  - detect: {}
  - photometry: {engine: dolphot, dolphot: DOLPHOT}
"""
ONE = {"chips": "target", "reference": "first", "forced": False}


def stars(number, radius, separation, brightest, faintest):
    return {"number": number, "radius": f"{radius} arcsec", "separation": f"{separation} arcsec",
            "brightest": f"{brightest} mag", "faintest": f"{faintest} mag"}  # fmt: skip


def compare_masks(installation, raw, folder):
    """Mask an exposure by DOLPHOT's own programs and by ours; return how many chips are equal."""
    import shutil
    import subprocess

    from astropy.io import fits

    from hst123r import instruments
    from hst123r.products.dolphot.images import write_chips
    from hst123r.products.exposures import read_exposure

    exposure = read_exposure(str(raw), {"SN": (150.1, 2.2)})
    facts = instruments.get(exposure.detector).dolphot.mask
    data = installation.base / facts.module / "data"
    programs = [installation.sibling(name) for name in (f"{facts.module}mask", "splitgroups")]
    maps = [data / chip.area_file for chip in facts.chips if chip.area_file]
    if None in programs or not all(path.is_file() for path in maps):
        return 0
    files = {"science": raw}
    companion = raw.with_name(raw.name.replace("_c0m", "_c1m"))
    if companion != raw:
        files["dq"] = companion
    theirs, ours = folder / "theirs", folder / "ours"
    for path in (theirs, ours):
        path.mkdir()
    for path in files.values():
        shutil.copyfile(path, theirs / path.name)
    shutil.copy(installation.base / "param" / "fits.param", theirs)
    header = fits.getheader(raw, ("SCI", 1))
    corner = f"{round(-header.get('LTV1', 0))},{round(-header.get('LTV2', 0))}"
    flags = [f"-{chip.psf}sub={corner}" for chip in facts.chips] if exposure.subarray else []
    names = [path.name for path in files.values()]
    for program, arguments in zip(programs, ([*flags, *names], names[:1]), strict=True):
        subprocess.run([program, *arguments], cwd=theirs, capture_output=True, check=True)
    made = write_chips({role: str(path) for role, path in files.items()}, exposure, ours,
                       data if maps else None)  # fmt: skip
    seen = 0
    for image in made:
        # programs take a subarray for one chip
        other = theirs / f"{raw.stem}.chip{image.extver}.fits"
        if other.is_file():
            seen += 1
            found = []
            for path in (image.path, other):
                with fits.open(path) as hdus:
                    limits = [hdus[0].header[key] for key in ("BADPIX", "SATURATE")]
                    good = (hdus[0].data > limits[0]) & (hdus[0].data < limits[1])
                    found.append((good, np.where(good, hdus[0].data, 0)))
            assert np.array_equal(found[0][0], found[1][0])
            # one unit in the last place, of WFPC2
            assert np.allclose(found[0][1], found[1][1], rtol=1.2e-7, atol=0)
    return seen


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("observed", "scene", "dolphot", "most"),
    [
        ({"WFC3/IR": ("F160W", 2019, 256)}, stars(150, 26, 2, 18, 24), ONE, 0.006),
        # with hst123's smaller radii it is 0.011 too faint
        ({"ACS/HRC": ("F606W", 2005, 400)}, stars(120, 11, 0.8, 18, 24),
         {**ONE, "image_parameters": {"RAper": 3, "RChi": 2, "RPSF": 15, "RSky2": [4, 10]}}, 0.01),
        ({"WFPC2": ("F606W", 2005, None)}, stars(150, 60, 2, 18, 23), ONE, 0.006),
        # two cameras at once, against a stack of one of them
        ({"ACS/WFC": ("F814W", 2019, 500), "WFC3/UVIS": ("F814W", 2019, 600)},
         stars(200, 25, 0.9, 19, 24), {"chips": "target", "forced": False}, 0.008),
    ],
)  # fmt: skip
def test_the_real_program_with_other_cameras(
    real_dolphot, observed, scene, dolphot, most, run_recipe, tmp_path
):
    """From simulated exposures to magnitudes; PSFs and tables are made of our own optics."""
    import json

    from astropy.table import Table

    if real_dolphot.base is None:
        pytest.skip("the folder of this DOLPHOT is not known")
    rows = [
        {"detector": name, "filter": through, "dates": [f"{year}-04-01"], "exposures": 2,
         "exposure_time": "400 s", **({"size": f"{size} pix"} if size else {})}
        for name, (through, year, size) in observed.items()
    ]  # fmt: skip
    text = CAMERAS
    for word, value in (("OBSERVATIONS", rows), ("STARS", scene), (" DOLPHOT", dolphot)):
        text = text.replace(word, f" {json.dumps(value)}")
    recipe = tmp_path / "cameras.yaml"
    recipe.write_text(text)
    done = run_recipe(recipe)
    if done.code == 6:
        pytest.skip(done.err.strip().splitlines()[-1])
    assert done.code == 0, done.err
    catalogues = sorted((tmp_path / "cameras/products/photometry/SN").glob("*_catalog.ecsv"))
    assert len(catalogues) == len(observed)
    for number, name in enumerate(observed):
        letter = {"ACS": "j", "WFC3": "i", "WFPC2": "u"}[name.partition("/")[0]]
        raw = next(path for path in sorted((tmp_path / "cameras" / "raw").glob(f"{letter}*.fits")))
        folder = tmp_path / f"masks{number}"
        folder.mkdir()
        compare_masks(real_dolphot, raw, folder)
    for path in catalogues:
        root = read_table(path).meta["exposures"][0]
        truth = Table.read(tmp_path / "cameras" / "raw" / f"{root}_truth.ecsv")
        bright = truth[truth["magnitude"] < truth["magnitude"].min() + 4]
        difference, pull = against_truth(path, bright)
        assert len(pull) > 12
        assert abs(np.median(difference)) < most
        # S/N of hundreds, where the PSF's own errors count, are among them
        assert 0.3 < np.median(pull**2) / 0.455 < 4


@pytest.mark.heavy
def test_a_recipe_from_measurement_to_export(
    copy_of_finished, run_recipe, dolphot, finished_in, monkeypatch, tmp_path
):
    """The same recipe with another engine: only what stands on photometry runs again."""
    recipe = copy_of_finished.parent / "small.yaml"
    given = "{engine: dolphot, dolphot: {chips: target}}"
    recipe.write_text(recipe.read_text().replace("- photometry: {}", f"- photometry: {given}"))
    monkeypatch.setenv("HST123R_DOLPHOT_BIN", str(tmp_path))
    failed = run_recipe(recipe, "--dry-run")
    assert failed.code == 6
    assert "there is no program dolphot" in failed.err
    # what the built-in engine had measured is still there
    assert list(copy_of_finished.glob(f"products/photometry/{BLUE}/*_catalog.ecsv"))
    program = dolphot(copy_of_finished / "raw")
    done = run_recipe(recipe)
    assert done.code == 0, done.err
    found = finished_in(copy_of_finished)
    sql = "select stage from job where state = 'done' and run_id = (select max(id) from run)"
    ran = {row["stage"] for row in found.store.db.query(sql)}
    assert ran == {"photometry", "scrape", "export", "report"}
    for name, root in ((BLUE, "jsi00101q"), (RED, "jsi00103q")):
        truth = found.truth(root)
        truth = truth[truth["star"] != np.max(truth["star"])]
        difference, pull = against_truth(found.path(f"photometry/SN/{name}_catalog.ecsv"), truth)
        assert len(pull) > 20
        assert abs(np.median(difference)) < 0.006
        assert 0.6 < np.mean(pull**2) < 1.6
    rows = found.table("scrape/SN/SN_light_curve.ecsv")
    epochs = rows[rows["level"] == "epoch"]
    assert len(epochs) == 3
    for row in epochs:
        true = 21.0 if str(row["epoch"]) == "20190401" else 24.0
        assert abs(row["mag_ab"] - true) < 3 * row["mag_err"]
    nothing = found.table("scrape/nothing/nothing_light_curve.ecsv")
    assert "target_unseen" in nothing.meta["caveats"]
    assert list(copy_of_finished.glob("products/export/all/small.h5"))
    # another program is another tool
    program.write_text(program.read_text() + "# a new version\n")
    plan = run_recipe(recipe, "--dry-run")
    assert "dolphot" in plan.out

"""The cuts."""

from dataclasses import replace

import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.products.exposures import read_exposure
from hst123r.provenance.store import Store
from hst123r.stages.select import Select, SelectParams, cuts

RA, DEC = 150.1, 2.2
IN_NO_FRAME = {"elsewhere": (RA + 0.1, DEC)}


@pytest.fixture(scope="module")
def good(made_exposures):
    """Return the record of an exposure that passes every cut."""
    record = read_exposure(str(made_exposures / "jsi00101q_flc.fits"), {"T": (RA, DEC)})
    assert failed(record) == {}
    return record


def failed(record, **params):
    found = (cut for cut in cuts(record, SelectParams.model_validate(params)) if cut is not None)
    return dict(found)


@pytest.mark.parametrize(
    ("change", "params", "code", "says"),
    [
        ({"exposure_time_s": 14.99}, {}, "exposure_time", "14.99 s is shorter than 15 s"),
        ({}, {"min_exposure": "101 s"}, "exposure_time", "100 s is shorter than 101 s"),
        ({}, {"detectors": ["ACS/HRC", "WFPC2"]}, "detector", "ACS/WFC, not ACS/HRC or WFPC2"),
        ({}, {"filters": ["F814W"]}, "filter", "F606W, not F814W"),
        ({}, {"filter_classes": ["M", "N"]}, "filter_class", "W, not M or N"),
        ({}, {"proposals": [10775]}, "proposal", "not 10775"),
        ({}, {"after": "2019-04-02"}, "after", "before 2019-04-02"),
        ({}, {"before": "2019-04-01"}, "before", "not before 2019-04-01"),
        ({}, {"exclude": ["jsi00101q"]}, "excluded", "leaves it out"),
        ({}, {"exclude": ["JSI00101Q"]}, "excluded", "leaves it out"),
        ({"expflag": "INDETERMINATE"}, {}, "expflag", "EXPFLAG is INDETERMINATE"),
        ({"fgslock": "GYROS"}, {}, "guiding", "guided by GYROS"),
        ({"quality": "LOCKLOST; TDF went down"}, {}, "guiding", "LOCKLOST"),
        ({"moving": "T"}, {}, "moving_target", "MTFLAG"),
        ({"filter": "G800L", "filter_class": "grism"}, {}, "grism", "is a grism"),
        ({"filter": "FR459M", "filter_class": "ramp"}, {}, "ramp", "band changes"),
        ({"filter": "CLEAR", "filter_class": "clear"}, {}, "clear", "no filter"),
        ({"filter": "F123Q", "filter_class": "unknown"}, {}, "unknown", "not a filter of ACS/WFC"),
        ({"elements": ("POL0V", "F606W")}, {}, "polariser", "POL0V is in the beam"),
        ({"targets": ()}, {}, "footprint", "no target falls on a chip"),
        ({"subarray": False, "chips": 1}, {}, "incomplete", "1 of 2 chips"),
    ],
)
def test_each_cut_has_its_code_and_its_sentence(good, change, params, code, says):
    if "targets" in change:
        record = replace(good, chips=[replace(c, targets={}) for c in good.chips])
    elif "chips" in change:
        (held,) = [chip for chip in good.chips if chip.targets]
        record = replace(good, **{**change, "chips": [held]})
    else:
        record = replace(good, **change)
    found = failed(record, **params)
    assert list(found) == [code]
    assert says in found[code]


@pytest.mark.parametrize(
    ("change", "params"),
    [
        ({"exposure_time_s": 15.0}, {}),
        ({"exposure_time_s": 0.5}, {"min_exposure": "0 s"}),
        ({"expflag": "EXTENDED"}, {"accept_expflags": ["NORMAL", "extended"]}),
        ({"fgslock": "GYROS"}, {"accept_failed_guiding": True}),
        ({"moving": "T"}, {"accept_moving_targets": True}),
        ({"elements": ("POL0V", "F606W")}, {"accept_polarisers": True}),
        ({}, {"after": "2019-04-01", "before": "2019-04-02"}),
        ({}, {"exclude": ["JSI00102Q"]}),
        ({}, {"detectors": ["ACS/WFC"], "filters": ["F606W"], "filter_classes": ["W"]}),
    ],
)
def test_what_is_on_the_edge_or_accepted_passes(good, change, params):
    assert failed(replace(good, **change), **params) == {}


def test_every_cut_that_fails_is_told(good):
    record = replace(good, exposure_time_s=1.0, expflag="INTERRUPTED", moving="T")
    assert list(failed(record, filters=["F814W"])) == [
        "filter", "exposure_time", "expflag", "moving_target",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["0", "x12", 10.5, True])
def test_a_proposal_is_a_number(name):
    if name == "0":
        assert SelectParams.model_validate({"proposals": ["0775"]}).proposals == ["775"]
        return
    with pytest.raises(ValueError, match="not a proposal number"):
        SelectParams.model_validate({"proposals": [name]})


@pytest.mark.heavy
def test_a_target_in_the_gap_between_the_chips_is_outside(tmp_path):
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    simulation = Simulation.model_validate(
        {
            "observations": [{"detector": "ACS/WFC", "filter": "F606W", "dates": ["2019-04-01"],
                              "exposures": 1, "exposure_time": "100 s"}],
            "stars": {"number": 1, "radius": "4 arcsec"}, "cosmic_rays": False,
            "pointing_error": "0 arcsec", "roll_error": "0 deg",
        }
    )  # fmt: skip
    (programme,) = programmes(simulation, (Target("T", parse(f"{RA} {DEC}")),), tmp_path).values()
    (entry,) = planned(programme)
    path = str(make(programme, entry.root, tmp_path, None)["science"])
    with fits.open(path) as hdus:
        from hst123r.products.exposures import open_wcs

        edges = {}
        for version in (1, 2):
            wcs = open_wcs(hdus["SCI", version].header, hdus, path)
            rows, columns = hdus["SCI", version].shape
            for side, y in (("bottom", -0.5), ("top", rows - 0.5)):
                edges[version, side] = [float(v) for v in wcs.all_pix2world(columns / 2, y, 0)]
    # EXTVER 1 is WFC2, the lower chip; the gap is some 50 pixels, 2.5 arcsec
    below, above = edges[1, "top"], edges[2, "bottom"]
    gap = [(below[0] + above[0]) / 2, (below[1] + above[1]) / 2]
    width = ((below[0] - above[0]) ** 2 + (below[1] - above[1]) ** 2) ** 0.5 * 3600
    assert 1.5 < width < 3.5
    inside = [below[0] + (below[0] - gap[0]), below[1] + (below[1] - gap[1])]
    found = read_exposure(path, {"gap": tuple(gap), "chip": tuple(inside)})
    assert found.targets == ["chip"]
    assert [chip.extver for chip in found.chips if chip.targets] == [1]
    # a margin wider than the distance to the edge leaves it out too
    assert read_exposure(path, {"chip": tuple(inside)}, margin_pix=60.0).targets == []


def test_a_grism_and_a_short_exposure_are_rows_with_reasons(run_recipe, write_recipe, data):
    with fits.open(data / "jsi00101q_flc.fits", mode="update") as hdus:
        hdus[0].header["FILTER1"] = "G800L"
        hdus[0].header["FILTER2"] = "CLEAR2L"
    fits.setval(data / "jsi00102q_flc.fits", "EXPTIME", value=3.0)
    answer = run_recipe(write_recipe("exposures: {}"))
    assert answer.code == 0
    assert "G800L is a grism" in answer.rejects["jsi00101q"]
    assert "3 s is shorter than 15 s" in answer.rejects["jsi00102q"]
    assert "G800L is a grism" in answer.out


def test_a_target_outside_every_frame_is_said_with_what_to_try(run_recipe, write_recipe, data):
    answer = run_recipe(write_recipe("exposures: {}", target="10.0 -20.0"))
    assert answer.code == 2
    assert "no exposure is left after the selection" in answer.err
    assert "hst123r exposures" in answer.err
    assert set(answer.rejects.values()) == {"no target falls on a chip"}
    assert len(list(data.iterdir())) == 4


def test_the_selection_reads_headers_only():
    (need,) = Select.needs
    assert set(need.facets) == {"wcs", "science"}
    assert instruments.names()


def another_filter(path):
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["FILTER1"] = "CLEAR1L"
        hdus[0].header["FILTER2"] = "F814W"


def test_blocks_are_chosen_by_what_the_header_says(run_recipe, write_recipe, data):
    another_filter(data / "jsi00101q_flc.fits")
    block = "{for: {F814W: {min_exposure: 5000 s}, ACS/HRC: {min_exposure: 6000 s}}}"
    answer = run_recipe(write_recipe("exposures: {}", select=block))
    assert answer.code == 0, answer.err
    assert answer.rejects == {"jsi00101q": "100 s is shorter than 5000 s"}
    # they are part of the key, with their place
    block = block.replace("5000 s", "50 s")
    answer = run_recipe(write_recipe("exposures: {}", select=block))
    assert "left out" not in answer.out
    assert "parameter min_exposure for F814W: 5000 s → 50 s (recipe.yaml:4:24)" in answer.err
    answer = run_recipe(write_recipe("exposures: {}", select=block), "--dry-run")
    assert answer.code == 0


def test_a_block_can_ask_for_a_margin_of_its_own(run_recipe, write_recipe, data):
    another_filter(data / "jsi00101q_flc.fits")
    answer = run_recipe(write_recipe("exposures: {}", select="{for: {F814W: {margin: 60 pix}}}"))
    assert answer.rejects == {"jsi00101q": "no target falls on a chip"}


def test_a_name_to_exclude_that_no_exposure_has_is_told(run_recipe, write_recipe, data):
    recipe = write_recipe("exposures: {}", select="{exclude: [JSI00101Q, j8bt06nyq]}")
    answer = run_recipe(recipe)
    assert answer.code == 0
    assert list(answer.rejects) == ["jsi00101q"]
    store = Store(answer.folder / "r", read_only=True)
    caveats = [(row["subject"], row["text"]) for row in store.db.query("select * from caveat")]
    store.close()
    assert caveats == [
        ("j8bt06nyq", "`exclude` names it, and no exposure that was fetched has this name")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": "-3000 pix"},
        {"min_exposure": "-5 s"},
        {"after": "2012-01-01", "before": "2012-01-01"},
        {"detectors": ["WFC3/IR"], "filters": ["F555W", "F606W"]},
    ],
)
def test_cuts_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"is below|is not later than|has none of"):
        SelectParams.model_validate(wrong)


def test_one_filter_that_a_detector_has_is_enough():
    SelectParams.model_validate({"detectors": ["WFC3/IR"], "filters": ["F555W", "F160W"]})

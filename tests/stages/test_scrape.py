"""Light curves of the targets."""

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.light_curve import COLUMNS
from hst123r.products.source_table import read_sources
from hst123r.provenance.store import Store
from hst123r.stages.scrape import STORED


@pytest.fixture
def inputs(small):
    return {
        "photometry": small.products("photometry", "photometry"),
        "exposure": small.products("align", "exposure"),
    }


def test_the_store_has_every_value_of_a_light_curve(tmp_path):
    in_table = set(Store.in_memory(tmp_path).db.table("photometry").columns_dict)
    assert {column.name for column in COLUMNS} <= {*STORED, "source"}
    assert set(STORED) <= in_table


def test_the_transient_fades_as_it_did(small):
    rows = small.table("scrape/SN/SN_light_curve.ecsv")
    epochs = rows[rows["level"] == "epoch"]
    assert len(epochs) == 3
    for row in epochs:
        true = 21.0 if str(row["epoch"]) == "20190401" else 24.0
        assert abs(row["mag_ab"] - true) < 2.5 * row["mag_err"]
        assert row["mag_err"] < 0.03


def test_a_transient_that_is_bright_in_one_epoch_is_not_taken_for_hits(small):
    """The others have it three magnitudes fainter: of three others two are of the other epoch."""
    rows = small.table("scrape/SN/SN_light_curve.ecsv")
    bright = rows[(rows["level"] == "exposure") & (rows["filter"] == "F606W")]
    bright = bright[[str(epoch) == "20190401" for epoch in bright["epoch"]]]
    assert len(bright) == 2
    assert not np.any(bright["flags"])
    assert np.all(np.abs(bright["mag_ab"] - 21.0) < 3 * bright["mag_err"])


def test_where_nothing_is_there_is_a_limit_and_a_caveat(small):
    rows = small.table("scrape/nothing/nothing_light_curve.ecsv")
    assert rows.meta["caveats"] == ["target_unseen"]
    assert np.all(np.isfinite(rows["limit_ab"]))
    assert not np.any(np.isfinite(rows["mag_ab"]))
    assert np.all(np.abs(rows["flux_njy"]) < 3 * rows["flux_err_njy"])


def test_the_store_has_every_row_of_the_tables(small):
    stored = list(small.store.db.query("select * from photometry where target = 'SN' order by id"))
    rows = small.table("scrape/SN/SN_light_curve.ecsv")
    assert len(stored) == len(rows) == 14
    for row, entry in zip(rows, stored, strict=True):
        assert (entry["level"], entry["filter"]) == (row["level"], row["filter"])
        assert entry["flux_njy"] == pytest.approx(row["flux_njy"], abs=1e-3)
        assert (entry["mag_ab"] is None) is bool(np.isnan(row["mag_ab"]))
        assert (entry["limit_sigma"], entry["limit_method"]) == (3.0, "forced flux error")
        several = entry["n_exposures"] > 1
        assert (entry["chi2"] is not None) is several
        assert (entry["flux_err_scatter_njy"] is not None) is several


def test_every_target_of_a_field_has_a_job_with_that_fields_results(inputs, divide):
    jobs = divide("scrape", inputs)
    assert list(jobs) == ["SN", "nothing"]
    assert len(jobs["nothing"].inputs["photometry"]) == 2
    assert jobs["SN"].arguments["visits"]["jsi00201q"] == "99900_02"
    far = {"SN": "150.1 2.2", "nothing": "150.1 2.2", "elsewhere": "10.0 10.0"}
    assert "elsewhere" not in divide("scrape", inputs, targets=far)


def test_which_source_is_the_users_choice(inputs, divide, do, small):
    """Around the empty place, with a wide radius, there are others."""
    sources = read_sources(small.path("detect/SN/SN_sources.ecsv"))
    job = divide("scrape", inputs)["nothing"]
    found = {}
    for which in ("target", "nearest", "brightest"):
        params = {"radius": "6 arcsec", "source": which}
        outcome = do("scrape", job, params)
        found[which] = outcome.products[0].facts
        codes = [caveat.code for caveat in outcome.caveats]
        assert ("target_unseen" in codes) is (which == "target")
        assert "several_sources" in codes
    assert not found["target"]["detected"]
    assert found["nearest"]["separation_arcsec"] < found["brightest"]["separation_arcsec"]
    brightest = sources[sources["source"] == found["brightest"]["source"]]
    assert brightest["snr"][0] > 1000


def test_a_separation_beyond_the_radius_is_bad(small):
    rows = list(small.store.db.query(
        "select value, high, quality from measurement where name = 'separation'"))  # fmt: skip
    assert all(row["high"] == 0.1 and row["quality"] == "good" for row in rows)
    # the header of the first visit is right, so the transient is where the recipe has it
    assert min(row["value"] for row in rows) < 0.005


def test_a_target_that_was_not_measured_is_an_error_with_a_hint(inputs, divide, do, tmp_path):
    for number, product in enumerate(inputs["photometry"]):
        path = tmp_path / f"catalogue{number}.ecsv"
        table = tables.read(product.files["catalog"])
        tables.write(table[table["target"] == ""], path)
        product.files["catalog"] = str(path)
    said = do("scrape", divide("scrape", inputs)["nothing"], {"radius": "0.01 arcsec"})
    assert "the target was not measured" in said
    assert "raise `radius`" in said


def test_caveats_of_what_was_measured_follow_to_the_light_curve(inputs, divide, do):
    from hst123r.records.outcome import Caveat

    inputs["photometry"][0].caveats = [Caveat("no_cosmic_ray_mask", "no mask")]
    inputs["exposure"][0].caveats = [Caveat("no_distortion", "no model")]
    outcome = do("scrape", divide("scrape", inputs)["SN"])
    assert {caveat.code for caveat in outcome.caveats} == {"no_cosmic_ray_mask", "no_distortion"}
    assert {row["caveats"] for row in outcome.photometry} == {"no_cosmic_ray_mask,no_distortion"}
    table = tables.read(outcome.products[0].files["table"])
    assert table.meta["caveats"] == ["no_cosmic_ray_mask", "no_distortion"]


def test_where_limits_come_from_is_the_users_choice(inputs, divide, do):
    job = divide("scrape", inputs)["nothing"]
    limits = {}
    for method in ("forced", "relation"):
        rows = do("scrape", job, {"limit": method}).products[0].facts["rows"]
        limits[method] = np.array([row["limit_ab"] for row in rows])
    assert {row["limit_method"] for row in rows} == {"local S/N relation"}
    assert np.abs(limits["relation"] - limits["forced"]).max() < 0.15
    said = do("scrape", job, {"limit": "artificial"})
    assert "there were no artificial stars" in said
    assert "Set photometry.artificial_stars" in said
    said = do("scrape", job, {"limit": "artificial", "limit_snr": 5.0})
    assert "Give photometry.limit_snr and scrape.limit_snr the same value" in said


def test_other_systems_and_extinction_are_added(inputs, divide, do, tmp_path):
    table = tmp_path / "vega.csv"
    table.write_text("detector,filter,vega_ab\nACS/WFC,F606W,0.085\nACS/WFC,F814W,0.42\n")
    params = {
        "system": "vega", "vega_table": str(table), "extinction": {"ebv": 0.1, "law": "ccm89"},
    }  # fmt: skip
    job = divide("scrape", inputs, params)["SN"]
    outcome = do("scrape", job, params)
    found = tables.read(outcome.products[0].files["table"])
    offset = np.where(found["filter"] == "F606W", 0.085, 0.42)
    assert np.allclose(found["mag_ab"] - found["mag_vega"], offset, atol=2e-4)
    assert np.allclose(found["mag_vega"] - found["mag_vega_corrected"], found["extinction_mag"],
                       atol=2e-4)  # fmt: skip
    assert found.meta["extinction"] == {"ebv": 0.1, "rv": 3.1, "law": "ccm89"}
    # A at the pivot of F606W and of F814W, E(B-V) = 0.1: within a per cent or two of the known ones
    dimmed = [float(found["extinction_mag"][found["filter"] == f][0]) for f in ("F606W", "F814W")]
    assert dimmed == pytest.approx([0.284, 0.184], rel=0.03)
    assert outcome.photometry[0]["mag_vega"] == pytest.approx(found["mag_vega"][0], abs=1e-4)


def test_a_table_of_vega_that_is_not_there_is_an_error(inputs, divide):
    from hst123r.errors import InputError

    params = {"system": "vega", "vega_table": "nowhere.csv"}
    with pytest.raises(InputError, match="there is no table of Vega"):
        divide("scrape", inputs, params)


def test_vega_by_dolphots_own_zeropoints(inputs, divide, do):
    from dataclasses import replace

    params = {"system": "vega", "vega": "dolphot"}
    job = divide("scrape", inputs, params)["SN"]
    said = do("scrape", job, params)
    assert "was not measured with zeropoints of DOLPHOT" in said
    for product in job.inputs["photometry"]:
        product.facts["vega_ab"] = 0.1
    (product,) = do("scrape", replace(job, inputs=dict(job.inputs)), params).products
    found = tables.read(product.files["table"])
    assert np.allclose(found["mag_ab"] - found["mag_vega"], 0.1, atol=2e-4)
    assert found.meta["vega"] == "dolphot"


@pytest.mark.parametrize(
    "given",
    [
        {"system": "vega"},
        {"vega_table": "x"},
        {"system": "vega", "vega": "dolphot", "vega_table": "x"},
    ],
)
def test_vega_and_its_table_belong_together(given):
    from pydantic import ValidationError

    from hst123r.stages.scrape import ScrapeParams

    with pytest.raises(ValidationError, match="vega_table"):
        ScrapeParams.model_validate(given)


def test_all_sources_within_the_radius_have_their_rows(inputs, divide, do):
    job = divide("scrape", inputs)["nothing"]
    outcome = do("scrape", job, {"radius": "3 arcsec", "source": "all"})
    facts = outcome.products[0].facts
    numbers = [one["source"] for one in facts["sources"]]
    assert len(numbers) > 1
    distances = [one["separation_arcsec"] for one in facts["sources"]]
    assert distances == sorted(distances)
    table = tables.read(outcome.products[0].files["table"])
    assert set(table["source"]) == set(numbers)
    assert {row["source"] for row in outcome.photometry} == {str(number) for number in numbers}
    assert "several_sources" not in [caveat.code for caveat in outcome.caveats]
    # those that have no magnitude in any filter have none
    known = [one for one in facts["sources"] if "chance_probability" in one]
    chances = [one["chance_probability"] for one in known]
    assert chances
    assert all(0 < chance < 1 for chance in chances)
    assert {m.name for m in outcome.measurements} == {"separation", "chance_probability"}


@pytest.mark.heavy
def test_both_methods_agree_where_the_field_is_simple(small, divide, do, tmp_path):
    """In the run of every stage: forced errors and artificial stars at an empty place."""
    photometry = small.products("photometry", "photometry")
    given = {
        "sources": small.products("detect", "sources"),
        "exposure": small.products("align", "exposure"),
        "cosmic-ray mask": small.products("epochs", "cosmic-ray mask"),
    }
    made = []
    for job in divide("photometry", given, {"artificial_stars": 300}).values():
        outcome = do("photometry", job, {"artificial_stars": 300})
        made += outcome.products
    inputs = {"photometry": made, "sources": given["sources"], "exposure": given["exposure"]}
    limits = {}
    for method in ("forced", "artificial"):
        job = divide("scrape", inputs)["nothing"]
        facts = do("scrape", job, {"limit": method}).products[0].facts
        limits[method] = np.array([row["limit_ab"] for row in facts["rows"]], float)
    assert len(photometry) == len(made) == 2
    assert np.all(np.isfinite(limits["artificial"]))
    # a tenth of a magnitude: the stars are within 2 arcsec and not at the place, beside sources too
    assert np.abs(np.median(limits["artificial"] - limits["forced"])) < 0.1


EMPTY = """\
hst123r: 1
name: r
targets:
  - {name: far, position: "11:00:24.0 +02:12:00"}
  - {name: SN, position: "10:00:24.0 +02:12:00"}
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 11
        at: [SN]
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 2,
             exposure_time: 400 s, size: 200 pix}
        stars: {number: 0, radius: 10 arcsec, brightest: 19 mag, faintest: 25 mag}
  - drizzle: {name: stacks}
  - detect: {}
  - photometry: {artificial_stars: 60}
  - quality: {cuts: [phat-gst], custom: {seen: snr > 3}}
  - scrape: {limit: artificial, source: all, extinction: {ebv: 0.1}}
  - export: {formats: [ecsv, hdf5, phot, snana]}
"""


@pytest.mark.heavy
def test_an_empty_field_and_a_target_off_the_frame(run_recipe, tmp_path):
    """No star at all: limits, caveats, every file, and nothing lost."""
    recipe = tmp_path / "r.yaml"
    recipe.write_text(EMPTY)
    answer = run_recipe(recipe)
    assert answer.code == 0, answer.err
    said = answer.out + answer.err
    assert "no source within the radius" in said
    assert "far: no exposure in use has it on a chip" in said
    assert "not applied to F606W: phat-gst needs filter_sharpness, object_type" in said
    folder = tmp_path / "r" / "products"
    rows = tables.read(folder / "scrape" / "SN" / "SN_light_curve.ecsv")
    assert len(rows) == 5
    assert np.all(np.isfinite(rows["limit_ab"]))
    assert set(rows["limit_method"]) == {"artificial stars"}
    assert np.allclose(rows["limit_ab"] - rows["limit_ab_corrected"], rows["extinction_mag"],
                       atol=2e-4)  # fmt: skip
    names = {path.name for path in (folder / "export" / "all").iterdir()}
    assert names == {"r.h5", "r_light_curves.ecsv", "SN.phot", "SN.snana"}


def test_chips_that_were_not_measured_do_not_count_as_covered():
    from hst123r.records.outcome import Product
    from hst123r.stages.scrape import measured_corners

    chips = [{"extver": 1, "corners": [[1.0, 2.0]]}, {"extver": 2, "corners": [[3.0, 4.0]]}]
    exposures = [Product("exposure", root, {}, {}, {"chips": chips}) for root in ("a", "b", "c")]
    every = Product("photometry", "x", {}, {}, {"exposures": ["a"]})
    assert measured_corners(every, exposures) == [[[1.0, 2.0]], [[3.0, 4.0]]]
    facts = {"exposures": ["a", "b"], "chips": {"a": [2], "b": [1]}}
    some = Product("photometry", "x", {}, {}, facts)
    assert measured_corners(some, exposures) == [[[3.0, 4.0]], [[1.0, 2.0]]]

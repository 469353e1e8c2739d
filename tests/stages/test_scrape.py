"""Light curves of the targets."""

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.source_table import read_sources


@pytest.fixture
def inputs(small):
    return {
        "photometry": small.products("photometry", "photometry"),
        "exposure": small.products("align", "exposure"),
    }


def test_the_transient_fades_as_it_did(small):
    rows = small.table("scrape/SN/SN_light_curve.ecsv")
    epochs = rows[rows["level"] == "epoch"]
    assert len(epochs) == 3
    for row in epochs:
        true = 21.0 if str(row["epoch"]) == "20190401" else 24.0
        assert abs(row["mag_ab"] - true) < 2.5 * row["mag_err"]
        assert row["mag_err"] < 0.03


def test_where_nothing_is_there_is_a_limit_and_a_caveat(small):
    rows = small.table("scrape/nothing/nothing_light_curve.ecsv")
    assert rows.meta["caveats"] == ["target_unseen"]
    assert np.all(np.isfinite(rows["limit_ab"]))
    assert not np.any(np.isfinite(rows["mag_ab"]))
    assert np.all(np.abs(rows["flux_njy"]) < 3 * rows["flux_err_njy"])


def test_the_store_has_every_row_of_the_tables(small):
    stored = list(small.store.db.query("select * from photometry where target = 'SN' order by id"))
    rows = small.table("scrape/SN/SN_light_curve.ecsv")
    assert len(stored) == len(rows) == 11
    for row, entry in zip(rows, stored, strict=True):
        assert (entry["level"], entry["filter"]) == (row["level"], row["filter"])
        assert entry["flux_njy"] == pytest.approx(row["flux_njy"], abs=1e-3)
        assert (entry["mag_ab"] is None) is bool(np.isnan(row["mag_ab"]))
        assert entry["limit_sigma"] == 3.0


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

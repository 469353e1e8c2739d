"""Stars of Gaia: asked for once, whole, kept with the proof, and told from what was changed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from loopback.client import QUICK
from loopback.tap import gaia_table

from hst123r.archives import gaia
from hst123r.archives.gaia import COLUMNS, Circle, Gaia
from hst123r.errors import ArchiveError, EnvironmentProblem
from hst123r.products.star_catalogue import read_star_catalogue

CIRCLE = Circle(150.1, 2.2, 0.05)


@pytest.fixture(autouse=True)
def stars(archive):
    rng = np.random.default_rng(5)
    ra, dec = 150.1 + rng.uniform(-0.1, 0.1, 400), 2.2 + rng.uniform(-0.1, 0.1, 400)
    motion = np.where(rng.random(400) < 0.1, np.nan, 3.0)
    archive.tap.stars = gaia_table(ra, dec, rng.uniform(14, 21, 400), pmra=motion, pmdec=motion)
    return archive.tap.stars


@pytest.fixture
def asked(archive, tmp_path):
    return Gaia(archive.tap_url, tmp_path / "raw" / "gaia", QUICK)


def test_stars_are_asked_for_once_and_kept_with_the_proof(archive, asked, stars):
    kept = asked.stars("gaia-dr3", CIRCLE)
    away = np.hypot((stars["ra"] - 150.1) * np.cos(np.radians(2.2)), stars["dec"] - 2.2)
    inside = stars[away <= 0.05]
    assert kept.about["rows"] == len(inside) > 50
    read = read_star_catalogue(kept.table)
    assert read.ra_deg.size == len(inside)
    assert sorted(read.ra_deg) == sorted(inside["ra"])
    # those without a proper motion stay, and are dealt with as in a file
    assert np.isnan(read.pm_ra_mas_yr).sum() == inside["pmra"].mask.sum() > 0
    assert np.all(read.epoch == 2016.0)
    assert np.all(read.error_mas == 0.5)
    number = len(archive.log)
    again = asked.stars("gaia-dr3", CIRCLE)
    assert again == kept
    assert len(archive.log) == number
    about = json.loads(kept.table.with_suffix(".json").read_text())
    assert "gaiadr3.gaia_source" in about["question"]["source"]
    assert about["question"]["server"] == archive.tap_url
    assert all(len(about[name]) == 64 for name in ("sha256", "sha256_of_answer"))


def test_the_same_stars_are_the_same_bytes(archive, asked, stars, tmp_path):
    first = asked.stars("gaia-dr3", CIRCLE).table.read_bytes()
    archive.tap.stars = stars[::-1]
    archive.tap.format = "tabledata"
    other = Gaia(archive.tap_url, tmp_path / "other", QUICK)
    assert other.stars("gaia-dr3", CIRCLE).table.read_bytes() == first


def test_another_circle_or_server_is_another_question(archive, asked, tmp_path):
    tables = {
        asked.stars("gaia-dr3", CIRCLE).table,
        asked.stars("gaia-dr3", Circle(150.1, 2.2, 0.04)).table,
        Gaia(f"{archive.tap_url}/x", asked.folder).stars("gaia-dr3", CIRCLE, ask=False).table,
    }
    assert len(tables) == 3


def test_nothing_is_asked_for_a_plan(archive, asked):
    kept = asked.stars("gaia-dr3", CIRCLE, ask=False)
    assert kept.about == {}
    assert not kept.table.exists()
    assert archive.log == []


def test_no_star_is_an_answer(archive, asked):
    archive.tap.stars = gaia_table([], [], [])
    kept = asked.stars("gaia-dr3", CIRCLE)
    assert kept.about["rows"] == 0
    assert read_star_catalogue(kept.table).ra_deg.size == 0


@pytest.mark.parametrize("which", ["table", "json", "gone"])
def test_what_was_changed_is_told(asked, which):
    kept = asked.stars("gaia-dr3", CIRCLE)
    if which == "gone":
        kept.table.unlink()
    else:
        path = kept.table if which == "table" else kept.table.with_suffix(".json")
        path.write_text(path.read_text().replace("150.1", "150.2"))
    with pytest.raises(ArchiveError, match=r"is damaged\. Remove gaia-dr3-.*json"):
        asked.stars("gaia-dr3", CIRCLE)
    kept.table.with_suffix(".json").unlink()
    assert asked.stars("gaia-dr3", CIRCLE).about["rows"] == kept.about["rows"]


@pytest.mark.parametrize("kind", ["short_page", "overflow"])
def test_an_answer_that_is_not_whole_is_not_kept(archive, asked, kind):
    archive.faults.add("GET.*1002/results", kind, None)
    with pytest.raises(ArchiveError):
        asked.stars("gaia-dr3", CIRCLE)
    assert not asked.folder.exists()


def test_too_many_stars_and_too_large_a_field(asked, monkeypatch):
    monkeypatch.setattr(gaia, "MOST", 20)
    with pytest.raises(ArchiveError, match="stars are in this circle, more than 20"):
        asked.stars("gaia-dr3", CIRCLE)
    with pytest.raises(ArchiveError, match=r"this field span 6\.0 degrees"):
        asked.stars("gaia-dr3", Circle(0, 0, 3.0))


def test_a_table_without_the_columns_is_refused(archive, asked, monkeypatch):
    plain = archive.tap.answer_to
    monkeypatch.setattr(
        archive.tap, "answer_to",
        lambda adql: plain(adql) if "COUNT" in adql else plain(adql)[["ra", "dec"]],
    )  # fmt: skip
    with pytest.raises(ArchiveError, match="has no source_id, ref_epoch, ra_error"):
        asked.stars("gaia-dr3", CIRCLE)


def test_a_folder_that_cannot_be_written_is_told(asked, tmp_path):
    (tmp_path / "raw").write_text("a file")
    with pytest.raises(EnvironmentProblem, match="cannot keep an answer"):
        asked.stars("gaia-dr3", CIRCLE)


@pytest.mark.parametrize(("ra", "dec"), [(150.1, 2.2), (359.999, -60.0), (10.0, 89.9)])
def test_a_circle_holds_what_it_is_around(ra, dec):
    from hst123r.algorithms.sphere import from_tangent_plane, separation_arcsec

    x, y = np.array([-100.0, 100, 100, -100]), np.array([-90.0, -110, 90, 110])
    places = np.stack(from_tangent_plane(x, y, ra, dec), axis=1)
    found = Circle.around(places.tolist(), 18.0)
    far = separation_arcsec(places[:, 0], places[:, 1], found.ra_deg, found.dec_deg)
    assert far.max() + 18.0 <= found.radius_deg * 3600 < far.max() + 18.0 + 36.1
    # a WCS that is better by some mas asks for the same stars
    moved = np.stack(from_tangent_plane(x + 0.003, y - 0.002, ra, dec), axis=1)
    if dec < 80:
        assert Circle.around(moved.tolist(), 18.0) == found


def test_columns_are_those_that_a_catalogue_is_read_by():
    from hst123r.products.star_catalogue import NAMES

    for name in ("ra", "dec", "ra_error", "dec_error", "pmra", "pmdec", "pmra_error", "pmdec_error",
                 "epoch", "mag"):  # fmt: skip
        assert set(NAMES[name]) & set(COLUMNS)

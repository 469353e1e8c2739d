"""Limits from artificial stars as a table, and in light curves."""

import pytest

from hst123r.products import tables
from hst123r.products.artificial_limits import COLUMNS, groups_of, with_artificial_limits
from hst123r.records.outcome import Product

ROW = {"detector": "ACS/WFC", "filter": "F606W", "exposure": "a", "visit": "v", "epoch": "e",
       "limit_ab": 1.0}  # fmt: skip
FILES = {"detector": "ACS/WFC", "filter": "F606W"}


def test_every_exposure_visit_and_epoch_and_all_together():
    found = groups_of(
        ["a", "b", "c"], {"a": "v", "b": "v", "c": "w"}, {"a": "e", "b": "f", "c": "f"}
    )
    assert found == [
        ("exposure", "a", [0]), ("exposure", "b", [1]), ("exposure", "c", [2]),
        ("visit", "v", [0, 1]), ("visit", "w", [2]), ("epoch", "e", [0]), ("epoch", "f", [1, 2]),
        ("filter", "", [0, 1, 2]),
    ]  # fmt: skip


@pytest.fixture
def product(tmp_path):
    rows = [
        {"target": name, "level": level, "name": which, "limit_ab": limit, "stars": 300}
        for name, level, which, limit in [
            ("SN", "exposure", "a", 26.0), ("SN", "visit", "v", 26.4), ("SN", "epoch", "e", None),
            ("SN", "filter", "", 27.0), ("other", "filter", "", 20.0),
        ]
    ]  # fmt: skip
    tables.write(tables.build(COLUMNS, rows, {}), tmp_path / "a.ecsv")
    return Product("photometry", "p", FILES, {"artificial": str(tmp_path / "a.ecsv")})


def test_rows_get_the_limit_of_their_exposures(product):
    rows = [{**ROW, "level": level} for level in ("exposure", "visit", "epoch", "filter")]
    found = with_artificial_limits(rows, [product], "SN")
    assert [row["limit_ab"] for row in found] == [26.0, 26.4, None, 27.0]
    assert {row["limit_method"] for row in found} == {"artificial stars"}


def test_without_artificial_stars_there_is_nothing(product):
    bare = Product("photometry", "q", FILES, {})
    assert with_artificial_limits([], [product, bare], "SN") is None

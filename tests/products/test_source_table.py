"""The list of sources to be measured."""

import numpy as np

from hst123r.products.source_table import read_sources, write_sources
from hst123r.sources.stacked import Sources


def sources(count):
    ones = np.ones(count)
    return Sources(
        150.0 + 0.001 * np.arange(count), 2.0 * ones, 0.005 * ones, 10.0 * ones, 0.5 * ones,
        0.0 * ones, np.arange(count) % 2,
    )  # fmt: skip


def test_targets_without_a_detection_follow_the_sources(tmp_path):
    path = tmp_path / "sources.ecsv"
    rows = write_sources(sources(3), ["a", "b"], {"SN": (150.5, 2.5)}, path, {"stacks": ["a", "b"]})
    table = read_sources(path)
    assert rows == len(table) == 4
    assert table["source"].tolist() == [1, 2, 3, 4]
    assert list(table["stack"]) == ["a", "b", "a", ""]
    assert list(table["target"]) == ["", "", "", "SN"]
    assert table["pos_err"].tolist() == [5.0, 5.0, 5.0, 1.0]
    assert (table["ra"][3], table["snr"][3]) == (150.5, 0.0)
    assert np.isnan(table["sharpness"][3])


def test_a_field_with_nothing_in_it_has_a_table_all_the_same(tmp_path):
    path = tmp_path / "sources.ecsv"
    assert write_sources(sources(0), [], {}, path, {}) == 0
    assert len(read_sources(path)) == 0

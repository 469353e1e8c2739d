"""Reports and pictures name their run; results do not."""

import pytest

from hst123r.records.science import SCIENCE, changed_facets, names_its_run


@pytest.mark.parametrize(
    ("kind", "role", "its_run"),
    [
        ("report", "page", True), ("export", "hdf5", True), ("truth", "table", True),
        ("stack", "preview", True), ("light curve", "plot", True), ("light curve", "cutouts", True),
        ("stack", "science", False), ("light curve", "table", False), ("file", "science", False),
    ],
)  # fmt: skip
def test_what_names_its_run(kind, role, its_run):
    assert names_its_run(kind, role) is its_run


def test_what_means_something_is_told_by_facet():
    facets = dict.fromkeys((*SCIENCE, "volatile", "alternates"), "blake3:1")
    assert (
        changed_facets(facets, {**facets, "volatile": "blake3:2", "alternates": "blake3:2"}) == []
    )
    assert changed_facets(facets, {**facets, "wcs": "blake3:2", "pixels": "blake3:2"}) == [
        "pixels",
        "wcs",
    ]

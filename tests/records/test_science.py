"""Reports and pictures name their run; results do not."""

import pytest

from hst123r.records.science import names_its_run


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

"""The stars that an alignment was judged by."""

import math

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.alignment_table import write_matches, write_regions
from hst123r.sources.alignment import ReferenceStars, Residual


def test_pairs_are_written_with_the_numbers_of_the_catalogue(tmp_path):
    residual = Residual(
        stars=5, pairs=2, star=np.array([4, 0]), reference=np.array([0, 7]),
        east_mas=np.array([1.5, -2.0]), north_mas=np.array([0.25, 3.0]), rms_mas=(1.0, 1.0),
        offset_mas=0.1, error_mas=0.1, correction_mas=0.1, scale_mas=50.0,
    )  # fmt: skip
    path = tmp_path / "matches.ecsv"
    write_matches({"one": residual}, path, {"reference": "SN"})
    found = tables.read(path)
    assert found["star"].tolist() == [4, 0]
    # the catalogue counts from 1
    assert found["reference"].tolist() == [1, 8]
    assert found["d_east"].tolist() == [1.5, -2.0]
    assert str(found["d_north"].unit) == "mas"
    assert found.meta == {"reference": "SN"}


def test_regions_are_the_places_of_the_catalogue_with_the_exposures_that_saw_them(tmp_path):
    def residual(*reference):
        rows, zeros = np.array(reference), np.zeros(len(reference))
        return Residual(
            stars=5, pairs=2, star=rows, reference=rows, east_mas=zeros, north_mas=zeros,
            rms_mas=(1.0, 1.0), offset_mas=0.1, error_mas=0.1, correction_mas=0.1, scale_mas=50.0,
        )  # fmt: skip

    ra, ones = np.array([150.0, 150.5, 151.0]), np.ones(3)
    path = tmp_path / "matches.reg"
    write_regions(
        {"one": residual(2, 0), "two": residual(2)}, ReferenceStars(ra, -ra / 50, ones, ones), path
    )
    assert path.read_text().splitlines()[2:] == [
        "icrs",
        'circle(150.00000000,-3.00000000,0.3") # text={1: one}',
        'circle(151.00000000,-3.02000000,0.3") # text={3: one two}',
    ]


def test_the_residuals_of_a_run_are_those_it_measured(small):
    """The rms of the table is the measurement, and the stars are the same on both sides."""
    rms = small.measured("align", "residual_rms_east")
    matches = small.measured("align", "matches")
    for path in small.folder.glob("products/align/*/*_matches.ecsv"):
        table = tables.read(path)
        for root in set(table["exposure"]):
            mine = table[table["exposure"] == root]
            assert len(mine) == matches[root]
            assert len(set(mine["reference"])) == len(mine)
            found = math.sqrt(float(np.mean(np.asarray(mine["d_east"]) ** 2)))
            assert found == pytest.approx(rms[root], abs=2e-3)

"""The source of a target."""

import pytest
from astropy.table import Table

from hst123r.products.target_source import find_source, find_sources

RA, DEC = 150.1, 2.2


def sources(*rows):
    """Build a table of sources: number, arcsec north of the target, S/N, name of a target."""
    return Table(
        {
            "source": [row[0] for row in rows],
            "ra": [RA] * len(rows),
            "dec": [DEC + row[1] / 3600 for row in rows],
            "snr": [float(row[2]) for row in rows],
            "target": [row[3] for row in rows],
        }
    )


CROWD = sources((1, 0.25, 50, ""), (2, 0.10, 8, ""), (3, 2.0, 900, ""), (4, 0.0, 0, "SN"))
ALONE = sources((1, 3.0, 50, ""), (2, 0.0, 0, "SN"), (3, 0.0, 0, "other"))


@pytest.mark.parametrize(
    ("listed", "which", "source", "detected", "others"),
    [
        (CROWD, "nearest", 2, True, 1),
        (CROWD, "brightest", 1, True, 1),
        (CROWD, "target", 4, False, 2),
        (ALONE, "nearest", 2, False, 0),
        (ALONE, "brightest", 2, False, 0),
        (CROWD[:3], "target", 2, True, 1),
    ],
)
def test_the_source_of_a_target(listed, which, source, detected, others):
    found = find_source(listed, RA, DEC, 0.3, which, "SN")
    assert (found.source, found.detected, found.others) == (source, detected, others)


def test_the_distance_is_in_arcsec_and_the_radius_counts(recwarn):
    found = find_source(CROWD, RA, DEC, 0.3, "nearest", "SN")
    assert found.separation_arcsec == pytest.approx(0.10, abs=1e-6)
    assert find_source(CROWD, RA, DEC, 0.05, "nearest", "SN").source == 4
    assert find_source(CROWD, RA, DEC, 5.0, "brightest", "SN").source == 3


def test_a_target_that_was_not_measured_has_no_source():
    assert find_source(CROWD, RA, DEC, 0.05, "nearest", "nobody") is None


def test_all_sources_within_the_radius_come_with_the_nearest_first():
    found = find_sources(CROWD, RA, DEC, 0.3, "all", "SN")
    assert [one.source for one in found] == [2, 1]
    assert all(one.detected and one.others == 1 for one in found)
    assert [one.source for one in find_sources(CROWD, RA, DEC, 5.0, "all", "SN")] == [2, 1, 3]


def test_all_of_nothing_is_the_target_itself():
    (one,) = find_sources(ALONE, RA, DEC, 0.3, "all", "SN")
    assert (one.source, one.detected) == (2, False)
    assert find_sources(ALONE[:1], RA, DEC, 0.3, "all", "SN") == []
    assert [one.source for one in find_sources(CROWD, RA, DEC, 0.3, "brightest", "SN")] == [1]

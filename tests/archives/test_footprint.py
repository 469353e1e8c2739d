"""Footprints: read as the archive writes them, and exact about inside and outside."""

import json
import math

import pytest
from loopback.holdings import square
from loopback.sky import distance_arcsec

from hst123r.archives.footprint import Footprint, parse
from hst123r.records.position import SkyPosition


def test_polygons_of_several_chips_are_one_footprint():
    found = parse(f"{square(150.1, 2.2, 50)} {square(150.2, 2.2, 50)}")
    assert len(found.polygons) == 2
    assert found.distance_arcsec(150.1, 2.2) == 0
    assert found.distance_arcsec(150.2, 2.2) == 0
    assert found.distance_arcsec(150.15, 2.2) == pytest.approx(
        180 * math.cos(0.0384) - 50, abs=0.01
    )


@pytest.mark.parametrize(
    ("text", "understood"),
    [("POLYGON 1 2 3 4 5 6", True), ("polygon icrs 1 2 3 4 5 6", True),
     ("CIRCLE ICRS 1 2 0.1", True), ("POLYGON J2000 1 2 3 4 5 6", True),
     ("CIRCLE GSC1 1 2 0.1", True), (None, False), ("", False),
     ("POLYGON GALACTIC 1 2 3 4 5 6", False),
     ("POLYGON ICRS 1 2 3 4 5", False), ("POLYGON ICRS 1 2 3 4", False), ("CIRCLE ICRS 1 2", False),
     ("CIRCLE OTHER", False), ("BOX ICRS 1 2 3 4", False), ("POLYGON ICRS a b c d e f", False),
     ("1 2 3 4 5 6", False)],
)  # fmt: skip
def test_what_is_understood(text, understood):
    assert (parse(text) is not None) is understood


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.001, 89.99), (359.9999, -60.0), (180.0, 45.0)])
def test_edges_anywhere_on_the_sky(place):
    centre = SkyPosition(*place)

    def at(east, north):
        found = centre.offset(east / 3600, north / 3600)
        return found.ra_deg, found.dec_deg

    found = Footprint((tuple(at(x, y) for x, y in ((-60, -20), (60, -20), (60, 20), (-60, 20))),))
    assert found.distance_arcsec(*place) == 0
    for east, north, away in ((0, 19.9, 0), (0, 20.5, 0.5), (-59, 0, 0), (62, 0, 2), (63, 24, 5)):
        assert found.distance_arcsec(*at(east, north)) == pytest.approx(away, abs=1e-4)


def test_the_other_side_of_the_sky_is_far_away():
    assert parse(square(150.1, 2.2, 100)).distance_arcsec(330.1, -2.2) == math.inf
    assert parse("CIRCLE ICRS 150.1 2.2 0.1").distance_arcsec(330.1, -2.2) == math.inf
    assert Footprint().distance_arcsec(0, 0) == math.inf


def test_the_distances_of_recorded_replies_are_those_to_the_edge(shared_data):
    """Also those of the test archive, so that it is no kinder than MAST."""
    rows = json.loads((shared_data / "mast" / "caom.json").read_text())["data"]
    # the place that was asked for is not recorded; M103 as Simbad has it
    ra, dec = 23.34086, 60.658
    hubble = [row for row in rows if row["obs_collection"] == "HST"]
    assert len(hubble) == 4
    for row in hubble:
        ours = parse(row["s_region"]).distance_arcsec(ra, dec)
        assert ours == pytest.approx(row["distance"], abs=1.0)
        assert distance_arcsec(ra, dec, row["s_region"]) == pytest.approx(row["distance"], abs=1.0)
    (galex,) = (row for row in rows if row["obs_collection"] == "GALEX")
    assert parse(galex["s_region"]).distance_arcsec(ra, dec) == galex["distance"] == 0

"""What became of a visit, as people read it."""

from hst123r.sources.chain_link import Link


def test_what_is_not_known_is_none_and_not_a_number():
    told = Link("visit 1", "there are no stars to compare").as_json()
    assert told["why_not"] == "there are no stars to compare"
    assert (told["years"], told["rms_east_mas"], told["instead"]) == (None, None, "")


def test_how_stars_were_brought_to_the_time_of_the_reference_is_told():
    told = Link("visit 1", "", stars=30, carried=20, years=-4.5).as_json()
    assert (told["stars"], told["carried"], told["years"]) == (30, 20, -4.5)

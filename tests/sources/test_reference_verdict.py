from hst123r.algorithms.merge import Catalogue
from hst123r.records.outcome import Quality
from hst123r.sources.absolute import Tie, TieOptions
from hst123r.sources.chain_link import ChainOptions, Link
from hst123r.sources.reference_verdict import of_links, of_tie


def test_a_visit_that_was_not_added_is_a_caveat_and_never_bad():
    good = Link("one", "", "the reference", 1, 40, 30, (1.0, 2.0), 0.5, (0.1, 0.2), 0.01)
    lost = Link("two", "there are no stars to compare")
    measured, caveats = of_links([good, lost], ChainOptions())
    assert [(c.code, c.subject) for c in caveats] == [("not_linked", "two")]
    quality = {(m.subject, m.name): m.quality for m in measured}
    assert {quality for (subject, _), quality in quality.items() if subject == "one"} == {
        Quality.GOOD
    }
    assert quality["two", "chain_matches"] is Quality.CAVEAT
    assert Quality.BAD not in quality.values()


def test_what_became_of_its_exposures_is_said_with_why_it_was_not_added():
    lost = Link("two", "no match", instead="its exposures make group 1")
    _, (caveat,) = of_links([lost], ChainOptions())
    assert caveat.text == "not tied to the reference: no match; its exposures make group 1"


def test_years_in_between_are_a_caveat_where_a_motion_is_not_known():
    links = [
        Link("after", "", stars=40, carried=0, years=9.6),
        Link("known", "", stars=40, carried=40, years=9.6),
        Link("all but one", "", stars=40, carried=39, years=9.6),
        Link("soon", "", stars=40, carried=0, years=0.9),
        Link("before", "", stars=40, carried=10, years=-2.0),
        Link("not added", "no match", stars=40, years=9.6),
    ]
    _, caveats = of_links(links, ChainOptions())
    told = {c.subject: c.text for c in caveats if c.code == "moved_since"}
    assert told == {
        "after": "observed 9.6 years after the reference, and of none of its 40 stars it is known "
        "how they move; one at 5 mas a year moves by 48 mas in between",
        "all but one": "observed 9.6 years after the reference, and of 39 of its 40 stars it is "
        "known how they move; one at 5 mas a year moves by 48 mas in between",
        "before": "observed 2.0 years before the reference, and of 10 of its 40 stars it is known "
        "how they move; one at 5 mas a year moves by 10 mas in between",
    }


def test_a_tie_outside_its_limits_is_never_bad():
    import numpy as np

    empty = np.zeros(0)
    rows = np.zeros(0, np.int64)
    stars = Catalogue(empty, empty, empty, empty, empty, rows, rows, np.zeros((1, 2)), {})
    tied = Tie(stars, "too far", 50, 20, (3.0, 4.0), 1.2, (4.0, 3.0), 0.01, 2.0)
    quality = {m.name: m.quality for m in of_tie(tied, TieOptions())}
    assert quality["absolute_distance"] is Quality.CAVEAT
    assert quality["absolute_matches"] is Quality.GOOD
    assert Quality.BAD not in quality.values()

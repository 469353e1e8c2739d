"""Named quality cuts."""

from hst123r import instruments
from hst123r.instruments.quality_cuts import cuts, names
from hst123r.products.quality_flags import known_columns
from hst123r.records.expression import parse


def test_every_cut_has_a_source_and_is_about_columns_there_are():
    assert names() == ("hst123", "phat-st", "phat-gst", "angst", "ers")
    for cut in cuts().values():
        assert cut.source
        assert set(cut.expressions) <= {"any", *instruments.names()}
        for text in cut.expressions.values():
            wanted = set(parse(text).names)
            assert wanted <= set(known_columns())
            assert not cut.both or wanted <= set(cut.both)


def test_a_cut_is_for_a_detector_or_for_all():
    assert cuts()["hst123"].expression("WFPC2") == "object_type == 1"
    assert "< 2.25" in cuts()["phat-gst"].expression("ACS/WFC")
    assert "< 1.3" in cuts()["phat-gst"].expression("WFC3/UVIS")
    assert cuts()["phat-st"].expression("WFPC2") is None

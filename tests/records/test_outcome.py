"""Quality follows from measurements and caveats, and never from the state."""

import math

import pytest

from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality, Reject


@pytest.mark.parametrize(
    ("value", "low", "high", "quality"),
    [
        (5.0, None, None, Quality.GOOD),
        (5.0, 5.0, 5.0, Quality.GOOD),
        (4.9, 5.0, None, Quality.BAD),
        (5.1, None, 5.0, Quality.BAD),
        (math.nan, None, 5.0, Quality.BAD),
        (math.nan, None, None, Quality.GOOD),
        (0.0, 0.0, 1.0, Quality.GOOD),
    ],
)
def test_limits(value, low, high, quality):
    assert Measurement("m", value, low=low, high=high).quality is quality


def test_a_measurement_reads_as_a_sentence():
    found = str(Measurement("rms", 12.3, "mas", high=10, subject="jabc01a1q"))
    assert found == "jabc01a1q: rms 12.3 mas (at most 10 mas)"


def test_the_worst_verdict_wins():
    good, bad = Measurement("a", 1.0, high=2.0), Measurement("b", 3.0, high=2.0)
    assert Outcome(measurements=[good]).quality is Quality.GOOD
    assert Outcome(measurements=[good], caveats=[Caveat("c", "text")]).quality is Quality.CAVEAT
    assert Outcome(measurements=[good, bad]).quality is Quality.BAD


def test_json_round_trip():
    outcome = Outcome(
        [Product("exposure", "x", {"a": "b"}, {"science": "/x"}, {"n": 1}, Quality.CAVEAT)],
        [Measurement("m", 1.0, "s", 0.0, 2.0, Quality.CAVEAT, "x")],
        [Caveat("c", "text", "x")],
        [Reject("x", "code", "reason", {"a": "b"})],
        [{"target": "t"}],
        [{"keyword": "IDCTAB"}],
    )
    assert Outcome.from_json(outcome.as_json()) == outcome

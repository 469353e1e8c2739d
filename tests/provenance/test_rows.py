"""Which verdict is about which product."""

import pytest

from hst123r.provenance.rows import concerns, product_quality
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality

ONE = Product("exposure", "one", {"exposure": "one", "filter": "F606W"})


@pytest.mark.parametrize(
    ("subject", "answer"),
    [("", True), ("one", True), ("F606W", True), ("two", False), ("exposure", False)],
)
def test_a_subject_is_the_job_the_product_or_a_label_of_it(subject, answer):
    assert concerns(subject, ONE) is answer


@pytest.mark.parametrize(
    ("outcome", "quality"),
    [
        (Outcome(), Quality.GOOD),
        (Outcome(measurements=[Measurement("x", 1.0, high=2.0)]), Quality.GOOD),
        (Outcome(measurements=[Measurement("x", 3.0, high=2.0)]), Quality.BAD),
        (Outcome(measurements=[Measurement("x", 3.0, high=2.0, subject="two")]), Quality.GOOD),
        (Outcome(caveats=[Caveat("c", "t", "F606W")]), Quality.CAVEAT),
        (Outcome(caveats=[Caveat("c", "t", "F814W")]), Quality.GOOD),
        (
            Outcome(measurements=[Measurement("x", 3.0, high=2.0)], caveats=[Caveat("c", "t")]),
            Quality.BAD,
        ),
    ],
)
def test_the_worst_that_concerns_a_product_counts(outcome, quality):
    assert product_quality(ONE, outcome) is quality


def test_what_a_product_was_already_is_kept():
    product = Product("exposure", "one", quality=Quality.BAD)
    assert product_quality(product, Outcome()) is Quality.BAD

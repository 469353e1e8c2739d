"""Caveats follow a product into everything made from it, and one exposure's stay with it."""

from types import SimpleNamespace

import pytest

from hst123r.engine.flow import inherit
from hst123r.records.outcome import Caveat, Product


def made(name, labels, caveats=()):
    return Product("exposure", name, labels, {}, caveats=list(caveats))


def handed_on(products, *sources):
    """Return the codes of the caveats that products have afterwards."""
    planned = SimpleNamespace(
        job=SimpleNamespace(inputs={"exposure": list(sources)}),
        made=[SimpleNamespace(product=product) for product in products],
    )
    inherit(planned)
    return [[caveat.code for caveat in product.caveats] for product in products]


def exposure(name, *codes, subject=""):
    return made(name, {"exposure": name}, [Caveat(code, code, subject) for code in codes])


def test_a_stack_has_those_of_all_and_an_exposure_its_own():
    sources = [exposure("a", "one", "two"), exposure("b", "three", "one")]
    products = [made("stack", {"field": "F"}), exposure("b"), exposure("c")]
    assert handed_on(products, *sources) == [["one", "two", "three"], ["three", "one"], []]


def test_what_is_about_an_exposure_follows_it_through_a_product_of_many():
    table = made("F", {"field": "F"}, [Caveat("x", "x", "b"), Caveat("y", "y", ""),
                                       Caveat("z", "z", "F")])  # fmt: skip
    products = [exposure("a"), exposure("b"), made("a", {"exposure": "a", "field": "F"})]
    # the name of a source means something for a product of this name only
    assert handed_on(products, table) == [[], ["x"], ["z"]]


def test_a_caveat_is_there_once():
    product = exposure("a", "own")
    assert handed_on([product], exposure("a", "own", "more")) == [["own", "more"]]


@pytest.mark.parametrize("number", [2000])
def test_a_thousand_exposures_are_not_compared_with_a_thousand_others(number, monkeypatch):
    class Counted(str):
        compared = 0

        def __eq__(self, other):
            Counted.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    names = [Counted(f"e{n}") for n in range(number)]
    sources = [exposure(name, f"c{name}") for name in names]
    products = [exposure(f"e{n}") for n in range(number)]
    assert handed_on(products, *sources) == [[f"ce{n}"] for n in range(number)]
    assert Counted.compared < 20 * number

"""What flows from one stage into the next, and what follows it.

A bad result does not flow unless the recipe says so; a caveat follows a product into everything
that is made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hst123r.engine.planned import Planned, Progress
from hst123r.provenance.adopted import CODE
from hst123r.records.outcome import Caveat, Product, Quality, State

GONE = (State.FAILED, State.BLOCKED, State.INTERRUPTED)
EXCLUDE = "exclude"
"""The parameter with which a stage leaves exposures out by name."""


def usable_products(source: Progress, kind: str) -> Iterator[Product]:
    """Return the products of a stage that later stages may use.

    Parameters
    ----------
    source : Progress
        The stage.
    kind : str
        Kind of product.

    Yields
    ------
    Product
        Bad ones only if the stage says ``on_bad: use``, and then with a caveat that says so.
    """
    for planned in source.jobs:
        if planned.state in GONE:
            continue
        for item in planned.made:
            product = item.product
            if product.kind != kind:
                continue
            if product.quality is Quality.BAD:
                if source.instance.on_bad != "use":
                    continue
                note = Caveat("bad_result", f"{planned.name} is bad and was used", product.name)
                product.caveats = _without_repeats([*product.caveats, note])
            yield product


def stops(planned: Planned) -> bool:
    """Whether a job keeps what comes after it from running."""
    if planned.state in GONE:
        return True
    return planned.instance.on_bad == "stop" and bool(planned.bad)


def way_out(in_the_way: list[Planned]) -> str:
    """Say how to go on without jobs that failed, where their stage can leave exposures out.

    Parameters
    ----------
    in_the_way : list of Planned
        Jobs without a usable result.

    Returns
    -------
    str
        To be put behind a sentence; empty where there is no such way.
    """
    names = [
        job.job.label
        for job in in_the_way
        if job.state is State.FAILED and EXCLUDE in job.stage.params.names()
    ]
    if not names or len(names) < len(in_the_way):
        return ""
    stage = in_the_way[0].instance.name
    return f"; to go on without it, write `{EXCLUDE}: [{', '.join(names)}]` in {stage}"


def inherit(planned: Planned) -> None:
    """Hand the caveats of a job's inputs on to its products.

    What is about one exposure follows that exposure, and everything that is made of several. That
    something was made elsewhere follows everywhere.

    Parameters
    ----------
    planned : Planned
        A job that is done or reused; its products are changed.
    """
    given = [
        (source, caveat)
        for products in planned.job.inputs.values()
        for source in products
        for caveat in source.caveats
    ]
    if not given:
        return
    by_source: dict[str, list[int]] = {}
    by_subject: dict[str, list[int]] = {}
    everywhere = []
    for number, (source, caveat) in enumerate(given):
        if caveat.code == CODE:
            everywhere.append(number)
        by_source.setdefault(source.name, []).append(number)
        if caveat.subject:
            by_subject.setdefault(caveat.subject, []).append(number)
    for item in planned.made:
        product = item.product
        mine: Iterable[int] = range(len(given))
        if "exposure" in product.labels:
            # looked up and not searched for: of n exposures each would be compared with n others
            found = {*everywhere, *by_source.get(product.name, ())}
            for name in {product.name, *product.labels.values()}:
                found.update(by_subject.get(name, ()))
            mine = sorted(found)
        product.caveats = _without_repeats(
            [*product.caveats, *(given[number][1] for number in mine)]
        )


def _without_repeats(caveats: list[Caveat]) -> list[Caveat]:
    return list(dict.fromkeys(caveats))

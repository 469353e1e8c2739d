"""A page for every detector: all its facts with unit and source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hst123r import instruments
from hst123r.instruments.detector import ChipFacts, Detector, Facts, Filter, Number
from pages.markdown import Sources, block, bullets, code, page, table, text, toctree


def pages() -> dict[str, str]:
    """Return the pages by their path in the documentation."""
    known = [instruments.get(name) for name in instruments.names()]
    found = {f"instruments/{facts.slug}.md": _page(facts) for facts in known}
    rows = [
        (
            f"[{facts.name}]({facts.slug}.md)",
            text(facts.title),
            ", ".join(facts.products.science),
            _amount(facts.pixel_scale),
            str(len(facts.chips)),
            str(len(facts.filters)),
        )
        for facts in known
    ]
    found["instruments/index.md"] = page(
        "Detectors",
        "What hst123r knows of a detector stands in one file in `hst123r/instruments/`: every "
        "number with its unit and where it comes from. No detector is named anywhere else in the "
        "code.",
        table(("detector", "", "products", "pixel scale", "chips", "optical elements"), rows),
        toctree(facts.slug for facts in known),
    )
    return found


def _page(facts: Detector) -> str:
    return page(
        facts.name,
        f"{text(facts.title)}. In file names it is {code(facts.slug)}.",
        *_headers(facts),
        *_numbers(facts),
        *_chips(facts),
        *_filters(facts),
        *_bits(facts),
        *_suggestions(facts),
        *_dolphot(facts),
        *(["## Notes", bullets(text(note) for note in facts.notes)] if facts.notes else []),
    )


def _headers(facts: Detector) -> list[str]:
    products, header = facts.products, facts.header
    companion = products.companion
    items = {
        "A header is of this detector with": ", ".join(
            code(f"{key} = {value}") for key, value in facts.match.items()
        ),
        "Root names begin with": code(facts.root_letter),
        "Products used, the first that is there": ", ".join(map(code, products.science)),
        "Data quality": f"in a file of its own, {code(companion)}" if companion else "in the file",
        "Unit of the pixels": f"{products.unit}; {text(products.source)}",
        "Optical elements stand in": ", ".join(map(code, header.filters)),
        "An empty beam begins with": ", ".join(map(code, header.clear)) or "nothing; it is blank",
        "Chip number": code(header.chip),
        "Reference files that the WCS needs": ", ".join(
            f"{keyword} ({prefix})" for keyword, prefix in facts.reference_files.items()
        )
        or "none",
    }
    return ["## Files and headers", table(("what", "value"), items.items())]


def _numbers(facts: Detector) -> list[str]:
    rows = [("pixel scale", _amount(facts.pixel_scale), text(facts.pixel_scale.source))]
    rows += _rows(facts.noise)
    rows += _rows(facts.optics)
    return ["## Numbers", table(("what", "value", "source"), rows)]


def _rows(part: Facts) -> Iterator[tuple[str, str, str]]:
    """Rows of all numbers of a part, with the descriptions of the model."""
    for name, field in type(part).model_fields.items():
        found = getattr(part, name)
        what = f"**{name.replace('_', ' ')}**: {text(field.description or '')}"
        if isinstance(found, Number):
            yield what, _amount(found), text(found.source)
        elif found:
            # pairs, whose source is that of the number before them
            yield what, "; ".join(f"{one:g}: {other:g}" for one, other in found), ""
        else:
            yield what, "none", ""


def _amount(number: Number) -> str:
    unit = "" if number.unit == "1" else f" {text(number.unit)}"
    return f"{number.value:.10g}{unit}"


def _chips(facts: Detector) -> list[str]:
    rows = [
        (str(chip.number), str(chip.extver), f"{chip.columns} × {chip.rows}")
        for chip in facts.chips
    ]
    pointing = facts.pointing
    ra, dec = pointing.reference
    where = (
        "The WCS of the chips as a real pointing had it; simulated exposures turn it rigidly to "
        f"theirs. PA_V3 was {pointing.pa_v3_deg:.10g} deg, and a target is placed at RA {ra:.10g}, "
        f"Dec {dec:.10g} deg. Source: {text(pointing.source)}."
    )
    blocks = [block(_geometry(chip)) for chip in facts.chips]
    return [
        "## Chips",
        table(("chip", "EXTVER", "columns × rows"), rows),
        "### Distortion",
        where,
        *blocks,
    ]


def _geometry(chip: ChipFacts) -> str:
    shape = chip.geometry
    cards: dict[str, Any] = {
        "CRPIX1": shape.crpix[0], "CRPIX2": shape.crpix[1],
        "CRVAL1": shape.crval[0], "CRVAL2": shape.crval[1],
        "CD1_1": shape.cd[0][0], "CD1_2": shape.cd[0][1],
        "CD2_1": shape.cd[1][0], "CD2_2": shape.cd[1][1],
        **shape.sip, **shape.idc,
    }  # fmt: skip
    lines = [f"{key:<8} = {value:.15g}" for key, value in cards.items()]
    return "\n".join([f"chip {chip.number}", *lines])


def _filters(facts: Detector) -> list[str]:
    sources = Sources()
    units = {entry.photflam.unit for entry in facts.filters.values() if entry.photflam is not None}
    rows = [
        (
            name,
            entry.kind,
            _value(entry.pivot),
            _value(entry.width),
            _value(entry.photflam),
            sources.cite(*_sources_of(entry)),
        )
        for name, entry in facts.filters.items()
    ]
    headings = ("element", "class", "pivot", "width", "PHOTFLAM", "sources")
    unit = f"PHOTFLAM is in {text(', '.join(sorted(units)))}." if units else ""
    return ["## Filters", unit, table(headings, rows), sources.listed()]


def _value(number: Number | None) -> str:
    if number is None:
        return ""
    return f"{number.value:.10g} {number.unit}" if number.unit == "nm" else f"{number.value:.10g}"


def _sources_of(entry: Filter) -> list[str]:
    return [
        number.source for number in (entry.pivot, entry.width, entry.photflam) if number is not None
    ]


def _bits(facts: Detector) -> list[str]:
    sources = Sources()
    rows = [
        (
            str(entry.bit),
            entry.name,
            text(entry.meaning),
            "left out" if entry.bad else "used",
            "yes" if entry.saturated else "",
            sources.cite(entry.source),
        )
        for entry in facts.dq_bits
    ]
    headings = ("bit", "name", "meaning", "photometry and alignment", "saturation", "source")
    return ["## Data quality", table(headings, rows), sources.listed()]


def _suggestions(facts: Detector) -> list[str]:
    rows = [
        (f"[{stage}](../stages/{stage}.md)", code(key), code(_written(value)), text(given.source))
        for stage, given in facts.stages.items()
        for key, value in given.parameters.items()
    ]
    return ["## Suggested parameters", table(("stage", "parameter", "value", "why"), rows)]


def _dolphot(facts: Detector) -> list[str]:
    return [
        "## DOLPHOT",
        "Settings for DOLPHOT.",
        table(
            ("setting", "value"),
            _flat(facts.dolphot.model_dump(exclude={"mask": {"chips", "gains"}})),
        ),
    ]


def _flat(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield code(f"{path}{key}"), text(_written(value))


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)

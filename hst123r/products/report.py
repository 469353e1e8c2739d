"""The report: one self-contained HTML page, pictures included, that needs no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from hst123r.photometry.flags import Flag
from hst123r.products import tables
from hst123r.records.outcome import Product

STYLE: Final = """
:root { --ink:#1c2430; --dim:#5b6675; --line:#d9dee5; --accent:#0b5fa5; --wash:#f5f7fa;
        --good:#177245; --caveat:#9a6200; --bad:#b3261e; }
* { box-sizing: border-box; }
body { margin:0; font:15px/1.5 system-ui, sans-serif; color:var(--ink); background:#fff; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 80px; }
h1 { font-size: 26px; margin: 8px 0 2px; } h2 { font-size: 19px; margin: 40px 0 10px;
     border-bottom: 1px solid var(--line); padding-bottom: 4px; } h3 { font-size: 15px; }
nav { font-size: 13px; margin: 12px 0 0; } nav a { color: var(--accent); margin-right: 14px;
      text-decoration: none; } p.lead { color: var(--dim); margin: 0; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid var(--line);
         vertical-align: top; } th { color: var(--dim); font-weight: 600; white-space: nowrap; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
figure { margin: 0 0 18px; } figure img { max-width: 100%; border: 1px solid var(--line); }
figcaption { font-size: 12px; color: var(--dim); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 18px; }
pre { background: var(--wash); padding: 12px; overflow-x: auto; font-size: 12.5px; }
.good { color: var(--good); } .caveat { color: var(--caveat); } .bad { color: var(--bad); }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--accent); }
@media print { nav, summary { display: none; } main { padding: 0; } }
"""
SECTIONS: Final = (
    ("targets", "Targets"), ("light-curves", "Light curves"), ("exposures", "Exposures"),
    ("alignment", "Alignment"), ("stacks", "Stacks"), ("caveats", "Caveats"),
    ("measurements", "Measurements"), ("software", "Software and parameters"),
    ("recipe", "Recipe"),
)  # fmt: skip
EXPOSURE_COLUMNS: Final = (
    "root", "detector", "filter", "exptime", "datetime", "field", "epoch_name", "visit", "chip",
    "zeropoint",
)  # fmt: skip
CURVE_COLUMNS: Final = (
    "level", "filter", "epoch", "visit", "exposure", "mjd", "n_exposures", "flux_njy",
    "flux_err_njy", "snr", "mag_ab", "mag_err", "limit_ab", "flags",
)  # fmt: skip


def page(
    about: Mapping[str, Any], inputs: Mapping[str, Sequence[Product]], *, measurements: bool
) -> str:
    """Return the page.

    Parameters
    ----------
    about : mapping
        ``recipe_name``, ``recipe_text``, ``targets``, ``software``, ``parameters`` and ``jobs``.
    inputs : mapping of str to sequence of Product
        Products by kind.
    measurements : bool
        Whether to show the measurements of every stage.

    Returns
    -------
    str
        HTML.
    """
    bodies = {
        "targets": _table(("name", "sexagesimal", "degrees"), about["targets"]),
        "light-curves": _light_curves(inputs.get("light curve", [])),
        "exposures": _exposures(inputs["exposure table"], about["jobs"]),
        "alignment": _alignment(inputs),
        "stacks": _stacks(inputs.get("stack", [])),
        "caveats": _caveats(about["jobs"]),
        "measurements": _measurements(about["jobs"]) if measurements else "",
        "software": _software(about),
        "recipe": f"<pre>{escape(about['recipe_text'])}</pre>",
    }
    shown = [(name, title) for name, title in SECTIONS if bodies[name]]
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title in shown)
    sections = "".join(
        f'<section id="{name}"><h2>{escape(title)}</h2>{bodies[name]}</section>'
        for name, title in shown
    )
    title = escape(about["recipe_name"])
    version = escape(about["software"].get("hst123r", ""))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} – hst123r'
        f'</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p class="lead">Report of hst123r {version}. {escape(_verdict(about["jobs"]))}</p>'
        f"<nav>{links}</nav>{sections}</main></body></html>\n"
    )


def _verdict(jobs: Iterable[Mapping[str, Any]]) -> str:
    listed = list(jobs)
    bad = [job for job in listed if job["quality"] == "bad"]
    caveats = [job for job in listed if job["quality"] == "caveat"]
    text = f"{len(listed)} jobs"
    if bad:
        text += f", {len(bad)} with bad results"
    if caveats:
        text += f", {len(caveats)} with caveats"
    return text + ("." if bad or caveats else ", all good.")


def _light_curves(products: Sequence[Product]) -> str:
    parts = []
    for product in products:
        rows = product.facts["rows"]
        where = "" if product.facts["detected"] else ", which nothing was found at"
        caption = (
            f"Source {product.facts['source']}, {product.facts['separation_arcsec']:.3f}″ from the "
            f"target{where}.{_chance(product.facts)} Triangles are limits of S/N "
            f"{product.facts['limit_snr']:g}."
        )
        rows = [{**row, "flags": _flags(row["flags"])} for row in rows]
        parts.append(f"<h3>{escape(product.name)}</h3>")
        parts.append(_figure(product.files["plot"], caption))
        if "cutouts" in product.files:
            caption = "Stacks around the target: aperture of the fit, and search radius (dashed)."
            parts.append(_figure(product.files["cutouts"], caption))
        means = [row for row in rows if row["level"] != "exposure"]
        several = len(product.facts.get("sources", [])) > 1
        columns = ("source", *CURVE_COLUMNS) if several else CURVE_COLUMNS
        parts.append(_table(columns, means))
        single = [row for row in rows if row["level"] == "exposure"]
        parts.append(_folded(f"{len(single)} exposures", _table(columns, single)))
    return "".join(parts)


def _chance(facts: Mapping[str, Any]) -> str:
    """Say how likely a source so near is there by chance."""
    if "chance_probability" not in facts:
        return ""
    return (
        f" One as bright would be so near by chance with probability "
        f"{facts['chance_probability']:.2g} ({facts['chance_sources']} such sources within "
        f"{facts['chance_radius_arcsec']:g}″)."
    )


def _flags(value: int) -> str:
    """Return the names of flags, which say more than their sum."""
    names = (str(flag.name) for flag in Flag if flag and flag & int(value))
    return ", ".join(name.lower().replace("_", " ") for name in names)


def _exposures(found: Sequence[Product], jobs: Iterable[Mapping[str, Any]]) -> str:
    (product,) = found
    table = tables.read(product.files["table"])
    rows = [{name: table[name][i] for name in EXPOSURE_COLUMNS} for i in range(len(table))]
    text = f"<p>{len(rows)} in use.</p>" + _table(EXPOSURE_COLUMNS, rows)
    rejects = [
        {"subject": r["subject"], **r["labels"], "code": r["code"], "reason": r["reason"]}
        for job in jobs
        for r in job["rejects"]
    ]
    if rejects:
        columns = ("subject", "detector", "filter", "code", "reason")
        text += f"<h3>{len(rejects)} left out</h3>" + _table(columns, rejects)
    return text


def _frame(facts: Mapping[str, Any]) -> str:
    """Say whose frame positions are in."""
    if facts["frame"] == "header":
        return "Positions are in the frame of that visit's headers."
    return f"Positions are in the frame of {escape(facts['frame'])}."


def _alignment(inputs: Mapping[str, Sequence[Product]]) -> str:
    parts = []
    for product in inputs.get("reference", []):
        facts = product.facts
        what = f"visit {facts['visit']}, {facts['detector']} {facts['filter']}"
        parts.append(
            f"<p>{escape(product.name)}: the reference is "
            f"{escape(what if facts['scores'] else facts['frame'])}, {facts['stars']} stars. "
            f"{_frame(facts)} {escape(facts['why'])}.</p>"
        )
        if facts["scores"]:
            columns = tuple(facts["scores"][0])
            parts.append(_folded("How it was chosen", _table(columns, facts["scores"])))
    columns = (
        "exposure", "stars", "matches", "rms_east_mas", "rms_north_mas", "offset_mas",
        "solution_error_mas", "why_not",
    )  # fmt: skip
    figures = []
    for product in inputs.get("alignment", []):
        rows = [{"exposure": root, **r} for root, r in product.facts["exposures"].items()]
        parts.append(f"<h3>{escape(product.name)}</h3>" + _table(columns, rows))
        figures.append(_figure(product.files["plot"], product.name))
    if figures:
        parts.append(f'<div class="grid">{"".join(figures)}</div>')
    return "".join(parts)


def _stacks(products: Sequence[Product]) -> str:
    figures = []
    for product in products:
        facts = product.facts
        zeropoint = facts["zeropoint_ab"]
        caption = (
            f"{product.name}: {len(facts['exposures'])} exposures, "
            f"{facts['exposure_time_s']:g} s, {facts['scale_arcsec']:g}″ pixels"
            + (f", AB zeropoint {zeropoint:.3f} mag" if zeropoint is not None else "")
        )
        figures.append(_figure(product.files["preview"], caption))
    return f'<div class="grid">{"".join(figures)}</div>' if figures else ""


def _caveats(jobs: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        {"job": f"{job['stage']}:{job['label']}", "about": c["subject"], "caveat": c["text"]}
        for job in jobs
        for c in job["caveats"]
    ]
    rows += [
        {"job": f"{job['stage']}:{job['label']}", "about": m["subject"],
         "caveat": f"{m['name']} is {_cell(m['value'])} {m['unit']} ({m['quality']})"}
        for job in jobs
        for m in job["measurements"]
        if m["quality"] != "good"
    ]  # fmt: skip
    return _table(("job", "about", "caveat"), rows) if rows else "<p>None.</p>"


def _measurements(jobs: Iterable[Mapping[str, Any]]) -> str:
    by_stage: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        for found in job["measurements"]:
            limits = " … ".join(_cell(found[key]) for key in ("low", "high"))
            row = {**found, "job": job["label"], "about": found["subject"], "limits": limits}
            by_stage.setdefault(job["stage"], []).append(row)
    columns = ("job", "about", "name", "value", "unit", "limits", "quality")
    return "".join(
        _folded(f"{stage}: {len(rows)} measurements", _table(columns, rows))
        for stage, rows in by_stage.items()
    )


def _software(about: Mapping[str, Any]) -> str:
    versions = [{"package": k, "version": v} for k, v in about["software"].items()]
    columns = ("stage", "name", "value", "origin")
    return _folded(f"{len(versions)} packages", _table(("package", "version"), versions)) + _folded(
        f"{len(about['parameters'])} parameters", _table(columns, about["parameters"])
    )


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_td(row.get(name)) for name in columns)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _td(value: Any) -> str:
    text = _cell(value)
    kind = "n" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
    if text in ("good", "caveat", "bad"):
        kind = text
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  (NaN)
            return ""
        return f"{value:.3f}" if 0.0005 <= abs(value) < 1e5 else f"{value:.6g}"
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value)


def _folded(summary: str, inner: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def _figure(path: str, caption: str) -> str:
    data = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )

"""The report: one self-contained HTML page, pictures included, that needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from hst123r.photometry.flags import Flag
from hst123r.products import anchors, curve_drawing, plots, tables
from hst123r.products.anchors import ORIGINS
from hst123r.products.html import Markup, cell, document, figure, folded, link, table
from hst123r.records.outcome import Product

SECTIONS: Final = (
    ("failed", "What failed"), ("targets", "Targets"), ("light-curves", "Light curves"),
    ("exposures", "Exposures"), ("alignment", "Alignment"), ("stacks", "Stacks"),
    ("caveats", "Caveats"), ("measurements", "Measurements"),
    ("software", "Software and parameters"), ("recipe", "Recipe"),
)  # fmt: skip
EXPOSURE_COLUMNS: Final = (
    "root", "detector", "filter", "exptime", "datetime", "field", "epoch_name", "visit", "chip",
    "zeropoint",
)  # fmt: skip
CURVE_COLUMNS: Final = (
    "mjd", "flux_njy", "flux_err_njy", "snr", "mag_ab", "mag_err", "mag_sys", "limit_ab", "flags",
)  # fmt: skip
MEAN_COLUMNS: Final = (
    "origin", "level", "filter", "epoch", "visit", "n_exposures", *CURVE_COLUMNS,
)  # fmt: skip
EXPOSURE_POINT_COLUMNS: Final = ("origin", "filter", "visit", "exposure", *CURVE_COLUMNS)
"""The link comes first and nothing is told twice, so that the tables are no wider than the page."""


def page(
    about: Mapping[str, Any], inputs: Mapping[str, Sequence[Product]], *, measurements: bool
) -> str:
    """Return the page.

    Parameters
    ----------
    about : mapping
        ``recipe_name``, ``recipe_text``, ``targets``, ``software``, ``parameters``, ``jobs`` and
        ``failures``.
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
        "failed": _failed(about["failures"]),
        "targets": table(("name", "sexagesimal", "degrees"), about["targets"]),
        "light-curves": _light_curves(inputs.get("light curve", [])),
        "exposures": _exposures(inputs["exposure table"], about["jobs"]),
        "alignment": _alignment(inputs),
        "stacks": _stacks(inputs.get("stack", [])),
        "caveats": _caveats(about["jobs"]),
        "measurements": _measurements(about["jobs"]) if measurements else "",
        "software": _software(about),
        "recipe": f"<pre>{escape(about['recipe_text'])}</pre>",
    }
    version = about["software"].get("hst123r", "")
    verdict = _verdict(about["jobs"])
    if not verdict.endswith("all good."):
        verdict = link(verdict, "#caveats")
    if about["failures"]:
        number = len(about["failures"])
        text = f"This report is not complete: {number} of what it would tell of gave no result."
        verdict = f"{link(text, '#failed')} {verdict}"
    lead = f"Report of hst123r {escape(version)}. {verdict} " + link(
        "Where each number comes from", ORIGINS
    )
    return document(
        about["recipe_name"], lead, [(name, text, bodies[name]) for name, text in SECTIONS]
    )


def _failed(failures: Sequence[Mapping[str, Any]]) -> str:
    """Tell of what gave no result, and how to ask more of it."""
    if not failures:
        return ""
    text = "Nothing on this page was made of these; what earlier runs made of them is left out."
    more = (
        "<p><code>hst123r history --state failed</code> tells when they ran, <code>hst123r explain "
        "RECIPE JOB</code> what a run would do, and their logs are in <code>logs/jobs</code>.</p>"
    )
    return f'<p class="caveat">{text}</p>{table(("job", "state", "why"), failures)}{more}'


def _origin(anchor: str, text: str = "origin") -> Markup:
    """Return a link to the page that says where something comes from."""
    return link(text, f"{ORIGINS}#{anchor}")


def _job(job: Mapping[str, Any], text: str = "") -> Markup:
    """Return the name of a job, which leads to its origin."""
    anchor = anchors.of_job(job["stage"], job["label"])
    return _origin(anchor, text or f"{job['stage']}:{job['label']}")


def _verdict(jobs: Iterable[Mapping[str, Any]]) -> str:
    # of those that came to nothing the page tells apart
    listed = [job for job in jobs if job["state"] == "done"]
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
        target = product.labels.get("target", product.name)
        places = [
            anchors.of_point(
                {"source": product.facts["source"], **row, "target": target},
                anchors.stage_of(product),
            )
            for row in rows
        ]
        rows = [
            {**row, "flags": _flags(row["flags"]), "at": f"{ORIGINS}#{place}",
             "origin": _origin(place)}
            for row, place in zip(rows, places, strict=True)
        ]  # fmt: skip
        labels = plots.band_labels(rows)
        shown = [{**row, "filter": labels[row["detector"], row["filter"]]} for row in rows]
        about = _origin(anchors.of_made(product))
        parts.append(f"<h3>{escape(product.name)}</h3>{_told(product)}")
        parts.append(_drawing(product, rows, caption, about))
        if "cutouts" in product.files:
            caption = "Stacks around the target: aperture of the fit, and search radius (dashed)."
            parts.append(figure(product.files["cutouts"], caption, about))
        means = [row for row in shown if row["level"] != "exposure"]
        several = len(product.facts.get("sources", [])) > 1
        number = ("source",) if several else ()
        parts.append(table((*MEAN_COLUMNS, *number), means))
        single = [row for row in shown if row["level"] == "exposure"]
        parts.append(
            folded(f"{len(single)} exposures", table((*EXPOSURE_POINT_COLUMNS, *number), single))
        )
    return "".join(parts)


def _told(product: Product) -> str:
    """Return what is to be known before the numbers of a product are used."""
    texts = dict.fromkeys(
        text if not subject or subject in text else f"{subject}: {text}"
        for subject, text in ((caveat.subject, caveat.text) for caveat in product.caveats)
    )
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<p class="caveat">Before you use these numbers:</p><ul>{items}</ul>'


def _drawing(
    product: Product, rows: Sequence[Mapping[str, Any]], caption: str, about: Markup
) -> str:
    """Draw the points of epochs of the first source, each a link to where it comes from."""
    first = product.facts["source"]
    drawn = [r for r in rows if r["level"] == "epoch" and r.get("source", first) == first]
    title = f"{product.name}, one point per epoch and filter; its numbers are in the table below"
    drawing = curve_drawing.draw(drawn, title, lambda row: str(row["at"]))
    if not drawing:
        return figure(product.files["plot"], caption, about)
    return f"<figure>{drawing}<figcaption>{escape(caption)} {about}</figcaption></figure>"


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
    read = tables.read(product.files["table"])
    rows = [{name: read[name][i] for name in EXPOSURE_COLUMNS} for i in range(len(read))]
    text = f"<p>{len(rows)} in use.</p>" + table(EXPOSURE_COLUMNS, rows)
    rejects = [
        {"subject": r["subject"], **r["labels"], "code": r["code"], "reason": r["reason"]}
        for job in jobs
        for r in job["rejects"]
    ]
    if rejects:
        columns = ("subject", "detector", "filter", "code", "reason")
        text += f"<h3>{len(rejects)} left out</h3>" + table(columns, rejects)
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
            f"{_frame(facts)} {escape(facts['why'])}. "
            f"{_origin(anchors.of_made(product))}</p>"
        )
        if facts["scores"]:
            columns = tuple(facts["scores"][0])
            parts.append(folded("How it was chosen", table(columns, facts["scores"])))
    columns = (
        "exposure", "stars", "matches", "rms_east_mas", "rms_north_mas", "offset_mas",
        "solution_error_mas", "why_not",
    )  # fmt: skip
    figures = []
    for product in inputs.get("alignment", []):
        rows = [{"exposure": root, **r} for root, r in product.facts["exposures"].items()]
        parts.append(f"<h3>{escape(product.name)}</h3>" + table(columns, rows))
        about = _origin(anchors.of_made(product))
        caption = f"Residuals of matched stars, {product.name}"
        figures.append(figure(product.files["plot"], caption, about))
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
        about = _origin(anchors.of_made(product))
        figures.append(figure(product.files["preview"], caption, about))
    return f'<div class="grid">{"".join(figures)}</div>' if figures else ""


def _caveats(jobs: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        {"job": _job(job), "about": c["subject"], "caveat": c["text"]}
        for job in jobs
        for c in job["caveats"]
    ]
    rows += [
        {"job": _job(job), "about": m["subject"],
         "caveat": f"{m['name']} is {cell(m['value'])} {m['unit']} ({m['quality']})"}
        for job in jobs
        for m in job["measurements"]
        if m["quality"] != "good"
    ]  # fmt: skip
    return table(("job", "about", "caveat"), rows) if rows else "<p>None.</p>"


def _measurements(jobs: Iterable[Mapping[str, Any]]) -> str:
    by_stage: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        for found in job["measurements"]:
            limits = " … ".join(cell(found[key]) for key in ("low", "high"))
            row = {
                **found,
                "job": _job(job, job["label"]),
                "about": found["subject"],
                "limits": limits,
            }
            by_stage.setdefault(job["stage"], []).append(row)
    columns = ("job", "about", "name", "value", "unit", "limits", "quality")
    return "".join(
        folded(f"{stage}: {len(rows)} measurements", table(columns, rows))
        for stage, rows in by_stage.items()
    )


def _software(about: Mapping[str, Any]) -> str:
    versions = [{"package": k, "version": v} for k, v in about["software"].items()]
    columns = ("stage", "name", "value", "origin")
    return folded(f"{len(versions)} packages", table(("package", "version"), versions)) + folded(
        f"{len(about['parameters'])} parameters", table(columns, about["parameters"])
    )

"""The page that says where each number of a run comes from; it needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from hst123r.products import anchors, curve_drawing
from hst123r.products.html import Markup, cell, document, folded, link, table

LETTERS: Final = 16
"""Of a digest, of which the whole is shown when the mouse rests on it."""
SHOWN: Final = 12
"""Names that are shown; more are folded."""
POINT_COLUMNS: Final = (
    "point", "flux_njy", "flux_err_njy", "mag_ab", "mag_err", "limit_ab", "exposures",
)  # fmt: skip
JOB_COLUMNS: Final = (
    "job", "quality", "caveats", "key", "software", "parameters", "stands_on", "made",
)  # fmt: skip
HISTORY_COLUMNS: Final = ("attempt", "in_run")
"""Of jobs, on the page for who has the history that the numbers are of."""
EDITION_COLUMNS: Final = (
    "runs", "started", "points", "different", "only_then", "only_now", "largest_sigma",
    "rms_sigma", "median_mag", "changed",
)  # fmt: skip
OFFSET_COLUMNS: Final = (
    "point", "what", "flux_then", "flux_now", "mag_then", "mag_now", "sigma",
)  # fmt: skip


def page(about: Mapping[str, Any], *, reports: Sequence[str]) -> str:
    """Return the page.

    Parameters
    ----------
    about : mapping
        What :func:`hst123r.engine.origins.origins` gives, or
        :func:`hst123r.sharing.impersonal.impersonal` makes of it for others.
    reports : sequence of str
        Names of the reports beside it, to link to.

    Returns
    -------
    str
        HTML, the same for the same input.
    """
    run = about["run"]
    places = {job["job"]: _place(job) for job in about["jobs"]}
    names = {job["job"]: f"{job['stage']}:{job['label']}" for job in about["jobs"]}

    def to_job(number: int) -> Markup:
        return link(names[number], f"#{places[number]}")

    version = about["environment"].get("hst123r", "")
    whose, when = ("", "") if run["run"] is None else (
        f" of run {run['run']}", f" Began {run['started']},"
    )  # fmt: skip
    lead = escape(
        f"Where each number{whose} comes from.{when} {run['state']}; hst123r {version}. "
    ) + ", ".join(link(name, name) for name in reports)
    sections = [
        ("curves", "Light curves", _curves(about["points"])),
        ("points", "Points and what they rest on", _lineages(about, to_job)),
        ("earlier", "Earlier runs of this recipe", _earlier(about["earlier"], about["points"])),
        ("jobs", "Jobs", _jobs(about, places, to_job)),
        ("parameters", "Parameters", _sets(about["sets"])),
        ("files", "Raw files", _files(about["files"], to_job)),
        ("software", "Software", _software(about["environment"])),
    ]
    return document(f"{run['recipe']}: provenance", lead, sections, marks=mark(about["rests_on"]))


def mark(rests_on: str) -> str:
    """Return what stands at the beginning of the page of a run, see `origins.rests_on`."""
    return f'<meta name="rests-on" content="{escape(rests_on)}">'


def _place(job: Mapping[str, Any]) -> str:
    """Return the anchor of a job; one that an earlier run left has its number in it."""
    place = anchors.of_job(job["stage"], job["label"])
    return place if job["own"] else f"{place}:{job['job']}"


def _curves(points: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    curves: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in points:
        if row["level"] == "epoch":
            curve = (row["stage"], row["target"], row["source"])
            curves.setdefault(curve, []).append(row)
    for (stage, target, source), drawn in curves.items():
        title = f"{stage}: {target}, source {source}: one point per epoch and filter"
        drawing = curve_drawing.draw(drawn, title, lambda row: f"#{_point_place(row)}")
        if drawing:
            caption = f"{title}. Each point leads to what it rests on; the tables have its numbers."
            parts.append(f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>")
    return "".join(parts)


def _point_place(row: Mapping[str, Any]) -> str:
    return anchors.of_point(row, row["stage"])


def _point(row: Mapping[str, Any]) -> str:
    words = [row[key] for key in ("epoch", "visit", "exposure") if row.get(key)]
    return " ".join([str(row["level"]), *words])


def _lineages(about: Mapping[str, Any], to_job: Callable[[int], Markup]) -> str:
    of_root: dict[str, str] = {}
    of_file = _file_places(about["files"])
    for path, file in about["files"].items():
        of_root.setdefault(file["name"].partition("_")[0], of_file[path])
    stages = {job["job"]: job["stage"] for job in about["jobs"]}
    parts = []
    for name, behind in about["lineages"].items():
        rows = [row for row in about["points"] if row["lineage"] == name]
        several = len({row["source"] for row in rows}) > 1
        shown = [
            {
                **row,
                "id": _point_place(row),
                "point": _point(row) + (f", source {row['source']}" if several else ""),
                "exposures": _some(
                    [link(root, f"#{of_root[root]}" if root in of_root else "")
                     for root in row["exposures"]]
                ),
            }
            for row in rows
        ]  # fmt: skip
        singles = [row for row in shown if row["level"] == "exposure"]
        means = [row for row in shown if row["level"] != "exposure"]
        parts.append(f"<h3>{escape(name)}</h3>")
        if means:
            parts.append(table(POINT_COLUMNS, means))
        # open, since a link that leads into what is folded leads nowhere
        parts.append(table(POINT_COLUMNS, singles))
        by_stage: dict[str, list[Markup]] = {}
        for job in reversed(behind["jobs"]):
            by_stage.setdefault(stages[job], []).append(to_job(job))
        rests = [{"stage": stage, "jobs": _some(found[::-1])} for stage, found in by_stage.items()]
        parts.append("<p>All of these rest on the jobs</p>" + table(("stage", "jobs"), rests))
        files = [
            link(about["files"][path]["name"], f"#{of_file[path]}") for path in behind["files"]
        ]
        parts.append(
            f"<p>and on {len(files)} files from outside, and on no other: {_some(files)}</p>"
        )
    return "".join(parts)


def _some(items: Sequence[Markup]) -> Markup:
    """Return links one after the other, those beyond the first ones folded."""
    if len(items) <= SHOWN:
        return Markup(", ".join(items))
    rest = folded(f"{len(items) - SHOWN} more", ", ".join(items[SHOWN:]))
    return Markup(", ".join(items[:SHOWN]) + rest)


def _short(digest: str | None) -> Markup:
    if not digest:
        return Markup("")
    short = digest.rpartition(":")[2][:LETTERS]
    return Markup(f'<code title="{escape(digest)}">{escape(short)}</code>')


def _set_place(stage: str, number: int) -> str:
    return f"{anchors.of_job('set', stage)}:{number + 1}"


def _jobs(
    about: Mapping[str, Any], places: Mapping[int, str], to_job: Callable[[int], Markup]
) -> str:
    parts = []
    columns = JOB_COLUMNS + (() if about["run"]["run"] is None else HISTORY_COLUMNS)
    by_stage: dict[str, list[Mapping[str, Any]]] = {}
    for job in about["jobs"]:
        by_stage.setdefault(job["stage"], []).append(job)
    for stage, jobs in by_stage.items():
        rows = [
            {
                "id": places[job["job"]],
                "job": job["label"],
                "quality": job["quality"] or job["state"],
                "caveats": _some([Markup(escape(text)) for text in job["caveats"]]),
                "key": _short(job["key"]),
                "software": ", ".join(f"{n} {v}" for n, v in job["tools"].items()),
                "parameters": link(f"set {job['set'] + 1}", f"#{_set_place(stage, job['set'])}"),
                "stands_on": _some([to_job(number) for number in job["reads"]]),
                "made": _made(job),
                "attempt": f"#{job['job']}",
                "in_run": job.get("run"),
            }
            for job in jobs
        ]
        first = jobs[0]
        handler = "" if first["handler"] == stage else f", a stage {first['handler']}"
        about_it = f"{escape(stage)}{escape(handler)}, version {first['version']}"
        parts.append(f"<h3>{about_it}</h3>{table(columns, rows)}")
    return "".join(parts)


def _made(job: Mapping[str, Any]) -> Markup:
    """Return the products of a job with their anchors, which only those of the run have."""
    found = []
    for product in job["products"]:
        text = f"{product['kind']} {product['name']}"
        place = anchors.of_product(product["kind"], product["name"], job["stage"])
        found.append(link(text, "", name=place) if job["own"] else Markup(escape(text)))
    return Markup(", ".join(dict.fromkeys(found)))


def _sets(sets: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]) -> str:
    parts = []
    for stage, found in sets.items():
        for number, parameters in enumerate(found):
            place = _set_place(stage, number)
            title = f"{stage}, set {number + 1}" if len(found) > 1 else stage
            inner = table(("name", "value", "origin"), parameters) if parameters else "<p>None.</p>"
            parts.append(f'<h3 id="{place}">{escape(title)}</h3>{inner}')
    return "".join(parts)


def _file_places(files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the anchor of each file; outside the work directory two may be shown as one path."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for path, file in files.items():
        place = anchors.of_job("file", file["path"])
        seen[place] += 1
        found[path] = place if seen[place] == 1 else f"{place}:{seen[place]}"
    return found


def _files(files: Mapping[str, Mapping[str, Any]], to_job: Callable[[int], Markup]) -> str:
    places = _file_places(files)
    rows = [
        {
            "id": places[path],
            "file": file["path"],
            "address": file["uri"],
            "digest": _short(file["digest"]),
            "sha256": _short(file["sha256"]),
            "fetched_by": Markup("") if file["made_by"] is None else to_job(file["made_by"]),
        }
        for path, file in files.items()
    ]
    return table(("file", "address", "digest", "sha256", "fetched_by"), rows) if rows else ""


def _earlier(
    editions: Sequence[Mapping[str, Any]] | None, points: Sequence[Mapping[str, Any]]
) -> str:
    if editions is None:
        return ""
    if not editions:
        return "<p>None with a light curve.</p>"
    places = {_named(row): _point_place(row) for row in reversed(points)}
    rows, more = [], []
    for edition in editions:
        runs = _numbers(edition["runs"])
        if edition["tags"]:
            runs += f" ({', '.join(edition['tags'])})"
        rows.append({**edition, "runs": runs, "changed": _changed(edition)})
        if edition["rows"]:
            shown = [_offset(row, places) for row in edition["rows"]]
            text = f"Run {runs}: the {len(shown)} points that differ most"
            more.append(folded(text, table(OFFSET_COLUMNS, shown)))
    text = (
        "<p>Light curves of earlier runs against this one, now minus then; offsets in units of "
        "both errors added in quadrature. The pixels are mostly the same, so their noise is too, "
        "and what means nothing is far below 1.</p>"
    )
    return text + table(EDITION_COLUMNS, rows) + "".join(more)


def _numbers(runs: Sequence[int]) -> str:
    """Return numbers with those in a row joined."""
    parts: list[list[int]] = []
    for run in runs:
        if parts and run == parts[-1][-1] + 1:
            parts[-1].append(run)
        else:
            parts.append([run])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts)


def _changed(edition: Mapping[str, Any]) -> str:
    if edition["same"]:
        return "nothing, the same results"
    said = [
        f"{row['stage']}.{row['name']} {_value(row['a'])} → {_value(row['b'])}"
        for row in edition["parameters"]
    ]
    said += [
        f"{row['name']} {row['a'] or 'none'} → {row['b'] or 'none'}" for row in edition["software"]
    ]
    shown = said[:SHOWN] + ([f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else [])
    if shown:
        return "; ".join(shown)
    equal = not (edition["different"] or edition["only_then"] or edition["only_now"])
    return "nothing, made again" if equal else "no parameter and no version: see `diff`"


def _value(value: Any) -> str:
    return "none" if value is None else cell(value)


def _named(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(key) or "") for key in ("stage", *anchors.POINT))


def _offset(row: Mapping[str, Any], places: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    name = " ".join([row["target"], row["detector"], row["filter"], _point(row)])
    place = places.get(_named(row))
    return {
        "point": name if place is None else link(name, f"#{place}"),
        "what": {"only a has it": "only then", "only b has it": "only now"}.get(
            row["what"][0], ", ".join(word.replace("_", " ") for word in row["what"])
        ),
        "flux_then": row["flux_a"], "flux_now": row["flux_b"],
        "mag_then": row["mag_a"], "mag_now": row["mag_b"], "sigma": row["sigma"],
    }  # fmt: skip


def _software(versions: Mapping[str, str]) -> str:
    rows: Iterable[Mapping[str, Any]] = ({"package": k, "version": v} for k, v in versions.items())
    return table(("package", "version"), rows)

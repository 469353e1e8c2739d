"""A lineage as a tree of lines, as a Mermaid graph, or as a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from typing import Any, Final

BOX_WIDTH: Final = 260
BOX_HEIGHT: Final = 26
GAP_X: Final = 60
GAP_Y: Final = 12
LETTERS: Final = 36
"""Letters that fit in a box of that width at 11 pixels."""


def name_of(job: dict[str, Any]) -> str:
    """Return how a job is shown: ``stage:label #number``, and whether it counts no more."""
    old = "" if job["current"] else ", superseded"
    return f"{job['name']} #{job['job']} (run {job['run']}{old})"


def tree(found: dict[str, Any]) -> Iterator[str]:
    """Yield a lineage as lines.

    Parameters
    ----------
    found : dict
        What `engine.lineage.trace` gave.

    Yields
    ------
    str
        Lines; a job that was shown before is named once more with ``(above)``.
    """
    jobs = {job["job"]: job for job in found["jobs"]}
    yield f"{found['what']}: {found['found']}"
    for point in found["points"]:
        yield f"  {_point(point)}"
    for way, heading in (("up", "made from"), ("down", "used by")):
        steps = _steps(found, way)
        if not steps and not (way == "up" and found["ends"]):
            continue
        yield f"{heading}:"
        first = found["roots"] or [None]
        shown: set[int] = set()
        for index, job in enumerate(first):
            yield from _branch(job, steps, jobs, "", index == len(first) - 1, shown)
    if found["ends"]:
        yield f"ends at {len(found['ends'])} files:"
        for end in found["ends"]:
            yield f"  {end['path']}{'  ' + end['uri'] if end['uri'] else ''}"


def _point(point: dict[str, Any]) -> str:
    about = [point[key] for key in ("level", "detector", "filter", "epoch", "visit", "exposure")]
    value = ""
    if point["flux_njy"] is not None and point["flux_err_njy"] is not None:
        value = f": {point['flux_njy']:.5g} ± {point['flux_err_njy']:.2g} nJy"
    if point["mag_ab"] is not None and point["mag_err"] is not None:
        value += f", {point['mag_ab']:.3f} ± {point['mag_err']:.3f} mag (AB)"
    return " ".join(word for word in about if word) + value


Steps = dict[int | None, dict[tuple[int | None, str], list[str]]]


def _steps(found: dict[str, Any], way: str) -> Steps:
    """Return, for each job, the next ones with the roles of the files between them."""
    steps: Steps = defaultdict(lambda: defaultdict(list))
    known = {job["job"] for job in found["jobs"]}
    for link in found["links"]:
        if link["way"] != way:
            continue
        made_by = link["made_by"] if link["made_by"] in known else None
        here, there = (link["job"], made_by) if way == "up" else (made_by, link["job"])
        alone = link["path"] or link["name"] if there is None else ""
        words = steps[here][there, alone]
        word = f"{link['kind']} {link['name']}"
        if word not in words:
            words.append(word)
    return steps


def _branch(
    job: int | None, steps: Steps, jobs: dict[int, dict[str, Any]], indent: str, last: bool,
    shown: set[int], word: str = "",
) -> Iterator[str]:  # fmt: skip
    mark = "└─ " if last else "├─ "
    behind = f"  [{word}]" if word else ""
    if job is not None:
        again = job in shown and job in steps
        yield f"{indent}{mark}{name_of(jobs[job])}{behind}{' (above)' if again else ''}"
        if again:
            return
        shown.add(job)
    inner = indent + ("   " if last else "│  ") if job is not None else indent
    following = list(steps.get(job, {}).items())
    for index, ((other, alone), words) in enumerate(following):
        end = index == len(following) - 1
        text = words[0] if len(words) == 1 else f"{words[0]} and {len(words) - 1} more"
        if other is None:
            yield f"{inner}{'└─ ' if end else '├─ '}{alone}"
        else:
            yield from _branch(other, steps, jobs, inner, end, shown, text)


def _graph(found: dict[str, Any]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return nodes by key, and arrows from what is read to who reads."""
    nodes = {f"j{job['job']}": name_of(job) for job in found["jobs"]}
    ends = {end["path"]: f"f{number}" for number, end in enumerate(found["ends"])}
    nodes |= {key: path for path, key in ends.items()}
    arrows: dict[tuple[str, str], None] = {}
    for link in found["links"]:
        maker = f"j{link['made_by']}"
        if maker in nodes:
            arrows[maker, f"j{link['job']}"] = None
        elif link["path"] in ends:
            arrows[ends[link["path"]], f"j{link['job']}"] = None
    for end in found["ends"]:
        if f"j{end['made_by']}" in nodes:
            arrows[ends[end["path"]], f"j{end['made_by']}"] = None
    return nodes, list(arrows)


def mermaid(found: dict[str, Any]) -> str:
    """Return a lineage in the language of Mermaid, which wikis and notebooks draw.

    Parameters
    ----------
    found : dict
        What `engine.lineage.trace` gave.

    Returns
    -------
    str
        A flowchart from left to right.
    """
    nodes, arrows = _graph(found)
    lines = ["flowchart LR"]
    for key, text in nodes.items():
        safe = escape(text).replace("#", "&num;")
        lines.append(f'    {key}(["{safe}"])' if key[0] == "f" else f'    {key}["{safe}"]')
    lines += [f"    {one} --> {other}" for one, other in arrows]
    return "\n".join(lines)


def svg(found: dict[str, Any]) -> str:
    """Return a lineage as a drawing: a box for each job and each file at the end, in columns.

    Parameters
    ----------
    found : dict
        What `engine.lineage.trace` gave.

    Returns
    -------
    str
        An SVG file; its boxes have their whole name as a title.
    """
    nodes, arrows = _graph(found)
    columns: dict[int, list[str]] = defaultdict(list)
    for key, column in _columns(nodes, arrows).items():
        columns[column].append(key)
    place = {
        key: (column * (BOX_WIDTH + GAP_X) + GAP_Y, row * (BOX_HEIGHT + GAP_Y) + GAP_Y)
        for column, keys in columns.items()
        for row, key in enumerate(keys)
    }
    width = max((x for x, _ in place.values()), default=0) + BOX_WIDTH + GAP_Y
    height = max((y for _, y in place.values()), default=0) + BOX_HEIGHT + GAP_Y
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for one, other in arrows:
        (x1, y1), (x2, y2) = place[one], place[other]
        x1, y1, y2 = x1 + BOX_WIDTH, y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
        middle = (x1 + x2) // 2
        path = f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}"
        parts.append(f'<path d="{path}" fill="none" stroke="#888"/>')
    for key, text in nodes.items():
        x, y = place[key]
        colour = "#e8f1e4" if key[0] == "f" else "#e6edf7"
        short = text if len(text) <= LETTERS else f"…{text[1 - LETTERS :]}"
        parts.append(
            f'<g><title>{escape(text)}</title><rect x="{x}" y="{y}" width="{BOX_WIDTH}" '
            f'height="{BOX_HEIGHT}" rx="4" fill="{colour}" stroke="#555"/>'
            f'<text x="{x + 8}" y="{y + 17}">{escape(short)}</text></g>'
        )
    return "\n".join([*parts, "</svg>"])


def _columns(nodes: dict[str, str], arrows: list[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each node: one more than the last of those it stands on."""
    before: dict[str, list[str]] = defaultdict(list)
    for one, other in arrows:
        before[other].append(one)
    column = {key: 0 for key in nodes if key[0] == "f"}
    # a job has a larger number than all it stands on
    for key in sorted((key for key in nodes if key[0] == "j"), key=lambda key: int(key[1:])):
        column[key] = max((column[one] + 1 for one in before[key]), default=0)
    return column

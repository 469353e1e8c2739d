"""Pieces of a page of HTML that needs no network: tables, figures, links, and the frame around."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

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
         vertical-align: top; } th { color: var(--dim); font-weight: 600; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
figure { margin: 0 0 18px; } figure img { max-width: 100%; border: 1px solid var(--line); }
svg { max-width: 100%; height: auto; } svg a:hover *, svg a:focus * { stroke-width: 3; }
td a, p a, figcaption a { color: var(--accent); }
a:not([href]) { color: inherit !important; } :target { background: #fff3c4; }
code { font-size: 12px; overflow-wrap: anywhere; }
figcaption { font-size: 12px; color: var(--dim); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 18px; }
pre { background: var(--wash); padding: 12px; overflow-x: auto; font-size: 12.5px; }
.good { color: var(--good); } .caveat { color: var(--caveat); } .bad { color: var(--bad); }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--accent); }
@media print { nav, summary { display: none; } main { padding: 0; } }
"""


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def link(text: str, where: str, *, name: str = "") -> Markup:
    """Return a link.

    Parameters
    ----------
    text : str
        What is shown.
    where : str
        Where it leads; empty for no link.
    name : str
        The anchor of the place itself; empty for none.
    """
    about = (f' id="{escape(name)}"' if name else "") + (
        f' href="{escape(where)}"' if where else ""
    )
    return Markup(f"<a{about}>{escape(text)}</a>")


def document(
    title: str, lead: str, sections: Sequence[tuple[str, str, str]], *, marks: str = ""
) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Its title.
    lead : str
        HTML below the title.
    sections : sequence of (str, str, str)
        Anchor, title and HTML of each; those without HTML are left out.
    marks : str
        HTML at the beginning of its head, for programs.
    """
    shown = [(name, escape(text), body) for name, text, body in sections if body]
    links = "".join(f'<a href="#{name}">{text}</a>' for name, text, _ in shown)
    bodies = "".join(
        f'<section id="{name}"><h2>{text}</h2>{body}</section>' for name, text, body in shown
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{marks}<title>'
        f"{escape(title)} – "
        f'hst123r</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
        f'<p class="lead">{lead}</p>'
        f'<nav aria-label="Sections">{links}</nav>{bodies}</main></body></html>\n'
    )


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table; a key `id` of a row is its anchor.

    Parameters
    ----------
    columns : sequence of str
        Keys of the rows, and with spaces for underscores the heads.
    rows : iterable of mapping
        Values; `Markup` is taken as it is.
    """
    head = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in columns)
    body = "".join(
        f"<tr{_anchor(row)}>{''.join(_td(row.get(name)) for name in columns)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _anchor(row: Mapping[str, Any]) -> str:
    return f' id="{escape(str(row["id"]))}"' if row.get("id") else ""


def _td(value: Any) -> str:
    if isinstance(value, Markup):
        return f"<td>{value}</td>"
    text = cell(value)
    kind = "n" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
    if text in ("good", "caveat", "bad"):
        kind = text
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def cell(value: Any) -> str:
    """Return a value as it is shown, nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  (NaN)
            return ""
        return f"{value:.3f}" if 0.0005 <= abs(value) < 1e5 else f"{value:.6g}"
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value)


def folded(summary: str, inner: str) -> str:
    """Return something that is shown when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def figure(path: str, caption: str, about: Markup | str = "") -> str:
    """Return a picture, its bytes included.

    Parameters
    ----------
    path : str
        A PNG file.
    caption : str
        What is seen, also for those who do not see it.
    about : Markup
        A link after it.
    """
    data = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    text = escape(caption)
    more = f" {about}" if about else ""
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}{more}</figcaption></figure>"
    )

"""``hst123r lineage``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import listing
from hst123r.cli import options as shared


@click.command()
@click.argument("what", metavar="TARGET|POINT|JOB|FILE")
@shared.work_dir
@listing.one_of(
    "only",
    ("up", "Only back, to the archive."),
    ("down", "Only forward, to all that depends on it."),
)
@click.option("--all", "every", is_flag=True, help="Forward also to results that count no more.")
@listing.one_of(
    "form",
    ("json", "Print JSON instead of a tree."),
    ("mermaid", "Print a Mermaid flowchart."),
    ("svg", "Print a drawing, as SVG."),
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
def command(
    what: str, work_dir: Path | None, only: str | None, every: bool, form: str | None,
    output: Path | None,
) -> int:  # fmt: skip
    """Follow a result back to the archive, and forward to all that depends on it.

    POINT is a point of a light curve, TARGET/FILTER/EPOCH; the root of an exposure may stand for
    the epoch, and TARGET/FILTER is the value of all exposures. JOB is STAGE:LABEL or #NUMBER. FILE
    is a path or a name; a file that was renamed or moved is found by its bytes or its stamps.

    \b
        hst123r lineage SN2019yvr/F814W/20190427
        hst123r lineage raw/jbcd01a1q_flc.fits --down
        hst123r lineage ~/Desktop/renamed.fits --svg -o lineage.svg
    """
    from hst123r.cli import graphs
    from hst123r.engine.lineage import trace
    from hst123r.engine.workspace import locate

    found = trace(
        locate(work_dir, Path.cwd()), what, up=only != "down", down=only != "up", every=every
    )
    if form == "json":
        text = json.dumps(found, indent=2)
    elif form is None:
        text = "\n".join(graphs.tree(found))
    else:
        text = graphs.mermaid(found) if form == "mermaid" else graphs.svg(found)
    if output is None:
        click.echo(text)
        return 0
    from hst123r.files.publish import machine_errors

    with machine_errors("write the file", output):
        output.write_text(f"{text}\n", encoding="utf-8")
    return 0

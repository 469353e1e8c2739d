"""``hst123r sql``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import listing
from hst123r.cli import options as shared

SECONDS = 10.0
ROWS = 10_000


@click.command()
@click.argument("statement", metavar="STATEMENT")
@shared.work_dir
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 86400),
    default=SECONDS,
    show_default=True,
    help="End the statement after this time.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=ROWS,
    show_default=True,
    help="Print at most this many rows, and say so.",
)
@listing.forms
def command(
    statement: str, work_dir: Path | None, seconds: float, limit: int, form: str | None
) -> int:  # fmt: skip
    """Answer a SQL statement that reads the store.

    The statement cannot write, open another file or load anything. The tables and views are
    described in the documentation; views are last_good, lineage, measurements, photometry_by_run
    and rejects. (`hst123r query` asks MAST.)

    \b
        hst123r sql "select stage, count(*) as jobs from last_good group by stage"
        hst123r sql "select * from rejects where current" --csv
    """
    from hst123r.cli.render import table
    from hst123r.engine.workspace import locate
    from hst123r.provenance.reading import reading
    from hst123r.provenance.statement import ask

    with reading(locate(work_dir, Path.cwd())) as store:
        found = ask(store, statement, seconds=seconds, limit=limit)
    answer = found.as_json()
    if form == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    elif form == "csv":
        listing.write_csv(answer["rows"], found.columns)
    else:
        rows = [tuple("" if value is None else str(value) for value in row) for row in found.rows]
        table(found.columns, rows)
    if found.truncated:
        click.echo(f"there are more than {limit} rows; --limit shows more", err=True)
    return 0

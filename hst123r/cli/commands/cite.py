"""``hst123r cite``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@click.argument("run", default="")
@shared.work_dir
def command(run: str, work_dir: Path | None) -> None:
    """Print what to cite and acknowledge for a run, as BibTeX.

    RUN is its number or tag; by default the last one. Only what the run really used is named:
    software with versions, catalogues, and the programs of the exposures.

    \b
        hst123r cite
        hst123r cite 3
    """
    from hst123r.sharing.cite import citation_text as text
    from hst123r.sharing.run import of_run

    click.echo(text(of_run(work_dir, run).extract), nl=True)

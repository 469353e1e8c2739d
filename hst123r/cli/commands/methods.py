"""``hst123r methods``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@click.argument("run", default="")
@shared.work_dir
def command(run: str, work_dir: Path | None) -> None:
    """Print a paragraph for a paper that says what a run did, with its numbers.

    RUN is its number or tag; by default the last one. It is a draft: read it, and say why.

    \b
        hst123r methods
        hst123r methods 3
    """
    from hst123r.sharing.methods import methods as text
    from hst123r.sharing.run import of_run

    click.echo(text(of_run(work_dir, run).extract), nl=True)

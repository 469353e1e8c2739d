"""``hst123r report``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@click.argument("run", default="")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
    help="Where to write it. Default: provenance.html in the work directory.",
)  # fmt: skip
@shared.work_dir
def command(run: str, output: Path | None, work_dir: Path | None) -> None:
    """Write the page that says where each number of a run comes from.

    RUN is its number or tag; by default the last one. `run` writes the page for itself; this makes
    it again, or for another run. Figures and numbers of report.html lead to it: to the job with its
    software, key and parameters with their origins, and from each point of a light curve to the raw
    files. It compares the light curves with those of earlier runs of the recipe.

    \b
        hst123r report
        hst123r report paper-v1 -o paper-v1-provenance.html
    """
    from hst123r.engine.workspace import locate
    from hst123r.sharing.origins_file import write_page

    path = write_page(locate(work_dir, Path.cwd()), run, output)
    click.echo(f"{path} written, {path.stat().st_size / 1e3:.0f} kB")

"""``hst123r bundle``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@click.argument("run", default="")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True,
    metavar="FILE.zip", help="The file to write.",
)  # fmt: skip
@click.option("--images", is_flag=True, help="Put exposures, stacks and masks in too.")
@click.option("--paths", is_flag=True, help="Allow absolute paths in recipe and lock.")
@shared.work_dir
def command(run: str, output: Path, images: bool, paths: bool, work_dir: Path | None) -> None:
    """Put a run into one file: recipe, lock, results, and where every number comes from.

    RUN is its number or tag; by default the last one. Exposures and stacks are left out, since
    `replay` makes them again. It is an RO-Crate (Provenance Run Crate) and holds W3C PROV too;
    nothing in it tells of this machine or its user.

    \b
        hst123r bundle -o paper.zip
        hst123r bundle 3 -o paper.zip --images
    """
    from hst123r import __version__
    from hst123r.sharing.bundle import bundle, check_lock, lock_of
    from hst123r.sharing.origins_file import page_of_run
    from hst123r.sharing.run import of_run

    found = of_run(work_dir, run)
    kept = found.lock
    if kept is None:
        kept = lock_of(found.recipe_path, found.folder, found.extract)
    else:
        # a run that may use files that are not as locked says so, and does not touch the lock
        check_lock(
            kept, found.extract, where=f"the lock of run {found.number}",
            hint="`hst123r update RECIPE` locks what there is now; then bundle that run",
        )  # fmt: skip
    members = bundle(
        found.extract, found.recipe, found.folder, output,
        lock_text=kept, version=__version__,
        page=page_of_run(found.folder, str(found.number)), images=images, paths=paths,
    )  # fmt: skip
    size = output.stat().st_size
    click.echo(f"{output} written: run {found.number}, {len(members)} files, {size / 1e6:.1f} MB")

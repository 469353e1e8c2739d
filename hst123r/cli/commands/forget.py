"""``hst123r forget``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared
from hst123r.errors import InputError, closest


@click.command()
@click.argument("job", metavar="STAGE[:LABEL]")
@shared.work_dir
def command(job: str, work_dir: Path | None) -> None:
    """Forget the result of a job, or of all jobs of a stage, so that they run again.

    The history keeps its rows, and no file is removed.

    \b
        hst123r forget drizzle
        hst123r forget align:SN2019yvr-12546_22-acs_wfc
    """
    from hst123r.engine.hold import holding
    from hst123r.engine.workspace import Workspace, locate
    from hst123r.provenance import known

    stage, _, label = job.partition(":")
    with holding(Workspace(locate(work_dir, Path.cwd()))) as store:
        count = store.jobs.forget(stage, label or None)
        names = known.job_names(store.db) if label else known.stages(store.db)
    if count == 0:
        close = None if job in names else closest(job, names)
        text = f"there is nothing to forget about {job}"
        if close is not None:
            raise InputError(f"{text}, did you mean {close!r}?")
        raise InputError(text, hint="See `hst123r history`")
    click.echo(f"forgot {count} result{'s' if count > 1 else ''} of {job}")

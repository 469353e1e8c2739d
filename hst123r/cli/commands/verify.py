"""``hst123r verify``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from hst123r import errors
from hst123r.cli import listing
from hst123r.cli import options as shared


@click.command()
@shared.work_dir
@listing.one_of(
    "extent",
    ("quick", "Read only files whose size, times or inode are not as when last looked at."),
    ("full", "Read every byte of every file, as without any of these."),
)
@shared.readers
@shared.as_json
def command(work_dir: Path | None, extent: str | None, jobs: int | None, as_json: bool) -> int:
    """Compare every raw file and product with its digest.

    Says what was altered, what is missing, and what is not ours. Exit code 0 when all is as it was
    made, 3 when anything is altered or missing, 6 when a file cannot be read. `hst123r repair`
    mends what this finds.

    \b
        hst123r verify
        hst123r verify --quick
    """
    from hst123r.cli.bar import reading
    from hst123r.cli.render import table
    from hst123r.engine.environment import cores
    from hst123r.engine.verify import verify
    from hst123r.engine.workspace import locate

    folder = locate(work_dir, Path.cwd())
    with reading("verify") as tell:
        found = verify(folder, quick=extent == "quick", jobs=jobs or cores(), tell=tell)
    count = Counter(row["state"] for row in found)
    wrong = count["altered"] + count["missing"]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        odd = [row for row in found if row["state"] != "ok"]
        if odd:
            table(("state", "file", "what"), [(r["state"], r["file"], r["what"]) for r in odd])
        click.echo(f"{count['ok']} files are as they were made, {wrong} are not")
    if wrong:
        return errors.QUALITY
    return errors.ENVIRONMENT if count["unreadable"] else errors.GOOD

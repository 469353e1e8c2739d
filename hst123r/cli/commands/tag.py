"""``hst123r tag``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import click

from hst123r.cli import options as shared
from hst123r.errors import InputError, did_you_mean

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


@click.command()
@click.argument("run", metavar="[RUN]", required=False, type=int)
@click.argument("name", metavar="[NAME]", required=False)
@shared.work_dir
@click.option("--note", default="", help="A sentence about it.")
@click.option("--remove", metavar="NAME", help="Take a name away; the run stays.")
@shared.as_json
def command(
    run: int | None, name: str | None, work_dir: Path | None, note: str, remove: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Give a run a name, or list the names.

    `gc` keeps what a named run has, and `diff` takes the name for its number. A later run that
    makes a product anew replaces the file all the same; to keep both, run in another work
    directory.

    \b
        hst123r tag 3 paper-v1 --note "as submitted"
        hst123r tag
        hst123r tag --remove paper-v1
    """
    from hst123r.cli.render import table
    from hst123r.engine.hold import holding
    from hst123r.engine.workspace import Workspace, locate
    from hst123r.provenance import tags
    from hst123r.provenance.reading import reading

    folder = locate(work_dir, Path.cwd())
    if (run is None) != (name is None) or (remove is not None and run is not None):
        raise click.UsageError("give a RUN and its NAME, or --remove NAME, or nothing")
    if run is not None and name is not None:
        _put(folder, run, name, note)
    elif remove is not None:
        with holding(Workspace(folder)) as store:
            names = list(tags.runs(store.db))
            if not tags.remove(store.db, remove):
                raise InputError(f"there is no tag {remove!r}, {did_you_mean(remove, names)}")
    with reading(folder) as store:
        rows = tags.listed(store.db)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        columns = ("name", "run", "started", "created", "note")
        table(columns, [tuple(str(row[key]) for key in columns) for row in rows])
    return 0


def _put(folder: Path, run: int, name: str, note: str) -> None:
    """Give a run a name."""
    from hst123r.engine.hold import holding
    from hst123r.engine.workspace import Workspace
    from hst123r.provenance import queries, tags

    if not NAME.fullmatch(name):
        hint = "It begins with a letter; then letters, digits, . _ -"
        raise InputError(f"{name!r} is no name for a run", hint=hint)
    with holding(Workspace(folder)) as store:
        if not queries.runs(store.db, run_id=run):
            raise InputError(f"there is no run {run}", where=str(folder))
        taken = tags.runs(store.db).get(name)
        if taken is not None:
            hint = f"Use `hst123r tag --remove {name}` first"
            raise InputError(f"run {taken} has the name {name} already", hint=hint)
        tags.put(store.db, name, run, note)

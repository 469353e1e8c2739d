"""A page for every command: what `--help` says, word for word."""

from __future__ import annotations

import click
from click.testing import CliRunner

from hst123r.cli.main import cli
from hst123r.resources import folder
from pages.markdown import block, code, page, table, text, toctree

WIDTH = 100


def pages() -> dict[str, str]:
    """Return the pages by their path in the documentation."""
    commands = {name: _command(name) for name in names()}
    found = {f"commands/{name}.md": _page(name, one) for name, one in commands.items()}
    rows = [
        (f"[{name}]({name}.md)", text((one.help or "").strip().splitlines()[0]))
        for name, one in commands.items()
    ]
    found["commands/index.md"] = page(
        "Commands",
        "Results go to standard output, progress and errors to standard error. Every command "
        "that answers a question takes `--json`.",
        table(("command", "what it does"), rows),
        "How they end is told in [exit codes](../reference/exit-codes.md).",
        "## hst123r",
        block(help_text(), "text"),
        toctree(commands),
    )
    return found


def names() -> list[str]:
    """Names of all commands."""
    return cli.list_commands(click.Context(cli))


def help_text(*arguments: str) -> str:
    """Return what `--help` prints, at a fixed width."""
    result = CliRunner().invoke(
        cli, [*arguments, "--help"], prog_name="hst123r", terminal_width=WIDTH,
        catch_exceptions=False,
    )  # fmt: skip
    return result.output


def _command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def _page(name: str, command: click.Command) -> str:
    takes_json = any("--json" in option.opts for option in command.params)
    schema = f"{name}.schema.json"
    described = (folder("schemas") / schema).is_file()
    return page(
        f"hst123r {name}",
        block(help_text(name), "text"),
        f"What `--json` prints is described by {code('schemas/' + schema)}; keys are only added, "
        "never renamed."
        if takes_json and described
        else "",
    )

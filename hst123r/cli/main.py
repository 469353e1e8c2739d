"""The command ``hst123r``: finds its commands in the folder ``commands/``, and ends honestly."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
import traceback
from typing import Any, Final

import click

from hst123r import __version__, errors

COMMANDS = "hst123r.cli.commands"


class Commands(click.Group):
    """One module of the folder ``commands/`` for each command, imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        package = importlib.import_module(COMMANDS)
        modules = pkgutil.iter_modules(package.__path__)
        return sorted(info.name.replace("_", "-") for info in modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = f"{COMMANDS}.{cmd_name.replace('-', '_')}"
        command: click.Command = importlib.import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, with a suggestion for a misspelled one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from hst123r.errors import did_you_mean

            known = self.list_commands(ctx)
            raise click.UsageError(f"no such command {name!r}, {did_you_mean(name, known)}", ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if not value or ctx.resilient_parsing:
        return
    from hst123r.engine.environment import software

    others = ", ".join(f"{k} {v}" for k, v in software().items() if k != "hst123r")
    click.echo(f"hst123r {__version__} ({others})")
    ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: "
    + "; ".join(f"{code} {meaning}" for code, meaning in errors.EXIT_CODES.items())
    + ".",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
    help="Show the version, and those of the packages that matter.",
)  # fmt: skip
def cli() -> None:
    """Hubble imaging from a recipe, with provenance for every number.

    Write a recipe, run it, and ask where each number came from:

    \b
        hst123r new mytarget --target "12:45:08.14 -00:27:32.8"
        hst123r run mytarget.yaml
        hst123r history
    """


YOUNG: Final = 100_000
"""New objects before Python looks for garbage; most commands end before they have made so many."""


def entry() -> None:
    """Run the command line, and end with the exit code that the documentation promises."""
    # pydantic would read what every installed package says of itself, for plugins of its own
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # as Ctrl-C does, so that whoever ends us finds everything in order
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # looking at all that was imported, again and again, takes a quarter of a short command
    gc.set_threshold(YOUNG, 20, 20)
    code = invoke(sys.argv[1:])
    # nor is there anything to be found in what ends with the process
    gc.freeze()
    sys.exit(code)


def invoke(arguments: list[str]) -> int:
    """Run a command line.

    Parameters
    ----------
    arguments : list of str
        Without the program's name.

    Returns
    -------
    int
        Exit code, a key of `errors.EXIT_CODES`.
    """
    try:
        code = cli.main(arguments, prog_name="hst123r", standalone_mode=False)
    except errors.Hst123rError as error:
        click.echo(f"hst123r: {error}" if not hasattr(error, "problems") else str(error), err=True)
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return errors.USER_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("hst123r: interrupted", err=True)
        return errors.INTERRUPTED
    except BrokenPipeError:
        # somebody read enough of our output, e.g. `hst123r history | head`
        sys.stderr.close()
        return errors.GOOD
    except Exception as error:  # noqa: BLE001  (the last place that can tell a bug from a mistake)
        problem = _of_the_store(error)
        if problem is not None:
            click.echo(f"hst123r: {problem}", err=True)
            return errors.ENVIRONMENT
        traceback.print_exc()
        click.echo(
            "hst123r: this is a bug in hst123r; please report it with the lines above", err=True
        )
        return errors.BUG
    return int(code or errors.GOOD)


def _of_the_store(error: Exception) -> str | None:
    """Return a sentence for an error of SQLite that nobody met on the way."""
    sqlite3 = sys.modules.get("sqlite3")
    if sqlite3 is None or not isinstance(error, sqlite3.DatabaseError):
        return None
    return f"the store cannot be used: {error}. Check the disk, or restore the store from a backup"

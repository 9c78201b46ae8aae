"""The command tree, and the single boundary at which errors become words and an exit status.

A command is a function in a module of `mom.cli` that takes flags, calls the library once, renders what comes back and
returns an exit status. Nothing below prints an error or exits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from mom.cli.add_http_adapter import add
from mom.cli.auth import auth
from mom.cli.config_schema import schema
from mom.cli.config_validate import validate
from mom.cli.curl import curl
from mom.cli.run import run as run_atlas
from mom.console import Console
from mom.errors import ExitStatus, MomError

# Everything after `curl` is curl's.
CURL = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}

app = typer.Typer(
    name="mom",
    help="Keep API credentials out of every client: edit, check and run an Atlas, and call APIs through it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
atlas = typer.Typer(help="Configure and run an Atlas.", no_args_is_help=True)
config = typer.Typer(no_args_is_help=True)
app.add_typer(atlas, name="atlas")
atlas.add_typer(config, name="config")
config.command("add-http-adapter")(add)
config.command("validate")(validate)
config.command("schema")(schema)
atlas.command("run")(run_atlas)
app.add_typer(auth, name="auth")
app.command("curl", context_settings=CURL, add_help_option=False)(curl)


@config.callback(help="Edit and check an Atlas configuration.")
def on_trees(context: typer.Context) -> None:
    """Pause the garbage collector for these commands, which make trees and end soon."""
    from mom.yamledit.parser import collector_paused

    context.with_resource(collector_paused())


@app.callback(invoke_without_command=True)
def root(
    *, version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True)
) -> None:
    """Answer `mom --version`; without other arguments `mom.cli.main` does, before this module is imported."""
    if version:
        from mom import __version__

        Console().data(f"mom {__version__}\n")
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run the command tree with `arguments` and return the exit status. Nothing but an exit status leaves here."""
    for stream in (sys.stdout, sys.stderr):
        # A file name or a terminal that is not UTF-8 must not turn an answer into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    console = Console()
    try:
        status = typer.main.get_command(app).main(args=list(arguments), prog_name="mom", standalone_mode=False)
        sys.stdout.flush()
    except MomError as error:
        console.error(error)
        return int(error.exit_status)
    except typer.TyperException as error:
        return _usage(console, error)
    except (KeyboardInterrupt, typer.Abort):
        return int(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # The reader went away (`mom … | head`). Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitStatus.FAILED)
    except Exception as error:
        # A bug is told in one line too.
        if os.environ.get("MOM_DEBUG"):
            raise
        hint = "this is a bug in mom; MOM_DEBUG=1 shows where"
        console.error(MomError(f"internal error: {type(error).__name__}: {error}", hint=hint))
        return int(ExitStatus.FAILED)
    return int(status or 0)


def _usage(console: Console, error: typer.TyperException) -> int:
    """Show a mistake on the command line: what is wrong, and which help to read."""
    if type(error).__name__ == "NoArgsIsHelpError":
        console.say(error.format_message())
        return int(ExitStatus.USAGE)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "mom"
    message = error.format_message().rstrip(".")
    console.error(MomError(message[:1].lower() + message[1:], hint=f"{path} --help"))
    return int(error.exit_code)

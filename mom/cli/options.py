"""Options that several commands take, declared once: the same name, meaning and help everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from mom.errors import UsageError

if TYPE_CHECKING:
    from mom.cli.configuration_file import ConfigurationFile


class Format(StrEnum):
    """How a command reports on stdout: text for people, or JSON for programs."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", metavar="FORMAT", help="text or json.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no messages but errors.")]

_DEFAULT_FILE = "Default: $MOM_CONFIG, else the nearest atlas.yml."
FileOption = Annotated[
    str | None, typer.Option("--file", "-f", metavar="FILE", help=f"The Atlas configuration. {_DEFAULT_FILE}")
]
ReadFileOption = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE", help=f"The Atlas configuration; - for stdin. {_DEFAULT_FILE}"),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say which configuration is used, and why.")]

# Options of every command that edits a configuration (`mom.cli.editing`).
EditedFileOption = Annotated[
    str | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help=f"The Atlas configuration; - for stdin to stdout. {_DEFAULT_FILE}"
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Print the diff on stdout, write nothing.")]
DiffOption = Annotated[bool, typer.Option("--diff", help="Write, and print the diff on stdout.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 if the file would change.")]
# What the commands that add an adapter of another kind than HTTP call it.
AdapterNameOption = Annotated[str, typer.Option("--adapter-name", metavar="NAME", help="The adapter's name.")]

# Former and other names of options that take a value: accepted, and shown neither in help nor in completion.
ALIASES = {"--output": "--format", "--mom-token-file": "--token-file"}


# An adapter that a command is about. The original's commands name it by an option: accepted, and shown nowhere.
AdapterArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="The adapter's name.", show_default=False)]
NameOption = Annotated[str | None, typer.Option("--adapter-name", hidden=True)]
KindOption = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help="Its kind, such as HTTP; needed where several kinds have the name."),
]


class WriteOptions(NamedTuple):
    """What the options say of a command that writes: an edit or an export."""

    file: ConfigurationFile
    dry_run: bool = False
    diff: bool = False
    check: bool = False
    quiet: bool = False
    form: Format = Format.TEXT

    @property
    def writes(self) -> bool:
        """Whether the result is to be written."""
        return not (self.dry_run or self.check)


def write_options(
    file: str | None, *, dry_run: bool, diff: bool, check: bool, quiet: bool, verbose: bool, form: Format
) -> WriteOptions:
    """Return the options as the command line gives them, the configuration found where `-f` does not name one.

    Raises UsageError where two configurations could be meant, UnreadableError where there is none.
    """
    from mom.cli.configuration_file import configuration_file

    configuration = configuration_file(file, quiet=quiet, verbose=verbose)
    return WriteOptions(configuration, dry_run=dry_run, diff=diff, check=check, quiet=quiet, form=form)


def remove_command(kind: str) -> str:
    """Return what people type first to remove an adapter of a kind: `remove-http-adapter`, as it was added."""
    return f"remove-{kind.lower()}-adapter"


def adapter_named(argument: str | None, option: str | None) -> str:
    """Return the name that the argument, or `--adapter-name`, gives. Raises UsageError unless exactly one does."""
    if argument is not None and option is not None:
        raise UsageError("the adapter is named twice", hint="pass its name once")
    name = argument if option is None else option
    if name is None:
        raise UsageError("no adapter is named", hint="pass its NAME")
    return name

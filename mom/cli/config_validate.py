"""`mom atlas config validate`: files in, every problem of every file out, and an exit status for CI."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mom.atlas.rules.catalogue import problem_of
from mom.cli.configuration_file import configuration_file
from mom.cli.formats import Checked, Format, count, summary, write
from mom.cli.options import QuietOption, VerboseOption
from mom.console import Console
from mom.errors import ExitStatus, UnreadableError
from mom.files import IS_FOLDER, read_file
from mom.problems import Place, Problem, Severity
from mom.streams import STDIN, read_stdin
from mom.yamledit.source import MAX_BYTES


def validate(
    *,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Atlas configurations; - for stdin. Default: $MOM_CONFIG, else the nearest atlas.yml.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="How to report on stdout: text, json, github, sarif or junit. Default: github in GitHub Actions, "
            "else text.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings too.")] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Check Atlas configurations.

    Reports every problem of every file, with its place and a hint.

    Exits 0 if all files are valid, 1 if one is not, or cannot be read.
    Documents of other tools are left alone.

    Example: mom atlas config validate atlas.yml
    """
    console = Console(quiet=quiet)
    files = files or [configuration_file(None, quiet=quiet, verbose=verbose).path]
    if files.count("-") > 1:
        console.warning("`-` is given more than once: stdin is read and checked once")
        files = [file for number, file in enumerate(files) if file != "-" or number == files.index("-")]
    checked = [_check(file) for file in files]
    if form is None:
        form = Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TEXT
    write(checked, form, console, strict=strict)
    console.say(summary(checked))
    failed = count(checked, Severity.ERROR) or (strict and count(checked, Severity.WARNING))
    return int(ExitStatus.FAILED if failed else ExitStatus.DONE)


def _check(file: str) -> Checked:
    """Return a file's problems, or stdin's. That it cannot be read is one of them, and hides no other file's."""
    from mom.atlas.validate import validate_bytes

    name = STDIN if file == "-" else file
    try:
        data = read_stdin(MAX_BYTES) if file == "-" else read_file(file, MAX_BYTES, pipes=True)
    except UnreadableError as error:
        return Checked(name, (_unreadable(name, error),))
    return Checked(name, tuple(validate_bytes(data, name)))


def _unreadable(file: str, error: UnreadableError) -> Problem:
    from mom.atlas.beginning import with_beginning

    hint = with_beginning(error).hint or "check its name, and who may read it"
    if error.reason == IS_FOLDER:
        hint = "name its files, for example with a pattern: *.yml"
    return problem_of(Place(file, 1, 1), "file", error.message, hint=hint)

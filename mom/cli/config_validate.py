"""`mom atlas config validate`: files in, every problem of every file out, and an exit status for CI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mom.cli.reports import Checked, Format, count, summary, write
from mom.console import Console
from mom.errors import ExitStatus, UsageError
from mom.problems import Severity
from mom.yamledit.source import MAX_BYTES


def validate(
    *,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Atlas configurations; - for stdin.", show_default=False)
    ],
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
) -> int:
    """Check Atlas configurations.

    Reports every problem of every file, with its place and a hint.

    Exits 0 if all files are valid, 1 if one is not, 2 if one is missing.
    Documents of other tools are left alone.

    Example: mom atlas config validate atlas.yml
    """
    from mom.atlas.validate import validate_bytes

    console = Console()
    checked = []
    for file, data in zip(files, [_read(file) for file in files], strict=True):
        name = "<stdin>" if file == "-" else file
        checked.append(Checked(name, tuple(validate_bytes(data, name))))
    if form is None:
        form = Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TEXT
    write(checked, form, console, strict=strict)
    console.say(summary(checked))
    failed = count(checked, Severity.ERROR) or (strict and count(checked, Severity.WARNING))
    return int(ExitStatus.FAILED if failed else ExitStatus.DONE)


def _read(file: str) -> bytes:
    """Return what a file holds, or stdin. Raises UsageError where there is no such file: nothing was checked then."""
    if file == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder", hint="name its files, for example with a pattern: *.yml") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None

"""`mom atlas export compose`: flags in, a file for Docker Compose out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import ExportCheckOption, OutputOption, WithMomOption, export_options, run_export
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption

ListenOption = Annotated[
    str, typer.Option("--listen", metavar="HOST:PORT", help="The address of the machine where Atlas serves.")
]


def compose(
    *,
    output: OutputOption,
    file: FileOption = None,
    listen: ListenOption = "127.0.0.1:8082",
    with_mom: WithMomOption = False,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: ExportCheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Write a file for Docker Compose that runs this Atlas.

    Example: mom atlas export compose -o deploy
    """
    from mom import __version__
    from mom.export import compose as exported
    from mom.run.port import parse_listen

    chosen = exported.Options(listen=parse_listen(listen), version=__version__ if with_mom else None)
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )
    return int(run_export(options, lambda source: exported.export(source, chosen, output)))

"""`mom atlas export compose`: flags in, a file for Docker Compose out."""

from __future__ import annotations

from typing import Annotated

from mom.cli.exporting import (
    ExportCheckOption,
    OutputOption,
    WithMomOption,
    export_options,
    listen_option,
    run_export,
    serving_options,
)
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.cli.run import NoKeySlots, StreamLimit, Timeout
from mom.export.model import Export, Source

ListenOption = Annotated[str | None, listen_option("Where the machine serves", "127.0.0.1")]


def compose(
    *,
    output: OutputOption,
    file: FileOption = None,
    listen: ListenOption = None,
    with_mom: WithMomOption = False,
    timeout: Timeout = None,
    stream_limit: StreamLimit = None,
    no_key_slots: NoKeySlots = False,
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

    serving = serving_options(timeout, stream_limit, no_key_slots=no_key_slots)
    chosen = exported.Options(
        listen=None if listen is None else parse_listen(listen), version=__version__ if with_mom else None
    )
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def export(source: Source) -> Export:
        return exported.export(source, chosen, serving.layout(source, exported.layout(source, chosen)), output)

    return int(run_export(options, output, export))

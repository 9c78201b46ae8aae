"""`mom atlas export ecs`: flags in, an image and what runs it on ECS out."""

from __future__ import annotations

from mom.cli.exporting import (
    ExportCheckOption,
    OutputOption,
    WithMomOption,
    export_options,
    run_export,
    serving_options,
)
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.cli.run import NoKeySlots, StreamLimit, Timeout
from mom.export.model import Export, Source


def ecs(
    *,
    output: OutputOption,
    file: FileOption = None,
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
    """Write an image and a CloudFormation template that run this Atlas on Amazon ECS.

    Example: mom atlas export ecs -o deploy
    """
    from mom import __version__
    from mom.export import ecs as exported

    serving = serving_options(timeout, stream_limit, no_key_slots=no_key_slots)
    chosen = exported.Options(version=__version__ if with_mom else None)
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def export(source: Source) -> Export:
        return exported.export(source, chosen, serving.layout(source, exported.layout()), output)

    return int(run_export(options, output, export))

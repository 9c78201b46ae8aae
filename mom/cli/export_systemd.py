"""`mom atlas export systemd`: flags in, a unit that runs mom out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import (
    ExportCheckOption,
    OutputOption,
    export_options,
    listen_option,
    run_export,
    serving_options,
)
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.cli.run import NoKeySlots, StreamLimit, Timeout
from mom.errors import UsageError
from mom.export.model import Export, Source

ListenOption = Annotated[str | None, listen_option("Where to serve", "127.0.0.1")]
Program = Annotated[str, typer.Option("--mom", metavar="PATH", help="Where mom is on that machine.")]
Tls = Annotated[
    bool, typer.Option("--tls", help="Serve https: tls.crt and tls.key (PEM) are among the service's credentials.")
]


def systemd(
    *,
    output: OutputOption,
    file: FileOption = None,
    listen: ListenOption = None,
    mom: Program = "/opt/mom/bin/mom",
    tls: Tls = False,
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
    """Write a unit of systemd that runs this Atlas.

    Example: mom atlas export systemd -o deploy
    """
    from mom.export import systemd as exported

    if not mom.startswith("/") or not mom.isprintable():
        raise UsageError(f"--mom {mom}: not an absolute path", hint="write --mom /opt/mom/bin/mom")
    serving = serving_options(timeout, stream_limit, no_key_slots=no_key_slots, listen=listen)
    service = exported.Service(program=mom, tls=tls)
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def export(source: Source) -> Export:
        return exported.export(source, service, serving.layout(source, exported.layout(source, service)), output)

    return int(run_export(options, output, export))

"""`mom atlas export systemd`: flags in, a unit that runs mom out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import ExportCheckOption, OutputOption, export_options, run_export
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.errors import UsageError

ListenOption = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where Atlas serves.")]
Program = Annotated[str, typer.Option("--mom", metavar="PATH", help="Where mom is on that machine.")]
Tls = Annotated[
    bool, typer.Option("--tls", help="Serve https: tls.crt and tls.key (PEM) are among the service's credentials.")
]


def systemd(
    *,
    output: OutputOption,
    file: FileOption = None,
    listen: ListenOption = "127.0.0.1:8082",
    mom: Program = "/opt/mom/bin/mom",
    tls: Tls = False,
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
    from mom.run.port import parse_listen

    if not mom.startswith("/") or not mom.isprintable():
        raise UsageError(f"--mom {mom}: not an absolute path", hint="write --mom /opt/mom/bin/mom")
    service = exported.Service(listen=parse_listen(listen), program=mom, tls=tls)
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )
    return int(run_export(options, lambda source: exported.export(source, service, output)))

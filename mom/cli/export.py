"""`mom atlas export envoy`: flags in, Envoy's own files out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import ExportCheckOption, OutputOption, export_options, run_export
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.export.model import Export, Layout, Source

ListenOption = Annotated[
    str,
    typer.Option("--listen", metavar="HOST:PORT", help="Where Envoy serves."),
]
ConfigurationDir = Annotated[
    str,
    typer.Option("--config-dir", metavar="PATH", help="Where the files are on the machine that runs Envoy."),
]
CredentialsDir = Annotated[
    str,
    typer.Option(
        "--credentials-dir", metavar="PATH", help="The folder there with a file per variable; `env`: its environment."
    ),
]
CaFile = Annotated[str, typer.Option("--ca-file", metavar="PATH", help="The authorities of APIs there, a PEM file.")]


def envoy(
    *,
    output: OutputOption,
    file: FileOption = None,
    listen: ListenOption = "0.0.0.0:8082",
    config_dir: ConfigurationDir = "/etc/atlas",
    credentials_dir: CredentialsDir = "/credentials",
    ca_file: CaFile = "/etc/ssl/certs/ca-certificates.crt",
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: ExportCheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Write the configuration of an Envoy that serves this Atlas without mom.

    Example: mom atlas export envoy -o deploy
    """
    from mom.run.port import parse_listen

    layout = Layout(
        listen=parse_listen(listen),
        configuration=config_dir,
        credentials=None if credentials_dir == "env" else credentials_dir,
        ca_file=ca_file,
    )
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )
    return int(run_export(options, lambda source: _export(source, layout)))


def _export(source: Source, layout: Layout) -> Export:
    from mom.export import envoy as exported
    from mom.export import refusals

    refusals.check(source, layout)
    return Export(
        command="mom atlas export envoy",
        digest=source.digest,
        files=exported.files(source, layout),
        next_steps=(f"envoy {' '.join(exported.arguments(layout))}",),
    )

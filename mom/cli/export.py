"""`mom atlas export envoy`: flags in, Envoy's own files out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import ExportCheckOption, ListenOption, OutputOption, Serving, export_options, run_export
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.cli.run import NoKeySlots, StreamLimit, Timeout
from mom.errors import UsageError
from mom.export.model import Export, Layout, Source

_IN_ENVIRONMENT = "env"
ConfigDir = Annotated[
    str,
    typer.Option("--config-dir", metavar="PATH", help="Where the files will be on the machine that runs Envoy."),
]
CredentialsDir = Annotated[
    str,
    typer.Option(
        "--credentials-dir", metavar="PATH", help="The folder there with a file per variable. env: its environment."
    ),
]
CaFile = Annotated[
    str, typer.Option("--ca-file", metavar="PATH", help="The PEM file there with the authorities of APIs.")
]
TlsCert = Annotated[
    str | None, typer.Option("--tls-cert", metavar="PATH", help="Serve https with this certificate chain (PEM) there.")
]
TlsKey = Annotated[str | None, typer.Option("--tls-key", metavar="PATH", help="Its private key (PEM).")]


def envoy(
    *,
    output: OutputOption,
    file: FileOption = None,
    config_dir: ConfigDir = "/etc/atlas",
    credentials_dir: CredentialsDir = "/credentials",
    ca_file: CaFile = "/etc/ssl/certs/ca-certificates.crt",
    listen: ListenOption = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
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
    """Write the configuration of an Envoy that serves this Atlas without mom.

    Example: mom atlas export envoy -o deploy
    """
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key must be given together")
    paths = {
        "--config-dir": config_dir,
        "--credentials-dir": None if credentials_dir == _IN_ENVIRONMENT else credentials_dir,
        "--ca-file": ca_file,
        "--tls-cert": tls_cert,
        "--tls-key": tls_key,
    }
    for option, path in paths.items():
        if path is not None and (not path.startswith("/") or not path.isprintable()):
            raise UsageError(f"{option} {path}: this is not an absolute path", hint="Envoy reads it where it runs")
    serving = Serving(listen, timeout, stream_limit, no_key_slots)
    serving.check()
    layout = Layout(
        configuration=config_dir.rstrip("/"),
        credentials=None if credentials_dir == _IN_ENVIRONMENT else credentials_dir.rstrip("/"),
        ca_file=ca_file,
        tls=None if tls_cert is None or tls_key is None else (tls_cert, tls_key),
    )
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )
    return int(run_export(options, lambda source: _export(source, serving.layout(source, layout))))


def _export(source: Source, layout: Layout) -> Export:
    from mom.export import envoy as exported
    from mom.export import refusals
    from mom.export.notes import notes

    refusals.check(source, layout)
    return Export(
        command="mom atlas export envoy",
        digest=source.digest,
        files=exported.files(source, layout),
        next_steps=(*_steps(source, layout), f"envoy {' '.join(exported.arguments(layout))}"),
        notes=notes(source, layout),
    )


def _steps(source: Source, layout: Layout) -> list[str]:
    """Return what has to be there before Envoy starts."""
    names = [*source.variables, *(source.pem_files if layout.credentials else source.pem_variables).values()]
    steps = [f"copy the folder to {layout.configuration}"]
    if names and layout.credentials is not None:
        steps.append(f"write these to files in {layout.credentials}, without a line ending: {', '.join(names)}")
    elif names:
        steps.append(f"set these in the environment of Envoy: {', '.join(names)}")
    return steps

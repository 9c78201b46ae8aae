"""`mom atlas export envoy`: flags in, Envoy's own files out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, NamedTuple

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
from mom.cli.run import METRICS_PORT, NO_METRICS, ConnectionLimit, Metrics, NoKeySlots, StreamLimit, Timeout
from mom.envoy.options import Listen
from mom.errors import UsageError
from mom.export.model import Export, Layout, Source
from mom.lists import some
from mom.run.port import parse_listen

_IN_ENVIRONMENT = "env"
ListenOption = Annotated[str | None, listen_option("Where Envoy serves", "0.0.0.0")]  # noqa: S104
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
AdminSocket = Annotated[
    str,
    typer.Option("--admin-socket", metavar="PATH", help="Where Envoy there may create a socket, for metrics alone."),
]
TlsKey = Annotated[str | None, typer.Option("--tls-key", metavar="PATH", help="Its private key (PEM).")]


class _Paths(NamedTuple):
    """Where things are on the machine that runs Envoy, as the options say."""

    config_dir: str
    credentials_dir: str
    ca_file: str
    tls_cert: str | None
    tls_key: str | None
    admin_socket: str

    def layout(self) -> Layout:
        """Return them as a layout; raises UsageError for a path that means nothing there."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key must be given together")
        for name, path in self._asdict().items():
            if path is None or (name == "credentials_dir" and path == _IN_ENVIRONMENT):
                continue
            if not path.startswith("/") or not path.isprintable():
                option = f"--{name.replace('_', '-')} {path}"
                raise UsageError(f"{option}: this is not an absolute path", hint="Envoy reads it where it runs")
        return Layout(
            configuration=self.config_dir.rstrip("/"),
            credentials=None if self.credentials_dir == _IN_ENVIRONMENT else self.credentials_dir.rstrip("/"),
            ca_file=self.ca_file,
            tls=None if self.tls_cert is None or self.tls_key is None else (self.tls_cert, self.tls_key),
        )


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
    metrics: Metrics = None,
    admin_socket: AdminSocket = "/tmp/atlas-admin",  # noqa: S108  what Envoy can write in most images
    timeout: Timeout = None,
    stream_limit: StreamLimit = None,
    connection_limit: ConnectionLimit = None,
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
    paths = _Paths(config_dir, credentials_dir, ca_file, tls_cert, tls_key, admin_socket)
    layout = paths.layout()
    serving = serving_options(
        timeout, stream_limit, no_key_slots=no_key_slots, listen=listen, connection_limit=connection_limit
    )
    chosen = None if metrics in {None, NO_METRICS} else parse_listen(str(metrics), "--metrics", METRICS_PORT)
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def engine(source: Source) -> Export:
        where = serving.layout(source, layout)
        if metrics != NO_METRICS and (at := _metrics(source, where, chosen)) is not None:
            where = replace(where, metrics=at, admin_socket=admin_socket)
        return _export(source, where)

    return int(run_export(options, output, engine))


def _metrics(source: Source, layout: Layout, chosen: Listen | None) -> Listen | None:
    """Return where metrics are served. Raises UsageError where requests are served there."""
    port = source.configuration.admin_port
    at = Listen("127.0.0.1", port) if chosen is None and port is not None else chosen
    if at is not None and at.port == layout.listen.port:
        where = "spec.exposedPorts.adminPort" if chosen is None else "--metrics"
        raise UsageError(f"{where}: port {at.port} is that of the requests", hint="choose another port for metrics")
    return at


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
    names = some([*source.variables, *(source.pem_files if layout.credentials else source.pem_variables).values()], 8)
    steps = [f"copy the folder to {layout.configuration}"]
    if names and layout.credentials is not None:
        steps.append(f"write these to files in {layout.credentials}, without a line ending: {names}")
    elif names:
        steps.append(f"set these in the environment of Envoy: {names}")
    return steps

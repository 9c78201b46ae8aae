"""`mom atlas check`: one request through the gateway to each API, and what is wrong where one fails."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Annotated

import typer

from mom.atlas.load import load
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.variable_rules import uses
from mom.auth.base_url import VARIABLE, Gateway, parse_base_url, resolve_gateway
from mom.auth.sources import resolve_token_source
from mom.check.check import Check
from mom.check.exchange import refuse_plain_http
from mom.check.own_gateway import is_running, started
from mom.check.result import Outcome, Result
from mom.check.subjects import Subject, subjects
from mom.cli.check_report import CheckFormat, as_github, as_json, as_junit, counted, shown, summary
from mom.cli.configuration_file import configuration_file, read_source
from mom.cli.credential_options import CredentialOption, CredentialsDir, EnvFileOption
from mom.cli.options import FileOption, QuietOption, VerboseOption
from mom.cli.token_options import TokenFileOption
from mom.console import Console
from mom.errors import ExitStatus, UsageError
from mom.gateway import DEFAULT_PORT, LOOPBACK_ADDRESSES, origin
from mom.run.credential_options import DIRECTORY_VARIABLE, read_credentials
from mom.run.credentials import Credentials

_LONGEST_TIMEOUT = 600.0
_DUMMY = "not-set"
# A collector gets what a gateway does, not what a check does.
_NO_EXPORT = {"OTEL_SDK_DISABLED": "true"}

AdapterOption = Annotated[
    list[str] | None, typer.Option("--adapter", metavar="NAME", help="Check this adapter only. Repeatable.")
]
PathOption = Annotated[
    str | None, typer.Option("--path", metavar="PATH", help="Send GET PATH instead of the adapter's smoke request.")
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="The gateway. Default: $MOM_BASE_URL, else one on this machine."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="How long an API may take to respond.")
]
SendAnywayOption = Annotated[
    bool, typer.Option("--send-anyway", help="Send credentials whose form is not what the API documents, too.")
]
StandInOption = Annotated[
    bool, typer.Option("--stand-in", help="Start a gateway that calls no API (mom atlas run --stand-in).")
]
EnvoyOption = Annotated[
    str | None, typer.Option("--envoy", metavar="PATH", help="For a gateway that is started: see mom atlas run.")
]
FormatOption = Annotated[CheckFormat, typer.Option("--format", metavar="FORMAT", help="text, json, junit or github.")]


def check(
    *,
    file: FileOption = None,
    adapter: AdapterOption = None,
    path: PathOption = None,
    base_url: BaseUrlOption = None,
    token_file: TokenFileOption = None,
    credential: CredentialOption = None,
    credentials_dir: CredentialsDir = None,
    env_file: EnvFileOption = None,
    timeout: TimeoutOption = 20.0,
    send_anyway: SendAnywayOption = False,
    stand_in: StandInOption = False,
    envoy: EnvoyOption = None,
    form: FormatOption = CheckFormat.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Send each API a request through the gateway, and say what is wrong.

    Without a running gateway one is started for the check, with variables from
    where mom atlas run has them: the environment, --env-file, --credential and
    --credentials-dir. Exit status 1: an adapter failed.

    Example: mom atlas check --env-file .env --adapter openai
    """
    _check_options(file, path, timeout)
    console = Console(quiet=quiet)
    chosen = configuration_file(file, quiet=quiet, verbose=verbose)
    configuration = load(read_source(chosen))
    adapters = _chosen(configuration, adapter or [])
    credentials = read_credentials(os.environ, credential or (), credentials_dir, env_file)
    source = resolve_token_source(token_file, os.environ)
    running = None if stand_in else _running(base_url, configuration)
    options = ["-f", chosen.path, "--metrics", "none", "--timeout", f"{timeout:g}"]
    options += ["--envoy", envoy] if envoy else []
    options += ["--stand-in"] if stand_in else []
    with contextlib.ExitStack() as stack:
        gateway = running
        if gateway is None:
            console.status("Starting", "a gateway for this check")
            stack.enter_context(contextlib.closing(credentials))
            credentials.begin()
            variables = _variables(configuration.adapters, credentials)
            gateway = stack.enter_context(started(options, {**_environ(), **variables, **_NO_EXPORT}))
        chosen_subjects = subjects(adapters, apart=path is None)
        console.status("Checking", f"{counted(chosen_subjects)} at {gateway.base}")
        how = Check(
            gateway=gateway,
            token=lambda: source.token(gateway),
            # Atlas's own limit comes first, and says whose fault it was.
            timeout=timeout if running else timeout + 5,
            credentials=None if running else credentials,
            path=path,
            send_anyway=send_anyway,
            stand_in=stand_in,
        )
        results = _report(console, form, how, chosen_subjects, started=running is None)
    console.status("Checked", summary(results))
    return int(ExitStatus.FAILED if any(result.outcome is Outcome.FAILED for result in results) else ExitStatus.DONE)


def _check_options(file: str | None, path: str | None, timeout: float) -> None:
    if file == "-":
        raise UsageError("--file -: the gateway reads the configuration too, so it has to be a file")
    if path is not None and not (path.startswith("/") and path.isascii() and path.isprintable() and " " not in path):
        raise UsageError(f"--path {path!r} is not a path", hint="it begins with / and is percent-encoded: /v1/models")
    if not 0.1 <= timeout <= _LONGEST_TIMEOUT:
        raise UsageError(f"--timeout: a number of seconds from 0.1 to {_LONGEST_TIMEOUT:g}")


def _chosen(configuration: Configuration, names: Sequence[str]) -> tuple[Adapter, ...]:
    known = {adapter.name for adapter in configuration.adapters}
    for name in names:
        if name not in known:
            import difflib

            close = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"the adapters: {', '.join(sorted(known)[:20]) or 'none'}"
            raise UsageError(f"{configuration.file} has no adapter {name!r}", hint=meant)
    return tuple(adapter for adapter in configuration.adapters if not names or adapter.name in names)


def _running(base_url: str | None, configuration: Configuration) -> Gateway | None:
    """Return the gateway that is named, or that runs where this configuration is served; None: start one."""
    if base_url is not None or VARIABLE in os.environ:
        named = resolve_gateway(base_url, os.environ)
        refuse_plain_http(named)
        return named
    local = parse_base_url(origin("http", LOOPBACK_ADDRESSES[0], configuration.ingress_http_port or DEFAULT_PORT))
    return local if is_running(local) else None


def _environ() -> dict[str, str]:
    """Return the environment of the gateway that is started, without the folder that would come before it."""
    return {name: value for name, value in os.environ.items() if name != DIRECTORY_VARIABLE}


def _variables(adapters: Sequence[Adapter], credentials: Credentials) -> dict[str, str]:
    """Return the variables of the gateway that is started, so that each source is read once: it may be a pipe.

    One that cannot be used has a value that opens nothing: adapters that need it are not called, and the others are.
    """
    return {
        use.name: str(credentials.value(use.name)) if credentials.problem(use) is None else _DUMMY
        for use in uses(adapters)
    }


def _report(
    console: Console, form: CheckFormat, how: Check, checked: Sequence[Subject], *, started: bool
) -> list[Result]:
    order = {subject.key: number for number, subject in enumerate(checked)}
    results: list[Result] = []
    if form is CheckFormat.TEXT:
        with shown(console, checked) as take:
            for result in how.run(checked):
                take(result)
                results.append(result)
    else:
        results = list(how.run(checked))
    results.sort(key=lambda result: order[result.subject.key])
    match form:
        case CheckFormat.JSON:
            console.json(as_json(results, how.gateway.base, started=started))
        case CheckFormat.JUNIT:
            console.data(as_junit(results))
        case CheckFormat.GITHUB:
            console.data(as_github(results, console.environ))
    return results

"""`mom atlas run`, without its messages: mom is the parent of Envoy from the first file read to the last response."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from mom.atlas.rules.variable_rules import doubtful_variables, variable_names
from mom.envoy.adapters import served
from mom.errors import UsageError
from mom.run import binary, hot_restart, limits, notes, plan, port, trust
from mom.run.access_log import AccessLog
from mom.run.credentials import Credentials
from mom.run.directory import run_directory
from mom.run.events import RunEvents
from mom.run.exposure import exposures
from mom.run.generation import Settings
from mom.run.otel import telemetry
from mom.run.plan import Inputs, Plan
from mom.run.protection import protect
from mom.run.secret_files import memory, secret_files
from mom.run.signals import Signals
from mom.run.supervisor import Supervisor
from mom.run.waiting import Stopped, Waiting
from mom.run.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How to run: `--envoy`, worker threads (None: two at most), whether its log is shown, and its path.

    stand_in: whether an echo takes the place of every API, so that no credential is needed and none is used.
    shows_requests: whether an access log on standard output is shown by the events instead of written as JSON lines.
    """

    envoy: str | None = None
    concurrency: int | None = None
    debug: bool = False
    verbose: bool = False
    shows_requests: bool = False
    stand_in: bool = False


def serve(inputs: Inputs, run: Run, events: RunEvents) -> None:
    """Serve until a signal asks to end, and drain then. Returns only after Envoy has ended.

    Raises MomError if it cannot start, or if Envoy ends by itself; UsageError for a stand-in that other machines could
    reach.
    """
    if not run.stand_in:
        _serve(inputs, run, events)
        return
    if inputs.listen is not None and not inputs.listen.is_loopback:
        hint = f"listen on this machine only: --listen 127.0.0.1:{inputs.listen.port}"
        raise UsageError(f"refusing to serve stand-ins on {inputs.listen}: other machines can connect", hint=hint)
    if inputs.credentials.env_file is not None:
        events.note(f"{inputs.credentials.env_file.label} is not read: with --stand-in variables have dummy values")
    inputs = replace(inputs, credentials=Credentials(inputs.environ))
    # asyncio, which no other run needs.
    from mom.run.stand_in import StandIn

    with StandIn() as stand_in:
        _serve(replace(inputs, stand_in=stand_in.port), run, events)


def _serve(inputs: Inputs, run: Run, events: RunEvents) -> None:
    limits.raise_open_files()
    protect()
    envoy = binary.find(run.envoy, inputs.environ)
    if run.verbose or run.debug:
        events.note(str(envoy))
    if inputs.listen is not None:
        inputs = replace(inputs, listen=port.bind_any(inputs.listen))
    if inputs.metrics is not None:
        inputs = replace(inputs, metrics=port.bind_any(inputs.metrics, option="--metrics"))
    if not run.stand_in:
        # What a stand-in is asked for is nothing that an audit is about, and no credential is used.
        inputs = replace(inputs, telemetry=telemetry(inputs.environ))
    if inputs.local_key is not None:
        # It is created at first use: before its file is watched, so that this is not a change to react to.
        inputs.local_key()
    env_file = inputs.credentials.env_file
    if env_file is not None and not env_file.is_followed:
        events.note(f"{env_file.label} is not a regular file: changes are not followed")
        # Before signals are only counted: nothing else would end this wait.
        env_file.file.read()
    in_memory = memory(inputs.environ)
    inputs.credentials.on_memory = in_memory is not None
    inputs.credentials.shows_errors = run.verbose
    watch = Watch(plan.watched_at_least(inputs))
    restart = hot_restart.new_hot_restart()
    with (
        Signals() as signals,
        contextlib.closing(inputs.credentials),
        run_directory(inputs.environ, restart) as directory,
    ):
        inputs = replace(inputs, directory=directory)
        inputs.keys.sleep = inputs.credentials.sleep = Waiting(signals).sleep
        first = _first_plan(inputs, run, events)
        if first is not None:
            watch.add(first.watched)
            port.check_free(first.options.listen)
            if first.options.metrics is not None:
                port.check_free(first.options.metrics, option="--metrics")
            AccessLog(inputs.access_log).prepare()
            with secret_files(inputs.environ, directory, in_memory) as files:
                settings = Settings(
                    binary=envoy,
                    directory=directory,
                    secret_files=files,
                    environ=inputs.environ,
                    concurrency=run.concurrency or min(2, os.cpu_count() or 1),
                    hot_restart=restart,
                    debug=run.debug,
                    shows_requests=run.shows_requests,
                )
                warn = partial(_warn, first, inputs, events, verbose=run.verbose)
                Supervisor(inputs, settings, watch, signals, events).run(first, warn)
    events.stopped()


def _first_plan(inputs: Inputs, run: Run, events: RunEvents) -> Plan | None:
    """Return what is served first, None if a signal came before. Raises MomError."""
    try:
        return plan.make(inputs, strict=True)
    except Stopped:
        return None
    finally:
        if run.verbose:
            for text in inputs.credentials.errors_of_commands():
                events.note(text)


def _about_credentials(first: Plan, credentials: Credentials) -> Iterator[str]:
    """Yield what is different about the sources of variables than may be expected."""
    used = variable_names(served(first.configuration))
    for source in credentials.given:
        if source.name not in used:
            yield f"--credential {source.name}: no adapter names this variable"
    if not credentials.on_memory and any(credentials.is_followed(name) for name in used):
        why = "there is no file system in memory (tmpfs) in $XDG_RUNTIME_DIR or /dev/shm"
        yield f"{why}: credentials are in Envoy's environment, and a change of one starts a new process"


def _warn(first: Plan, inputs: Inputs, events: RunEvents, *, verbose: bool) -> None:
    if taken := inputs.bindings.of(first.options.listen).taken:
        events.warning(f"another process listens on {taken}: use {first.base_url}, not localhost")
    if not first.options.listen.is_loopback and first.options.tls is None:
        events.warning(f"serving plain http on {first.options.listen}: others can read tokens; use --tls-cert")
    if first.options.metrics is not None and not first.options.metrics.is_loopback:
        events.warning(f"serving metrics on {first.options.metrics}: others can read them, no token is needed")
    for text in inputs.telemetry.warnings:
        events.warning(text)
    for text in _about_credentials(first, inputs.credentials):
        events.note(text)
    for adapter, reason in inputs.credentials.unavailable(served(first.configuration)).items():
        events.warning(f"{adapter} responds with 503: {reason}")
    for text in exposures(inputs, trust.private_keys(first.configuration)):
        events.warning(text)
    # A dummy is not base64, for example.
    doubtful = () if inputs.stand_in else doubtful_variables(served(first.configuration), first.variables)
    for problem in doubtful:
        events.warning(f"{problem.message}: {problem.hint}")
    for text in (*inputs.telemetry.notes, *notes.notes(first, inputs.environ, verbose=verbose)):
        events.note(text)

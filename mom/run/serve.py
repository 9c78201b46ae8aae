"""`mom atlas run`, without its words: mom is the parent of Envoy from the first file read to the last request answered.

One thread, one loop: it waits for a signal, a line of Envoy's log or a fifth of a second, then looks at the files, at
the process, and at generations that are on their way out.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import selectors
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from mom.envoy import bootstrap
from mom.envoy.options import Listen
from mom.errors import MomError
from mom.run import binary, generation, plan, port, variables
from mom.run.directory import run_directory, write
from mom.run.generation import REQUESTS, Generation, Settings
from mom.run.plan import Inputs, Plan
from mom.run.report import Report
from mom.run.signals import Signals
from mom.run.watch import Watch

_LOOK_SECONDS = 0.2
_KEYS_SECONDS = 60.0
_START_SECONDS = 60.0
# How long requests in progress are waited for when the run ends.
_DRAIN_SECONDS = 30.0
# A new generation knows what the one before it has in progress once its statistics have been flushed twice.
_SETTLED_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How to run: `--envoy`, worker threads (None: two at most), and whether Envoy is quoted."""

    envoy: str | None = None
    concurrency: int | None = None
    debug: bool = False


class _Stopped(Exception):  # noqa: N818  not an error: a signal has come
    pass


def serve(inputs: Inputs, run: Run, report: Report) -> None:
    """Serve until a signal asks to end, and drain then. Returns only after Envoy has ended.

    Raises MomError if it cannot start, or if Envoy ends by itself.
    """
    found = binary.find(run.envoy, inputs.environ)
    if inputs.listen is not None:
        inputs = replace(inputs, listen=port.choose(inputs.listen))
    if inputs.local_key is not None:
        # It is made at first need: before its file is watched, so that making it is no change to react to.
        inputs.local_key()
    watch = Watch(plan.watched_at_least(inputs))
    first = plan.make(inputs)
    watch.add(first.watched)
    port.check_free(first.options.listen)
    if not first.options.listen.is_loopback and first.options.tls is None:
        report.warning(
            f"{first.options.listen} is open to other machines without TLS: whoever can read the network can use the "
            "access tokens on it; --tls-cert and --tls-key encrypt"
        )
    _prepare_access_log(first.options.access_log)
    with run_directory(inputs.environ) as directory, Signals() as signals:
        settings = Settings(
            binary=found,
            directory=directory,
            environ=inputs.environ,
            concurrency=run.concurrency or min(2, os.cpu_count() or 1),
            base_id=generation.base_id(first.options.listen),
            debug=run.debug,
        )
        with _Supervisor(inputs, settings, watch, signals, report) as supervisor:
            with contextlib.suppress(_Stopped):
                supervisor.start(first)
                supervisor.loop()
            supervisor.drain()


class _Supervisor:
    """The generations of one run: `current` serves, `coming` will, `leaving` end the requests they have."""

    def __init__(self, inputs: Inputs, settings: Settings, watch: Watch, signals: Signals, report: Report) -> None:
        self.inputs = inputs
        self.settings = settings
        self.watch = watch
        self.signals = signals
        self.report = report
        self.current: Generation | None = None
        self.coming: Generation | None = None
        self.leaving: list[Generation] = []
        # What waits for requests in progress, and whether that has been told.
        self.postponed: Plan | None = None
        self.told = False
        # Whether the files could not be used when they were last read.
        self.broken = False
        self.started = 0.0
        self.next_look_at_keys = time.monotonic() + _KEYS_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Successors first: they ask their predecessors for statistics, and abort without an answer.
        for one in reversed(self._all()):
            one.process.end()
            one.process.close()
        if self.settings.base_id is not None:
            generation.remove_shared_memory(self.settings.base_id)

    def _all(self) -> list[Generation]:
        return [*self.leaving, *(one for one in (self.current, self.coming) if one is not None)]

    def start(self, first: Plan) -> None:
        """Start the first generation and wait until a request to it is answered."""
        self._validate(first)
        self.current = Generation(0, first, self.settings)
        self._await_ready(self.current)
        self.report.serving(first)

    def loop(self) -> None:
        """Serve until a signal comes (_Stopped) or Envoy ends (MomError)."""
        while self.current is not None:
            self._wait(_LOOK_SECONDS)
            self._check_alive(self.current)
            self._let_go()
            if self.watch.poll() or self._key_has_changed():
                self._reload()
            elif self.postponed is not None and self._may_restart():
                self._attempt(self.postponed)

    def _key_has_changed(self) -> bool:
        """Look once a minute; nothing depends on the minute."""
        assert self.current is not None
        if time.monotonic() < self.next_look_at_keys:
            return False
        self.next_look_at_keys = time.monotonic() + _KEYS_SECONDS
        with contextlib.suppress(MomError):
            return plan.key_has_changed(self.inputs, self.current.plan)
        return False

    def drain(self) -> None:
        """Take no new connections, wait for requests in progress, and return; a second signal cuts the wait short."""
        if self.current is None or not self.current.answers:
            return
        until = time.monotonic() + _DRAIN_SECONDS
        told = False
        with contextlib.suppress(OSError):
            self.current.admin.drain()
            while (left := self.current.admin.number(REQUESTS)) and time.monotonic() < until:
                if self.signals.count > 1 or self.current.process.status() is not None:
                    return
                if not told:
                    self.report.draining(left)
                    told = True
                self._select(0.05)

    # -- changes

    def _reload(self) -> None:
        assert self.current is not None
        try:
            new = plan.make(self.inputs)
        except MomError as error:
            self.broken = True
            self.report.kept(error)
            return
        was_broken, self.broken = self.broken, False
        self.watch.add(new.watched)
        self.postponed, self.told = None, False
        old = self.current.plan
        if new.variables == old.variables and new.static_bootstrap() == old.static_bootstrap():
            # A comment, or a variable that nothing names.
            self.current.plan = new
            if was_broken:
                self.report.recovered()
            return
        self._attempt(new)

    def _attempt(self, new: Plan) -> None:
        """Put `new` in force, or say why what was served goes on."""
        assert self.current is not None
        try:
            if new.options.listen != self.current.plan.options.listen:
                port.check_free(new.options.listen)
            self._validate(new)
            if self.current.can_serve(new) and self.current.answers:
                self._put(self.current, new)
            else:
                self._restart(new)
        except MomError as error:
            self.postponed = None
            self.report.kept(error)

    def _put(self, current: Generation, new: Plan) -> None:
        """Hand `new` to the running Envoy by its files, and tell when it is in force."""
        old = current.plan
        rejected = current.rejections()
        current.put(new)
        try:
            for _ in self._waits(current):
                if current.rejections() > rejected:
                    raise MomError("Envoy does not accept the new configuration", hint="--debug shows why")
                if current.has_taken():
                    break
        except MomError:
            current.put(old)
            raise
        self.report.reloaded(plan.changes(old, new))

    def _restart(self, new: Plan) -> None:
        """Start a generation with the environment of `new`, now or when that cuts no request."""
        assert self.current is not None
        if self.settings.base_id is None:
            hint = "end this run and start it again: Envoy reads variables only when it starts"
            raise MomError("variables have changed", hint=hint)
        self.postponed = None if self._may_restart() else new
        if self.postponed is not None:
            return
        old = self.current
        self.coming = Generation(old.number + 1, new, self.settings)
        old.answers = False
        try:
            self._await_ready(self.coming)
        except MomError:
            self.coming.process.end()
            self.coming.process.close()
            self.coming = None
            raise
        self.leaving.append(old)
        self.current, self.coming = self.coming, None
        self.report.reloaded(plan.changes(old.plan, new))

    def _may_restart(self) -> bool:
        """Whether a restart cuts no request: the third generation ends the first, which may still have some."""
        if not self.leaving or self.current is None:
            return True
        if time.monotonic() - self.started < _SETTLED_SECONDS:
            return False
        with contextlib.suppress(OSError):
            if left := self.current.admin.number(REQUESTS):
                if not self.told:
                    self.report.postponed(left)
                    self.told = True
                return False
        return True

    def _let_go(self) -> None:
        """Forget generations that have ended.

        A generation must not be ended before its successor does so, after DRAIN_SECONDS or for a third one: the
        successor asks it for statistics, and aborts without an answer.
        """
        for one in [one for one in self.leaving if one.process.status() is not None]:
            self.leaving.remove(one)
            one.process.close()

    # -- Envoy itself

    def _validate(self, new: Plan) -> None:
        """Let Envoy read all of it before anything running is touched. Its objections may quote literals."""
        file = self.settings.directory / "validate.json"
        write(file, bootstrap.dumps(new.static_bootstrap()))
        command = [self.settings.binary.path, "--mode", "validate", "-c", str(file), "-l", "error"]
        environment = variables.environment(new.variables, self.inputs.environ)
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_START_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MomError(f"Envoy could not check the configuration: {error}") from error
        if done.returncode:
            if self.settings.debug:
                self._quote(new, (done.stderr + done.stdout).decode(errors="replace").splitlines())
            raise MomError("Envoy does not accept this configuration", hint="--debug shows Envoy's own words")

    def _await_ready(self, one: Generation) -> None:
        """Wait until `one` serves: its workers are up, none of its files was refused, and a request is answered."""
        self.started = time.monotonic()
        for _ in self._waits(one):
            with contextlib.suppress(OSError):
                if not one.admin.is_live():
                    continue
                if one.rejections():
                    if one.number == 0:
                        # Somebody else was faster than Envoy.
                        port.check_free(one.plan.options.listen)
                    raise MomError("Envoy does not accept this configuration", hint="--debug shows Envoy's own words")
                if _is_healthy(one.plan):
                    return

    def _waits(self, one: Generation) -> Iterator[None]:
        """Yield every few milliseconds while `one` runs; raises MomError if it ends, or if it takes too long."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            yield
            self._wait(0.02)
            self._check_alive(one)
        raise MomError(f"Envoy does not serve after {_START_SECONDS:.0f} seconds", hint="--debug shows its log")

    def _check_alive(self, one: Generation) -> None:
        status = one.process.status()
        if status is None:
            return
        self._read_log(one)
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        last = [one.plan.redaction(line)[:300] for line in one.process.lines[-3:]] if status > 0 else []
        said = "; its last words: " + " / ".join(last) if last else ""
        raise MomError(f"Envoy ended by itself, {how}{said}", hint="run it again; --debug shows all of its log")

    def _quote(self, of: Plan, lines: list[str]) -> None:
        if self.settings.debug:
            hide = of.redaction
            for line in lines:
                self.report.envoy(hide(line))

    # -- waiting

    def _wait(self, seconds: float) -> None:
        self._select(seconds)
        if self.signals.count:
            raise _Stopped

    def _select(self, seconds: float) -> None:
        """Wait for a signal or so many seconds, and keep Envoy's log from filling its pipe meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.signals, selectors.EVENT_READ)
            if selector.select(seconds):
                self.signals.clear()
        for one in self._all():
            self._read_log(one)

    def _read_log(self, one: Generation) -> None:
        one.process.read_log(lambda line: self._quote(one.plan, [line]))


def _is_healthy(of: Plan) -> bool:
    """Whether `/healthz` is answered at the address itself."""
    listen = of.options.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    connection: http.client.HTTPConnection
    if of.options.tls is None:
        connection = http.client.HTTPConnection(host, listen.port, timeout=5)
    else:
        # Our own process at an address that we chose; nothing is sent that matters.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, listen.port, timeout=5, context=context)
    try:
        connection.request("GET", "/healthz", headers={"Host": str(Listen(host, listen.port))})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _prepare_access_log(target: str | None) -> None:
    """Make the file of the access log, so that only this user can read it, and say now if that is impossible."""
    if target is None or target == "-":
        return
    try:
        os.close(os.open(Path(target), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as error:
        raise MomError(f"--access-log {target} cannot be written: {error.strerror}") from error

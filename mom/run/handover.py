"""The generations of one run, and how one takes over from another (Envoy: "Hot restart").

A failed attempt leaves what was served before as it was, and nothing that would block the next attempt.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from mom.envoy import jwt, readers
from mom.envoy.access_log import is_failure, read_failure
from mom.envoy.bootstrap import flush_seconds
from mom.envoy.failures import Failure
from mom.envoy.listener import AUTHENTICATION_FILE, ROUTES_FILE
from mom.errors import MomError
from mom.run import port
from mom.run.admin import NoResponseError
from mom.run.generation import Generation, Settings
from mom.run.health import is_healthy
from mom.run.outcome import UnavailableError
from mom.run.plan import Plan
from mom.run.validation import rejected
from mom.run.waiting import Waiting

_START_SECONDS = 60.0
_APPLY_SECONDS = 60.0
# A generation knows what the one before it has in progress once its statistics have been flushed so often.
_REPORTED_FLUSHES = 2
_SETTLED_SECONDS = 7.0


class EnvoyEndedError(UnavailableError):
    """An Envoy process has ended without being asked to."""


class Generations:
    """`current` serves, `starting` will, `draining` finish their requests.

    `quote` gets Envoy's log, redacted; `failed` the adapter and the kind of each request that failed at an API;
    `show` the access log, where it goes through mom.
    """

    def __init__(
        self,
        settings: Settings,
        waiting: Waiting,
        quote: Callable[[str], None],
        failed: Callable[[str, Failure], None],
        show: Callable[[str], None],
    ) -> None:
        """Have no generation yet."""
        self._failed = failed
        self._show = show
        self._settings = settings
        self._waiting = waiting
        self._quote = quote
        self._current: Generation | None = None
        self._starting: Generation | None = None
        self._draining: list[Generation] = []
        self._started = 0.0

    @property
    def current(self) -> Generation:
        """The one that serves."""
        assert self._current is not None
        return self._current

    @property
    def can_drain(self) -> bool:
        """Whether a generation serves whose listeners can be closed."""
        return self._current is not None and self._current.admin_available

    def start(self, plan: Plan, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Start the first generation and wait until it serves. Raises MomError. meanwhile: called while it starts."""
        self._starting = Generation(0, plan, self._settings, self._waiting)
        meanwhile()
        self._await_ready(self._starting)
        self._current, self._starting = self._starting, None

    def push(self, plan: Plan) -> None:
        """Hand `plan` to the running Envoy, and wait until it is served. Raises MomError, and takes it back then."""
        current = self.current
        old = current.plan
        before = current.rejections()
        later = _later(old, plan)
        current.push(plan, later=later)
        self._tell_draining(plan)
        try:
            self._await_applied(current, before)
            if later:
                current.push(plan)
                self._await_applied(current, before)
            current.is_settled = True
        except MomError:
            current.is_settled = False
            with contextlib.suppress(UnavailableError):
                current.push(old)
                current.is_settled = True
            self._tell_draining(old)
            # What was not written is not what is served.
            current.plan = old
            raise

    def _await_applied(self, generation: Generation, rejections: int) -> None:
        """Wait until what was written is served. rejections: how many there were before. Raises MomError."""
        for _ in self._waits(generation, _APPLY_SECONDS):
            # It does not respond while it reads: of 10,000 adapters for a second, on a busy machine for more.
            with contextlib.suppress(NoResponseError):
                if generation.rejections() > rejections:
                    raise rejected(self._settings)
                if generation.is_applied():
                    return

    def rotate(self, plan: Plan) -> None:
        """Hand the values of `plan`, which differs in nothing else, to all generations. Raises MomError."""
        current = self.current
        current.push_values(plan)
        for _ in self._waits(current, _APPLY_SECONDS):
            if current.has_values():
                return

    def take_over(self, plan: Plan) -> None:
        """Start a generation with the environment of `plan`, and wait until it serves. Raises MomError."""
        old = self.current
        try:
            self._succeed(plan)
        except MomError:
            old.admin_available = _responds(old)
            if not old.admin_available:
                # It serves, but no change can reach it any more. A successor with the same plan can be changed.
                with contextlib.suppress(MomError):
                    self._succeed(old.plan)
            raise

    def start_again(self, plan: Plan) -> None:
        """End all generations and start one, for requests in progress are cut. Raises MomError.

        For the case that nothing can be taken over: the directory that they share is gone.
        """
        old = self.current
        self.close()
        self._settings.directory.ensure()
        try:
            self.start(plan)
        except MomError:
            self._drop_starting()
            self.start(old.plan)
            raise

    def requests_in_the_way(self) -> int:
        """Return how many requests a `take_over` would cut. Raises UnavailableError.

        The third of three generations ends the first (Envoy), which may still have some.
        """
        self._reap()
        if not self._draining or not self.current.admin_available:
            return 0
        reported = 1.0 + _REPORTED_FLUSHES * flush_seconds(self.current.plan.options)
        for _ in self._waits(self.current, reported + _SETTLED_SECONDS):
            if time.monotonic() - self._started > reported:
                requests = self.current.requests(of=self._draining[-1])
                if requests is not None:
                    return requests
            self._reap()
            if not self._draining:
                break
        return 0

    def requests(self) -> int:
        """Return how many requests are in progress. Raises NoResponseError."""
        of_predecessor = self.current.requests(of=self._draining[-1]) if self._draining else 0
        return (self.current.requests() or 0) + (of_predecessor or 0)

    def check(self) -> None:
        """Raise EnvoyEndedError if the current generation has ended."""
        self._reap()
        if self._current is None:
            raise EnvoyEndedError("Envoy could not be started again")
        self._check(self._current)

    def read_logs(self) -> None:
        """Pass on what the processes have logged."""
        for generation in self._all():
            self._read_log(generation)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to each."""
        for generation in self._all():
            generation.process.send(number)

    def close(self) -> None:
        """End all of them, successors first: they ask predecessors for statistics, and abort without a response."""
        for generation in reversed(self._all()):
            generation.process.end()
            self._read_log(generation)
            generation.close()
        self._current, self._starting, self._draining = None, None, []
        if self._settings.hot_restart is not None:
            self._settings.hot_restart.remove()

    def _all(self) -> list[Generation]:
        others = (self._current, self._starting)
        return [*self._draining, *(generation for generation in others if generation is not None)]

    def _succeed(self, plan: Plan) -> None:
        old = self.current
        self._starting = Generation(old.number + 1, plan, self._settings, self._waiting)
        try:
            self._await_ready(self._starting)
        except MomError:
            self._drop_starting()
            raise
        old.admin_available = False
        self._draining.append(old)
        self._current, self._starting = self._starting, None
        self._tell_draining(plan)

    def _tell_draining(self, plan: Plan) -> None:
        """Tell the generations whose connections are still open what is served: revoked keys open none of them.

        They cannot be asked whether they have applied it: a successor closes the admin interface.
        """
        for generation in self._draining:
            with contextlib.suppress(UnavailableError):
                generation.follow(plan)

    def _drop_starting(self) -> None:
        if self._starting is not None:
            # Not SIGTERM: Envoy passes that on to its predecessor, and nothing would serve.
            self._starting.process.send(signal.SIGKILL)
            self._read_log(self._starting)
            self._starting.close()
            self._starting = None
        if self._settings.hot_restart is not None:
            self._settings.hot_restart.forget_failure()

    def _await_ready(self, generation: Generation) -> None:
        """Wait until `generation` serves: its workers are up, none of its files was refused, and it responds."""
        self._started = time.monotonic()
        for _ in self._waits(generation, _START_SECONDS):
            with contextlib.suppress(NoResponseError):
                # First: an Envoy without its routes is not live, and waits for others.
                if generation.rejections():
                    if generation.number == 0 and generation.admin.number("listener_manager.lds.update_rejected"):
                        # Another process may have taken the port first.
                        listen = generation.plan.options.listen
                        for host in (listen.host, *generation.plan.options.also):
                            port.check_free(replace(listen, host=host))
                    raise rejected(self._settings)
                if generation.admin.is_live() and is_healthy(generation.plan) and generation.has_values():
                    return

    def _waits(self, generation: Generation, seconds: float) -> Iterator[None]:
        """Yield every few milliseconds while `generation` runs. Raises UnavailableError if it ends or is late."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yield
            self._waiting.sleep(0.02)
            self._check(generation)
        raise UnavailableError(f"Envoy was not ready after {seconds:.0f} s", hint=self._debug_hint("see its log"))

    def _check(self, generation: Generation) -> None:
        status = generation.process.status()
        if status is None:
            return
        self._read_log(generation)
        if status > 0 and generation.number == 0 and generation is self._starting:
            # Its words may quote the whole configuration.
            raise rejected(self._settings)
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        words = [line for line in generation.process.lines if not is_failure(line)]
        last = [generation.plan.redaction(line)[:300] for line in words[-3:]] if status > 0 else []
        reason = ": " + " / ".join(last) if last else ""
        raise EnvoyEndedError(f"Envoy exited unexpectedly ({how}){reason}", hint=self._debug_hint("see all of its log"))

    def _debug_hint(self, purpose: str) -> str | None:
        return None if self._settings.debug else f"rerun with --debug to {purpose}"

    def _reap(self) -> None:
        """Forget generations that have ended.

        A generation must not be ended before its successor does so, after DRAIN_SECONDS or for a third one: the
        successor asks it for statistics, and aborts without a response.
        """
        for generation in [generation for generation in self._draining if generation.process.status() is not None]:
            self._draining.remove(generation)
            self._read_log(generation)
            generation.close()

    def _read_log(self, generation: Generation) -> None:
        generation.process.read_output(self._show)

        def take(line: str) -> None:
            if failure := read_failure(line):
                self._failed(*failure)
            else:
                self._quote(generation.plan.redaction(line))

        generation.process.read_log(take)


def _later(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return the names of files that must not be read before the others are applied.

    Where claims are demanded of a provider for the first time, or no longer: the routes then let pass what both
    versions of the filter record. Where a list or a limit reads claims that nothing has read before: they are recorded
    first. That no one reads them any more is nothing that could refuse a request: they are recorded for good.
    """
    before, after = old.configuration.identity_providers, new.configuration.identity_providers
    if jwt.records_more(before, after):
        return (AUTHENTICATION_FILE,)
    begin = readers.begin_to_matter(old.configuration, new.configuration)
    return (ROUTES_FILE,) if begin or jwt.records_more(after, before) else ()


def _responds(generation: Generation) -> bool:
    try:
        generation.admin.is_live()
    except NoResponseError:
        return False
    return True

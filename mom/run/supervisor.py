"""The loop of a run: looks at signals, files and processes five times a second, and applies what has changed.

A reload is an attempt with an outcome (`mom.run.outcome`). Whatever goes wrong in it, what was served before stays in
use; only the end of Envoy itself, or a signal, ends the run.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import replace

from mom.atlas.rules.variable_rules import doubtful_variables, variable_names
from mom.envoy.failures import Failure
from mom.envoy.options import CredentialState
from mom.errors import MomError
from mom.run import plan, plan_changes, port, service_manager
from mom.run.access_log import AccessLog
from mom.run.admin import NoResponseError
from mom.run.api_failures import ApiFailures
from mom.run.events import RunEvents
from mom.run.exports import Exports
from mom.run.generation import Generation, Settings
from mom.run.handover import EnvoyEndedError, Generations
from mom.run.outcome import Applied, Failed, Outcome, Postponed, Rejected, UnavailableError, Unchanged
from mom.run.plan import Inputs, Plan
from mom.run.refused_certificates import RefusedCertificates
from mom.run.signals import Signals
from mom.run.token_states import TokenStates
from mom.run.validation import validating
from mom.run.waiting import Stopped, Waiting
from mom.run.watch import Watch

_LOOK_SECONDS = 0.2
_KEYS_SECONDS = 60.0
# Until what has failed is tried again: twice as long each time, up to the longest.
_FIRST_RETRY_SECONDS = 2.0
_LONGEST_RETRY_SECONDS = 30.0
# How long requests in progress are waited for when the run ends.
_DRAIN_SECONDS = 30.0


class Supervisor:
    """Serves `inputs` until a signal comes. Each step is reported to `events`."""

    def __init__(self, inputs: Inputs, settings: Settings, watch: Watch, signals: Signals, events: RunEvents) -> None:
        """Start nothing yet. `watch` knows the state of the files from before they were first read."""
        self._signals = signals
        self._access_log = AccessLog(inputs.access_log)
        self._exports = Exports(inputs.telemetry.otlp)
        self._tokens = TokenStates()
        # The states of tokens that are served.
        self._shown_tokens: dict[tuple[str, str], CredentialState] = {}
        self._inputs = replace(inputs, token_states=self._tokens.states)
        self._settings = settings
        self._watch = watch
        self._events = events
        self._waiting = Waiting(signals, self._read_logs)
        inputs.keys.sleep = inputs.credentials.sleep = self._waiting.sleep
        self._api_failures = ApiFailures(events.api_failed, events.note)
        self._refused_certificates = RefusedCertificates()
        # Whether requests have failed since the names of proxies were looked up.
        self._has_failures = False
        self._generations = Generations(settings, self._waiting, self._log_line, self._take_failure, events.request)
        # The last outcome that was neither Applied nor Unchanged, and when it is tried again.
        self._open: Rejected | Failed | Postponed | None = None
        self._retry_at: float | None = None
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._reported_failure: str | None = None
        self._next_look_at_keys = time.monotonic() + _KEYS_SECONDS
        self._directory_is_gone = False
        # Whether the last look at the sources of values was an error.
        self._values_are_unread = False
        # When keys that could not be applied are tried again.
        self._renew_at = 0.0

    def run(self, first: Plan, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Serve `first`, then each change of the files, until a signal asks to end; drain then.

        meanwhile: called while Envoy starts, which takes a second for 10,000 adapters on another processor.

        Raises MomError if it cannot start, or if Envoy ends by itself. No process is left in any case.
        """
        try:
            # Nothing is served yet that a rejected configuration could harm: Envoy checks it as it starts, once.
            self._generations.start(first, meanwhile)
            self._events.serving(first)
            service_manager.notify(self._settings.environ, service_manager.READY)
            for text in self._inputs.keys.take_warnings():
                self._events.warning(text)
            while True:
                self._step()
        except Stopped:
            self._drain()
        finally:
            self._generations.close()

    def _step(self) -> None:
        self._waiting.sleep(_LOOK_SECONDS)
        self._generations.check()
        try:
            self._look()
        except EnvoyEndedError:
            raise
        except Exception as error:  # noqa: BLE001  the last net: a mistake of mom's must not end what is served
            self._report_failure(self._unexpected(error))

    def _look(self) -> None:
        current = self._generations.current
        self._api_failures.publish(lambda *failed: self._refused_certificates.refine(current, *failed))
        self._refused_certificates.conclude()
        self._look_at_directory()
        self._look_at_access_log()
        self._look_at_credentials()
        self._look_at_tokens()
        self._look_at_proxies()
        due = self._is_due()
        if due:
            self._inputs.keys.refresh()
            self._conclude(self._attempt(lambda: self._apply(plan.make(self._inputs))))
        self._renew_keys(anyway=due and self._open is not None)
        for text in self._inputs.keys.take_warnings():
            self._events.warning(text)

    def _is_due(self) -> bool:
        """Whether there is a reason to read the files again."""
        if self._watch.poll() or self._key_has_changed():
            self._retry_seconds = _FIRST_RETRY_SECONDS
            return True
        if isinstance(self._open, Postponed):
            return self._nothing_is_in_the_way()
        return self._retry_at is not None and time.monotonic() >= self._retry_at

    # -- a reload

    def _attempt(self, apply: Callable[[], Outcome]) -> Outcome:
        """Call `apply`. The one place where failures of all that it depends on become a value."""
        try:
            return apply()
        except UnavailableError as error:
            # If it is the current Envoy that has ended, there is nothing left to go on with.
            self._generations.check()
            return Failed(error)
        except MomError as error:
            return Rejected(error)
        except Exception as error:  # noqa: BLE001  as above, and tried again
            return Failed(self._unexpected(error))

    def _unexpected(self, error: Exception) -> MomError:
        """Return the error for an unexpected exception; only `--debug` shows where it came from."""
        if self._settings.debug:
            self._events.debug(self._generations.current.plan.redaction(traceback.format_exc()))
        more = "" if self._settings.debug else " with what --debug shows"
        hint = f"this is a bug in mom: please report it{more}"
        return MomError(f"unexpected {type(error).__name__} while applying a change", hint=hint)

    def _apply(self, new: Plan) -> Outcome:
        self._watch.add(new.watched)
        current = self._generations.current
        old = current.plan
        reachable = current.is_reachable()
        changes = plan_changes.changes(old, new)
        if changes == plan_changes.NONE and self._is_served(new):
            return Unchanged()
        if new.options.listen != old.options.listen:
            port.check_free(new.options.listen)
        if new.options.metrics is not None and new.options.metrics != old.options.metrics:
            port.check_free(new.options.metrics, option="--metrics")
        self._settings.directory.ensure()
        proven = plan_changes.unproven(old, new) if reachable else new
        with validating(proven, self._settings, self._waiting, self._log_line) as accepted:
            # On another processor; mom translates meanwhile.
            if self._is_served(new):
                return Unchanged()
            accepted()
        if not reachable:
            self._generations.start_again(new)
        elif current.admin_available and current.can_serve(new):
            self._generations.push(new)
        elif requests := self._take_over(current, new):
            return Postponed(requests)
        return Applied(changes)

    def _is_served(self, new: Plan) -> bool:
        """Whether Envoy has all of `new` already: then it is the plan that is served."""
        current = self._generations.current
        if not (current.is_reachable() and current.admin_available and current.is_settled and current.serves(new)):
            return False
        current.plan = new
        return True

    def _take_over(self, current: Generation, new: Plan) -> int:
        """Start a generation with the environment of `new`. Return how many requests that has to wait for, if any."""
        if self._settings.hot_restart is None and current.admin_available:
            hint = "restart this run: Envoy reads variables only at its start"
            raise MomError("environment variables have changed", hint=hint)
        requests = self._generations.requests_in_the_way()
        if not requests:
            self._generations.take_over(new)
        return requests

    def _look_at_proxies(self) -> None:
        """Have the names of proxies looked up again while requests fail; apply another address."""
        if self._has_failures:
            self._has_failures = False
            self._inputs.proxies.ask_again()
        if self._inputs.proxies.take_change():
            self._retry_at = time.monotonic()

    def _look_at_credentials(self) -> None:
        """Apply values that have changed to what is served, whatever the state of the files is since."""
        credentials = self._inputs.credentials
        news = credentials.look()
        for error in news.errors:
            self._events.rejected(error)
        has_changed = bool(news.changed) or news.has_states
        if news.errors or news.has_read:
            if self._values_are_unread and not news.errors and not has_changed and self._open is None:
                self._events.recovered()
            self._values_are_unread = bool(news.errors)
        if has_changed and credentials.on_memory:
            self._conclude_values(self._attempt(self._rotate))
            self._warn_of_doubts(news.changed)
        for text in news.warnings:
            self._events.warning(self._generations.current.plan.redaction(text))
        if (news.has_read and isinstance(self._open, Rejected)) or (has_changed and not credentials.on_memory):
            # A configuration that waits for a variable may be served now; without memory a new process has the value.
            self._retry_at = time.monotonic()

    def _look_at_tokens(self) -> None:
        """Report tokens that Envoy cannot fetch, and have the list of APIs show how each is."""
        current = self._generations.current
        try:
            warnings = self._tokens.look(current)
        except NoResponseError:
            return
        for text in warnings:
            self._events.warning(current.plan.redaction(text))
        if self._tokens.states != self._shown_tokens and current.is_settled:
            self._shown_tokens = dict(self._tokens.states)
            outcome = self._attempt(self._rotate)
            if not (isinstance(outcome, Applied) and outcome.changes == (plan_changes.STATE_OF_CREDENTIALS,)):
                self._conclude_values(outcome)

    def _warn_of_doubts(self, changed: Collection[str]) -> None:
        """Warn of values that do not have the form that their API documents, as at the start."""
        served = self._generations.current.plan
        names = set(changed)
        adapters = [each for each in served.configuration.adapters if not names.isdisjoint(variable_names([each]))]
        for problem in doubtful_variables(adapters, served.variables):
            self._events.warning(f"{problem.message}: {problem.hint}")

    def _rotate(self) -> Outcome:
        current = self._generations.current
        old = current.plan
        new = plan.with_new_values(self._inputs, old)
        if not (current.is_reachable() and current.admin_available and current.is_settled):
            raise UnavailableError("Envoy cannot be reached for a change of values")
        if not current.can_serve(new):
            # A value is in Envoy's environment.
            self._retry_at = time.monotonic()
            return Unchanged()
        if new.options == old.options and new.credential_files == old.credential_files:
            if new.variables == old.variables:
                return Unchanged()
            self._generations.rotate(new)
        else:
            self._generations.push(new)
        return Applied(plan_changes.changes(old, new))

    def _conclude_values(self, outcome: Outcome) -> None:
        match outcome:
            case Applied(changes):
                self._events.reloaded(changes)
            case Rejected(error) | Failed(error):
                # The whole of it is tried again.
                self._conclude(Failed(error))

    def _renew_keys(self, *, anyway: bool) -> None:
        """Apply a change of keys to what is served, whatever the state of the files is since.

        A revoked key must not stay valid because the configuration is being edited, or was rejected.
        """
        served = self._generations.current.plan
        if not anyway and (time.monotonic() < self._renew_at or not plan.has_new_keys(self._inputs, served)):
            return
        match self._attempt(lambda: self._apply_keys(served)):
            case Applied(changes):
                if not plan_changes.QUIET.issuperset(changes):
                    self._events.reloaded(changes)
            case Rejected(error) | Failed(error):
                self._renew_at = time.monotonic() + _FIRST_RETRY_SECONDS
                self._report_failure(error)

    def _apply_keys(self, served: Plan) -> Outcome:
        new = plan.with_new_keys(self._inputs, served)
        return Unchanged() if new.options == served.options else self._apply(new)

    def _conclude(self, outcome: Outcome) -> None:
        """Report an outcome, once, and decide whether and when it is tried again."""
        before, self._open, self._retry_at = self._open, None, None
        if not isinstance(outcome, Failed):
            self._reported_failure = None
        if isinstance(outcome, Applied | Unchanged):
            self._inputs.keys.keep_only([self._generations.current.plan.configuration])
        match outcome:
            case Applied(changes):
                self._directory_is_gone = False
                self._events.reloaded(changes)
            case Unchanged():
                if isinstance(before, Rejected | Failed):
                    self._events.recovered()
            case Rejected(error):
                self._open = outcome
                self._events.rejected(error)
            case Failed(error):
                self._open = outcome
                self._retry_at = time.monotonic() + self._retry_seconds
                self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)
                self._report_failure(error)
            case Postponed(requests):
                self._open = outcome
                if not isinstance(before, Postponed):
                    self._events.postponed(requests)

    def _report_failure(self, error: MomError) -> None:
        """Report what is tried again, once and not each time."""
        if error.message != self._reported_failure:
            self._reported_failure = error.message
            self._events.failed(error)

    # -- what is looked at

    def _key_has_changed(self) -> bool:
        """Look once a minute; nothing depends on the minute."""
        if time.monotonic() < self._next_look_at_keys:
            return False
        self._next_look_at_keys = time.monotonic() + _KEYS_SECONDS
        try:
            return plan.key_has_changed(self._inputs, self._generations.current.plan)
        except MomError:
            # The next change of the file reports more.
            return False

    def _nothing_is_in_the_way(self) -> bool:
        try:
            return self._generations.requests_in_the_way() == 0
        except UnavailableError:
            return False

    def _look_at_directory(self) -> None:
        """Report once that the directory of the run is gone."""
        if self._directory_is_gone or self._generations.current.is_reachable():
            return
        self._directory_is_gone = True
        directory = self._generations.current.directory.parent
        self._events.warning(f"{directory} was removed: the next change will cut in-flight requests")

    def _look_at_access_log(self) -> None:
        """Reopen it if that was asked for, and report if it cannot be written, or a collector does not take it."""
        try:
            if self._signals.reopen:
                self._signals.reopen = False
                self._access_log.prepare()
                # Envoy reopens its files.
                self._generations.send(signal.SIGUSR1)
            if problem := self._access_log.problem(self._generations.current):
                self._events.warning(problem)
            for problem in self._exports.problems(self._generations.current):
                self._events.warning(problem)
        except NoResponseError:
            return
        except MomError as error:
            self._events.warning(error.message)

    # -- the end

    def _drain(self) -> None:
        """Take no new connections, and wait for requests in progress; a second signal cuts the wait short."""
        service_manager.notify(self._settings.environ, service_manager.STOPPING)
        if not self._generations.can_drain:
            return
        self._waiting.tolerated = 1
        until = time.monotonic() + _DRAIN_SECONDS
        announced = False
        try:
            self._generations.current.admin.drain()
            while (requests := self._generations.requests()) and time.monotonic() < until:
                if not announced:
                    self._events.draining(requests)
                    announced = True
                self._waiting.sleep(0.05)
        except (Stopped, UnavailableError):
            return

    # -- Envoy's log

    def _read_logs(self) -> None:
        self._generations.read_logs()

    def _take_failure(self, adapter: str, failure: Failure) -> None:
        self._has_failures = True
        self._api_failures.take(adapter, failure)
        self._refused_certificates.take(adapter, failure)

    def _log_line(self, line: str) -> None:
        """Pass on a line of any Envoy's log, its secrets masked."""
        if self._settings.debug:
            self._events.envoy(line)

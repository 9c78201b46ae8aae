"""The events of a run, for the code that shows them: the run itself prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mom.envoy.failures import Failure
from mom.errors import MomError
from mom.run.plan import Plan


class RunEvents(Protocol):
    """Called for each event of a run, in order, from one thread. No text or value contains a credential."""

    def serving(self, plan: Plan) -> None:
        """Requests are served now."""

    def reloaded(self, changes: Sequence[str]) -> None:
        """A change of the files is applied: a few words for each, such as `+ openai`."""

    def recovered(self) -> None:
        """The files can be used again, and mean what is served already."""

    def rejected(self, error: MomError) -> None:
        """A change of the files cannot be served; the previous configuration is."""

    def failed(self, error: MomError) -> None:
        """A valid change of the files could not be applied; it is tried again by itself."""

    def postponed(self, requests: int) -> None:
        """A change of variables waits for `requests` requests in progress, which it would cut."""

    def draining(self, requests: int) -> None:
        """No new connections; `requests` requests are in progress."""

    def stopped(self) -> None:
        """A signal has ended the run, and nothing of it is left."""

    def api_failed(self, adapter: str, failure: Failure, more: int) -> None:
        """A request to `adapter` has failed, and `more` in the same way since that was last reported."""

    def request(self, line: str) -> None:
        """A line of the access log, which is shown on a terminal (`Run.shows_requests`)."""

    def note(self, text: str) -> None:
        """Something works differently than may be expected."""

    def warning(self, text: str) -> None:
        """Something works, but should be changed."""

    def envoy(self, line: str) -> None:
        """A line of Envoy's own log, redacted; only asked for with `--debug`."""

    def debug(self, text: str) -> None:
        """The traceback of an unexpected failure; only with `--debug`."""

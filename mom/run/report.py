"""What a run has to say, to whoever shows it: the run itself prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mom.errors import MomError
from mom.run.plan import Plan


class Report(Protocol):
    """Told of each event of a run, in order, from one thread. No text or value holds a credential."""

    def serving(self, plan: Plan) -> None:
        """Requests are answered now."""

    def reloaded(self, changes: Sequence[str]) -> None:
        """A change of the files is in force: a few words for each, such as `+ openai`."""

    def recovered(self) -> None:
        """The files can be used again, and say what is served already."""

    def kept(self, error: MomError) -> None:
        """A change of the files cannot be served; what was served before goes on."""

    def postponed(self, requests: int) -> None:
        """A change of variables waits for `requests` requests in progress, which it would cut."""

    def draining(self, requests: int) -> None:
        """No new connections; `requests` requests are in progress."""

    def warning(self, text: str) -> None:
        """Something works that should not stay as it is."""

    def envoy(self, line: str) -> None:
        """A line of Envoy's own log, redacted; only asked for with `--debug`."""

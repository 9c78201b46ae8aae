"""What became of an attempt to apply what the files say now: a value, whatever the outside world did meanwhile.

Each call that depends on something outside (a file, Envoy's admin interface, a process, the disk) turns its failures
into a MomError where it is made. `UnavailableError` are those that no change of the files would mend.
"""

from __future__ import annotations

from dataclasses import dataclass

from mom.errors import MomError


class UnavailableError(MomError):
    """Something outside did not do its part, though the files are in order: the same is worth another try later."""


@dataclass(frozen=True, slots=True)
class Applied:
    """It is served now. `changes`: a few words for each, such as `+ openai`."""

    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What is served is what the files say: a comment has changed, or a variable that nothing names."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The files cannot be served; the previous configuration is. `error` says what to change."""

    error: MomError


@dataclass(frozen=True, slots=True)
class Failed:
    """The files are in order, and still the previous configuration is served; it is tried again by itself."""

    error: MomError


@dataclass(frozen=True, slots=True)
class Postponed:
    """It would cut `requests` requests in progress, and is applied once they have ended."""

    requests: int


Outcome = Applied | Unchanged | Rejected | Failed | Postponed

"""The outcome of an attempt to apply the files as they are now: a value, whatever the outside world did meanwhile.

Each call that depends on something outside (a file, Envoy's admin interface, a process, the disk) turns its failures
into a MomError where it is made. `UnavailableError` are those that no change of the files would fix.
"""

from __future__ import annotations

from dataclasses import dataclass

from mom.errors import MomError


class UnavailableError(MomError):
    """Something outside failed, though the files are valid: worth another try later."""


@dataclass(frozen=True, slots=True)
class Applied:
    """It is served now. `changes`: a few words for each, such as `+ openai`."""

    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The files mean what is served already: a comment has changed, or a variable that nothing names."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The files cannot be served; the previous configuration is. `error` has what to change."""

    error: MomError


@dataclass(frozen=True, slots=True)
class Failed:
    """The files are valid, but the previous configuration is still served; it is tried again by itself."""

    error: MomError


@dataclass(frozen=True, slots=True)
class Postponed:
    """It would cut `requests` requests in progress, and is applied once they have ended."""

    requests: int


Outcome = Applied | Unchanged | Rejected | Failed | Postponed

"""What a smoke test found out about one adapter or profile, as a value for every report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mom.check.subjects import Subject


class Outcome(StrEnum):
    """Whether the adapter works; one of a kind that Atlas does not serve is skipped."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Stage(StrEnum):
    """Where a request failed, in the order in which it passes them."""

    VARIABLE = "variable"
    CREDENTIAL = "credential"
    GATEWAY = "gateway"
    TOKEN = "token"  # noqa: S105 - the name of a stage
    DNS = "dns"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    ATLAS = "atlas"
    AUTHORIZATION = "authorization"
    RATE_LIMIT = "rate limit"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one subject.

    target: where the adapter leads. request: method and path below the adapter, empty where none was sent. status: of
    the response, None without one. seconds: how long it took. stage: what failed, None where nothing did. message: what
    happened; hint: what to do.
    """

    subject: Subject
    target: str
    outcome: Outcome
    request: str = ""
    status: int | None = None
    seconds: float | None = None
    stage: Stage | None = None
    message: str = ""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Which stage failed, what happened, and what to do."""

    stage: Stage
    message: str
    hint: str | None = None

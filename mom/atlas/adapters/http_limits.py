"""What bounds the requests to the API of an HTTP adapter: how many, how long, and how often one is sent again."""

from __future__ import annotations

from typing import NamedTuple

from mom.atlas.documents import DataDocument, text_at, value_at
from mom.atlas.values.durations import seconds

PER_SUBJECT = "subject"


class Limits(NamedTuple):
    """How many requests a minute may pass. per_subject: each caller has that number, else all share it."""

    requests_per_minute: int
    per_subject: bool = True


def read_limits(document: DataDocument) -> Limits | None:
    """Return the limits of a valid document, None where it has none."""
    number = value_at(document.data, "spec", "limits", "requestsPerMinute")
    if not isinstance(number, int | float):
        return None
    return Limits(int(number), (text_at(document.data, "spec", "limits", "per") or PER_SUBJECT) == PER_SUBJECT)


def read_timeout(document: DataDocument) -> int | None:
    """Return the seconds that a whole response may take, None where a valid document does not say."""
    given = text_at(document.data, "spec", "timeout")
    return None if given is None else seconds(given)


def read_retries(document: DataDocument) -> int:
    """Return how often a request is sent again that may be repeated."""
    given = value_at(document.data, "spec", "retries")
    return int(given) if isinstance(given, int | float) else 0

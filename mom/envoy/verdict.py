"""What Atlas does with a request, as a value for `mom atlas config explain` to show."""

from __future__ import annotations

from dataclasses import dataclass

from mom.problems import Place


@dataclass(frozen=True, slots=True)
class Miss:
    """An entry that a request does not match: its name, its place, and the part that does not match, in words.

    for_claims: whether that part is the caller's claims.
    """

    name: str
    place: Place
    reason: str
    for_claims: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request passes. status, error: of Atlas's own response, 200 and empty where it passes.

    A status of 0: there is no response, and the stream of HTTP/2 is reset.

    rule: the entry that let it pass, or what refused it; empty where nothing restricts it. place: of that.
    misses: the entries of the list that refused it.
    """

    allowed: bool
    status: int = 200
    error: str = ""
    reason: str
    adapter: str = ""
    rule: str = ""
    place: Place | None = None
    misses: tuple[Miss, ...] = ()

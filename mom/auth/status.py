"""Which identity `mom curl` would use for a gateway, and why: a value for `mom auth status` to show."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mom.auth import keys
from mom.auth.inspection import in_words, inspect
from mom.auth.tokens import DEFAULT_TTL
from mom.errors import MomError
from mom.gateway import LONGEST_COMMAND_SECONDS

if TYPE_CHECKING:
    from mom.auth.base_url import Gateway
    from mom.auth.sources import TokenSource

_IDENTITY = {"iss": "issuer", "sub": "subject"}


@dataclass(frozen=True, kw_only=True)
class Status:
    """Which identity `mom curl` would use for a gateway.

    gateway: its origin. source: the kind of source that wins; place: where it is stored; reason: why it wins. identity:
    issuer, subject, key and algorithm of its tokens, as far as known (a given token may be opaque). until: how long a
    token is valid, in words. wrong: why it would be refused, empty for nothing. notes: what may be wrong, or is yet to
    come. retired: the ids of earlier keys that still verify, each with the time at which it leaves the public set.
    """

    gateway: str
    source: str
    place: str
    reason: str
    identity: Mapping[str, str]
    until: str
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    retired: Mapping[str, str] | None = None


def of_token(
    source: TokenSource,
    gateway: Gateway,
    environ: Mapping[str, str],
    *,
    place: str,
    reason: str,
    now: float | None = None,
) -> Status:
    """Return the status of a source that has a ready token. Raises MomError where it is unusable."""
    text = source.token(gateway)
    try:
        inspection = inspect(text, environ, now=now)
    except MomError:
        until = "unknown: opaque tokens cannot be inspected"
        return Status(gateway=gateway.origin, source=source.kind, place=place, reason=reason, identity={}, until=until)
    identity = {name: str(inspection.claims[claim]) for claim, name in _IDENTITY.items() if claim in inspection.claims}
    identity |= {
        name: str(inspection.header[member])
        for member, name in (("kid", "key"), ("alg", "algorithm"))
        if member in inspection.header
    }
    return Status(
        gateway=gateway.origin,
        source=source.kind,
        place=place,
        reason=reason,
        identity=identity,
        until=inspection.times.get("exp", "no expiry"),
        wrong=inspection.wrong,
        notes=_other_audience(inspection.claims.get("aud"), gateway),
    )


def of_own_key(source: TokenSource, gateway: Gateway, home: str, *, reason: str, now: float | None = None) -> Status:
    """Return the status of this user's own key, which need not exist yet. Raises MomError where it is unusable."""
    moment = time.time() if now is None else now
    stored = keys.load(home)
    identity = {"issuer": keys.local_issuer()}
    retired = {}
    notes: tuple[str, ...] = ()
    if stored is None:
        notes = ("no signing key yet; created on first use, or run: mom auth keygen",)
    else:
        identity |= {"subject": stored.subject, "key": stored.kid, "algorithm": stored.algorithm}
        retired = {str(jwk["kid"]): in_words(jwk["exp"], moment) for jwk in stored.retired if jwk["exp"] > moment}
    return Status(
        gateway=gateway.origin,
        source=source.kind,
        place=source.place,
        reason=reason,
        identity=identity,
        until=f"{DEFAULT_TTL} s per token, up to {LONGEST_COMMAND_SECONDS} s for a command of several requests",
        notes=notes,
        retired=retired,
    )


def _other_audience(audience: object, gateway: Gateway) -> tuple[str, ...]:
    audiences = audience if isinstance(audience, list) else [audience]
    # As Envoy compares them: without the scheme and a slash at the end.
    named = {str(name).partition("://")[2].rstrip("/") or str(name).rstrip("/") for name in audiences if name}
    if not named or gateway.authority in named:
        return ()
    return (f"its audience is {', '.join(sorted(named))}; {gateway.origin} accepts it only if configured to",)

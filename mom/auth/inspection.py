"""What would be sent to a gateway, and what a token holds and what is wrong with it: values for `mom auth` to show."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from mom.auth import keys, sources, tokens
from mom.auth.base_url import Gateway
from mom.auth.store import home
from mom.errors import MomError
from mom.gateway import (
    ALGORITHMS,
    CLOCK_SKEW_SECONDS,
    LOCAL_MAX_LIFETIME_SECONDS,
    LONGEST_COMMAND_SECONDS,
    MAX_LIFETIME_SECONDS,
)

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))

# The claims that hold times (RFC 7519, section 4.1).
_TIMES = {"iat": "issued", "nbf": "not before", "exp": "expires"}
# What rounds to 2^64 as a double, which is more than Envoy holds.
_TOO_LARGE = 2**64 - 1024


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A token taken apart.

    times: the claims that are times, each in words. wrong: why gateways would refuse it, empty for nothing. signature:
    what is known about it, in words; verified: True or False where it was checked, None where it could not be.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    times: Mapping[str, str]
    wrong: tuple[str, ...]
    signature: str
    verified: bool | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """Who `mom curl` would be for a gateway.

    gateway: its origin. source: the kind of source that wins; place: where it is kept; reason: why it wins. identity:
    issuer, subject and key of its tokens, as far as known (a given token may be no JWT). until: how long it is good, in
    words. wrong: why it would be refused, empty for nothing. notes: what may be wrong. retired: the ids of earlier keys
    that still verify, each with the time it leaves the public set.
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


def status(gateway: Gateway, token_file: str | None, environ: Mapping[str, str], *, now: float | None = None) -> Status:
    """Tell who `mom curl` would be for `gateway`, without making a key. Raises MomError for a broken source."""
    moment = time.time() if now is None else now
    source = sources.resolve_token_source(token_file, environ)
    if source.kind == sources.LOCAL_KEY:
        return _local(gateway, source, environ, moment)
    reason = {
        sources.TOKEN_FILE: "--mom-token-file is given",
        sources.VARIABLE: f"{sources.TOKEN_VARIABLE} is set, and no --mom-token-file is given",
    }[source.kind]
    place = os.path.abspath(source.place) if source.kind == sources.TOKEN_FILE else source.place
    text = sources.token(source, gateway, environ)
    try:
        found = inspect(text, environ, now=moment)
    except MomError:
        until = "not known: it is no JWT"
        return Status(gateway=gateway.origin, source=source.kind, place=place, reason=reason, identity={}, until=until)
    identity = {name: str(found.claims[claim]) for claim, name in _IDENTITY.items() if claim in found.claims}
    if "kid" in found.header:
        identity["key"] = str(found.header["kid"])
    return Status(
        gateway=gateway.origin,
        source=source.kind,
        place=place,
        reason=reason,
        identity=identity,
        until=found.times.get("exp", "for ever: it has no exp"),
        wrong=found.wrong,
        notes=_other_audience(found.claims.get("aud"), gateway),
    )


_IDENTITY = {"iss": "issuer", "sub": "subject"}


def _local(gateway: Gateway, source: sources.Source, environ: Mapping[str, str], now: float) -> Status:
    found = keys.load(home(environ))
    identity = {"issuer": keys.local_issuer()}
    until = (
        f"each token for {tokens.DEFAULT_TTL} seconds, for a command of several requests at most "
        f"{LONGEST_COMMAND_SECONDS}; the key until mom auth rotate"
    )
    retired = {}
    if found is None:
        until = f"there is no key yet: the first mom curl, or mom auth keygen, makes it; {until}"
    else:
        identity |= {"subject": found.subject, "key": found.kid, "algorithm": found.algorithm}
        retired = {str(jwk["kid"]): in_words(jwk["exp"], now) for jwk in found.retired if jwk["exp"] > now}
    return Status(
        gateway=gateway.origin,
        source=source.kind,
        place=source.place,
        reason=f"no --mom-token-file is given and {sources.TOKEN_VARIABLE} is not set",
        identity=identity,
        until=until,
        retired=retired,
    )


def _other_audience(audience: object, gateway: Gateway) -> tuple[str, ...]:
    audiences = audience if isinstance(audience, list) else [audience]
    # As Envoy compares them: without the scheme and a slash at the end.
    accepted = {
        str(one).partition("://")[2].rstrip("/") or str(one).rstrip("/") for one in audiences if one is not None
    }
    if not accepted or gateway.authority in accepted:
        return ()
    return (f"it is for {', '.join(sorted(accepted))}; whether {gateway.origin} takes that is up to its configuration",)


def inspect(text: str, environ: Mapping[str, str], *, now: float | None = None) -> Inspection:
    """Take a token apart and tell what is wrong with it. Raises MomError where it is no signed token.

    The signature is checked where it claims to be by a key of this user's own, and only there.
    """
    moment = time.time() if now is None else now
    token = tokens.read(text)
    signature, verified = _signature(token, environ, moment)
    wrong = [*_wrong_header(token.header), *_wrong_claims(token.claims, moment)]
    if verified is False:
        wrong.insert(0, "the signature is not that of the key it names")
    times = {
        name: f"{words} {in_words(token.claims[name], moment)}"
        for name, words in _TIMES.items()
        if _is_time(token.claims.get(name))
    }
    return Inspection(
        header=token.header,
        claims=token.claims,
        times=times,
        wrong=tuple(wrong),
        signature=signature,
        verified=verified,
    )


def _signature(token: tokens.Token, environ: Mapping[str, str], now: float) -> tuple[str, bool | None]:
    kid = token.header.get("kid")
    try:
        own = keys.load(home(environ))
    except MomError as error:
        return f"not checked: {error.message}", None
    for jwk in own.public(now)["keys"] if own else ():
        if jwk["kid"] == kid:
            verified = tokens.verify(token, jwk)
            return ("valid, by your own key" if verified else "INVALID: not by your own key, which it names"), verified
    return "not checked: the key it names is none of yours", None


def _wrong_header(header: Mapping[str, Any]) -> list[str]:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        return ["it is not signed (alg none)"]
    if algorithm not in ALGORITHMS:
        return [f"alg {algorithm!r} is not one that Atlas takes: ES, RS, PS and EdDSA signatures it does"]
    if "crit" in header:
        return ["it names extensions that must be understood (crit), and Atlas understands none"]
    return [] if isinstance(header.get("kid", ""), str) else ["its kid is not a text"]


def _wrong_claims(claims: Mapping[str, Any], now: float) -> list[str]:
    wrong = [
        f"{name} is no time (seconds since 1970)" for name in _TIMES if name in claims and not _is_time(claims[name])
    ]
    expires, starts = claims.get("exp"), claims.get("nbf")
    if "exp" not in claims:
        wrong.append("it has no exp: it would be good for ever, and Atlas refuses it")
    elif _is_time(expires):
        wrong += _wrong_expiry(expires, now, own=claims.get("iss") == keys.local_issuer())
    if _is_time(starts) and starts > now + CLOCK_SKEW_SECONDS:
        wrong.append(f"it is not good before {in_words(starts, now)}")
    wrong += [
        f"its {name} is not a text" for name in ("iss", "sub", "jti") if not isinstance(claims.get(name, ""), str)
    ]
    audience = claims.get("aud", [])
    texts = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(one, str) for one in texts):
        wrong.append("its aud is neither a text nor a list of texts")
    wrong += [f"it has no {name}" for name in ("iss", "aud") if not claims.get(name)]
    return wrong


def _wrong_expiry(expires: float, now: float, *, own: bool) -> list[str]:
    if expires + CLOCK_SKEW_SECONDS < now:
        return [f"it expired {in_words(expires, now)}"]
    if own and expires - now > LOCAL_MAX_LIFETIME_SECONDS:
        return [f"it is good for longer than an hour, until {in_words(expires, now)}"]
    if expires - now > MAX_LIFETIME_SECONDS:
        # In milliseconds it would be a date in this century.
        milliseconds = " (milliseconds, where seconds are meant?)" if 1e12 < expires < 1e13 else ""
        return [f"it is good for longer than a day{milliseconds}, which needs maxLifetime at its identity provider"]
    return []


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _TOO_LARGE


def in_words(moment: float, now: float) -> str:
    """Return a time (seconds since the epoch) as a date in UTC and its distance from `now`."""
    try:
        date = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    except (ValueError, OverflowError, OSError):
        date = "at no date"
    distance = abs(moment - now)
    if distance < 1:
        return f"{date}, now"
    # The largest unit of which there are at least two: 119 minutes say more than one hour.
    size, unit = next((one for one in _UNITS if distance >= 2 * one[0]), (1, "second"))
    count = f"{int(distance // size)} {unit}{'' if distance < 2 * size else 's'}"
    return f"{date}, {count} ago" if moment < now else f"{date}, in {count}"

"""What a token contains and why a gateway would refuse it: a value for `mom auth inspect` to show."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from mom.auth import keys, tokens
from mom.auth.store import home
from mom.errors import MomError
from mom.gateway import (
    ALGORITHMS,
    CLOCK_SKEW_SECONDS,
    LOCAL_MAX_LIFETIME_SECONDS,
    MAX_LIFETIME_SECONDS,
)

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))

# The claims that are times (RFC 7519, section 4.1).
_TIMES = {"iat": "issued", "nbf": "not before", "exp": "expires"}
# What rounds to 2^64 as a double, which is more than Envoy can store.
_TOO_LARGE = 2**64 - 1024
MAX_DOUBLE = sys.float_info.max


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A token, decoded.

    times: the claims that are times, each in words. wrong: why gateways would refuse it, empty for nothing. signature:
    what is known about it, in words; verified: True or False where it was verified, None where it could not be.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    times: Mapping[str, str]
    wrong: tuple[str, ...]
    signature: str
    verified: bool | None


def inspect(
    text: str,
    environ: Mapping[str, str],
    *,
    now: float | None = None,
    max_lifetime: float | None = MAX_LIFETIME_SECONDS,
) -> Inspection:
    """Decode a token and return why gateways would refuse it. Raises MomError where it is not a signed token.

    max_lifetime: the seconds that an identity provider allows, None where that is judged elsewhere.

    The signature is verified where it names one of this user's own keys, and only there.
    """
    moment = time.time() if now is None else now
    token = tokens.parse_token(text)
    signature, verified = _signature(token, environ, moment)
    wrong = [*_wrong_header(token.header), *_wrong_claims(token.claims, moment, max_lifetime)]
    if verified is False:
        wrong.insert(0, "the signature was not made by the key it names")
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
        return f"not verified: {error.message}", None
    for jwk in own.public(now)["keys"] if own else ():
        if jwk["kid"] == kid:
            verified = tokens.verify(token, jwk)
            return (
                "valid, by your own key" if verified else "INVALID: it names your own key, which did not make it"
            ), verified
    return "not verified: it names a key that is not yours", None


def _wrong_header(header: Mapping[str, Any]) -> list[str]:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        return ["it is not signed (alg none)"]
    if algorithm not in ALGORITHMS:
        return [f"Atlas does not accept alg {algorithm!r}; it accepts ES*, RS*, PS* and EdDSA"]
    if "crit" in header:
        return ["it requires extensions (crit), and Atlas supports none"]
    return [] if isinstance(header.get("kid", ""), str) else ["its kid is not a string"]


def wrong_types(claims: Mapping[str, Any]) -> list[str]:
    """Return for which values of claims a gateway refuses a token, whoever issued it: those that are not of a type."""
    wrong = [
        f"{name} is not a time (seconds since 1970)" for name in _TIMES if name in claims and not _is_time(claims[name])
    ]
    wrong += [
        f"its {name} is not a string" for name in ("iss", "sub", "jti") if not isinstance(claims.get(name, ""), str)
    ]
    audience = claims.get("aud", [])
    audiences = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(name, str) for name in audiences):
        wrong.append("its aud is neither a string nor a list of strings")
    return wrong + [f"its {name} {reason}" for name, value in claims.items() if (reason := _unreadable([name, value]))]


def _unreadable(value: object) -> str | None:
    """Return what Envoy does not read in a value of JSON: numbers are doubles to it, and text is Unicode."""
    if isinstance(value, str):
        return "has half of a character (a lone surrogate)" if re.search("[\ud800-\udfff]", value) else None
    if isinstance(value, int | float):
        return "has a number beyond what a double can be" if not -MAX_DOUBLE <= value <= MAX_DOUBLE else None
    children = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((reason for child in children if (reason := _unreadable(child))), None)


def _wrong_claims(claims: Mapping[str, Any], now: float, max_lifetime: float | None) -> list[str]:
    wrong = wrong_types(claims)
    expires, starts = claims.get("exp"), claims.get("nbf")
    if "exp" not in claims:
        wrong.append("it has no exp: Atlas refuses tokens that never expire")
    elif _is_time(expires):
        wrong += _wrong_expiry(expires, now, max_lifetime, own=claims.get("iss") == keys.local_issuer())
    if _is_time(starts) and starts > now + CLOCK_SKEW_SECONDS:
        wrong.append(f"it is not valid before {in_words(starts, now)}")
    return [*wrong, *(f"it has no {name}" for name in ("iss", "aud") if not claims.get(name))]


def _wrong_expiry(expires: float, now: float, max_lifetime: float | None, *, own: bool) -> list[str]:
    if expires + CLOCK_SKEW_SECONDS < now:
        return [f"it expired {in_words(expires, now)}"]
    if own and expires - now > LOCAL_MAX_LIFETIME_SECONDS:
        return [f"it is valid for longer than an hour, until {in_words(expires, now)}"]
    if max_lifetime is not None and expires - now > max_lifetime:
        # In milliseconds it would be a date in this century.
        milliseconds = " (milliseconds instead of seconds?)" if 1e12 < expires < 1e13 else ""
        return [f"it is valid for longer than a day{milliseconds}, which needs maxLifetime in its identity provider"]
    return []


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _TOO_LARGE


def in_words(moment: float, now: float) -> str:
    """Return a time (seconds since the epoch) as a date in UTC and its distance from `now`."""
    try:
        date = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    except (ValueError, OverflowError, OSError):
        date = "no date"
    distance = abs(moment - now)
    if distance < 1:
        return f"{date}, now"
    # The largest unit of which there are at least two: 119 minutes say more than one hour.
    size, unit = next((entry for entry in _UNITS if distance >= 2 * entry[0]), (1, "second"))
    count = f"{int(distance // size)} {unit}{'' if distance < 2 * size else 's'}"
    return f"{date}, {count} ago" if moment < now else f"{date}, in {count}"

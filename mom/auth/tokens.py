"""Access tokens: compact JWS (RFC 7515) with JWT claims (RFC 7519), signed by this user's key, never stored.

A token names its sender (`iss`, `sub`), its gateway (`aud`, an origin) and its validity (`iat`, `nbf`, `exp`), and is
unique (`jti`). It lives a minute, or as long as a command of several requests needs it, ten minutes at most
(`mom.curl.lifetime`): anyone who obtains it can use it that long, at that gateway.
"""

from __future__ import annotations

import os
import time

from mom.auth.jwk import decode_base64url, encode_base64url, sign
from mom.auth.keys import local_issuer
from mom.gateway import LOCAL_MAX_LIFETIME_SECONDS, TOKEN_SECONDS, adapter_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from mom.auth.keys import KeySet

DEFAULT_TTL = TOKEN_SECONDS
MAX_TTL = LOCAL_MAX_LIFETIME_SECONDS

# The gateway's clock may be behind ours.
_NOT_BEFORE_SECONDS = 5

# A quote and a line break would end the token where curl reads it from its configuration, and start an option.
CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-")
MAX_LENGTH = 16_000


def narrowed(audience: str, adapters: Iterable[str]) -> str | list[str]:
    """Return the audience of a token for a gateway, or for these of its adapters (RFC 8707).

    adapters: as `mom.gateway.adapter_path` takes them.
    """
    audiences = [audience + path for path in dict.fromkeys(map(adapter_path, adapters))]
    return audiences if len(audiences) > 1 else audiences[0] if audiences else audience


def in_units(seconds: int) -> str:
    """Return a number of seconds as a duration is typed: `90s`, `15m`, `2h`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def mint(
    keys: KeySet,
    audience: str | list[str],
    *,
    ttl: int = DEFAULT_TTL,
    now: float | None = None,
    issuer: str | None = None,
    longest: int = MAX_TTL,
) -> str:
    """Return a new token for `audience` that lives `ttl` seconds from `now` (seconds since the epoch).

    issuer: that of every user's own keys unless given. Raises UsageError for a life of less than a second or more than
    `longest`.
    """
    import json

    if not 1 <= ttl <= longest:
        from mom.errors import UsageError

        raise UsageError(
            f"a token cannot live {in_units(ttl)}",
            hint=f"choose 1s to {in_units(longest)}; the default is {in_units(DEFAULT_TTL)}",
        )
    issued = int(time.time() if now is None else now)
    header = {"alg": keys.algorithm, "kid": keys.kid, "typ": "JWT"}
    claims = {
        "iss": issuer or local_issuer(),
        "sub": keys.subject,
        "aud": audience,
        "iat": issued,
        "nbf": issued - _NOT_BEFORE_SECONDS,
        "exp": issued + ttl,
        "jti": os.urandom(16).hex(),
    }
    parts = [encode_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{encode_base64url(sign(keys.current, signed.encode('ascii')))}"


def verify(token: Token, jwk: Mapping[str, Any]) -> bool:
    """Return whether the public `jwk` made the signature of `token`, by the key's own algorithm."""
    from mom.auth.jwk import verify as verify_signature

    return token.header.get("alg") == jwk["alg"] and verify_signature(jwk, token.signed, token.signature)


class Token:
    """A token taken apart; nothing about it is proven.

    header and claims: its JSON objects. signed: the bytes that the signature is over. signature: its bytes.
    """

    __slots__ = ("claims", "header", "signature", "signed")

    def __init__(self, header: dict[str, Any], claims: dict[str, Any], signed: bytes, signature: bytes) -> None:
        """Take the decoded parts."""
        self.header = header
        self.claims = claims
        self.signed = signed
        self.signature = signature


def parse_token(text: str) -> Token:
    """Take a compact JWS with JSON claims apart. Raises MomError for anything else, without showing the token."""
    from mom.errors import MomError

    parts = text.split(".")
    if not text:
        raise MomError("not a signed token: it is empty", hint="mom auth token | mom auth inspect -")
    if len(parts) != 3:
        raise MomError(
            f"not a signed token: it has {len(parts) - 1} dots, not 2",
            hint="opaque tokens cannot be inspected",
        )
    try:
        header, claims = (read_json(decode_base64url(part)) for part in parts[:2])
        signature = decode_base64url(parts[2])
    except (ValueError, RecursionError):
        raise MomError(
            "not a signed token: a part of it is not base64url of JSON", hint="was it cut, or put in quotes?"
        ) from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise MomError("not a signed token: its header and its claims are not JSON objects")
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


_MAX_DEPTH = 100


def read_json(text: bytes | str) -> Any:
    """Return a JSON value as Envoy reads it. Raises ValueError, or RecursionError, for what it would not read.

    Not a name twice in an object, a number that JSON does not have, nor anything deeper than 100.
    """
    import json

    value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    if _depth(value) > _MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {_MAX_DEPTH} levels")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is in one object twice")
    return members


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max((_depth(child) for child in children), default=0)


def require_sendable(text: str, name: str) -> str:
    """Return `text`, a token from outside, where a header can carry it.

    Raises MomError, in which `name` says where it came from, without showing any of it.
    """
    from mom.errors import MomError

    if not text:
        raise MomError(f"{name} is empty: it contains no token", hint="unset it, or put a token there")
    unusable = set(text) - CHARACTERS
    if unusable:
        names = {"\n": "a line break", "\r": "a carriage return", " ": "a blank", '"': "a quote", "'": "a quote"}
        kinds = sorted({names.get(character, "a character that no token has") for character in unusable})
        raise MomError(
            f"the token in {name} contains {' and '.join(kinds)}",
            hint="a token is one word of letters, digits and . _ ~ + / = -",
        )
    if len(text) > MAX_LENGTH:
        raise MomError(f"the token in {name} is longer than {MAX_LENGTH:,} characters, the most that gateways accept")
    return text

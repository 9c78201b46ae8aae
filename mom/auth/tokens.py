"""Access tokens: compact JWS (RFC 7515) with JWT claims (RFC 7519), signed by this user's key, never stored.

A token says who (`iss`, `sub`), for which gateway (`aud`, its origin), from when and until when (`iat`, `nbf`, `exp`),
and is unlike every other (`jti`). It lives a minute, or as long as a command of several requests needs it, ten minutes
at most (`mom.curl.lifetime`): whoever gets hold of one can use it that long, at that gateway.
"""

from __future__ import annotations

import os
import time

from mom.auth.keys import decode, encode, local_issuer
from mom.gateway import LOCAL_MAX_LIFETIME_SECONDS, TOKEN_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mom.auth.keys import KeySet

DEFAULT_TTL = TOKEN_SECONDS
MAX_TTL = LOCAL_MAX_LIFETIME_SECONDS

# The gateway's clock may be behind ours.
_NOT_BEFORE_SECONDS = 5

# A quote and a line break would end the token where curl reads it from its configuration, and start an option.
CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-")
MAX_LENGTH = 16_000


def origin(base_url: str) -> str:
    """Return the audience of tokens for `base_url`: `scheme://host[:port]`, lower case, default ports dropped.

    Raises UsageError for anything that is not a gateway's address.
    """
    from mom.auth.base_url import parse_base_url

    return parse_base_url(base_url).origin


def mint(keys: KeySet, audience: str, *, ttl: int = DEFAULT_TTL, now: float | None = None) -> str:
    """Return a new token for `audience` that lives `ttl` seconds from `now` (seconds since the epoch).

    Raises UsageError for a life of less than a second or more than an hour.
    """
    import json

    if not 1 <= ttl <= MAX_TTL:
        from mom.errors import UsageError

        raise UsageError(
            f"a token cannot live {ttl} seconds", hint=f"from 1 to {MAX_TTL}; the default is {DEFAULT_TTL}"
        )
    issued = int(time.time() if now is None else now)
    header = {"alg": keys.algorithm, "kid": keys.kid, "typ": "JWT"}
    claims = {
        "iss": local_issuer(),
        "sub": keys.subject,
        "aud": audience,
        "iat": issued,
        "nbf": issued - _NOT_BEFORE_SECONDS,
        "exp": issued + ttl,
        "jti": os.urandom(16).hex(),
    }
    parts = [encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{encode(_sign(keys.current, signed.encode('ascii')))}"


def _sign(jwk: Mapping[str, Any], data: bytes) -> bytes:
    try:
        secret = decode(jwk["d"])
        if jwk["alg"] == "EdDSA":
            from cryptography.hazmat.primitives.asymmetric import ed25519

            return ed25519.Ed25519PrivateKey.from_private_bytes(secret).sign(data)
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        # RFC 7518, section 3.4: r and s side by side, not the DER that cryptography gives.
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except ValueError:
        from mom.errors import MomError

        raise MomError(
            "the signing key is damaged: its private part is no key", hint="replace it: mom auth rotate"
        ) from None


def verify(token: Token, jwk: Mapping[str, Any]) -> bool:
    """Return whether `jwk` (public, ES256 or EdDSA) made the signature of `token`, by the key's own algorithm."""
    from cryptography.exceptions import InvalidSignature

    if token.header.get("alg") != jwk["alg"]:
        return False
    try:
        if jwk["alg"] == "EdDSA":
            from cryptography.hazmat.primitives.asymmetric import ed25519

            ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(token.signature, token.signed)
            return True
        if jwk["alg"] != "ES256" or len(token.signature) != 64:
            return False
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        x, y = (int.from_bytes(decode(jwk[name]), "big") for name in ("x", "y"))
        r, s = (int.from_bytes(part, "big") for part in (token.signature[:32], token.signature[32:]))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(encode_dss_signature(r, s), token.signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


class Token:
    """A token taken apart; nothing about it is proven.

    header and claims: its JSON objects. signed: the bytes that the signature is over. signature: its bytes.
    """

    __slots__ = ("claims", "header", "signature", "signed")

    def __init__(self, header: dict[str, Any], claims: dict[str, Any], signed: bytes, signature: bytes) -> None:
        """Keep the parts."""
        self.header = header
        self.claims = claims
        self.signed = signed
        self.signature = signature


def read(text: str) -> Token:
    """Take a compact JWS with JSON claims apart. Raises MomError for anything else, without showing the token."""
    import json

    from mom.errors import MomError

    # As Envoy reads them: no name twice, no number that JSON does not have, nothing deeper than 100.
    strictly: dict[str, Any] = {"object_pairs_hook": _each_once, "parse_constant": _no_number}
    parts = text.split(".")
    if not text:
        raise MomError("this is not a signed token: it is empty", hint="mom auth token | mom auth inspect -")
    if len(parts) != 3:
        raise MomError(
            f"this is not a signed token: it has {len(parts)} parts between dots, not 3",
            hint="an access token that is no JWT cannot be looked into",
        )
    try:
        header, claims = (json.loads(decode(part), **strictly) for part in parts[:2])
        signature = decode(parts[2])
        if max(_depth(header), _depth(claims)) > _MOST_DEEP:
            raise ValueError("too deep")
    except (ValueError, RecursionError):
        raise MomError(
            "this is not a signed token: a part of it is not base64url of JSON", hint="was it cut, or put in quotes?"
        ) from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise MomError("this is not a signed token: its header and its claims are not JSON objects")
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


_MOST_DEEP = 100


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((_depth(one) for one in inner), default=0)


def check(text: str, name: str) -> str:
    """Return `text`, a token from outside, where it can be sent in a header.

    Raises MomError, in which `name` says where it came from, without showing any of it.
    """
    from mom.errors import MomError

    if not text:
        raise MomError(f"{name} is empty: there is no token in it", hint="unset it, or put a token there")
    strange = set(text) - CHARACTERS
    if strange:
        names = {"\n": "a line break", "\r": "a carriage return", " ": "a blank", '"': "a quote", "'": "a quote"}
        found = sorted({names.get(character, "a character that no token has") for character in strange})
        raise MomError(
            f"the token in {name} holds {' and '.join(found)}",
            hint="a token is one word of letters, digits and . _ ~ + / = -",
        )
    if len(text) > MAX_LENGTH:
        raise MomError(f"the token in {name} is longer than {MAX_LENGTH} characters, more than gateways take")
    return text

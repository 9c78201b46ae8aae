"""What a JWK Set (RFC 7517) must be before Atlas trusts its keys: the same for a file, a URL and the translation.

Envoy skips what it cannot use without a word, takes RSA keys of any size and keys that are meant for encryption, and
looks at an `alg` only where the key names one. So each key is judged here, and leaves with the one algorithm that its
type allows (an RSA key without `alg`: once for each of the six): a token's `alg` is bound to the type of the key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# RFC 7518, 3.4 and 6.2.1.1: the curve, the algorithm that goes with it, and the bytes of a coordinate.
_CURVES = {"P-256": ("ES256", 32), "P-384": ("ES384", 48), "P-521": ("ES512", 66)}
# RFC 7518, 3.3 and 3.5.
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
# RFC 8037, 3.1.
_ED25519 = ("EdDSA", 32)
# RFC 7518, 3.3: "A key of size 2048 bits or larger MUST be used". BoringSSL takes none above 16384.
_LEAST_BITS, _MOST_BITS = 2048, 16_384
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")
_LONGEST_KID = 1_000
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")


class JwksError(ValueError):
    """This is not a JWK Set. The text is a clause that follows a name, such as `is not JSON`."""


@dataclass(frozen=True, slots=True)
class Jwks:
    """A judged set. `text`: its good keys as canonical JSON. `count`: how many. `refused`: why others are not in it.

    Each of `refused` is a clause that begins with the place: `key 2 ("abc") is an RSA key of 1024 bits: ...`.
    """

    text: str
    count: int
    refused: tuple[str, ...] = ()


EMPTY = Jwks('{"keys":[]}', 0)


def judge(data: bytes | str) -> Jwks:
    """Return the keys of a JWK Set that may verify access tokens, and what is wrong with the others.

    A set without keys is a set: it means that no client gets in. Raises JwksError for what is not a JWK Set.
    """
    try:
        document = json.loads(data)
    except RecursionError:
        raise JwksError("is nested too deeply to be a JWK Set") from None
    except ValueError:
        raise JwksError("is not JSON") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise JwksError('is not a JWK Set, {"keys": [...]} (RFC 7517)')
    good: list[tuple[int, dict[str, str]]] = []
    refused: list[tuple[int, str]] = []
    for number, key in enumerate(keys, 1):
        if reason := _objection(key):
            refused.append((number, f"{_called(number, key)} {reason}"))
        else:
            good.append((number, _public(key)))
    ambiguous = dict(_ambiguous(good))
    refused += [(number, f"{_called(number, key)} {ambiguous[number]}") for number, key in good if number in ambiguous]
    kept = [form for number, key in good if number not in ambiguous for form in _forms(key)]
    text = json.dumps({"keys": kept}, separators=(",", ":"), sort_keys=True)
    return Jwks(text, len(good) - len(ambiguous), tuple(reason for _, reason in sorted(refused)))


def _called(number: int, key: Mapping[str, Any]) -> str:
    kid = key.get("kid")
    return f"key {number} ({json.dumps(kid[:60])})" if isinstance(kid, str) else f"key {number}"


def _objection(key: Mapping[str, Any]) -> str | None:
    """Return why a key cannot verify tokens, as a clause that follows its name; None if it can."""
    kind = key.get("kty")
    if kind == "oct" or "k" in key:
        return "is symmetric: anyone who can read it can sign tokens"
    if any(name in key for name in _PRIVATE):
        return "is a private key: anyone who can read it can sign tokens; publish the public part only"
    kid = key.get("kid", "")
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID or not kid.isprintable():
        return f"has a kid that is not a text of at most {_LONGEST_KID} printable characters"
    if (use := key.get("use", "sig")) != "sig":
        return f"is not for signatures (use {json.dumps(use)[:40]})"
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return "is not for verifying (its key_ops lack verify)"
    known = {"EC": _ec_objection, "OKP": _okp_objection, "RSA": _rsa_objection}
    if not isinstance(kind, str) or kind not in known:
        return f"has a kty that Atlas does not know ({json.dumps(kind)[:40]}): EC, OKP and RSA it does"
    return known[kind](key)


def _ec_objection(key: Mapping[str, Any]) -> str | None:
    curve = key.get("crv")
    if not isinstance(curve, str) or curve not in _CURVES:
        return f"has a curve that Atlas does not know ({json.dumps(curve)[:40]}): {', '.join(_CURVES)} it does"
    algorithm, size = _CURVES[curve]
    if reason := _other_algorithm(key, (algorithm,)):
        return reason
    x, y = (_decoded(key.get(name)) for name in ("x", "y"))
    if x is None or y is None or len(x) != size or len(y) != size:
        return f"lacks x or y, or they are not {size} bytes in base64url"
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curves[curve])
        numbers.public_key()
    except ValueError:
        return f"is not a point of the curve {curve}"
    return None


def _okp_objection(key: Mapping[str, Any]) -> str | None:
    if key.get("crv") != "Ed25519":
        return f"has a curve that Atlas does not know ({json.dumps(key.get('crv'))[:40]}): Ed25519 it does"
    algorithm, size = _ED25519
    if reason := _other_algorithm(key, (algorithm,)):
        return reason
    x = _decoded(key.get("x"))
    return None if x is not None and len(x) == size else f"lacks x, or it is not {size} bytes in base64url"


def _rsa_objection(key: Mapping[str, Any]) -> str | None:
    if reason := _other_algorithm(key, _RSA):
        return reason
    n, e = (_decoded(key.get(name)) for name in ("n", "e"))
    if n is None or e is None:
        return "lacks n or e, or they are not base64url"
    modulus, exponent = int.from_bytes(n, "big"), int.from_bytes(e, "big")
    bits = modulus.bit_length()
    if not _LEAST_BITS <= bits <= _MOST_BITS:
        return f"is an RSA key of {bits} bits: {_LEAST_BITS} are the least, {_MOST_BITS} the most"
    # With 1 every text is its own signature.
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 33 or modulus % 2 == 0:
        return "is an RSA key with numbers that no RSA key has (n, e)"
    return None


def _other_algorithm(key: Mapping[str, Any], allowed: tuple[str, ...]) -> str | None:
    algorithm = key.get("alg", allowed[0])
    if algorithm in allowed:
        return None
    return f"names the algorithm {json.dumps(algorithm)[:40]}, which does not go with it: {' or '.join(allowed)} does"


def _decoded(value: object) -> bytes | None:
    if not isinstance(value, str) or not _BASE64URL.match(value):
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return None


_MATERIAL = ("kty", "crv", "x", "y", "n", "e")


def _public(key: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of a good key that mean something to Envoy."""
    return {name: key[name] for name in (*_MATERIAL, "alg", "kid") if name in key}


def _ambiguous(keys: list[tuple[int, dict[str, str]]]) -> Iterator[tuple[int, str]]:
    """Yield the keys that share a kid with a different key: which one a token means would be left to chance."""
    first: dict[str, tuple[int, object]] = {}
    for number, key in keys:
        if "kid" not in key:
            continue
        material = [key.get(name) for name in _MATERIAL]
        other, known = first.setdefault(key["kid"], (number, material))
        if known != material:
            yield other, f"has the kid of key {number}, which is another key"
            yield number, f"has the kid of key {other}, which is another key"


def _forms(key: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield a key with its algorithm: once, or an RSA key that names none with each that it can be used for."""
    if "alg" in key:
        yield key
    elif key["kty"] == "RSA":
        for algorithm in _RSA:
            yield {**key, "alg": algorithm}
    else:
        yield {**key, "alg": _CURVES[key["crv"]][0] if key["kty"] == "EC" else _ED25519[0]}

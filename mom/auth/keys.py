"""This user's signing keys: made at first need, rotated, published as a JWK Set.

One private file holds everything: a JWK Set (RFC 7517) whose first key is the one that signs, with its private part,
followed by the public parts of retired keys. One file means that a rotation is one atomic step. Each key's `kid` is
its RFC 7638 thumbprint, so a gateway that holds several users' keys cannot confuse them.

The issuer is one constant, `urn:mom:local`, for every user's own keys: an Atlas that trusts a team's keys needs one
identity provider, with the merged set. Whoever has a key in such a set can therefore write any `sub`; what is proven
is "one of these keys", and the `kid` tells which.
"""

from __future__ import annotations

import os
import time

from mom.auth.store import Lock, private_folder, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

ALGORITHMS = ("ES256", "EdDSA")

# A retired key stays in the public set for the longest life of a token (an hour) and as long again, for clocks that
# differ and gateways that read the set late.
RETIRED_SECONDS = 2 * 3600

_ISSUER = "urn:mom:local"
_PUBLIC = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}


def local_issuer() -> str:
    """Return the `iss` of every token that a user's own key signs; it does not depend on the key or the machine."""
    return _ISSUER


def key_file(home: str | os.PathLike[str]) -> str:
    """Return the path of the file that holds the keys. A gateway that trusts them may watch it: changes replace it."""
    return os.path.join(os.fspath(home), "auth", "keys.json")


class KeySet:
    """What the key file holds.

    current: the JWK that signs, private part included. retired: public JWKs, each with `exp`, the time (seconds since
    the epoch) at which it leaves the public set. subject: the `sub` of this user's tokens, `user@host` as it was when
    the first key was made.
    """

    __slots__ = ("current", "retired", "subject")

    def __init__(self, current: dict[str, Any], retired: list[dict[str, Any]], subject: str) -> None:
        """Keep the three parts."""
        self.current = current
        self.retired = retired
        self.subject = subject

    @property
    def kid(self) -> str:
        """The id of the key that signs."""
        return str(self.current["kid"])

    @property
    def algorithm(self) -> str:
        """The algorithm of the key that signs, `ES256` or `EdDSA`."""
        return str(self.current["alg"])

    def public(self, now: float) -> dict[str, Any]:
        """Return the public JWK Set at `now` (seconds since the epoch): the current key and those not long retired."""
        kept = [public_jwk(jwk) for jwk in self.retired if jwk["exp"] > now]
        return {"keys": [public_jwk(self.current), *kept]}


def load(home: str | os.PathLike[str]) -> KeySet | None:
    """Return the keys kept in `home`, None where there are none yet.

    Raises MomError where the file is damaged, or other users could have read it.
    """
    path = key_file(home)
    data = read_private(path)
    if data is None:
        return None
    import json

    try:
        document = json.loads(data)
        current, *retired = document["keys"]
        for jwk in (current, *retired):
            if not all(isinstance(jwk[name], str) for name in (*_PUBLIC[jwk["kty"]], "kid", "alg")):
                raise TypeError
        if not isinstance(current["d"], str) or current["alg"] not in ALGORITHMS:
            raise TypeError
        subject = str(document["subject"])
        retired = [jwk for jwk in retired if isinstance(jwk["exp"], (int, float))]
    except (ValueError, LookupError, TypeError, RecursionError):
        from mom.errors import MomError

        raise MomError(
            f"the signing key {path} is damaged", hint="restore it, or move it away and run: mom auth keygen"
        ) from None
    return KeySet(current, retired, subject)


def ensure(
    home: str | os.PathLike[str], *, algorithm: str = "ES256", subject: str | None = None, now: float | None = None
) -> KeySet:
    """Return the keys kept in `home`, made first where there are none: two processes at once end up with the same one.

    `algorithm` and `subject` (default: user@host) count only for a new key; `now` is in seconds since the epoch.
    """
    found = load(home)
    if found is not None:
        return found
    folder = os.path.dirname(key_file(home))
    private_folder(folder)
    with Lock(folder):
        found = load(home)
        if found is None:
            found = KeySet(generate(algorithm, time.time() if now is None else now), [], subject or _user_at_host())
            _save(home, found)
    return found


def rotate(home: str | os.PathLike[str], *, algorithm: str | None = None, now: float | None = None) -> KeySet:
    """Make a new signing key and return the set; the old one's public part stays in it for `RETIRED_SECONDS`.

    `algorithm` defaults to the old key's. Where there was no key, one is made.
    """
    moment = time.time() if now is None else now
    folder = os.path.dirname(key_file(home))
    private_folder(folder)
    with Lock(folder):
        old = load(home)
        if old is None:
            new = KeySet(generate(algorithm or "ES256", moment), [], _user_at_host())
        else:
            retired = [{**public_jwk(old.current), "exp": int(moment) + RETIRED_SECONDS}]
            retired += [jwk for jwk in old.retired if jwk["exp"] > moment]
            new = KeySet(generate(algorithm or old.algorithm, moment), retired, old.subject)
        _save(home, new)
    return new


def public_jwks(home: str | os.PathLike[str], *, now: float | None = None) -> dict[str, Any]:
    """Return the public JWK Set of the keys kept in `home`, made at first need. It holds nothing private."""
    return ensure(home, now=now).public(time.time() if now is None else now)


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JWK Set with the keys of both, each key once, those of `first` first.

    Keys are the same when their thumbprints are. Raises MomError where either is not a set of public keys.
    """
    keys: dict[str, dict[str, Any]] = {}
    for jwk in (*_public_keys(first), *_public_keys(second)):
        keys.setdefault(thumbprint(jwk) if jwk["kty"] in _PUBLIC else str(sorted(jwk.items())), jwk)
    return {"keys": list(keys.values())}


def _public_keys(jwks: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    from mom.errors import MomError

    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not all(isinstance(jwk, dict) and isinstance(jwk.get("kty"), str) for jwk in keys):
        raise MomError("this is not a JWK Set", hint='it looks like {"keys": [{"kty": "EC", ...}]} (RFC 7517)')
    for jwk in keys:
        if any(name in jwk for name in ("d", "k", "p", "q", "dp", "dq", "qi", "oth")):
            raise MomError("the JWK Set holds a private or a shared key", hint="publish public keys only")
        missing = [name for name in _PUBLIC.get(jwk["kty"], ()) if not isinstance(jwk.get(name), str)]
        if missing:
            raise MomError(f"a key of the JWK Set has no {missing[0]!r}")
    return keys


def public_jwk(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public members of an EC or OKP key: what a gateway needs and nothing else."""
    return {name: jwk[name] for name in (*_PUBLIC[jwk["kty"]], "alg", "use", "kid") if name in jwk}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 SHA-256 thumbprint of an EC or OKP (RFC 8037) key, base64url without padding."""
    import hashlib
    import json

    members = {name: jwk[name] for name in sorted(_PUBLIC[jwk["kty"]])}
    return encode(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def generate(algorithm: str, now: float) -> dict[str, Any]:
    """Return a new private JWK for `algorithm` (`ES256` or `EdDSA`), made at `now` (seconds since the epoch)."""
    if algorithm == "ES256":
        from cryptography.hazmat.primitives.asymmetric import ec

        numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": encode(numbers.public_numbers.x.to_bytes(32, "big")),
            "y": encode(numbers.public_numbers.y.to_bytes(32, "big")),
            "d": encode(numbers.private_value.to_bytes(32, "big")),
        }
    elif algorithm == "EdDSA":
        from cryptography.hazmat.primitives.asymmetric import ed25519

        key = ed25519.Ed25519PrivateKey.generate()
        jwk = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": encode(key.public_key().public_bytes_raw()),
            "d": encode(key.private_bytes_raw()),
        }
    else:
        from mom.errors import UsageError

        raise UsageError(f"no algorithm {algorithm!r} for signing keys", hint=f"one of: {', '.join(ALGORITHMS)}")
    return {**jwk, "alg": algorithm, "use": "sig", "kid": thumbprint(jwk), "iat": int(now)}


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, appendix C)."""
    # binascii, since base64 imports re
    import binascii

    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError for anything else."""
    import binascii

    raw = text.encode("ascii")
    if raw.strip(_ALPHABET):
        raise ValueError("not base64url")
    return binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4), strict_mode=True)


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _save(home: str | os.PathLike[str], keys: KeySet) -> None:
    import json

    document = {"subject": keys.subject, "keys": [keys.current, *keys.retired]}
    write_private(key_file(home), (json.dumps(document, indent=2) + "\n").encode())


def _user_at_host() -> str:
    import getpass
    import platform

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this user id, as in many containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    return f"{user}@{platform.node() or 'localhost'}"

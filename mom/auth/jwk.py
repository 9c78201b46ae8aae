"""JSON Web Keys (RFC 7517) of the two algorithms that mom signs with: generate, publish, identify, sign, verify.

EdDSA is Ed25519 (RFC 8037), ES256 is ECDSA on P-256 (RFC 7518, section 3.4). A key has one algorithm, the one in its
`alg`; signing and verifying never take it from elsewhere.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

EDDSA = "EdDSA"
ES256 = "ES256"
ALGORITHMS = (EDDSA, ES256)

# RFC 7517, section 4, RFC 7518, section 6, RFC 8037, section 2: what makes a key private, or shared.
_PRIVATE = ("d", "k", "p", "q", "dp", "dq", "qi", "oth")
_PUBLIC = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encode_base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, appendix C)."""
    # binascii, since base64 imports re
    import binascii

    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError for anything else."""
    import binascii

    raw = text.encode("ascii")
    if raw.strip(_ALPHABET):
        raise ValueError("not base64url")
    return binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4), strict_mode=True)


def generate(algorithm: str, now: float) -> dict[str, Any]:
    """Return a new private JWK for `algorithm` (EdDSA or ES256), issued at `now` (seconds since the epoch).

    Raises UsageError for another algorithm.
    """
    if algorithm == EDDSA:
        from cryptography.hazmat.primitives.asymmetric import ed25519

        key = ed25519.Ed25519PrivateKey.generate()
        jwk = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": encode_base64url(key.public_key().public_bytes_raw()),
            "d": encode_base64url(key.private_bytes_raw()),
        }
    elif algorithm == ES256:
        from cryptography.hazmat.primitives.asymmetric import ec

        numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": encode_base64url(numbers.public_numbers.x.to_bytes(32, "big")),
            "y": encode_base64url(numbers.public_numbers.y.to_bytes(32, "big")),
            "d": encode_base64url(numbers.private_value.to_bytes(32, "big")),
        }
    else:
        from mom.errors import UsageError

        raise UsageError(
            f"mom has no signing keys for {algorithm!r}", hint=f"supported algorithms: {', '.join(ALGORITHMS)}"
        )
    return {**jwk, "alg": algorithm, "use": "sig", "kid": thumbprint(jwk), "iat": int(now)}


def public_jwk(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public members of an EC or OKP key: what a gateway needs and nothing else."""
    return {name: jwk[name] for name in (*_PUBLIC[jwk["kty"]], "alg", "use", "kid") if name in jwk}


def is_well_formed(jwk: Mapping[str, Any]) -> bool:
    """Whether an EC or OKP key has its members, its `kid` and its `alg`, each as a string."""
    names = _PUBLIC.get(str(jwk.get("kty")))
    return names is not None and all(isinstance(jwk.get(name), str) for name in (*names, "kid", "alg"))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 SHA-256 thumbprint of an EC or OKP (RFC 8037) key, base64url without padding."""
    import hashlib
    import json

    members = {name: jwk[name] for name in sorted(_PUBLIC[jwk["kty"]])}
    return encode_base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def merge_jwks(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
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
        raise MomError("not a JWK Set", hint='a JWK Set looks like {"keys": [{"kty": "EC", ...}]} (RFC 7517)')
    for jwk in keys:
        if any(name in jwk for name in _PRIVATE):
            raise MomError("the JWK Set contains a private or a symmetric key", hint="publish public keys only")
        missing = [name for name in _PUBLIC.get(jwk["kty"], ()) if not isinstance(jwk.get(name), str)]
        if missing:
            raise MomError(f"a key of the JWK Set has no {missing[0]!r}")
    return keys


def sign(jwk: Mapping[str, Any], data: bytes) -> bytes:
    """Return the signature of `data` by a private JWK, as a JWS has it. Raises MomError for a damaged key."""
    try:
        secret = decode_base64url(jwk["d"])
        if jwk["alg"] == EDDSA:
            from cryptography.hazmat.primitives.asymmetric import ed25519

            return ed25519.Ed25519PrivateKey.from_private_bytes(secret).sign(data)
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        # RFC 7518, section 3.4: r and s side by side, not the DER that cryptography returns.
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except ValueError:
        from mom.errors import MomError

        raise MomError(
            "the signing key is damaged: its private part is not a key", hint="replace it: mom auth rotate"
        ) from None


def verify(jwk: Mapping[str, Any], data: bytes, signature: bytes) -> bool:
    """Return whether the public `jwk` (EdDSA or ES256) verifies `signature` over `data`."""
    from cryptography.exceptions import InvalidSignature

    try:
        if jwk["alg"] == EDDSA:
            from cryptography.hazmat.primitives.asymmetric import ed25519

            ed25519.Ed25519PublicKey.from_public_bytes(decode_base64url(jwk["x"])).verify(signature, data)
            return True
        if jwk["alg"] != ES256 or len(signature) != 64:
            return False
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        x, y = (int.from_bytes(decode_base64url(jwk[name]), "big") for name in ("x", "y"))
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True

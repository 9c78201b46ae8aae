"""Access tokens, good and bad, made by PyJWT: nothing of mom's own signing is used to test the gate."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.envoy.configurations import AUDIENCE, ISSUER


@dataclass(frozen=True)
class Key:
    """A private key with its name and algorithm."""

    private: Any
    kid: str
    algorithm: str

    @property
    def jwk(self) -> dict[str, Any]:
        """The public JWK."""
        forms: dict[str, Any] = {"ES256": ECAlgorithm, "RS256": RSAAlgorithm, "EdDSA": OKPAlgorithm}
        text = forms[self.algorithm].to_jwk(self.private.public_key())
        return {**json.loads(text), "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def token(self, *, kid: str | None = None, **claims: Any) -> str:
        """Return a token of this key, good but for the claims given; None leaves a claim out."""
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user@test", "iat": now, "nbf": now - 5, "exp": now + 300}
        kept = {name: value for name, value in {**payload, **claims}.items() if value is not None}
        return jwt.encode(kept, self.private, self.algorithm, {"kid": kid or self.kid})


def es256(kid: str = "ec") -> Key:
    """Return a new P-256 key."""
    return Key(ec.generate_private_key(ec.SECP256R1()), kid, "ES256")


def rs256(kid: str = "rsa") -> Key:
    """Return a new RSA key."""
    return Key(rsa.generate_private_key(65537, 2048), kid, "RS256")


def eddsa(kid: str = "ed") -> Key:
    """Return a new Ed25519 key."""
    return Key(ed25519.Ed25519PrivateKey.generate(), kid, "EdDSA")


def jwks(*keys: Key) -> dict[str, Any]:
    """Return the public JWK Set of `keys`."""
    return {"keys": [key.jwk for key in keys]}

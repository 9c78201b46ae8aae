"""JSON Web Keys: their ids as RFC 7638 defines them, their encoding, sets of them merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.auth import jwk, keys
from mom.errors import MomError

NOW = 1_800_000_000.0


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_the_key_id_is_the_thumbprint_that_rfc_7638_defines(algorithm: str) -> None:
    key = jwk.generate(algorithm, NOW)
    assert key["kid"] == jwk.thumbprint(key)
    assert key["alg"] == algorithm


def test_the_thumbprint_of_rfc_8037s_example_is_the_one_it_prints() -> None:
    # RFC 8037, appendix A.3
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert jwk.thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_merging_keeps_each_key_once_and_others_as_they_are(tmp_path: Path) -> None:
    mine = keys.public_jwks(tmp_path / "home")
    theirs = keys.public_jwks(tmp_path / "other")
    rsa = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r"}
    merged = jwk.merge_jwks({"keys": [*theirs["keys"], rsa]}, mine)
    assert merged == {"keys": [*theirs["keys"], rsa, *mine["keys"]]}
    assert jwk.merge_jwks(merged, mine) == merged


@pytest.mark.parametrize(
    "jwks",
    [
        [],
        {},
        {"keys": {}},
        {"keys": [1]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "a"}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [{"kty": "RSA", "n": "a", "e": "b", "d": "c"}]},
    ],
)
def test_what_is_not_a_set_of_public_keys_is_not_merged(tmp_path: Path, jwks: Any) -> None:
    with pytest.raises(MomError):
        jwk.merge_jwks(jwks, keys.public_jwks(tmp_path / "home"))


@given(st.binary(max_size=70))
def test_base64url_gives_back_every_byte(data: bytes) -> None:
    text = jwk.encode_base64url(data)
    assert jwk.decode_base64url(text) == data
    assert not set(text) & set("+/=\n")


@pytest.mark.parametrize("text", ["a", "ab+c", "ab/c", "ab==", "a b", "ab\n", "äbcd"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several parts of Python raise it
        jwk.decode_base64url(text)

"""Tokens, checked from outside by PyJWT, and the fixed order of their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from mom.auth import jwk, keys, sources, tokens
from mom.auth.base_url import parse_base_url
from mom.errors import MomError, UsageError

NOW = 1_800_000_000.5
AUDIENCE = "https://atlas.example"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def checked_by_pyjwt(token: str, jwk: dict[str, Any], **options: Any) -> dict[str, Any]:
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, **options}
    return jwt.decode(token, jwt.PyJWK(jwk), algorithms=[jwk["alg"]], audience=AUDIENCE, options=options)  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_pyjwt_accepts_our_token_with_the_published_key(home: Path, algorithm: str) -> None:
    token = tokens.mint(keys.ensure(home, algorithm=algorithm, subject="me@here"), AUDIENCE, now=NOW)
    claims = checked_by_pyjwt(token, keys.public_jwks(home)["keys"][0])
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": "urn:mom:local",
        "sub": "me@here",
        "aud": AUDIENCE,
        "iat": 1_800_000_000,
        "nbf": 1_799_999_995,
        "exp": 1_800_000_060,
    }
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": keys.ensure(home).kid, "typ": "JWT"}


def test_pyjwt_accepts_a_token_that_was_signed_now_with_all_its_checks(home: Path) -> None:
    token = tokens.mint(keys.ensure(home), AUDIENCE)
    on = {"verify_exp": True, "verify_nbf": True, "verify_iat": True, "require": ["exp", "nbf", "iat", "aud", "iss"]}
    assert checked_by_pyjwt(token, keys.public_jwks(home)["keys"][0], **on)["aud"] == AUDIENCE


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_signatures_have_64_bytes_and_verify_also_where_a_half_starts_with_a_zero(home: Path, algorithm: str) -> None:
    # That is one signature in 128, in which DER, or a careless conversion, is a byte shorter.
    stored = keys.ensure(home, algorithm=algorithm)
    public = keys.public_jwks(home)["keys"][0]
    rare = 0
    for count in range(2000):
        token = tokens.mint(stored, AUDIENCE, now=NOW)
        signature = tokens.parse_token(token).signature
        assert len(signature) == 64
        zero = 0 in (signature[0], signature[32])
        rare += zero
        if zero or count < 20:
            assert checked_by_pyjwt(token, public)
            assert tokens.verify(tokens.parse_token(token), public)
    # Fewer than one in 2000 happens once in six million runs.
    assert rare


def test_two_tokens_are_never_the_same(home: Path) -> None:
    stored = keys.ensure(home)
    assert len({tokens.parse_token(tokens.mint(stored, AUDIENCE, now=NOW)).claims["jti"] for _ in range(20)}) == 20


def test_a_token_from_before_a_rotation_verifies_with_the_published_set(home: Path) -> None:
    token = tokens.mint(keys.ensure(home), AUDIENCE)
    keys.rotate(home, algorithm="ES256")
    retired = {jwk["kid"]: jwk for jwk in keys.public_jwks(home)["keys"]}[jwt.get_unverified_header(token)["kid"]]
    assert checked_by_pyjwt(token, retired)


@pytest.mark.parametrize("ttl", [-1, 0, 3601, 10**9])
def test_a_life_outside_of_an_hour_is_refused(home: Path, ttl: int) -> None:
    with pytest.raises(UsageError, match="cannot live"):
        tokens.mint(keys.ensure(home), AUDIENCE, ttl=ttl)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_changed_signature_payload_or_key_does_not_verify(home: Path, algorithm: str) -> None:
    token = tokens.parse_token(tokens.mint(keys.ensure(home, algorithm=algorithm), AUDIENCE))
    public = keys.public_jwks(home)["keys"][0]
    other = jwk.public_jwk(jwk.generate(algorithm, NOW))
    flipped = bytes([token.signature[0] ^ 1]) + token.signature[1:]
    assert tokens.verify(token, public)
    assert not tokens.verify(token, other)
    assert not tokens.verify(tokens.Token(token.header, token.claims, token.signed, flipped), public)
    assert not tokens.verify(tokens.Token(token.header, token.claims, token.signed, b""), public)
    assert not tokens.verify(tokens.Token(token.header, token.claims, token.signed, bytes(64)), public)
    assert not tokens.verify(tokens.Token(token.header, token.claims, token.signed + b"x", token.signature), public)
    assert not tokens.verify(tokens.Token({"alg": "none"}, token.claims, token.signed, token.signature), public)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_damaged_private_part_is_an_error_and_no_traceback(home: Path, algorithm: str) -> None:
    stored = keys.ensure(home, algorithm=algorithm)
    # Every 32 bytes are a private key of Ed25519 (RFC 8032, 5.1.5), and most are one of P-256.
    out_of_range = [jwk.encode_base64url(b"\xff" * 32)] if algorithm == "ES256" else []
    for damaged in ("", "!", "AA", *out_of_range):
        stored.current["d"] = damaged
        with pytest.raises(MomError, match="damaged"):
            tokens.mint(stored, AUDIENCE)


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c.d", "e30.e30.!", "e30.W10.AA", "!.e30.AA", "e30.eyJ.AA", "...", "e30.ä.AA"]
)
def test_what_is_not_a_token_is_an_error_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(MomError, match="not a signed token"):
        tokens.parse_token(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param('secret"\nurl = "http://evil', "line break", id="a quote and a line break"),
        pytest.param("secret\r", "carriage return", id="a carriage return"),
        pytest.param("Bearer secret", "blank", id="a scheme before it"),
        pytest.param("'secret'", "quote", id="quotes around it"),
        pytest.param("secret\\n", "no token has", id="a backslash"),
        pytest.param("secret\0", "no token has", id="a zero byte"),
        pytest.param("sécret", "no token has", id="a letter with an accent"),
        pytest.param("a" * 16_001, "longer", id="too long"),
    ],
)
def test_a_token_that_could_end_its_own_header_is_refused_without_showing_it(text: str, reason: str) -> None:
    with pytest.raises(MomError, match=reason) as caught:
        tokens.require_sendable(text, "MOM_TOKEN")
    assert "MOM_TOKEN" in caught.value.message
    assert "secret" not in caught.value.message


GATEWAY = parse_base_url(AUDIENCE)


def test_the_token_file_wins_over_the_variable_and_the_variable_over_the_key(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    environ = {"MOM_TOKEN": "from-variable", "MOM_HOME": str(home)}
    assert sources.resolve_token_source(str(file), environ).token(GATEWAY) == "from-file"
    assert sources.resolve_token_source(None, environ).token(GATEWAY) == "from-variable"
    assert not home.exists()
    del environ["MOM_TOKEN"]
    token = sources.resolve_token_source(None, environ).token(GATEWAY)
    assert checked_by_pyjwt(token, keys.public_jwks(home)["keys"][0])


@pytest.mark.parametrize("content", [None, b"", b"\n", b"two words", b"\xff\xfe", b"a\nb"])
def test_a_broken_token_file_is_an_error_and_no_other_source_is_asked(
    home: Path, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    environ = {"MOM_TOKEN": "from-variable", "MOM_HOME": str(home)}
    with pytest.raises(MomError, match=str(file)):
        sources.resolve_token_source(str(file), environ).token(GATEWAY)
    assert not home.exists()


def test_an_empty_variable_is_an_error_and_no_key_is_used_instead(home: Path) -> None:
    environ = {"MOM_TOKEN": "", "MOM_HOME": str(home)}
    with pytest.raises(MomError, match="MOM_TOKEN is empty"):
        sources.resolve_token_source(None, environ).token(GATEWAY)
    assert not home.exists()


def test_a_broken_key_is_an_error_and_no_new_one_is_created(home: Path) -> None:
    stored = keys.ensure(home)
    Path(keys.key_file(home)).chmod(0o644)
    environ = {"MOM_HOME": str(home)}
    with pytest.raises(MomError, match="other users can read"):
        sources.resolve_token_source(None, environ).token(GATEWAY)
    Path(keys.key_file(home)).chmod(0o600)
    assert keys.ensure(home).kid == stored.kid

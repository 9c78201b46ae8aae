"""What a token contains and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mom.auth import inspection, jwk, keys, tokens
from mom.auth.base_url import parse_base_url

NOW = 1_800_000_000.0
AT = parse_base_url("https://atlas.example")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MOM_HOME": str(tmp_path / "home")}


def token_of_another_issuer(claims: dict[str, Any] | None = None, **header: Any) -> str:
    """Return a token of another issuer's, whose signature is none."""
    good = {"iss": "i", "aud": "https://atlas.example", "iat": NOW, "exp": NOW + 60}
    merged = {name: value for name, value in {**good, **(claims or {})}.items() if value is not None}
    parts = [{"alg": "RS256", "kid": "k", **header}, merged]
    return ".".join([*(jwk.encode_base64url(json.dumps(part).encode()) for part in parts), "AAAA"])


def wrong(environ: dict[str, str], claims: dict[str, Any] | None = None, **header: Any) -> tuple[str, ...]:
    return inspection.inspect(token_of_another_issuer(claims, **header), environ, now=NOW).wrong


def test_nothing_is_wrong_with_a_good_token(environ: dict[str, str]) -> None:
    assert wrong(environ) == ()


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": NOW - 120}, "it expired 2027-01-15 07:58:00 UTC, 2 minutes ago"),
        # Clocks may be 30 seconds apart.
        ({"exp": NOW - 31}, "it expired"),
        ({"exp": NOW - 30}, None),
        ({"exp": None}, "it has no exp"),
        ({"exp": "soon"}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 1e300}, "exp is not a time"),
        ({"nbf": NOW + 300}, "it is not valid before 2027-01-15 08:05:00 UTC, in 5 minutes"),
        ({"nbf": None}, None),
        ({"nbf": NOW + 30}, None),
        ({"nbf": -1}, "nbf is not a time"),
        # Not one that Atlas looks at.
        ({"iat": NOW + 7200}, None),
        ({"aud": None}, "it has no aud"),
        ({"aud": []}, "it has no aud"),
        ({"iss": None}, "it has no iss"),
        ({"iss": 1}, "its iss is not a string"),
        ({"aud": ["a", 1]}, "its aud is neither a string nor a list of strings"),
        ({"exp": NOW + 86_400}, None),
        ({"exp": NOW + 86_401}, "it is valid for longer than a day, which needs maxLifetime"),
        ({"exp": (NOW + 60) * 1000}, "it is valid for longer than a day (milliseconds instead of seconds?)"),
        ({"iss": "urn:mom:local", "exp": NOW + 3601}, "it is valid for longer than an hour"),
        ({"jti": 1}, "its jti is not a string"),
        ({"x": 10**309}, "its x has a number beyond what a double can be"),
        ({"x": [{"y": "\ud800"}]}, "its x has half of a character"),
        ({"\udc00": 1}, "its \udc00 has half of a character"),
        ({"exp": 2**62}, "it is valid for longer than a day"),
    ],
)
def test_what_is_wrong_with_the_claims_is_reported_in_words(
    environ: dict[str, str], claims: dict[str, Any], words: str | None
) -> None:
    reasons = wrong(environ, claims)
    assert reasons == () if words is None else reasons[0].startswith(words)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "none"}, "not signed"),
        ({"alg": None}, "not signed"),
        ({"alg": "HS256"}, "does not accept alg 'HS256'"),
        ({"alg": "ES999"}, "does not accept alg 'ES999'"),
        ({"kid": 1}, "its kid is not a string"),
        ({"crit": ["x"]}, "crit"),
        ({"alg": "EdDSA"}, None),
    ],
)
def test_what_is_wrong_with_the_header_is_reported_in_words(
    environ: dict[str, str], header: dict[str, Any], words: str | None
) -> None:
    reasons = wrong(environ, None, **header)
    assert reasons == () if words is None else words in reasons[0]


def test_the_signature_is_checked_by_ones_own_key_and_otherwise_reported_as_unchecked(environ: dict[str, str]) -> None:
    own = tokens.mint(keys.ensure(environ["MOM_HOME"]), AT.origin, now=NOW)
    inspected = inspection.inspect(own, environ, now=NOW)
    assert (inspected.verified, inspected.signature, inspected.wrong) == (True, "valid, by your own key", ())
    keys.rotate(environ["MOM_HOME"], now=NOW)
    assert inspection.inspect(own, environ, now=NOW).verified is True
    assert inspection.inspect(own, environ, now=NOW + 7200).verified is None
    strange = inspection.inspect(token_of_another_issuer(), environ, now=NOW)
    assert strange.verified is None
    assert strange.signature.startswith("not verified")


def test_a_token_that_names_ones_own_key_and_is_not_by_it_is_wrong(environ: dict[str, str]) -> None:
    forged = token_of_another_issuer(kid=keys.ensure(environ["MOM_HOME"]).kid)
    inspected = inspection.inspect(forged, environ, now=NOW)
    assert inspected.verified is False
    assert inspected.signature.startswith("INVALID")
    assert "signature" in inspected.wrong[0]


def test_inspecting_makes_no_key(environ: dict[str, str]) -> None:
    inspection.inspect(token_of_another_issuer(), environ, now=NOW)
    assert not Path(environ["MOM_HOME"]).exists()


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0, "now"),
        (0.5, "now"),
        (1, "in 1 second"),
        (-1, "1 second ago"),
        (59, "in 59 seconds"),
        (119, "in 119 seconds"),
        (120, "in 2 minutes"),
        (7199, "in 119 minutes"),
        (-7200, "2 hours ago"),
        (86400 * 2, "in 2 days"),
    ],
)
def test_times_are_written_in_words(distance: float, words: str) -> None:
    assert inspection.in_words(NOW + distance, NOW).partition(", ")[2] == words


def test_a_time_beyond_all_dates_is_not_an_error() -> None:
    assert inspection.in_words(2**62, NOW).startswith("no date, in ")

"""What a token holds and what is wrong with it; who `mom curl` would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mom.auth import inspection, keys, tokens
from mom.auth.base_url import parse_base_url
from mom.errors import MomError

NOW = 1_800_000_000.0
AT = parse_base_url("https://atlas.example")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MOM_HOME": str(tmp_path / "home")}


def made(claims: dict[str, Any] | None = None, **header: Any) -> str:
    """Return a token of somebody else's, whose signature is none."""
    good = {"iss": "i", "aud": "https://atlas.example", "iat": NOW, "exp": NOW + 60}
    merged = {name: value for name, value in {**good, **(claims or {})}.items() if value is not None}
    parts = [{"alg": "RS256", "kid": "k", **header}, merged]
    return ".".join([*(keys.encode(json.dumps(part).encode()) for part in parts), "AAAA"])


def wrong(environ: dict[str, str], claims: dict[str, Any] | None = None, **header: Any) -> tuple[str, ...]:
    return inspection.inspect(made(claims, **header), environ, now=NOW).wrong


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
        ({"exp": "soon"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": 1e300}, "exp is no time"),
        ({"nbf": NOW + 300}, "it is not good before 2027-01-15 08:05:00 UTC, in 5 minutes"),
        ({"nbf": None}, None),
        ({"nbf": NOW + 30}, None),
        ({"nbf": -1}, "nbf is no time"),
        # Not one that Atlas looks at.
        ({"iat": NOW + 7200}, None),
        ({"aud": None}, "it has no aud"),
        ({"aud": []}, "it has no aud"),
        ({"iss": None}, "it has no iss"),
        ({"iss": 1}, "its iss is not a text"),
        ({"aud": ["a", 1]}, "its aud is neither a text nor a list of texts"),
        ({"exp": NOW + 86_400}, None),
        ({"exp": NOW + 86_401}, "it is good for longer than a day, which needs maxLifetime"),
        ({"exp": (NOW + 60) * 1000}, "it is good for longer than a day (milliseconds, where seconds are meant?)"),
        ({"iss": "urn:mom:local", "exp": NOW + 3601}, "it is good for longer than an hour"),
        ({"exp": 2**62}, "it is good for longer than a day"),
    ],
)
def test_what_is_wrong_with_the_claims_is_said_in_words(
    environ: dict[str, str], claims: dict[str, Any], words: str | None
) -> None:
    found = wrong(environ, claims)
    assert found == () if words is None else found[0].startswith(words)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "none"}, "not signed"),
        ({"alg": None}, "not signed"),
        ({"alg": "HS256"}, "alg 'HS256' is not one that Atlas takes"),
        ({"alg": "ES999"}, "alg 'ES999' is not one that Atlas takes"),
        ({"kid": 1}, "its kid is not a text"),
        ({"crit": ["x"]}, "crit"),
        ({"alg": "EdDSA"}, None),
    ],
)
def test_what_is_wrong_with_the_header_is_said_in_words(
    environ: dict[str, str], header: dict[str, Any], words: str | None
) -> None:
    found = wrong(environ, None, **header)
    assert found == () if words is None else words in found[0]


def test_the_signature_is_checked_by_ones_own_key_and_otherwise_said_not_to_be(environ: dict[str, str]) -> None:
    own = tokens.mint(keys.ensure(environ["MOM_HOME"]), AT.origin, now=NOW)
    found = inspection.inspect(own, environ, now=NOW)
    assert (found.verified, found.signature, found.wrong) == (True, "valid, by your own key", ())
    keys.rotate(environ["MOM_HOME"], now=NOW)
    assert inspection.inspect(own, environ, now=NOW).verified is True
    assert inspection.inspect(own, environ, now=NOW + 7200).verified is None
    strange = inspection.inspect(made(), environ, now=NOW)
    assert strange.verified is None
    assert strange.signature.startswith("not checked")


def test_a_token_that_names_ones_own_key_and_is_not_by_it_is_wrong(environ: dict[str, str]) -> None:
    forged = made(kid=keys.ensure(environ["MOM_HOME"]).kid)
    found = inspection.inspect(forged, environ, now=NOW)
    assert found.verified is False
    assert found.signature.startswith("INVALID")
    assert "signature" in found.wrong[0]


def test_inspecting_makes_no_key(environ: dict[str, str]) -> None:
    inspection.inspect(made(), environ, now=NOW)
    inspection.status(AT, None, environ, now=NOW)
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
def test_times_are_told_in_words(distance: float, words: str) -> None:
    assert inspection.in_words(NOW + distance, NOW).partition(", ")[2] == words


def test_a_time_beyond_all_dates_is_no_error() -> None:
    assert inspection.in_words(2**62, NOW).startswith("at no date, in ")


def test_the_status_of_the_local_key_names_it_and_those_it_replaced(environ: dict[str, str]) -> None:
    old = keys.ensure(environ["MOM_HOME"], subject="me@here", now=NOW)
    new = keys.rotate(environ["MOM_HOME"], now=NOW)
    found = inspection.status(AT, None, environ, now=NOW)
    assert (found.gateway, found.source, found.place) == (AT.origin, "local key", keys.key_file(environ["MOM_HOME"]))
    assert found.identity == {"issuer": "urn:mom:local", "subject": "me@here", "key": new.kid, "algorithm": "ES256"}
    assert list(found.retired or {}) == [old.kid]
    assert "MOM_TOKEN is not set" in found.reason


def test_the_status_of_a_given_token_says_until_when_and_for_whom(environ: dict[str, str], tmp_path: Path) -> None:
    environ["MOM_TOKEN"] = made({"sub": "me", "aud": ["https://other/", "x"]})
    found = inspection.status(AT, None, environ, now=NOW)
    assert (found.source, found.place, found.wrong) == ("variable", "MOM_TOKEN", ())
    assert found.identity == {"issuer": "i", "subject": "me", "key": "k"}
    assert found.until == "expires 2027-01-15 08:01:00 UTC, in 60 seconds"
    assert found.notes[0].startswith("it is for other, x; whether https://atlas.example takes that")
    (tmp_path / "token").write_text(made({"exp": NOW - 31}))
    file = inspection.status(AT, str(tmp_path / "token"), environ, now=NOW)
    assert (file.source, file.place, file.notes) == ("token file", str(tmp_path / "token"), ())
    assert file.wrong[0].startswith("it expired")


@pytest.mark.parametrize(
    "audience", ["https://atlas.example", "http://atlas.example/", "atlas.example", ["x", "atlas.example"]]
)
def test_an_audience_that_envoy_takes_for_the_gateway_is_not_remarked(
    environ: dict[str, str], audience: object
) -> None:
    environ["MOM_TOKEN"] = made({"aud": audience})
    assert inspection.status(AT, None, environ, now=NOW).notes == ()


def test_a_given_token_that_is_no_jwt_has_a_status_too(environ: dict[str, str]) -> None:
    environ["MOM_TOKEN"] = "opaque"
    assert inspection.status(AT, None, environ).until == "not known: it is no JWT"


def test_the_status_of_a_broken_source_is_its_error(environ: dict[str, str]) -> None:
    environ["MOM_TOKEN"] = ""
    with pytest.raises(MomError, match="MOM_TOKEN is empty"):
        inspection.status(AT, None, environ)

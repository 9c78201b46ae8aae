"""Which identity `mom curl` would use for a gateway, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from mom.auth import keys
from mom.auth.base_url import parse_base_url
from mom.auth.sources import resolve_token_source
from mom.errors import MomError
from tests.auth.test_inspection import NOW, token_of_another_issuer

AT = parse_base_url("https://atlas.example")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MOM_HOME": str(tmp_path / "home")}


def test_the_status_without_a_key_says_when_it_is_created_and_creates_none(environ: dict[str, str]) -> None:
    status = resolve_token_source(None, environ).describe(AT, now=NOW)
    assert status.identity == {"issuer": "urn:mom:local"}
    assert status.notes == ("no signing key yet; created on first use, or run: mom auth keygen",)
    assert not Path(environ["MOM_HOME"]).exists()


def test_the_status_of_the_local_key_names_it_and_those_it_replaced(environ: dict[str, str]) -> None:
    old = keys.ensure(environ["MOM_HOME"], subject="me@here", now=NOW)
    new = keys.rotate(environ["MOM_HOME"], now=NOW)
    status = resolve_token_source(None, environ).describe(AT, now=NOW)
    assert (status.gateway, status.source, status.place) == (AT.origin, "local key", keys.key_file(environ["MOM_HOME"]))
    assert status.identity == {"issuer": "urn:mom:local", "subject": "me@here", "key": new.kid, "algorithm": "EdDSA"}
    assert list(status.retired or {}) == [old.kid]
    assert "MOM_TOKEN is not set" in status.reason


def test_the_status_of_a_given_token_says_until_when_and_for_whom(environ: dict[str, str], tmp_path: Path) -> None:
    environ["MOM_TOKEN"] = token_of_another_issuer({"sub": "me", "aud": ["https://other/", "x"]})
    status = resolve_token_source(None, environ).describe(AT, now=NOW)
    assert (status.source, status.place, status.wrong) == ("variable", "MOM_TOKEN", ())
    assert status.identity == {"issuer": "i", "subject": "me", "key": "k", "algorithm": "RS256"}
    assert status.until == "expires 2027-01-15 08:01:00 UTC, in 60 seconds"
    assert status.notes[0].startswith("its audience is other, x; https://atlas.example accepts it only if")
    (tmp_path / "token").write_text(token_of_another_issuer({"exp": NOW - 31}))
    file = resolve_token_source(str(tmp_path / "token"), environ).describe(AT, now=NOW)
    assert (file.source, file.place, file.notes) == ("token file", str(tmp_path / "token"), ())
    assert file.wrong[0].startswith("it expired")


@pytest.mark.parametrize(
    "audience", ["https://atlas.example", "http://atlas.example/", "atlas.example", ["x", "atlas.example"]]
)
def test_an_audience_that_envoy_takes_for_the_gateway_is_not_remarked(
    environ: dict[str, str], audience: object
) -> None:
    environ["MOM_TOKEN"] = token_of_another_issuer({"aud": audience})
    assert resolve_token_source(None, environ).describe(AT, now=NOW).notes == ()


def test_a_given_token_that_is_opaque_has_a_status_too(environ: dict[str, str]) -> None:
    environ["MOM_TOKEN"] = "opaque"
    assert resolve_token_source(None, environ).describe(AT).until == "unknown: opaque tokens cannot be inspected"


def test_the_status_of_a_broken_source_is_its_error(environ: dict[str, str]) -> None:
    environ["MOM_TOKEN"] = ""
    with pytest.raises(MomError, match="MOM_TOKEN is empty"):
        resolve_token_source(None, environ).describe(AT)

"""mom.client with the real requests, httpx and openai: the token goes to the gateway, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import requests

from mom import client
from mom.auth.base_url import parse_base_url
from mom.errors import MomError, UsageError
from tests.envoy.upstream import Upstream


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Upstream, Upstream]]:
    """Return what takes the place of a gateway, and another host; the user has a key of their own."""
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "home"))
    with Upstream() as gateway, Upstream() as other:
        monkeypatch.setenv("MOM_BASE_URL", f"http://127.0.0.1:{gateway.port}")
        yield gateway, other


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_requests_and_httpx_send_a_token_for_the_adapter(servers: tuple[Upstream, Upstream]) -> None:
    gateway, _ = servers
    signed = client.auth("openai")
    assert requests.get(client.url("openai", "/v1/models"), auth=signed, timeout=120).status_code == 200
    assert httpx.get(client.url("openai", "/v1/models?x=1"), auth=signed, timeout=120).status_code == 200
    with httpx.Client(auth=signed, base_url=client.url("openai"), timeout=120) as session:
        assert session.post("/v1/x", json={}).status_code == 200
    assert [request.target for request in gateway.requests] == [
        "/v1/apis/http/openai/v1/models",
        "/v1/apis/http/openai/v1/models?x=1",
        "/v1/apis/http/openai/v1/x",
    ]
    tokens = {token for request in gateway.requests for token in request.get("atlas-accesstoken")}
    # One for all: a gateway verifies it once.
    assert [claims(token)["aud"] for token in tokens] == [f"http://127.0.0.1:{gateway.port}/v1/apis/http/openai"]


def test_a_redirect_to_another_host_does_not_get_the_token(servers: tuple[Upstream, Upstream]) -> None:
    gateway, other = servers
    elsewhere = client.url("openai", f"/say?302&Location=http://127.0.0.1:{other.port}/elsewhere")
    assert requests.get(elsewhere, auth=client.auth(), timeout=120).status_code == 200
    (request,) = other.requests
    assert request.target == "/elsewhere"
    assert "atlas-accesstoken" not in request.names
    assert httpx.get(elsewhere, auth=client.auth(), timeout=120).status_code == 302
    # At the gateway it is needed again.
    within = client.url("openai", "/say?302&Location=/v1/apis/http/openai/next")
    assert requests.get(within, auth=client.auth(), timeout=120).status_code == 200
    assert gateway.seen("/next")[0].get("atlas-accesstoken") != []


def test_no_request_to_another_host_is_signed(servers: tuple[Upstream, Upstream]) -> None:
    gateway, other = servers
    addresses = [
        f"http://127.0.0.1:{other.port}/x",
        f"http://localhost:{gateway.port}/x",
        f"https://127.0.0.1:{gateway.port}/x",
        f"http://127.0.0.1:{gateway.port}@127.0.0.1:{other.port}/x",
    ]
    for address in addresses:
        for get in (requests.get, httpx.get):
            with pytest.raises(MomError, match="outside the gateway"):
                get(address, auth=client.auth(), timeout=120)
    assert other.requests == gateway.requests == []


def test_a_token_is_renewed_before_it_expires_and_that_of_the_environment_is_read_each_time(
    servers: tuple[Upstream, Upstream], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert servers
    now = 1_000.0
    environ = {"MOM_HOME": str(tmp_path / "home")}
    current = client._Token(("openai",), parse_base_url("http://127.0.0.1:1"), None, environ, lambda: now)
    first = current()
    now += 199
    assert current() == first
    now += 2
    assert current() != first
    assert claims(first)["exp"] - claims(first)["iat"] > 199 + 60

    given = client.token()
    for text in ("a.b.c", "d.e.f"):
        monkeypatch.setenv("MOM_TOKEN", text)
        assert given() == text
    file = tmp_path / "token"
    file.write_text("g.h.i\n")
    assert client.token(token_file=str(file))() == "g.h.i"


def test_a_url_is_below_its_adapter() -> None:
    assert client.url("x", gateway="https://a.test/p/") == "https://a.test/p/v1/apis/http/x"
    assert client.url("x", "?q", gateway="https://a.test") == "https://a.test/v1/apis/http/x?q"
    with pytest.raises(UsageError):
        client.url("x", "y", gateway="https://a.test")


def test_nothing_is_imported_that_a_program_did_not_install() -> None:
    program = "import sys; from mom.client import auth, token; print({'requests', 'httpx', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

"""Credentials that a real OpenID provider verifies, through a run: OAuth2, Basic authentication, a query parameter."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.envoy.upstream import Upstream
from tests.run.mom_run import mom_run, replace, wait_until
from tests.run.openid_provider import Provider, openid_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Run the provider, whose access tokens live three seconds."""
    with openid_provider(seconds=3) as running:
        yield running


@pytest.mark.proof
@pytest.mark.parametrize("client", ["post", "basic"])
def test_a_token_of_a_real_provider_reaches_the_api_and_is_renewed(
    tmp_path: Path, api: Upstream, provider: Provider, client: str
) -> None:
    (tmp_path / ".env").write_text("SECRET='s+cr/et==&%'\n")
    oauth2 = {
        "tokenUrl": f"http://127.0.0.1:{provider.port}/token",
        "clientId": client,
        "clientSecret": "${{ SECRET }}",
        "scopes": ["read"],
        "parameters": [{"name": "resource", "value": "https://api.test"}],
    }
    with mom_run(tmp_path) as run:
        run.configure({"api": (f"http://127.0.0.1:{api.port}", {})}, settings={"api": {"oauth2": oauth2}})
        run.start("--env-file", ".env")

        def status() -> int:
            return run.client.send("/v1/apis/http/api/x", token=run.token()).status

        def claims() -> dict[str, object]:
            wait_until(lambda: status() == 200, "there is a token")
            scheme, _, token = api.requests[-1].get("authorization")[0].partition(" ")
            assert scheme == "Bearer"
            payload = token.split(".")[1]
            read: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return read

        first = claims()
        assert (first["aud"], first["scope"], first["client_id"]) == ("https://api.test", "read", client)
        wait_until(lambda: claims()["jti"] != first["jti"], "the token is renewed")
        # A secret that the provider refuses: what is left of the last token, and then nothing.
        replace(tmp_path / ".env", "SECRET=wrong\n")
        run.wait("Reloaded variables: SECRET")
        wait_until(lambda: status() == 503, "no token is to be had")
        replace(tmp_path / ".env", "SECRET='s+cr/et==&%'\n")
        run.wait("Reloaded variables: SECRET", count=2)
        assert claims()["jti"] != first["jti"]


@pytest.mark.proof
def test_it_verifies_basic_authentication_and_a_token_in_the_query(tmp_path: Path, provider: Provider) -> None:
    base = f"http://127.0.0.1:{provider.port}"
    environ = {"SECRET": "plain-secret", "WRONG": "wrong", "TOKEN": provider.token}
    settings: dict[str, dict[str, Any]] = {
        "basic": {"basicAuth": {"username": "introspecting", "password": "${{ SECRET }}"}},
        "wrong": {"basicAuth": {"username": "introspecting", "password": "${{ WRONG }}"}},
        "query": {"query": [{"name": "access_token", "value": "${{ TOKEN }}"}]},
        "wrong-query": {"query": [{"name": "access_token", "value": "${{ WRONG }}"}]},
        "none": {},
    }
    with mom_run(tmp_path, environ=environ) as run:
        run.configure({name: (base, {}) for name in settings}, settings=settings)
        run.start()

        def introspected(adapter: str) -> tuple[int, Any]:
            response = run.client.send(
                f"/v1/apis/http/{adapter}/token/introspection",
                "Content-Type: application/x-www-form-urlencoded",
                "Authorization: Basic dGhlaXI6b3du",
                token=run.token(),
                method="POST",
                body=f"token={provider.token}".encode(),
            )
            return response.status, response.json()

        def user(adapter: str) -> tuple[int, Any]:
            path = f"/v1/apis/http/{adapter}/me?%61ccess_token=theirs"
            response = run.client.send(path, token=run.token())
            return response.status, response.json()

        status, content = introspected("basic")
        assert (status, content["active"], content["sub"]) == (200, True, "a user")
        assert introspected("wrong")[0] == introspected("none")[0] == 401
        assert user("query") == (200, {"sub": "a user"})
        assert user("wrong-query")[0] == user("none")[0] == 401

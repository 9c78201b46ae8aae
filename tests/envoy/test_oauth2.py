"""OAuth2 client credentials by a real Envoy: what the token endpoint is asked, and what an API gets when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_oauth2 import OAuth2
from mom.envoy import oauth2
from mom.envoy.messages import Json
from mom.envoy.options import Listen, Options
from mom.envoy.translate import problems
from tests.envoy.certificates import Authority
from tests.envoy.configurations import HERE, configuration, http, provider
from tests.envoy.running import Running, admin, free_port, running
from tests.envoy.token_endpoint import TokenEndpoint
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

SECRET = "s+cr/et==&%é"
UNAVAILABLE = (503, "API_CredentialUnavailableError")


def with_oauth2(adapter: HttpAdapter, url: str, secret: str = "${{ SECRET }}", **more: Any) -> HttpAdapter:
    """Return the adapter with tokens of `url`."""
    given = OAuth2(
        url, "client:${{ ID }}", secret, ("read", "write:all"), (("resource", "https://api.test/?a=b"),), HERE
    )
    return adapter._replace(oauth2=given._replace(**more))


@dataclass
class Gateway:
    """A running Envoy, the API, and the endpoint of its tokens."""

    envoy: Running
    api: Upstream
    endpoint: TokenEndpoint
    key: Key

    def send(self, adapter: str, *headers: str) -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.envoy.client.send(f"/v1/apis/http/{adapter}/x", *headers, token=self.key.token())
        return response.status, response.error

    def token(self, adapter: str, *headers: str) -> list[str]:
        """Wait until a request gets through, and return what the API got."""
        wait_until(lambda: self.send(adapter, *headers) == (200, None), "there is a token")
        return self.api.requests[-1].get("authorization")


def without_a_chain(bootstrap: Json) -> Json:
    """Take the chain of one adapter out of a configuration, as a mistake of ours would."""
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    (composite,) = [each for each in manager["http_filters"] if each["name"] == oauth2.FILTER]
    del composite["typed_config"]["named_filter_chains"]["unchained"]
    return bootstrap


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway, whose endpoint has not answered yet."""
    key = es256()
    with Upstream() as api, TokenEndpoint(lifetime=3) as endpoint:
        endpoint.gate.clear()
        base = f"http://127.0.0.1:{api.port}"
        adapters = (
            with_oauth2(http("fetched", base, {"X-Other": "1"}), endpoint.url),
            with_oauth2(http("unchained", base), endpoint.url),
            with_oauth2(http("nowhere", base), "http://127.0.0.1:1/token"),
            http("plain", base, {"X-Secret": "${{ SECRET }}"}),
        )
        served = configuration(*adapters, providers=(provider("keys.json"),))
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file=str(authority.file),
            jwks={"keys.json": json.dumps(jwks(key))},
            client_ids={"ID": "id"},
            access_log="-",
        )
        assert problems(served, options) == []
        environ = {"SECRET": SECRET, "ID": "id"}
        with running(served, options, tmp_path_factory.mktemp("oauth2"), environ, change=without_a_chain) as envoy:
            yield Gateway(envoy, api, endpoint, key)


def test_a_token_is_fetched_renewed_and_not_used_when_it_has_expired(gateway: Gateway) -> None:
    """One test for all of it: each step follows from the one before."""
    endpoint = gateway.endpoint
    before = len(gateway.api.requests)
    assert gateway.send("fetched", "Authorization: Bearer theirs") == UNAVAILABLE
    assert gateway.send("nowhere", "Authorization: Bearer theirs") == UNAVAILABLE
    assert gateway.send("unchained", "Authorization: Bearer theirs") == UNAVAILABLE
    assert len(gateway.api.requests) == before
    assert gateway.send("plain") == (200, None)
    endpoint.gate.set()
    first = gateway.token("fetched", "Authorization: Bearer theirs", "authorization: theirs")
    assert first[0].startswith("Bearer token-")
    assert len(first) == 1
    assert gateway.api.requests[-1].get("x-other") == ["1"]
    assert endpoint.asked[0] == {
        "grant_type": "client_credentials",
        "client_id": "client:id",
        "client_secret": SECRET,
        "scope": "read write:all",
        "resource": "https://api.test/?a=b",
    }
    wait_until(lambda: gateway.token("fetched") != first, "a token is renewed before it expires")
    endpoint.works = False
    wait_until(lambda: gateway.send("fetched") == UNAVAILABLE, "a token that has expired is not used")
    endpoint.works = True
    assert gateway.token("fetched") != first
    # Behind the filter that a chain would be in: nothing of the client's gets through where there is none.
    assert gateway.send("unchained", "Authorization: Bearer theirs") == UNAVAILABLE


def test_no_secret_and_no_token_is_in_what_envoy_shows(gateway: Gateway) -> None:
    # The other test may run in another process.
    gateway.endpoint.gate.set()
    token = gateway.token("fetched")[0].partition(" ")[2]
    bootstrap = (gateway.envoy.folder / "bootstrap.json").read_text()
    for text in (bootstrap, gateway.envoy.log, admin(gateway.envoy, "/config_dump"), admin(gateway.envoy, "/stats")):
        assert "s+cr/et" not in text
        assert "s%2Bcr" not in text
        assert f'"{token}"' not in text
        assert f"Bearer {token}" not in text


@pytest.mark.parametrize(
    ("adapter", "rule"),
    [
        (with_oauth2(http("a", "https://a.test"), "http://login.test/token"), "token-url"),
        (with_oauth2(http("a", "https://a.test"), "https://me@login.test/token"), "token-url"),
        (with_oauth2(http("a", "https://a.test"), "https://login.test/", "x${{ S }}"), "credential-value"),
        (with_oauth2(http("a", "https://a.test"), "https://login.test/", "literal"), "credential-value"),
        (
            with_oauth2(http("a", "https://a.test", {"AUTHORIZATION": "x"}), "https://login.test/"),
            "several-credentials",
        ),
    ],
)
def test_what_envoy_would_not_do_is_a_problem(adapter: HttpAdapter, rule: str) -> None:
    given = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", jwks={"keys.json": '{"keys": []}'})
    found = problems(configuration(adapter, providers=(provider("keys.json"),)), given)
    assert [problem.rule for problem in found] == [rule]

"""Keys that Envoy itself fetches: how long they are in use, and what happens without them."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mom.envoy.jwt import FETCHED_SECONDS
from mom.envoy.options import Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

MISSING = "API_IdentityProviderUnavailableError"
REFUSED = (401, "API_InvalidAccessTokenError")


@dataclass
class Provider:
    """Serves a JWK Set on loopback. status: of its responses."""

    status: int = 200
    text: str = ""
    asked: int = 0
    port: int = field(init=False)

    def __post_init__(self) -> None:
        """Serve."""
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mine.asked += 1
                content = mine.text.encode()
                self.send_response(mine.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@dataclass
class Gateway:
    """A running Envoy, and the identity provider whose keys it fetches."""

    envoy: Running
    provider: Provider

    def status(self, token: str) -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.envoy.client.send("/v1/apis/http/api/x", token=token)
        return response.status, response.headers.get("atlas-error")


@pytest.fixture(scope="module")
def gateway(api: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway."""
    keys = Provider()
    options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file))
    given = configuration(
        http("api", f"http://127.0.0.1:{api.port}"), providers=(provider(f"http://127.0.0.1:{keys.port}/jwks"),)
    )
    folder: Path = tmp_path_factory.mktemp("fetched")
    try:
        with running(given, options, folder, times={"cache_duration": (f"{FETCHED_SECONDS}s", "1s")}) as envoy:
            yield Gateway(envoy, keys)
    finally:
        keys.close()


def serve(gateway: Gateway, *keys: Key, status: int = 200) -> None:
    """Have the provider respond with these keys, or with an error."""
    gateway.provider.status, gateway.provider.text = status, json.dumps(jwks(*keys))


def test_keys_are_in_use_for_five_minutes_and_fetched_by_a_request(gateway: Gateway) -> None:
    key = es256("first")
    serve(gateway, key)
    assert FETCHED_SECONDS == 300
    wait_until(lambda: gateway.status(key.token()) == (200, None), "the key is fetched")


@pytest.mark.parametrize("left", [[], [es256("other")]], ids=["no key", "another key"])
def test_a_key_that_left_the_set_opens_nothing_also_by_a_token_that_was_seen_before(
    gateway: Gateway, left: list[Key]
) -> None:
    key = es256("leaving")
    token = key.token()
    serve(gateway, key)
    wait_until(lambda: gateway.status(token) == (200, None), "the key is used")
    serve(gateway, *left)
    wait_until(lambda: gateway.status(token)[0] in {401, 503}, "the key is refused")
    if left:
        assert gateway.status(token) == REFUSED


def test_without_the_provider_its_tokens_are_refused_once_its_keys_are_too_old(gateway: Gateway) -> None:
    key = es256("lost")
    token = key.token()
    serve(gateway, key)
    wait_until(lambda: gateway.status(token) == (200, None), "the key is used")
    serve(gateway, status=500)
    wait_until(lambda: gateway.status(token) == (503, MISSING), "the keys are too old")
    serve(gateway, key)
    wait_until(lambda: gateway.status(token) == (200, None), "the key is used again")


def test_a_key_for_another_algorithm_than_a_public_one_opens_nothing(gateway: Gateway) -> None:
    key = es256("public")
    serve(gateway, key)
    wait_until(lambda: gateway.status(key.token()) == (200, None), "the key is used")
    assert gateway.status(es256("public").token()) == REFUSED


def test_keys_are_not_judged_by_their_size_or_use(gateway: Gateway) -> None:
    """Of a set that it fetches itself, mom takes neither: docs/deploy/README.md says so."""
    weak = Key(rsa.generate_private_key(65537, 1024), "weak", "RS256")
    gateway.provider.status = 200
    gateway.provider.text = json.dumps({"keys": [{**weak.jwk, "use": "enc"}]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = weak.token()
    wait_until(lambda: gateway.status(token) == (200, None), "the key is used")

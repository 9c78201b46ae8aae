"""How many requests may pass, how long one may take and how often it is sent again, by a real Envoy."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.limits import limits
from mom.envoy.options import Listen, Options
from tests.envoy.client import Response, read_response
from tests.envoy.rules import configured
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

ADAPTERS: dict[str, dict[str, Any]] = {
    "each": {"limits": {"requestsPerMinute": 3}},
    "other": {"limits": {"requestsPerMinute": 3}},
    "all": {"limits": {"requestsPerMinute": 4, "per": "adapter"}},
    "free": {},
    "bounded": {"timeout": "1s"},
    "again": {"retries": 2},
}


class Limited:
    """A running Envoy that serves adapters with limits."""

    def __init__(self, envoy: Running, api: Upstream, key: Key) -> None:
        self.envoy, self.api, self.key = envoy, api, key

    def send(self, name: str, path: str, *headers: str, method: str = "GET", **claims: Any) -> Response:
        token = self.key.token(**claims)
        return self.envoy.client.send(f"/v1/apis/http/{name}{path}", *headers, method=method, token=token)

    def statuses(self, name: str, count: int, *headers: str, **claims: Any) -> list[int]:
        return [self.send(name, "/x", *headers, **claims).status for _ in range(count)]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    """Return an Envoy with limits."""
    key = es256()
    with Upstream() as api:
        given = configured(ADAPTERS, f"http://127.0.0.1:{api.port}")
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file="/etc/ssl/certs/ca-certificates.crt",
            jwks={"keys.json": json.dumps(jwks(key))},
        )
        # A third of a minute, after which there is one more, may be too short for a busy machine.
        times = {"fill_interval": ("60s", "180s")}
        with running(given, options, tmp_path_factory.mktemp("limited"), times=times) as envoy:
            yield Limited(envoy, api, key)


def test_each_caller_has_the_number_of_a_minute_and_then_waits(limited: Limited) -> None:
    assert limited.statuses("each", 4, sub="alice") == [200, 200, 200, 429]
    answer = limited.send("each", "/x", sub="alice")
    assert (answer.error, answer.headers["cache-control"]) == ("API_RateLimitError", "no-store")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert limited.statuses("each", 4, sub="bob") == [200, 200, 200, 429]
    # Of another adapter they have another number.
    assert limited.statuses("other", 4, sub="alice") == [200, 200, 200, 429]


def test_a_caller_cannot_get_a_second_number_by_an_upgrade_or_another_token(limited: Limited) -> None:
    assert limited.statuses("each", 3, sub="carol", jti="1") == [200] * 3
    assert limited.statuses("each", 1, sub="carol", jti="2", scope="other") == [429]
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13"]
    token = limited.key.token(sub="carol")
    head = limited.envoy.client.request("/v1/apis/http/each/x", *upgrade, token=token).replace(
        b"Connection: close\r\n", b""
    )
    assert b" 429 " in limited.envoy.client.raw(head).split(b"\r\n")[0]


def test_tokens_without_a_subject_share_one_number(limited: Limited) -> None:
    assert limited.statuses("each", 2, sub=None, jti="1") == [200, 200]
    assert limited.statuses("each", 2, sub=None, jti="2") == [200, 429]


def test_all_callers_share_the_number_of_an_adapter_where_it_says_so(limited: Limited) -> None:
    assert limited.statuses("all", 2, sub="alice") == [200, 200]
    assert limited.statuses("all", 3, sub="bob") == [200, 200, 429]
    assert limited.send("all", "/x", sub="carol").status == 429


def test_adapters_without_limits_and_refused_tokens_are_not_counted(limited: Limited) -> None:
    assert limited.statuses("free", 10, sub="alice") == [200] * 10
    assert limited.statuses("other", 5, sub="dave", aud="https://other.test") == [401] * 5
    assert limited.statuses("other", 3, sub="dave") == [200] * 3


def test_a_response_may_take_as_long_as_its_adapter_says(limited: Limited) -> None:
    answer = limited.send("bounded", "/hold/bounded")
    limited.api.release("bounded")
    assert (answer.status, answer.error) == (504, "API_InstanceRequestTimeoutError")


def test_an_api_that_hangs_takes_no_connection_of_another(limited: Limited, tmp_path: Path) -> None:
    """Both have a name, and so one cluster. Beyond the connections of the slow one its requests wait."""
    with Upstream() as slow, contextlib.ExitStack() as stack:
        base = f"http://localhost:{limited.api.port}"
        given = configured({"slow": {"baseUrl": f"http://localhost:{slow.port}"}, "fine": {}}, base)
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file="/etc/ssl/certs/ca-certificates.crt",
            jwks={"keys.json": json.dumps(jwks(limited.key))},
            open_files=500,
        )
        most, token = limits(500).host, limited.key.token()
        envoy = stack.enter_context(running(given, options, tmp_path))
        waiting = [stack.enter_context(envoy.client.connect()) for _ in range(most + 10)]
        for connection in waiting:
            connection.sendall(envoy.client.request("/v1/apis/http/slow/hold/slow", token=token))
        wait_until(lambda: len(slow.requests) == most, "the slow one has not all of its requests")
        assert [envoy.client.send("/v1/apis/http/fine/x", token=token).status for _ in range(10)] == [200] * 10
        assert len(slow.requests) == most
        slow.release("slow")
        assert {read_response(connection.makefile("rb")).status for connection in waiting} == {200}


def test_what_may_be_repeated_is_sent_again_and_nothing_else(limited: Limited) -> None:
    for method, path, sent in (
        ("GET", "/status/503", 3),
        ("PUT", "/status/502", 3),
        ("DELETE", "/reset", 3),
        ("POST", "/status/503", 1),
        ("PATCH", "/status/503", 1),
        ("POST", "/reset", 1),
        ("GET", "/status/500", 1),
    ):
        before = len(limited.api.requests)
        limited.send("again", path, method=method)
        assert len(limited.api.requests) - before == sent, (method, path)
    before = len(limited.api.requests)
    limited.send("free", "/status/503")
    assert len(limited.api.requests) - before == 1

"""An API without TLS that speaks HTTP/2 alone: `http2: prior-knowledge`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mom.envoy.options import Listen, Options
from mom.envoy.translate import problems
from tests.envoy.certificates import Authority
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.http2 import Http2Api
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks


def test_it_is_reached_with_credentials_and_trailers(authority: Authority, tmp_path: Path) -> None:
    api = Http2Api(None, trailers=[("grpc-status", "0")])
    try:
        base = f"http://127.0.0.1:{api.port}/base"
        adapter = http("grpc", base, {"Authorization": "Bearer ${{ SECRET }}"})
        adapters = (adapter._replace(http2=True), http("plain", base))
        key = es256()
        listen = Listen("127.0.0.1", free_port())
        options = Options(listen=listen, ca_file=str(authority.file), jwks={"keys.json": json.dumps(jwks(key))})
        given = configuration(*adapters, providers=(provider("keys.json"),))
        with running(given, options, tmp_path, {"SECRET": "s3cret"}) as envoy:
            response = envoy.client.send("/v1/apis/http/grpc/x", "TE: trailers", token=key.token())
            assert (response.status, response.body) == (200, b"ok")
            # HTTP/1.1 is no language that it knows.
            assert envoy.client.send("/v1/apis/http/plain/x", token=key.token()).status == 502
    finally:
        api.close()
    (request,) = api.requests
    assert (":path", "/base/x") in request.headers
    assert ("authorization", "Bearer s3cret") in request.headers
    assert not any(name == "atlas-accesstoken" for name, _ in request.headers)


@pytest.mark.parametrize(("url", "rules"), [("https://a.test", ["http2-over-tls"]), ("http://127.0.0.1:1", [])])
def test_over_tls_it_is_negotiated(url: str, rules: list[str]) -> None:
    adapter = http("a", url)._replace(http2=True)
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", jwks={"keys.json": '{"keys": []}'})
    found = problems(configuration(adapter, providers=(provider("keys.json"),)), options)
    assert [problem.rule for problem in found] == rules

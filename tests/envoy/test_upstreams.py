"""Connections to APIs: whose certificate is good, what happens when one is down, slow, or talks nonsense."""

from __future__ import annotations

import pytest

from mom.envoy.options import Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import Atlas
from tests.envoy.running import free_port, running
from tests.envoy.upstream import Upstream

P = "/v1/apis/http"


@pytest.mark.parametrize("adapter", ["good", "by-address", "renamed"])
def test_a_certificate_for_the_host_of_the_base_url_is_accepted(atlas: Atlas, adapter: str) -> None:
    assert atlas.get(f"{P}/{adapter}/tls").status == 200


def test_a_wildcard_certificate_covers_one_label(
    secure_apis: dict[str, Upstream], authority: Authority, atlas: Atlas, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = secure_apis["wildcard"].port
    given = configuration(
        http("one", f"https://a.apis.localhost:{port}"),
        http("two", f"https://a.b.apis.localhost:{port}"),
        providers=(provider("keys"),),
    )
    import json

    from tests.envoy.tokens import jwks

    listen = Listen("127.0.0.1", free_port())
    options = Options(listen=listen, ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(atlas.key))})
    with running(given, options, tmp_path_factory.mktemp("wildcard")) as envoy:
        answers = [envoy.client.send(f"{P}/{name}/x", token=atlas.key.token()) for name in ("one", "two")]
    assert [answer.status for answer in answers] == [200, 502]


@pytest.mark.parametrize("adapter", ["self-signed", "wrong-name", "expired", "wrong-address", "wildcard"])
@pytest.mark.parametrize("websocket", [False, True])
def test_any_other_certificate_is_refused_and_nothing_is_sent(
    atlas: Atlas, secure_apis: dict[str, Upstream], adapter: str, websocket: bool
) -> None:
    headers = ["Upgrade: websocket", "Connection: Upgrade"] if websocket else []
    answer = atlas.get(f"{P}/{adapter}/refused", *headers)
    # Also where the name has two addresses, at one of which nobody listens.
    assert (answer.status, answer.error) == (502, "API_UpstreamCertificateError")
    assert b"evil" not in answer.body
    assert b"SAN" not in answer.body
    assert not any(upstream.seen("/refused") for upstream in secure_apis.values())


def test_an_api_that_resets_gets_a_request_once(atlas: Atlas) -> None:
    answer = atlas.get(f"{P}/plain/once/reset", method="POST", body=b"pay")
    assert (answer.status, answer.error) == (502, "API_UpstreamClosedError")
    assert len(atlas.api.seen("/once/reset")) == 1


def test_an_api_that_does_not_speak_http(atlas: Atlas) -> None:
    answer = atlas.get(f"{P}/plain/garbage")
    assert (answer.status, answer.error) == (502, "API_UpstreamResponseError")


def test_a_huge_answer(atlas: Atlas) -> None:
    assert len(atlas.get(f"{P}/plain/huge/20000000").body) == 20_000_000


def test_no_answer_is_too_slow_without_a_timeout_and_one_is_with_it(
    api: Upstream, authority: Authority, atlas: Atlas, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import json

    from tests.envoy.tokens import jwks

    given = configuration(http("slow", f"http://127.0.0.1:{api.port}"), providers=(provider("keys"),))
    listen = Listen("127.0.0.1", free_port())
    options = Options(
        listen=listen, ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(atlas.key))}, timeout=0.2
    )
    with running(given, options, tmp_path_factory.mktemp("timeout")) as envoy:
        answer = envoy.client.send(f"{P}/slow/hold/timeout", token=atlas.key.token())
        api.release("timeout")
    assert (answer.status, answer.error) == (504, "API_InstanceRequestTimeoutError")

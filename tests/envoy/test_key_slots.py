"""The access token where SDKs put an API's key: in the headers that an adapter sets, which no API ever gets."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest

from mom.atlas.adapters.http import Header
from mom.envoy import adapters, headers, jwt
from mom.envoy.key_slots import KeySlot, Opening, of_headers
from mom.envoy.options import Listen, Options
from mom.envoy.replies import REPLIES
from mom.envoy.routes import route_configuration
from tests.envoy.certificates import Authority
from tests.envoy.configurations import HERE, configuration, http, provider
from tests.envoy.conftest import LOCAL_AUDIENCE, SECRET, Atlas
from tests.envoy.http2 import over_http2
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Request, Upstream

PLAIN = "/v1/apis/http/plain/slots"
# The places of a token on the routes of `plain`, in the order in which they are tried.
PLACES = ("Atlas-Accesstoken: {}", "Authorization: Bearer {}", "DD-API-KEY: {}")
LOCAL = {"iss": "urn:mom:local", "aud": LOCAL_AUDIENCE}


def got_only_the_credential(request: Request, *tokens: str) -> None:
    """Insist that the API got its own credential in each place, and none of `tokens` anywhere."""
    assert request.get("authorization") == [f"Bearer {SECRET}".encode().decode("latin-1")]
    assert request.get("dd-api-key") == [SECRET.encode().decode("latin-1")]
    assert "atlas-accesstoken" not in request.names
    everything = b"\n".join([request.line, *(b": ".join(field) for field in request.headers)])
    assert not any(token.encode() in everything for token in tokens)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_token_in_any_place_opens_the_adapter_and_none_reaches_the_api(atlas: Atlas, count: int) -> None:
    for places in itertools.combinations(PLACES, count):
        for make in (atlas.key.token, lambda **claims: atlas.local.token(**LOCAL, **claims)):
            tokens = [make(jti=f"{number}") for number in range(count)]
            before = len(atlas.api.requests)
            sent = [place.format(token) for place, token in zip(places, tokens, strict=True)]
            answer = atlas.client.send(PLAIN, *sent)
            assert (answer.status, answer.error) == (200, None), places
            (request,) = atlas.api.requests[before:]
            got_only_the_credential(request, *tokens)


def test_a_dummy_key_beside_a_good_token_does_no_harm_and_goes_no_further(atlas: Atlas) -> None:
    for good, dummy in itertools.permutations(PLACES, 2):
        for key in ("sk-dummy", "a.b.c", es256().token(), atlas.key.token(exp=int(time.time()) - 60)):
            before = len(atlas.api.requests)
            token = atlas.key.token()
            answer = atlas.client.send(PLAIN, dummy.format(key), good.format(token))
            assert answer.status == 200, (good, dummy, key)
            (request,) = atlas.api.requests[before:]
            got_only_the_credential(request, token, key)


def test_without_a_valid_token_in_a_place_there_is_no_entrance(atlas: Atlas) -> None:
    good = atlas.key.token()
    cases = {
        "Authorization: Bearer sk-dummy": "API_InvalidAccessTokenError",
        f"Authorization: Bearer {es256().token()}": "API_InvalidAccessTokenError",
        f"Authorization: Bearer {atlas.key.token(exp=int(time.time()) - 60)}": "API_InvalidAccessTokenError",
        f"Authorization: Bearer {atlas.key.token(aud='https://other.test')}": "API_InvalidAccessTokenError",
        f"Authorization: bearer {good}": "API_MissingAccessTokenError",
        f"Authorization: token {good}": "API_MissingAccessTokenError",
        f"Authorization: {good}": "API_MissingAccessTokenError",
        f"DD-API-KEY: Bearer {good}": "API_InvalidAccessTokenError",
        f"DD-API-KEY: {es256().token()}": "API_InvalidAccessTokenError",
        f"X-Api-Key: {good}": "API_MissingAccessTokenError",
        f"DD-APPLICATION-KEY: {good}": "API_MissingAccessTokenError",
        f"Cookie: {good}": "API_MissingAccessTokenError",
    }
    for sent, error in cases.items():
        answer = atlas.client.send(f"{PLAIN}/refused", sent)
        assert (answer.status, answer.error) == (401, error), sent
    # Of two in one place each must be valid.
    twice = [f"DD-API-KEY: {good}", f"DD-API-KEY: {es256().token()}"]
    for headers_sent in (twice, twice[::-1]):
        assert atlas.client.send(f"{PLAIN}/refused", *headers_sent).error == "API_InvalidAccessTokenError"
    assert not atlas.api.seen("/refused")


def test_a_place_is_one_on_its_own_adapter_alone(atlas: Atlas) -> None:
    for path in ("/v1/apis/http/openai/x", "/v1/apis/http/literal/x", "/v1/apis/http/browser/x", "/v1alpha1/apis", "/"):
        for place in PLACES[1:]:
            answer = atlas.client.send(path, place.format(atlas.key.token()))
            assert (answer.status, answer.error) == (401, "API_MissingAccessTokenError"), (path, place)


def test_a_web_socket_and_http2_are_opened_by_a_token_in_a_place(atlas: Atlas) -> None:
    token = atlas.key.token()
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    data = atlas.client.request(f"{PLAIN}/socket-places", f"Authorization: Bearer {token}", *upgrade)
    with atlas.client.connect() as connection:
        connection.sendall(data.replace(b"Connection: close\r\n", b""))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 101 ")
    (request,) = atlas.api.seen("/socket-places")
    got_only_the_credential(request, token)

    host = f"127.0.0.1:{atlas.client.port}"
    pairs = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", f"{PLAIN}/h2-places")]
    with atlas.client.connect() as connection:
        answer = over_http2(connection, [*pairs, ("authorization", f"Bearer {token}")])
    assert answer is not None
    assert answer[":status"] == "200"
    (request,) = atlas.api.seen("/h2-places")
    got_only_the_credential(request, token)


def test_a_shared_cache_keeps_clients_apart_by_each_place(atlas: Atlas) -> None:
    listed = atlas.get(PLAIN).headers["vary"].replace(" ", "").split(",")
    assert sorted(listed[-3:]) == ["Atlas-Accesstoken", "authorization", "dd-api-key"]


def test_places_follow_from_what_an_adapter_sets() -> None:
    cases = {
        ("Authorization", "Bearer ${{ X }}"): KeySlot("authorization", "Bearer "),
        ("Authorization", "Token token=${{X}}"): KeySlot("authorization", "Token token="),
        ("X-Api-Key", " ${{ X }} "): KeySlot("x-api-key", ""),
        ("X-Key", "a % b ${{ X }}"): KeySlot("x-key", "a % b "),
        ("X-Two", "${{ X }}:${{ Y }}"): None,
        ("X-End", "${{ X }}:x"): None,
        ("X-None", "fixed"): None,
        ("X-Empty", ""): None,
        ("Cookie", "session=${{ X }}"): None,
        ("Host", "${{ X }}"): None,
        ("Atlas-Accesstoken", "${{ X }}"): None,
    }
    for (name, value), slot in cases.items():
        assert of_headers([Header(name, value, HERE)]) == (() if slot is None else (slot,)), (name, value)


def test_every_place_is_a_header_that_the_routes_replace() -> None:
    """The filter removes the token that it used and no other."""
    adapter = http("x", "http://127.0.0.1:1", {"Authorization": "Bearer ${{ A }}", "X-Key": "${{ B }}", "X-C": "c"})
    replaced = {
        each["header"]["key"].lower()
        for each in headers.to_add(adapter.headers)
        if each["append_action"] == "OVERWRITE_IF_EXISTS_OR_ADD" and each["keep_empty_value"]
    }
    assert {slot.header for slot in adapters.kind_of(adapter).key_slots(adapter)} == {"authorization", "x-key"}
    assert {"authorization", "x-key"} <= replaced


def test_without_key_slots_only_the_header_of_atlas_counts(authority: Authority, tmp_path: Path) -> None:
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys.json": json.dumps(jwks(key))},
        key_slots=False,
    )
    with Upstream() as api:
        given = configuration(
            http("plain", f"http://127.0.0.1:{api.port}", {"X-Key": "${{ X }}"}), providers=(provider("keys.json"),)
        )
        with running(given, options, tmp_path, {"X": "s3cret"}) as envoy:
            assert envoy.client.send(PLAIN, f"X-Key: {key.token()}").error == "API_MissingAccessTokenError"
            answer = envoy.client.send(PLAIN, f"X-Key: {key.token()}", token=key.token())
            assert (answer.status, answer.headers["vary"]) == (200, "Atlas-Accesstoken")
        assert [request.get("x-key") for request in api.requests] == [["s3cret"]]


def test_a_plain_adapter_has_one_place_and_no_further_provider() -> None:
    options = Options(listen=Listen("127.0.0.1", 1), ca_file="", jwks={"keys.json": json.dumps(jwks(es256()))})
    given = configuration(http("plain", "http://127.0.0.1:1"), providers=(provider("keys.json"),))
    openings = adapters.openings(given.adapters, options)
    assert openings == (Opening("/v1/apis/http/plain", ()),)
    filtered = jwt.authentication(given.identity_providers, openings, options, jwt.Reads(claims=False, header=False))[
        "typed_config"
    ]
    assert list(filtered["providers"]) == ["idp#0"]
    (route, *_) = [
        route
        for host in route_configuration(given, options)["virtual_hosts"]
        for route in host["routes"]
        if route["name"] == "plain"
    ]
    assert "response_headers_to_add" not in route


def test_the_reply_to_an_unknown_requirement_does_not_quote_envoy() -> None:
    """Envoy's own text lists the paths of all adapters."""
    (reply,) = [reply for reply in REPLIES if "Wrong_requirement_name" in str(reply.when)]
    assert "%" not in reply.message
    assert REPLIES.index(reply) < [str(reply.when) for reply in REPLIES].index(
        "response.code_details.contains('jwt_authn_access_denied')"
    )

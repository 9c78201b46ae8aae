"""Headers and trailers that never pass: by alias, by pattern, in either direction, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mom.envoy.options import Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.client import read_all
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import SECRET, Atlas, server_context
from tests.envoy.http2 import Http2Api, h2_headers, over_http2
from tests.envoy.running import Running, admin, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import HOSTILE

PLAIN = "/v1/apis/http/plain"
CREDENTIAL = SECRET.encode().decode("latin-1")

# `plain` sets DD-API-KEY; the others are removed from every request.
ALIASES = [
    "DD.API.KEY",
    "dd.api-key",
    "DD-API.KEY",
    "DD!API~KEY",
    "dd|api^key",
    "Atlas.Accesstoken",
    "Atlas~Accesstoken",
    "Proxy.Authorization",
    "X.Forwarded.For",
    "X-Forwarded.Host",
    "X-Real`Ip",
    "HTTP2.Settings",
]


@pytest.mark.parametrize("name", ALIASES)
def test_aliases_of_set_and_removed_headers_are_dropped(atlas: Atlas, name: str) -> None:
    """A server that folds all punctuation into one (CGI, many frameworks) would take one for the other."""
    request = atlas.reached(f"{PLAIN}/alias", f"{name}: client")
    assert sorted(request.names) == ["authorization", "dd-api-key", "host"]
    assert request.get("dd-api-key") == [CREDENTIAL]


@pytest.mark.parametrize("name", ["dd.api.key", "x.forwarded.for", "dd_api_key"])
def test_aliases_are_dropped_over_http2(atlas: Atlas, name: str) -> None:
    before = len(atlas.api.requests)
    with atlas.client.connect() as connection:
        answer = over_http2(connection, [*h2_headers(atlas, f"{PLAIN}/h2-alias"), (name, "client")])
    assert answer is not None
    assert answer[":status"] == "200"
    (request,) = atlas.api.requests[before:]
    assert sorted(request.names) == ["authorization", "dd-api-key", "host"]


@pytest.mark.parametrize(
    "header",
    [
        "DD-API-KE: x",
        "X-DD-API-KEY: x",
        "DD-API-KEY-2: x",
        "DDAPIKEY: x",
        "Api.Version: x",
        "X.Amz.Meta: x",
        "Ddapi-Key: x",
    ],
)
def test_other_names_with_punctuation_pass(atlas: Atlas, header: str) -> None:
    name, _, _ = header.partition(":")
    assert atlas.reached(f"{PLAIN}/other-names", header).get(name) == ["x"]


def test_a_header_that_another_adapter_sets_passes_where_it_is_not_set(atlas: Atlas) -> None:
    assert atlas.reached("/v1/apis/http/openai/x", "DD-API-KEY: mine").get("dd-api-key") == ["mine"]


@pytest.mark.parametrize("name", ["DD_API_KEY", "Authorization_", "_", "ot-baggage-sentry-trace_id"])
def test_headers_with_underscores_are_dropped_and_counted(atlas: Atlas, name: str) -> None:
    """`DD_API_KEY` and `DD-API-KEY` are one variable to a WSGI or CGI server. SDKs send such names unasked."""
    before = dropped(atlas.envoy)
    request = atlas.reached(f"{PLAIN}/underscore", f"{name}: client", "X-Kept: yes")
    assert sorted(request.names) == ["authorization", "dd-api-key", "host", "x-kept"]
    assert dropped(atlas.envoy) == before + 1


def dropped(envoy: Running) -> int:
    """Return Envoy's own count."""
    stats = admin(envoy, "/stats?filter=dropped_headers_with_underscores")
    return sum(int(line.rsplit(" ", 1)[1]) for line in stats.splitlines())


def test_framing_headers_with_underscores_frame_nothing(atlas: Atlas) -> None:
    request = atlas.reached(f"{PLAIN}/frame", "Content_Length: 5", "Transfer_Encoding: chunked")
    assert sorted(request.names) == ["authorization", "dd-api-key", "host"]


def test_responses_lose_what_would_steer_the_whole_origin(atlas: Atlas) -> None:
    """All APIs share the gateway's origin: what one says of the origin, it says of all."""
    answer = atlas.get(f"{PLAIN}/hostile")
    assert answer.body == b"ok"
    names = {line.split(b":")[0].decode().lower() for line in HOSTILE.splitlines()}
    assert names & set(answer.headers) == {"x-kept", "vary"}
    assert set(answer.headers) <= {"content-length", "x-kept", "date", "connection", "vary"}
    # The API's words about the host it runs on have no effect on later requests either.
    assert atlas.get(f"{PLAIN}/after").status == 200


def test_vary_names_the_token_beside_the_value_of_the_api(atlas: Atlas) -> None:
    request = atlas.client.request(f"{PLAIN}/hostile", token=atlas.key.token())
    with atlas.client.connect() as connection:
        connection.sendall(request)
        head = read_all(connection).partition(b"\r\n\r\n")[0]
    values = [line.partition(b": ")[2] for line in head.split(b"\r\n") if line.startswith(b"vary:")]
    # The adapter's own headers are places for the token too.
    assert values == [b"Accept,Atlas-Accesstoken,authorization,dd-api-key"]
    assert atlas.get(f"{PLAIN}/vary").headers["vary"] == "Atlas-Accesstoken,authorization,dd-api-key"
    assert atlas.get("/v1alpha1/apis").headers["vary"] == "Atlas-Accesstoken"


def test_an_api_may_send_many_headers_but_not_any_number(atlas: Atlas) -> None:
    answer = atlas.get(f"{PLAIN}/headers/900")
    assert (answer.status, answer.headers["x-899"]) == (200, "a")
    assert atlas.get(f"{PLAIN}/headers/1500").status == 502


REQUEST_TRAILERS = [
    ("authorization", "Bearer client"),
    ("atlas-accesstoken", "client"),
    ("cookie", "a=b"),
    ("dd-api-key", "client"),
    ("dd.api.key", "client"),
    ("x-forwarded-for", "1.2.3.4"),
    ("x.forwarded.for", "1.2.3.4"),
    ("host", "evil.test"),
    ("x-checksum", "abc"),
]


def test_trailers_over_http1_follow_the_rules_for_headers(atlas: Atlas) -> None:
    trailers = "".join(f"{name}: {value}\r\n" for name, value in REQUEST_TRAILERS)
    head = atlas.client.request(
        f"{PLAIN}/request-trailers", "Transfer-Encoding: chunked", token=atlas.key.token(), method="POST"
    )
    with atlas.client.connect() as connection:
        connection.sendall(head + b"2\r\nok\r\n0\r\n" + trailers.encode() + b"\r\n")
        assert b" 200 " in read_all(connection)
    (request,) = atlas.api.seen("/request-trailers")
    assert request.body == b"ok"
    assert request.trailers == ((b"x-checksum", b"abc"),)

    with atlas.client.connect() as connection:
        connection.sendall(atlas.client.request(f"{PLAIN}/trailers", token=atlas.key.token()))
        answer = read_all(connection)
    assert answer.endswith(b"2\r\nok\r\n0\r\nx-checksum: abc\r\n\r\n")


def test_early_hints_are_passed_on_or_left_out_but_the_response_is_whole(atlas: Atlas) -> None:
    with atlas.client.connect() as connection:
        connection.sendall(atlas.client.request(f"{PLAIN}/hints", token=atlas.key.token()))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nok")


@pytest.fixture(scope="module")
def http2(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Http2Api, Key]]:
    """Return an Atlas in front of an HTTP/2 API whose responses end as gRPC's do, and with what must not pass."""
    trailers = [
        ("grpc-status", "7"),
        ("grpc-message", "no"),
        ("set-cookie", "a=b"),
        ("atlas-error", "forged"),
        ("x-envoy-anything", "x"),
        ("access-control-allow-origin", "*"),
    ]
    folder = tmp_path_factory.mktemp("http2")
    api = Http2Api(server_context(authority.issue("localhost"), folder), trailers=trailers)
    key = es256()
    secrets = {"Authorization": "Bearer ${{ SECRET }}", "X-Api-Key": "${{ SECRET }}"}
    given = configuration(http("two", f"https://localhost:{api.port}", secrets), providers=(provider("keys"),))
    options = Options(
        listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(key))}
    )
    with running(given, options, folder, {"SECRET": "s3cret"}) as envoy:
        yield envoy, api, key
    api.close()


def test_trailers_over_http2_follow_the_rules_for_headers(http2: tuple[Running, Http2Api, Key]) -> None:
    envoy, api, key = http2
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "atlas.test"),
        (":path", "/v1/apis/http/two/x"),
        ("atlas-accesstoken", key.token()),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    sent = [
        ("authorization", "Bearer client"),
        ("atlas-accesstoken", "client"),
        ("x-api-key", "client"),
        ("x.api.key", "client"),
        ("x_api_key", "client"),
        ("x-real-ip", "1.2.3.4"),
        ("cookie", "a=b"),
        ("grpc-custom", "kept"),
    ]
    with envoy.client.connect() as connection:
        answer = over_http2(connection, headers, body=b"hello", trailers=sent)
    assert answer is not None
    assert answer.body == b"ok"
    assert answer.trailers == {"grpc-status": "7", "grpc-message": "no"}
    assert api.protocols[-1] == "h2"
    assert api.requests[-1].trailers == [("grpc-custom", "kept")]
    assert ("authorization", "Bearer s3cret") in api.requests[-1].headers


def test_any_number_of_header_names_is_served(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One pattern for all names would pass the limits of the regular expression engine."""
    names = [f"X-Key-Number-{number}-Of-Many" for number in range(3_000)] + ["A-B-C-D-E-F-G-H-I-J-K-L", "-Path", "-"]
    adapters = [http(f"api{at}", "http://127.0.0.1:1", dict.fromkeys(names[at::10], "v")) for at in range(10)]
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(key))}
    )
    given = configuration(*adapters, providers=(provider("keys"),))
    with running(given, options, tmp_path_factory.mktemp("names")) as envoy:
        assert envoy.client.send("/v1alpha1/apis", token=key.token()).status == 200


def test_an_adapter_name_of_any_length_is_served(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its route has a pattern of that length; Envoy refuses programs of more than 100 instructions by default."""
    name = "long-" * 40 + "name"
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(key))}
    )
    given = configuration(http(name, "http://127.0.0.1:1"), providers=(provider("keys"),))
    with running(given, options, tmp_path_factory.mktemp("long")) as envoy:
        assert envoy.client.send(f"/v1/apis/http/{name}/x", token=key.token()).error == "API_UpstreamConnectionError"

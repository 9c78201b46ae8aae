"""What Atlas answers itself: lists, health, and errors that a program can tell apart."""

from __future__ import annotations

import json

import pytest

from mom.envoy.options import Listen, Options
from mom.envoy.replies import REPLIES
from tests.envoy.certificates import Authority
from tests.envoy.client import read_response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import SECRET, Atlas
from tests.envoy.http2 import h2_headers, over_http2
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream


def test_the_list_of_instances(atlas: Atlas) -> None:
    answer = atlas.get("/v1alpha1/instances")
    assert answer.headers["content-type"] == "application/json"
    (instance,) = answer.json()["instances"]
    assert instance["name"] == "test"
    assert instance["owner"] == "example.test"
    assert instance["apis"] == len(atlas.get("/v1alpha1/apis").json()["apis"])


def test_the_list_of_apis(atlas: Atlas) -> None:
    answer = atlas.get("/v1alpha1/apis")
    assert answer.headers["content-type"] == "application/json"
    apis = {one["name"]: one for one in answer.json()["apis"]}
    assert apis["base"] == {
        "kind": "HTTP",
        "name": "base",
        "baseUrl": f"http://127.0.0.1:{atlas.api.port}/base/v4/",
        "path": "/v1/apis/http/base/",
        "instance": "test",
    }
    assert answer.body.endswith(b"\n")
    assert SECRET not in answer.body.decode()
    assert "SECRET" not in answer.body.decode()
    assert atlas.get("/v1alpha1/apis", method="HEAD").status == 200
    assert atlas.get("/v1alpha1/apis", method="POST").status == 404


def test_errors_are_json_and_say_that_they_are_atlass_own(atlas: Atlas) -> None:
    answer = atlas.get("/v1/apis/http/none")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": {
            "type": "API_NoMatchingInstanceError",
            "message": "No API is served at this path; GET /v1alpha1/apis lists them",
        }
    }
    assert answer.error == "API_NoMatchingInstanceError"


@pytest.mark.parametrize(
    ("token", "type_"),
    [
        pytest.param(None, "API_MissingAccessTokenError", id="no token"),
        pytest.param("nonsense", "API_InvalidAccessTokenError", id="not a token"),
        pytest.param("expired", "API_InvalidAccessTokenError", id="expired"),
        pytest.param("audience", "API_InvalidAccessTokenError", id="for another gateway"),
    ],
)
def test_a_challenge_names_the_place_of_a_token_and_nothing_of_the_request(
    atlas: Atlas, token: str | None, type_: str
) -> None:
    """Envoy's own challenge has path and query in it, with the secrets that some clients put there."""
    tokens = {"expired": atlas.key.token(exp=1), "audience": atlas.key.token(aud="https://other.test")}
    answer = atlas.client.send("/v1/apis/http/plain/x?key=s3cret", token=tokens.get(token or "", token))
    assert (answer.status, answer.error) == (401, type_)
    assert answer.headers["www-authenticate"] == 'Bearer realm="atlas"'
    assert answer.headers["cache-control"] == "no-store"
    # A token that was sent may have been in any of the places of `mom.envoy.key_slots`.
    words = "in the Atlas-Accesstoken header" if token is None else "Invalid access token: "
    assert words in answer.json()["error"]["message"]
    assert "s3cret" not in f"{answer.headers}{answer.body!r}"


@pytest.mark.parametrize(("method", "path"), [("GET", "/none"), ("TRACK", "/v1/apis/http/plain/x"), ("GET", "/..")])
def test_no_error_of_atlas_stays_in_a_cache(atlas: Atlas, method: str, path: str) -> None:
    answer = atlas.get(path, method=method)
    assert answer.error
    assert answer.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("line", "extra", "status", "reason"),
    [
        pytest.param("GET {path}?q=n\xc3\xa4ive", "", 400, "raw UTF-8", id="raw UTF-8 in the query"),
        pytest.param("GET {path}/n\xc3\xa4ive", "", 400, "raw UTF-8", id="raw UTF-8 in the path"),
        pytest.param("GET {path}/a b", "", 400, "blanks", id="a blank in the path"),
        pytest.param("GET {path}", "N\xc3\xa4me: x", 400, "a header name", id="raw UTF-8 in a name"),
        pytest.param("GET {path}", "A B: x", 400, "a header name", id="a blank in a name"),
        pytest.param("GET {path}", "A: x\0y", 400, "control character", id="a NUL in a value"),
        pytest.param("GET {path}/\x01", "", 400, "control character", id="a control character in the path"),
        pytest.param("GET {path}#top", "", 400, "%23", id="a fragment"),
        pytest.param("get {path}", "", 400, "GET, not get", id="a method in lower case"),
        pytest.param("FETCH {path}", "", 400, "methods are known ones", id="an unknown method"),
        pytest.param("Post {path}", "", 400, "GET, not get", id="a method in mixed case"),
        pytest.param("QUERY {path}", "", 400, "Content-Type", id="QUERY without a type"),
        pytest.param("GET {path}", "Transfer-Encoding: gzip", 501, "chunked", id="an unknown coding"),
        pytest.param(
            "POST {path}",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            400,
            "Content-Length and Transfer-Encoding",
            id="two framings",
        ),
        pytest.param("OPTIONS *", "", 404, "not a path", id="no path"),
    ],
)
def test_the_response_to_a_refused_request_names_the_cause(
    atlas: Atlas, line: str, extra: str, status: int, reason: str
) -> None:
    path = "/v1/apis/http/plain/malformed"
    lines = [f"{line.format(path=path)} HTTP/1.1", f"Host: 127.0.0.1:{atlas.client.port}", "Connection: close"]
    lines += [f"Atlas-Accesstoken: {atlas.key.token()}", *([extra] if extra else [])]
    with atlas.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = read_response(reader)
    assert (answer.status, answer.error) == (status, "API_RequestError")
    assert reason in answer.json()["error"]["message"]
    assert not atlas.api.seen("/malformed")


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", 426, "HTTP/1.1 or HTTP/2"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "Host"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "not valid HTTP/1.1"),
    ],
)
def test_the_response_to_a_malformed_request_names_the_cause(
    atlas: Atlas, data: bytes, status: int, reason: str
) -> None:
    with atlas.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(data)
        answer = read_response(reader)
    assert (answer.status, answer.error) == (status, "API_RequestError")
    assert reason in answer.json()["error"]["message"]


def test_a_method_in_lower_case_is_refused_over_http2(atlas: Atlas) -> None:
    with atlas.client.connect() as connection:
        answer = over_http2(connection, h2_headers(atlas, "/v1/apis/http/plain/lower", "get"))
    assert answer is not None
    assert answer[":status"] == "400"
    assert "GET, not get" in answer.body.decode()
    assert not atlas.api.seen("/lower")


def test_no_message_quotes_what_envoy_knows_about_an_upstream() -> None:
    """Envoy's own body is quoted only where it speaks of the request, or is that of a route of Atlas."""
    quoting = {reply.type for reply in REPLIES if "%" in reply.message}
    routes = {"API_NoMatchingInstanceError", "API_NotAllowedError"}
    assert quoting == {"API_InvalidAccessTokenError", "API_RequestError", *routes}


@pytest.mark.parametrize("tree_above", [1000, 0])
def test_a_thousand_adapters_and_one(
    api: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory, tree_above: int
) -> None:
    """In a row and in a tree the same is served; and the same is refused."""
    key = es256()
    base = f"http://127.0.0.1:{api.port}"
    names = [f"api{number}" for number in range(1001 if tree_above else 20)]
    given = configuration(*(http(name, f"{base}/{name}") for name in names), providers=(provider("keys"),))
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        tree_above=tree_above,
    )
    with running(given, options, tmp_path_factory.mktemp("tree")) as envoy:

        def get(path: str, method: str = "GET") -> tuple[int, str | None]:
            answer = envoy.client.send(path, token=key.token(), method=method)
            return answer.status, answer.error

        prefix = "/v1/apis/http"
        assert get(f"{prefix}/api1/tree?a=/../b") == (200, None)
        assert api.seen("/tree")[-1].target == "/api1/tree?a=/../b"
        assert get(f"{prefix}/{names[-1]}?x=1") == (200, None)
        assert get(f"{prefix}/api1x/x") == (404, "API_NoMatchingInstanceError")
        assert get(f"{prefix}/api") == (404, "API_NoMatchingInstanceError")
        assert get("/other") == (404, "API_NoMatchingInstanceError")
        for path in ("/..", "/../api2/x", "/%2e%2E/x", "%2f..", "\\..\\x", "/..;/x", "/.?x", "/..?x=1"):
            assert get(f"{prefix}/api1{path}") == (400, "API_RequestError"), path
        for path in ("/..%00/x", "/%c0%ae%c0%ae/", "%c0%af..", "/%ef%bc%8e."):
            assert get(f"{prefix}/api1{path}") == (400, "API_RequestError"), path
        for method in ("TRACE", "Trace", "TRACK"):
            assert get(f"{prefix}/api1/x", method)[0] in {400, 405}
        assert get(f"{prefix}/api1/x", "get") == (400, "API_RequestError")
        redirect = envoy.client.send(f"{prefix}/{names[-1]}/say?302&Location=/{names[-1]}/x", token=key.token())
        assert redirect.headers["location"] == f"{prefix}/{names[-1]}/x"
        assert len(envoy.client.send("/v1alpha1/apis", token=key.token()).json()["apis"]) == len(names)
        assert envoy.client.send("/healthz").status == 200
        assert envoy.client.send(f"{prefix}/api1/x").status == 401

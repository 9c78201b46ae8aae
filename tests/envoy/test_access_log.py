"""The access log: each request a line, with who sent it and what became of it, and never with a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.failures import FAILURES
from mom.envoy.options import Listen, Options, loopback_hosts
from tests.envoy.certificates import Authority
from tests.envoy.client import read_all
from tests.envoy.configurations import ISSUER, configuration, http, provider
from tests.envoy.http2 import over_http2
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

P = "/v1/apis/http/api"
KEYS = {
    *(
        "@timestamp",
        "subject",
        "provider",
        "issuer",
        "jti",
        "kid",
        "decided_by",
        "client",
        "adapter",
        "method",
        "path",
        "host",
        "protocol",
    ),
    *("status", "error", "details", "flags", "upstream", "duration_ms", "received", "sent"),
}


@dataclass(frozen=True)
class Logged:
    """A gateway with an access log."""

    envoy: Running
    key: Key

    def lines(self) -> list[dict[str, Any]]:
        """Return what has been logged."""
        *lines, _ = (self.envoy.folder / "access.jsonl").read_bytes().split(b"\n")
        return [json.loads(line) for line in lines]

    def line(self, request: Callable[[], object]) -> dict[str, Any]:
        """Make a request, and return the one line about it."""
        before = len(self.lines())
        request()
        # Once the last request is in the log, there is no second line about the first to come.
        self.envoy.client.send("/last", token=self.key.token())
        wait_until(lambda: len(self.lines()) >= before + 2, "it is not logged")
        (line,) = [one for one in self.lines()[before:] if one["path"] != "/last"]
        return line

    def http2(self, extra: list[tuple[str, str]], *, host: str | None = None) -> Callable[[], object]:
        """Return what sends a request with a good token over HTTP/2."""
        pseudo = {":method": "GET", ":scheme": "http", ":authority": host or f"127.0.0.1:{self.envoy.client.port}"}
        token = self.key.token(jti="id-1")
        headers = [*pseudo.items(), (":path", f"{P}/x?key=hunter2"), ("atlas-accesstoken", token), *extra]

        def send() -> None:
            with self.envoy.client.connect() as connection:
                over_http2(connection, headers)

        return send

    def raw(self, head: str, *, host: str | None = None, token: str | None = None) -> Callable[[], object]:
        """Return what sends these lines of a request, with a `Host` and a good token unless told otherwise."""
        lines = [head, f"Host: {host or f'127.0.0.1:{self.envoy.client.port}'}", "Connection: close"]
        lines.append(f"Atlas-Accesstoken: {token or self.key.token(jti='id-1')}")
        data = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return lambda: self.envoy.client.raw(data)


@pytest.fixture(scope="module")
def logged(api: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("logged")
    key = es256("key-1")
    listen = Listen("127.0.0.1", free_port())
    options = Options(
        listen=listen,
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        hosts=loopback_hosts(listen),
        access_log=str(folder / "access.jsonl"),
    )
    base = f"http://127.0.0.1:{api.port}"
    slots = http("slots", base, {"Authorization": "Bearer ${{ X }}", "X-Key": "${{ X }}"})
    given = configuration(http("api", base), http("health", base), slots, providers=(provider("keys"),))
    with running(given, options, folder, {"X": "s3cret"}, times={"request_headers_timeout": ("10s", "1s")}) as envoy:
        yield Logged(envoy, key)


def test_a_request_that_was_served(logged: Logged, api: Upstream) -> None:
    line = logged.line(logged.raw(f"GET {P}/served?key=hunter2 HTTP/1.1"))
    assert set(line) == KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("@timestamp"))
    assert isinstance(line.pop("duration_ms"), int)
    assert line == {
        "subject": "user@test",
        "issuer": ISSUER,
        "provider": "idp",
        "jti": "id-1",
        "kid": "key-1",
        "decided_by": None,
        "client": "127.0.0.1",
        "adapter": "api",
        "method": "GET",
        "path": "/served",
        "host": f"127.0.0.1:{api.port}",
        "protocol": "HTTP/1.1",
        "status": 200,
        "error": None,
        "details": "via_upstream",
        "flags": "-",
        "upstream": f"127.0.0.1:{api.port}",
        "received": 0,
        "sent": 2,
    }


# What is refused: the head of a request and, if they differ, Host and token; then status, error type, adapter.
REFUSED: dict[str, tuple[str, dict[str, str], int, str, str | None]] = {
    "no path": ("GET /none?key=hunter2 HTTP/1.1", {}, 404, "API_NoMatchingInstanceError", None),
    "a dot segment": (f"GET {P}/../x?key=hunter2 HTTP/1.1", {}, 400, "API_RequestError", None),
    "a method": (f"TRACE {P}/x HTTP/1.1", {}, 405, "API_MethodNotAllowedError", None),
    "another host": (f"GET {P}/x HTTP/1.1", {"host": "evil.test"}, 421, "API_MisdirectedRequestError", None),
    "too large": (f"GET {P}/x HTTP/1.1\r\nX: {'x' * 70_000}", {}, 431, "API_RequestHeadersTooLargeError", None),
}
MALFORMED = {
    "an unknown method": f"QUERY {P}/x?key=hunter2 HTTP/1.1",
    "a blank in a name": f"GET {P}/x HTTP/1.1\r\nA b: hunter2",
    "raw UTF-8 in the query": f"GET {P}/x?key=hunter2\xc3\xa9 HTTP/1.1",
    "two lengths": f"POST {P}/x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
    "no HTTP at all": "hunter2",
    "an old version": f"GET {P}/x HTTP/1.0",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_a_line(logged: Logged, name: str) -> None:
    head, other, status, error, adapter = REFUSED[name]
    line = logged.line(logged.raw(head, **other))
    assert (line["status"], line["error"], line["adapter"]) == (status, error, adapter), line
    assert "hunter2" not in json.dumps(line)
    if status < 431:
        assert (line["subject"], line["jti"], line["kid"]) == ("user@test", "id-1", "key-1")


def test_the_first_place_with_a_valid_token_names_the_caller(logged: Logged) -> None:
    """Whichever order the headers are sent in; `mom.envoy.key_slots` has the places."""
    own, bearer, key = (logged.key.token(sub=f"{place}@test", jti=place) for place in ("own", "bearer", "key"))

    def caller(*sent: str) -> object:
        line = logged.line(lambda: logged.envoy.client.send("/v1/apis/http/slots/x", *sent))
        assert line["status"] == 200
        text = (logged.envoy.folder / "access.jsonl").read_text()
        assert not any(token in text for token in (own, bearer, key))
        return line["subject"], line["jti"]

    places = [f"X-Key: {key}", f"Authorization: Bearer {bearer}", f"Atlas-Accesstoken: {own}"]
    assert caller(*places) == ("own@test", "own")
    assert caller(*places[:2]) == ("bearer@test", "bearer")
    assert caller(*places[:2], "Atlas-Accesstoken: no-token") == ("bearer@test", "bearer")
    assert caller(places[0], "Authorization: Bearer sk-dummy") == ("key@test", "key")


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_a_line_too(logged: Logged, name: str) -> None:
    line = logged.line(logged.raw(MALFORMED[name]))
    assert 400 <= line["status"] < 500
    assert line["error"]
    assert line["client"] == "127.0.0.1"
    assert "hunter2" not in json.dumps(line)


# Over HTTP/2 the refusal of a malformed request is a reset stream.
MALFORMED_HTTP2 = {
    "an upper-case name": [("X-Upper", "hunter2")],
    "a hop-by-hop header": [("connection", "hunter2")],
    "a line break in a value": [("x", "a\nhunter2")],
    "a second path": [(":path", "/hunter2")],
    "too large": [("x", "hunter2" * 10_000)],
}


@pytest.mark.parametrize("name", MALFORMED_HTTP2)
def test_a_malformed_request_over_http2_is_a_line_too(logged: Logged, name: str) -> None:
    line = logged.line(logged.http2(MALFORMED_HTTP2[name]))
    assert (line["status"], line["protocol"], line["jti"]) == (0, "HTTP/2", None)
    assert line["details"].startswith("http2.")
    assert line["flags"] in {"DPE", "DR"}
    assert "hunter2" not in json.dumps(line)


def test_a_refused_request_over_http2_is_a_line(logged: Logged) -> None:
    line = logged.line(logged.http2([], host="evil.test"))
    assert (line["status"], line["error"], line["jti"]) == (421, "API_MisdirectedRequestError", "id-1")
    assert line["protocol"] == "HTTP/2"


def test_a_request_whose_headers_do_not_end_is_a_line(logged: Logged) -> None:
    def be_slow() -> None:
        with logged.envoy.client.connect() as connection:
            connection.sendall(f"GET {P}/slow?key=hunter2 HTTP/1.1\r\nX: ".encode())
            assert read_all(connection).startswith(b"HTTP/1.1 408 ")

    line = logged.line(be_slow)
    assert (line["status"], line["error"]) == (408, "API_RequestError")
    assert "hunter2" not in json.dumps(line)


def test_a_request_without_host_is_a_line(logged: Logged) -> None:
    line = logged.line(lambda: logged.envoy.client.raw(f"GET {P}/x HTTP/1.1\r\nConnection: close\r\n\r\n".encode()))
    assert (line["status"], line["error"]) == (400, "API_RequestError")


def test_a_client_that_goes_away_is_a_line(logged: Logged, api: Upstream) -> None:
    def go_away() -> None:
        with logged.envoy.client.connect() as connection:
            connection.sendall(logged.envoy.client.request(f"{P}/hold/away", token=logged.key.token()))
            api.wait("/hold/away")

    line = logged.line(go_away)
    api.release("away")
    assert (line["status"], line["subject"], line["adapter"]) == (0, "user@test", "api")


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"aud": "https://other.test"}, {"iss": "https://other.test"}, {"kid": "unknown"}]
)
def test_nothing_of_a_bad_token_is_in_its_line(logged: Logged, claims: dict[str, Any]) -> None:
    token = logged.key.token(**{"sub": "mallory", "jti": "forged", **claims})
    line = logged.line(logged.raw(f"GET {P}/x HTTP/1.1", token=token))
    assert (line["status"], line["error"], line["adapter"]) == (401, "API_InvalidAccessTokenError", "api")
    assert (line["subject"], line["issuer"], line["jti"], line["kid"]) == (None, None, None, None)
    assert "jwt_authn_access_denied" in line["details"]
    assert not re.search("mallory|forged", json.dumps(line))


def test_no_token_is_a_line(logged: Logged) -> None:
    line = logged.line(lambda: logged.envoy.client.send(f"{P}/x?key=hunter2"))
    assert (line["status"], line["error"], line["adapter"]) == (401, "API_MissingAccessTokenError", "api")
    assert "hunter2" not in json.dumps(line)


# A token, or another secret, pasted where no place for it is: the head of a request.
PASTED = {
    "in the path": "GET {P}/bot/{T}/x HTTP/1.1",
    "at the end of the path": "GET {P}/x;{T} HTTP/1.1",
    "in the path of no adapter": "GET /{T} HTTP/1.1",
    "in the path, an API's": "GET {P}/bot123456789:AAE5c0ZQ1s8bQm1oT0aB2cD3eF4gH5iJ6kL/getMe HTTP/1.1",
    "in the query": "GET {P}/x?access_token={T} HTTP/1.1",
    "after a number sign": "GET {P}/x#{T} HTTP/1.1",
    "before the host": "GET http://u:{T}@127.0.0.1{P}/x HTTP/1.1",
    "in headers": "GET {P}/x HTTP/1.1\r\nAuthorization: Bearer {T}\r\nCookie: a={T}\r\nReferer: /{T}\r\nX-{T}: {T}",
    "as the method": "{T} {P}/x HTTP/1.1",
    "as the version": "GET {P}/x {T}",
}


@pytest.mark.parametrize("name", PASTED)
def test_a_token_is_in_no_line_wherever_a_client_pastes_it(logged: Logged, name: str) -> None:
    token = logged.key.token(jti="id-1")
    line = logged.line(logged.raw(PASTED[name].format(P=P, T=token), token=token))
    assert not re.search("eyJ|AAE5c0ZQ1s8bQm1oT0aB2cD3eF4gH5iJ6kL", json.dumps(line))
    if "path" in name:
        assert (line["path"], line["method"]) == ("***", "***")
        assert (line["subject"], line["jti"], line["status"] in {200, 404}) == ("user@test", "id-1", True)


def test_a_token_as_the_host_or_the_method_is_in_no_line(logged: Logged) -> None:
    line = logged.line(logged.raw(f"GET {P}/x HTTP/1.1", host=f"{logged.key.token()}.test"))
    assert (line["status"], line["host"]) == (421, "***")
    assert not re.search("eyJ", json.dumps(line))
    method = f"X{logged.key.token()}".upper()

    def send() -> None:
        pseudo = {":method": f"eyJ{method}", ":scheme": "http", ":authority": f"127.0.0.1:{logged.envoy.client.port}"}
        with logged.envoy.client.connect() as connection:
            over_http2(connection, [*pseudo.items(), (":path", f"{P}/x"), ("atlas-accesstoken", logged.key.token())])

    line = logged.line(send)
    assert (line["status"], line["method"]) == (400, "***")


HOSTILE = 'a"b\\c\n{"status":200}\r\x1b[2J\x00\x7f\u2028\u202e%REQ(atlas-accesstoken)% ✓'


def test_what_a_claim_or_a_path_contains_makes_no_other_line(logged: Logged) -> None:
    token = logged.key.token(sub=HOSTILE, jti=HOSTILE, kid="key-1")
    line = logged.line(logged.raw(f'GET {P}/a"b\\c%0a%1b[2J%REQ(x)%25/x HTTP/1.1', token=token))
    assert (line["subject"], line["jti"]) == (HOSTILE, HOSTILE), line
    assert line["path"] == '/a"b\\c%0a%1b[2J%REQ(x)%25/x'
    raw = (logged.envoy.folder / "access.jsonl").read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", raw)


def test_the_time_is_the_first_of_a_line(logged: Logged) -> None:
    logged.line(logged.raw(f"GET {P}/first HTTP/1.1"))
    assert {next(iter(line)) for line in logged.lines()} == {"@timestamp"}


@pytest.mark.parametrize("path", ["/healthz", "/healthcheck", "/healthz?x=1"])
def test_health_checks_are_no_lines_but_an_api_s_own_are(logged: Logged, path: str) -> None:
    logged.envoy.client.send(path)
    assert logged.envoy.client.send(path).status == 200
    line = logged.line(logged.raw(f"GET {P}{path} HTTP/1.1"))
    assert (line["adapter"], line["path"]) == ("api", path.partition("?")[0])
    assert logged.line(logged.raw("GET /v1/apis/http/health/x HTTP/1.1"))["adapter"] == "health"


def test_the_documentation_has_all_keys_and_all_types() -> None:
    text = (Path(__file__).parents[2] / "docs/access-log.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(@?\w+)`", row)}
    assert named == KEYS | {failure.type for failure in FAILURES}

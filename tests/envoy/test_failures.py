"""Each way in which an API can fail, told apart: in the response, in the access log and in Envoy's own log."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import resource
import select
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes

from mom.envoy.access_log import read_failure
from mom.envoy.failures import FAILURES, failure_of
from mom.envoy.messages import Json
from mom.envoy.options import Listen, Options
from tests.envoy.certificates import Authority, for_clients, self_signed
from tests.envoy.client import SECONDS, Response, read_response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import server_context
from tests.envoy.faulty import (
    Blackhole,
    FaultyServer,
    answers,
    closes,
    closes_in_handshake,
    is_silent,
    resets,
    resets_in_handshake,
    resets_stream,
    speaks_http2_only,
    speaks_plain_http,
    speaks_tls,
)
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CERTIFICATE = "API_UpstreamCertificateError"
NOT_SENT = "the request was not sent"
PERHAPS = "it may have processed the request"
# Status, type, words by which the kinds of one type differ, and what became of the request.
EXPECTED: dict[str, tuple[int, str, str, str]] = {
    "closed": (502, "API_UpstreamConnectionError", "refused the connection", NOT_SENT),
    "closed-name": (502, "API_UpstreamConnectionError", "refused the connection", NOT_SENT),
    "closed-tls": (502, "API_UpstreamConnectionError", "refused the connection", NOT_SENT),
    "unreachable": (502, "API_UpstreamConnectionError", "no route", NOT_SENT),
    "blackhole": (504, "API_UpstreamConnectTimeoutError", "in time", NOT_SENT),
    "silent-tls": (504, "API_UpstreamConnectTimeoutError", "in time", NOT_SENT),
    "no-name": (502, "API_UpstreamNameError", "could not be resolved", NOT_SENT),
    "no-name-tls": (502, "API_UpstreamNameError", "could not be resolved", NOT_SENT),
    "self-signed": (502, CERTIFICATE, "an unknown authority", NOT_SENT),
    "other-authority": (502, CERTIFICATE, "an unknown authority", NOT_SENT),
    "renewed-authority": (502, CERTIFICATE, "an unknown authority", NOT_SENT),
    "expired": (502, CERTIFICATE, "has expired", NOT_SENT),
    "for-clients": (502, CERTIFICATE, "is not valid", NOT_SENT),
    "early": (502, CERTIFICATE, "is not valid yet", NOT_SENT),
    "wrong-name": (502, CERTIFICATE, "not for the host", NOT_SENT),
    "http-at-https": (502, "API_UpstreamTlsError", "does not speak TLS", NOT_SENT),
    "old-tls": (502, "API_UpstreamTlsError", "TLS handshake", NOT_SENT),
    "wants-certificate": (502, "API_UpstreamTlsError", "TLS handshake", NOT_SENT),
    # Envoy tells it from no connection at all only where it was reset.
    "closes-in-handshake": (502, "API_UpstreamConnectionError", "Could not connect", NOT_SENT),
    "resets-in-handshake": (502, "API_UpstreamTlsError", "TLS handshake", NOT_SENT),
    "tls-at-http": (502, "API_UpstreamResponseError", "not valid HTTP", PERHAPS),
    "closes": (502, "API_UpstreamClosedError", "closed the connection before", PERHAPS),
    "resets": (502, "API_UpstreamClosedError", "closed the connection before", PERHAPS),
    "closes-tls": (502, "API_UpstreamClosedError", "closed the connection before", PERHAPS),
    "resets-stream": (502, "API_UpstreamClosedError", "closed the connection before", PERHAPS),
    "refuses-stream": (503, "API_UpstreamRefusedError", "refused the request for now", "has not processed it"),
    "garbage": (502, "API_UpstreamResponseError", "not valid HTTP", PERHAPS),
    "half-a-head": (502, "API_UpstreamResponseError", "not valid HTTP", PERHAPS),
    "two-lengths": (502, "API_UpstreamResponseError", "not valid HTTP", PERHAPS),
    "huge-header": (502, "API_UpstreamResponseError", "headers are too large", PERHAPS),
    "http2-only": (502, "API_UpstreamResponseError", "not valid HTTP", PERHAPS),
    "silent": (504, "API_InstanceRequestTimeoutError", "did not respond in time", PERHAPS),
}


@dataclass(frozen=True)
class Failing:
    """A gateway whose APIs all fail."""

    envoy: Running
    key: Key
    ports: Mapping[str, int]

    def ask(self, adapter: str, query: str = "") -> Response:
        """Send a request that must not be sent twice."""
        path = f"/v1/apis/http/{adapter}/pay{query}"
        return self.envoy.client.send(path, token=self.key.token(), method="POST", body=b"1000")

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the access log."""
        return [json.loads(line) for line in self.envoy.log.splitlines() if line.startswith("{")]


def old_tls(authority: Authority, folder: Path) -> ssl.SSLContext:
    """Return the context of a server that does not know TLS 1.3 nor any cipher of ours."""
    context = server_context(authority.issue("localhost"), folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-SHA")
    return context


@pytest.fixture(scope="module")
def failing(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    folder = tmp_path_factory.mktemp("failing")
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "another authority")
    renewed = Authority(tmp_path_factory.mktemp("renewed"))
    certificates = {
        "self-signed": self_signed("localhost"),
        "other-authority": stranger.issue("localhost"),
        "renewed-authority": renewed.issue("localhost"),
        "expired": authority.issue("localhost", expired=True),
        "wrong-name": authority.issue("evil.test"),
        "for-clients": for_clients(authority, "localhost"),
        "early": authority.issue("localhost", early=True),
        **dict.fromkeys(
            ("closes-tls", "wants-certificate", "refuses-stream", "resets-stream"), authority.issue("localhost")
        ),
    }
    contexts = {name: server_context(issued, folder / name) for name, issued in certificates.items()}
    contexts["wants-certificate"].load_verify_locations(str(authority.file))
    contexts["wants-certificate"].verify_mode = ssl.CERT_REQUIRED
    for name in ("refuses-stream", "resets-stream"):
        contexts[name].set_alpn_protocols(["h2"])
    contexts["old-tls"] = old_tls(authority, folder / "old-tls")
    behaviours = {
        **dict.fromkeys(contexts, answers(OK)),
        "closes-tls": closes,
        "refuses-stream": resets_stream(ErrorCodes.REFUSED_STREAM),
        "resets-stream": resets_stream(ErrorCodes.INTERNAL_ERROR),
        "closes": closes,
        "resets": resets,
        "http-at-https": speaks_plain_http,
        "tls-at-http": speaks_tls,
        "closes-in-handshake": closes_in_handshake,
        "resets-in-handshake": resets_in_handshake,
        "silent-tls": is_silent,
        "silent": is_silent,
        "garbage": answers(b"\x00\x01 this is not HTTP\r\n\r\n"),
        "half-a-head": answers(b"HTTP/1.1 200 OK\r\nContent-Le"),
        "two-lengths": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\nok"),
        "huge-header": answers(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\nContent-Length: 2\r\n\r\nok"),
        "http2-only": speaks_http2_only,
        "broken-off": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
    }
    over_tls = {*contexts, "http-at-https", "closes-in-handshake", "resets-in-handshake", "silent-tls"}
    with contextlib.ExitStack() as stack:
        ports = {
            name: stack.enter_context(FaultyServer(behave, contexts.get(name))).port
            for name, behave in behaviours.items()
        }
        ports["blackhole"] = stack.enter_context(Blackhole()).port
        urls = {name: f"{'https' if name in over_tls else 'http'}://localhost:{port}" for name, port in ports.items()}
        urls |= {
            "closed": f"http://127.0.0.1:{free_port()}",
            "closed-name": f"http://localhost:{free_port()}",
            "closed-tls": f"https://localhost:{free_port()}",
            "blackhole": f"http://127.0.0.1:{ports['blackhole']}",
            # An address has a cluster of its own.
            "silent-tls": f"https://127.0.0.1:{ports['silent-tls']}",
            # No TCP connection can be to a broadcast address (RFC 9293, 3.9.2.3): the system itself says no.
            "unreachable": "http://255.255.255.255",
            "no-name": "http://nothing.invalid",
            "no-name-tls": "https://nothing.invalid",
        }
        key = es256()
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file=str(authority.file),
            jwks={"keys": json.dumps(jwks(key))},
            access_log="-",
            log_failures=True,
            timeout=8,
        )
        given = configuration(*(http(*one) for one in urls.items()), providers=(provider("keys"),))
        change = impatient([ports["blackhole"], ports["silent-tls"]])
        envoy = stack.enter_context(running(given, options, folder / "envoy", change=change))
        yield Failing(envoy, key, ports)


def impatient(ports: Collection[int]) -> Callable[[Json], Json]:
    """Return a change of a bootstrap: connections to these ports have a moment, those to all others as long as ever.

    The servers there, each with many connections at once, share one process with the tests.
    """

    def change(bootstrap: Json) -> Json:
        changed = 0
        for cluster in bootstrap["static_resources"]["clusters"]:
            if any(cluster["name"].endswith(f":{port}") for port in ports):
                cluster["connect_timeout"] = "0.3s"
                changed += 1
        assert changed == len(ports)
        return bootstrap

    return change


@pytest.mark.parametrize("adapter", EXPECTED)
def test_a_failure_names_its_kind_and_whether_the_api_may_have_seen_the_request(failing: Failing, adapter: str) -> None:
    status, kind, words, outcome = EXPECTED[adapter]
    answer = failing.ask(adapter)
    assert (answer.status, answer.error) == (status, kind), answer
    message = answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == kind
    assert words in message
    assert message.endswith(outcome)
    # Nothing that only the operator may know: names of certificates, addresses, Envoy's own words.
    assert not re.search(r"evil|localhost|127\.0|SAN|TLS_error|OPENSSL|upstream|reset reason", message, re.IGNORECASE)

    wait_until(lambda: any(line["adapter"] == adapter for line in failing.log()), "no line in the access log")
    (line,) = [line for line in failing.log() if line["adapter"] == adapter][:1]
    assert (line["status"], line["error"]) == (status, kind)
    found = failure_of(line["details"])
    assert found is not None
    assert found.type == kind
    wait_until(lambda: (adapter, found) in reported(failing), "no line in Envoy's log")


def reported(failing: Failing) -> list[Any]:
    """Return what Envoy's own log says of failures."""
    return [read_failure(line) for line in failing.envoy.log.splitlines()]


def test_a_response_that_breaks_off_is_reported(failing: Failing) -> None:
    with contextlib.suppress(OSError):
        failing.ask("broken-off")
    wait_until(lambda: any(line["adapter"] == "broken-off" for line in failing.log()), "no line in the access log")
    wait_until(lambda: ("broken-off", FAILURES[0]) in reported(failing), "no line in Envoy's log")
    assert FAILURES[0].type == "API_UpstreamAbortedError"


def test_without_files_for_a_connection(failing: Failing, authority: Authority, tmp_path: Path) -> None:
    given = configuration(http("closed", f"http://127.0.0.1:{free_port()}"), providers=(provider("keys"),))
    keys = {"keys": json.dumps(jwks(failing.key))}
    options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks=keys)
    with running(given, options, tmp_path) as envoy, envoy.client.connect() as connection:
        connection.sendall(envoy.client.request("/healthz").replace(b"Connection: close\r\n", b""))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        used = {int(one.name) for one in Path(f"/proc/{envoy.process.pid}/fd").iterdir()}
        first_free = next(number for number in itertools.count() if number not in used)
        resource.prlimit(envoy.process.pid, resource.RLIMIT_NOFILE, (first_free, first_free))
        connection.sendall(envoy.client.request("/v1/apis/http/closed/x", token=failing.key.token()))
        answer = read_response(connection.makefile("rb"))
    assert (answer.status, answer.error) == (503, "API_InstanceLimitsExceededError")
    assert answer.json()["error"]["message"] == "Atlas has no free connection for this API; the request was not sent"


def test_too_many_requests_at_once(failing: Failing, authority: Authority, api: Upstream, tmp_path: Path) -> None:
    """One has the only connection, one waits for it, the third is refused."""

    def narrow(bootstrap: Json) -> Json:
        thresholds = bootstrap["static_resources"]["clusters"][0]["circuit_breakers"]["thresholds"][0]
        thresholds |= {"max_connections": 1, "max_pending_requests": 1}
        return bootstrap

    given = configuration(http("api", f"http://127.0.0.1:{api.port}"), providers=(provider("keys"),))
    keys = {"keys": json.dumps(jwks(failing.key))}
    options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks=keys)
    with running(given, options, tmp_path, change=narrow) as envoy, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(envoy.client.connect()) for _ in range(3)]
        for connection in clients:
            connection.sendall(envoy.client.request("/v1/apis/http/api/hold/narrow", token=failing.key.token()))
        # While the first one connects, it waits, too.
        refused, _, _ = select.select(clients, [], [], SECONDS)
        answer = read_response(refused[0].makefile("rb"))
        api.release("narrow")
    assert (answer.status, answer.error) == (503, "API_InstanceLimitsExceededError")
    assert (
        answer.json()["error"]["message"] == "Too many requests to this API are in progress; the request was not sent"
    )


def test_no_log_contains_a_query(failing: Failing) -> None:
    failing.ask("closed", "?key=hunter2")
    wait_until(lambda: len([one for one in failing.log() if one["adapter"] == "closed"]) > 0, "no line")
    assert "hunter2" not in failing.envoy.log


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        ("upstream_reset_before_response_started{remote_connection_failure|news}", "API_UpstreamConnectionError"),
        ("upstream_reset_before_response_started{connection_termination}", "API_UpstreamClosedError"),
        ("via_upstream", None),
        ("jwt_authn_access_denied{Jwt_is_expired}", None),
    ],
)
def test_what_envoy_reports_only_in_general(details: str, kind: str | None) -> None:
    found = failure_of(details)
    assert (found and found.type) == kind


def test_every_kind_is_known_by_its_own_mark() -> None:
    """No kind hides another one that stands below it."""
    for failure in FAILURES:
        for mark in failure.marks:
            assert failure_of(f"…{mark}…") is failure


@pytest.mark.parametrize(
    "line", ["", "mom-failure", "mom-failure a", "mom-failure a via_upstream", "[x] mom-failure a b"]
)
def test_other_lines_of_a_log_are_no_failures(line: str) -> None:
    assert read_failure(line) is None

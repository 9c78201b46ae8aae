"""`mom atlas run --stand-in`: the real gateway, no API behind it, and no credential anywhere."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.run import stand_in as module
from mom.run.stand_in import StandIn
from tests.envoy.aws import check_signature
from tests.envoy.client import SECONDS, Client, Response
from tests.envoy.upstream import Request
from tests.observed import contents
from tests.run.mom_run import MomRun, atlas_yml, is_running, mom_run, replace, threads, wait_until, with_aws

P = "/v1/apis/http"
SECRET = "sk-the-real-credential-0123456789"
BEARER = {"Authorization": "Bearer ${{ OPENAI_API_TOKEN }}"}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[MomRun]:
    """Return a run of the API `github`, none of whose variables is set, and of a provider that cannot be asked."""
    # Whoever asks an echo is nothing for a collector, whose credential is not used.
    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_HEADERS": f"key={SECRET}"}
    with mom_run(tmp_path, environ=collector) as made:
        provider = {
            "publicKey": "https://127.0.0.1:1/jwks",
            "audience": "https://a.test",
            "issuer": "https://idp.test/",
        }
        github = ("https://api.github.com/base", {"Authorization": "token ${{ GITHUB_TOKEN }}"})
        made.configure({"github": github}, identityProviders=[{"idp": provider}])
        yield made


def values(request: dict[str, Any]) -> dict[str, str]:
    return {one["name"].lower(): one["value"] for one in request["headers"]}


def check_options(run: MomRun) -> tuple[str, ...]:
    return "-f", "atlas.yml", "--format", "json", "--base-url", f"http://127.0.0.1:{run.port}"


def check_aws(run: MomRun) -> None:
    """Check that a request to AWS is signed with dummies, for the endpoint that it names."""
    assert "/v1/apis/aws/PROFILE/SERVICE/REGION/  stand-in for AWS as prod" in run.text
    response = run.client.send("/v1/apis/aws/prod/sqs/us-east-1/q?b=1&a=2", token=run.token(), method="POST", body=b"x")
    shown = response.json()
    assert (response.status, shown["adapter"]) == (200, "aws")
    assert shown["url"] == "https://sqs.us-east-1.amazonaws.com/q?b=1&a=2"
    headers = tuple((each["name"].encode(), each["value"].encode()) for each in shown["headers"])
    request = Request(b"POST /q?b=1&a=2 HTTP/1.1", headers, b"x", ())
    check_signature(request, "stand-in-for-AWS_ID", "stand-in-for-AWS_SECRET")
    (checked,) = json.loads(run.mom("atlas", "check", "--adapter", "aws", *check_options(run)))["adapters"]
    path = "/prod/sts/us-east-1/?Action=GetCallerIdentity&Version=2011-06-15"
    assert (checked["outcome"], checked["request"]) == ("passed", f"GET {path}")


def test_the_guides_three_commands_need_no_credential(run: MomRun) -> None:
    run.start("--stand-in")
    assert "exported" not in run.text
    assert "STAND-IN: no API is called, no credential is used" in run.text
    assert "/v1/apis/http/github/  stand-in for https://api.github.com/base" in run.text
    # The provider's keys are the real ones, and say so where they cannot be had.
    run.wait("https://127.0.0.1:1/jwks")
    assert "its tokens are rejected" in run.text
    command = "add-http-adapter -f atlas.yml --adapter-name openai --base-url https://api.openai.com -H"
    run.mom("atlas", "config", *command.split(), "Authorization: Bearer ${{ OPENAI_API_TOKEN }}")
    run.wait("Reloaded + openai")
    gateway = f"http://127.0.0.1:{run.port}"
    printed = run.mom("curl", "-sSi", "--base-url", gateway, f"{P}/openai/v1/models?limit=2", "-d", "{}")
    head, _, body = printed.partition("\n\n")
    assert "\natlas-stand-in: no API was called" in head
    found = json.loads(body)
    assert (found["adapter"], found["method"]) == ("openai", "POST")
    assert found["url"] == "https://api.openai.com/v1/models?limit=2"
    assert found["body"] == {"bytes": 2, "text": "{}"}
    assert values(found)["host"] == "api.openai.com"
    assert values(found)["authorization"] == "Bearer stand-in-for-OPENAI_API_TOKEN"
    assert "atlas-accesstoken" not in values(found)
    for path, status in (("/healthz", 200), ("/v1alpha1/apis", 401), (f"{P}/openai/", 401), ("/x/../y", 401)):
        response = run.client.send(path)
        assert (response.status, response.headers.get("atlas-stand-in")) == (status, "no API was called"), path
    envoys = run.children()
    assert run.end() == 0
    wait_until(lambda: not any(is_running(pid) for pid in envoys), "Envoy ends with mom")
    assert list(run.runtime.iterdir()) == []


def test_no_value_of_a_variable_is_used_even_if_it_is_set(tmp_path: Path) -> None:
    environ = {"OPENAI_API_TOKEN": SECRET, "AWS_ID": SECRET, "AWS_SECRET": SECRET}
    with mom_run(tmp_path, environ=environ) as run:
        (tmp_path / ".env").write_text(f"GITHUB_TOKEN={SECRET}\nnot a line of an env file\n")
        github = {"X-Api-Key": "${{ GITHUB_TOKEN }}"}
        adapters = {"openai": ("https://api.openai.com", BEARER), "github": ("http://127.0.0.1:1", github)}
        replace(tmp_path / "atlas.yml", with_aws(atlas_yml(adapters)))
        run.start("--stand-in", "--env-file", ".env")
        assert "--env-file .env is not read" in run.text
        responses = [
            run.client.send(f"{P}/{name}/x", f"Cookie: {SECRET}", f"Authorization: Bearer {SECRET}", token=run.token())
            for name in ("openai", "github")
        ]
        assert [one.status for one in responses] == [200, 200]
        assert values(responses[0].json())["authorization"] == "Bearer stand-in-for-OPENAI_API_TOKEN"
        # What the client itself sent to an API that sets no such header is masked.
        assert values(responses[1].json())["authorization"] == "***"
        assert values(responses[1].json())["x-api-key"] == "stand-in-for-GITHUB_TOKEN"
        check_aws(run)
        for pid in run.children():
            assert SECRET.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        texts = [one.body for one in responses] + [str(one.headers).encode() for one in responses]
        assert not any(SECRET.encode() in text for text in [*texts, *contents(run.runtime).values()])
        assert run.end() == 0
        assert SECRET not in run.text


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:0", *(pytest.param(each, marks=pytest.mark.proof) for each in ("[::]:8082", "192.0.2.1:8082"))]
)
def test_it_refuses_to_listen_where_other_machines_can_connect(run: MomRun, listen: str) -> None:
    run.start("--stand-in", "--listen", listen, serving=False, listen=False)
    assert run.status() == 2
    assert f"refusing to serve stand-ins on {listen}: other machines can connect" in run.text
    assert "--listen 127.0.0.1:" in run.text
    assert "Serving" not in run.text


def test_a_hundred_clients_at_once_each_get_their_own_request(run: MomRun) -> None:
    run.configure({"openai": ("https://api.openai.com", BEARER)})
    run.start("--stand-in")
    bodies: dict[int, int] = {}

    def send(number: int) -> None:
        response = run.client.send(f"{P}/openai/{number}", token=run.token(), method="PUT", body=b"x" * number * 300)
        found = response.json()
        assert found["url"].endswith(f"/{number}")
        bodies[number] = found["body"]["bytes"]

    for thread in threads(send, [(number,) for number in range(1, 101)]):
        thread.join(SECONDS)
    assert bodies == {number: number * 300 for number in range(1, 101)}
    # Clients that hang end with the run, too.
    with run.client.connect() as hanging:
        head = f"PUT {P}/openai/x HTTP/1.1\r\nHost: 127.0.0.1:{run.port}\r\nAtlas-Accesstoken: {run.token()}\r\n"
        hanging.sendall(f"{head}Content-Length: 10\r\n\r\nx".encode())
        run.process.send_signal(signal.SIGQUIT)
        assert run.status() == 0


# -- the server itself


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Client]:
    with StandIn() as server:
        yield Client(server.port)


def exchange(stand_in: Client, data: bytes) -> list[Response]:
    """Return all responses to what is sent on one connection, which the last of them closes."""
    received = stand_in.raw(data)
    parts = re.split(rb"(?=HTTP/1\.1 \d)", received)[1:]
    return [Response(int(part[9:12]), {}, part.partition(b"\r\n\r\n")[2]) for part in parts]


def test_requests_of_one_connection_follow_each_other(stand_in: Client) -> None:
    chunked = b"POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
    head, second, third = exchange(
        stand_in, b"HEAD /1 HTTP/1.1\r\nA: b\r\n\r\n" + chunked + b"GET /3 HTTP/1.1\r\nConnection: close\r\n\r\n"
    )
    assert head.body == b""
    assert second.json()["body"] == {"bytes": 5, "text": "abcde"}
    assert second.json()["trailers"] == [{"name": "X-Sum", "value": "1"}]
    assert third.json()["url"] == "/3"


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\na : b\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyy",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 20_000,
        b"GET / HTTP/1.1\r\nx: " + b"y" * 2_000_000,
    ],
)
def test_what_is_not_a_request_ends_the_connection_only(stand_in: Client, data: bytes) -> None:
    received = stand_in.raw(data)
    assert received == b"" or received.startswith(b"HTTP/1.1 400 ")
    (response,) = exchange(stand_in, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert response.status == 200


def test_a_large_body_is_counted_and_not_stored(stand_in: Client) -> None:
    size = 3_000_000
    head = f"PUT / HTTP/1.1\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    (response,) = exchange(stand_in, head.encode() + b"x" * size)
    body = response.json()["body"]
    assert (body["bytes"], body["shown"], len(body["text"])) == (size, 16_384, 16_384)


def test_more_connections_than_it_takes_are_closed_and_the_others_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where a process may have a thousand files open, its 512 are too many for both sides in one.
    monkeypatch.setattr(module, "_CONNECTIONS", 100)
    with StandIn() as server, contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS))
            for _ in range(130)
        ]
        closed = 0
        for connection in opened:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        for connection in opened:
            try:
                closed += connection.recv(15) == b""
            except ConnectionResetError:
                closed += 1
        assert closed == 130 - 100


def serving() -> int:
    """Return how many stand-ins serve in this process: other tests may have threads of their own."""
    return sum(thread.name == "stand-in" for thread in threading.enumerate())


def test_it_ends_at_once_whatever_its_clients_do() -> None:
    before = serving()
    with StandIn() as server, socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx")
        assert serving() == before + 1
    assert serving() == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)

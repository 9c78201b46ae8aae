"""Proxies on the way to APIs: which one for which, and what passes it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest

from mom.atlas.jwks import Jwks
from mom.envoy.origins import Origin
from mom.errors import MomError
from mom.run import proxies as module
from mom.run.fetch import fetch
from mom.run.proxies import Proxies, parse
from tests.envoy.certificates import Authority
from tests.envoy.upstream import Upstream, read_request
from tests.run.mom_run import mom_run, wait_until

P = "/v1/apis/http"
API, PLAIN, HERE = Origin("https", "api.corp.test", 443), Origin("http", "api.corp.test", 80), Origin("https", "::1", 1)
PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("environ", "origin", "setting", "url"),
    [
        ({}, API, "", None),
        ({"HTTPS_PROXY": ""}, API, "", None),
        ({"HTTPS_PROXY": PROXY}, API, "", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, API, "", PROXY),
        ({"HTTPS_PROXY": PROXY}, PLAIN, "", None),
        ({"HTTP_PROXY": PROXY}, PLAIN, "", PROXY),
        # A client of a CGI program sets it.
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, PLAIN, "", None),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PLAIN, "", PROXY),
        ({"HTTPS_PROXY": PROXY}, HERE, "", None),
        ({"HTTPS_PROXY": PROXY}, Origin("https", "x.localhost", 443), "", None),
        ({"HTTPS_PROXY": PROXY}, API, "none", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, API, "http://own:1", "http://own:1"),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, API, "", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "corp.test"}, API, "", None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "x, .corp.test:443"}, API, "", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*.corp.test"}, API, "", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "orp.test,api.corp,corp.test:8443"}, API, "", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, Origin("https", "10.1.2.3", 443), "", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,x/y"}, Origin("https", "11.1.2.3", 443), "", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "2001:db8::/32"}, Origin("https", "2001:db8::1", 443), "", None),
    ],
)
def test_which_proxy_leads_to_an_api(environ: Mapping[str, str], origin: Origin, setting: str, url: str | None) -> None:
    assert Proxies(environ).url(origin, setting) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://user:s3cret@proxy:3128", "cannot authenticate to a proxy"),
        ("user@proxy", "cannot authenticate to a proxy"),
        ("https://proxy", "only proxies by http"),
        ("socks5://proxy", "only proxies by http"),
        ("http://", "only proxies by http"),
        ("http://proxy:x", "not the URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_at_the_start(url: str, said: str) -> None:
    with pytest.raises(MomError, match=said) as caught:
        Proxies({"HTTPS_PROXY": url}, lambda _host, _port: "192.0.2.9").of([(API, "")])
    assert "s3cret" not in caught.value.message + str(caught.value.hint)
    assert "HTTPS_PROXY" in caught.value.message


def test_the_port_of_a_proxy_may_be_left_out() -> None:
    assert parse("proxy", "") == ("proxy", 80)
    assert parse("http://[::1]:3128/", "") == ("::1", 3128)


def test_a_name_is_looked_up_again_when_connections_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]

    def look_up(_host: str, _port: int) -> str:
        if not addresses:
            raise OSError("no name server")
        return addresses.pop(0)

    monkeypatch.setattr(module, "_SECONDS", 0.0)
    given = Proxies({"HTTPS_PROXY": PROXY}, look_up)
    assert given.of([(API, "")])[API, ""].address == "192.0.2.1"
    given.ask_again()
    wait_until(lambda: len(addresses) == 1, "it is looked up")
    assert not given.take_change()
    given.ask_again()
    wait_until(given.take_change, "it has another address")
    assert not given.take_change()
    given.ask_again()
    assert given.of([(API, "")])[API, ""].address == "192.0.2.2"


class Proxy:
    """A proxy on loopback: connects to `target` whatever name it is asked for, and records what it is asked."""

    def __init__(self, targets: Mapping[str, int]) -> None:
        self.targets = targets
        self.asked: list[str] = []
        self.refuses = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), client.makefile("rb") as reader:
            request = read_request(reader)
            if request is None:
                return
            self.asked.append(request.line.decode())
            name = request.target.removeprefix("http://").partition("/")[0]
            if self.refuses:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.targets[name])) as api:
                if request.method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Established\r\n\r\n")
                else:
                    fields = b"".join(b"%s: %s\r\n" % field for field in request.headers)
                    api.sendall(request.line + b"\r\n" + fields + b"\r\n")
                back = threading.Thread(target=_pass_on, args=(api, client), daemon=True)
                back.start()
                _pass_on(client, api)
                back.join(10)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def secure(authority: Authority, tmp_path: Path) -> Iterator[Upstream]:
    """Return an https API with a certificate for a name that nothing resolves."""
    files = authority.issue("api.nowhere.test").write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    with Upstream(context) as upstream:
        yield upstream


def test_requests_pass_a_proxy_and_it_sees_none_of_those_over_tls(
    tmp_path: Path, api: Upstream, secure: Upstream, authority: Authority
) -> None:
    targets = {"api.nowhere.test:443": secure.port, "plain.nowhere.test": api.port, "plain.nowhere.test:80": api.port}
    (tmp_path / "authorities").mkdir()
    (tmp_path / "authorities" / "0a1b2c3d.0").write_bytes(authority.file.read_bytes())
    with Proxy(targets) as proxy, Proxy(targets) as own:
        environ = {
            "HTTPS_PROXY": f"http://localhost:{proxy.port}",
            "HTTP_PROXY": f"127.0.0.1:{proxy.port}",
            "NO_PROXY": "direct.test",
            "SSL_CERT_DIR": str(tmp_path / "authorities"),
            "KEY": "s3cret",
        }
        with mom_run(tmp_path, environ=environ) as run:
            secret = {"Authorization": "Bearer ${{ KEY }}"}
            run.configure(
                {
                    "secure": ("https://api.nowhere.test", secret),
                    "plain": ("http://plain.nowhere.test/base", secret),
                    "own": ("https://api.nowhere.test", secret),
                    "here": (f"http://127.0.0.1:{api.port}", secret),
                    "direct": (f"http://127.0.0.1:{api.port}", secret),
                },
                settings={"own": {"proxy": f"http://127.0.0.1:{own.port}"}, "direct": {"proxy": "none"}},
            )
            run.start()
            assert f"note: through the proxy http://localhost:{proxy.port}: secure" in run.text

            def get(path: str) -> int:
                return run.client.send(f"{P}{path}", token=run.token()).status

            assert get("/secure/a?key=1") == 200
            assert secure.seen("/a")[-1].get("authorization") == ["Bearer s3cret"]
            assert get("/own/b") == 200
            assert get("/plain/c?d=%2f") == 200
            assert api.seen("/base/c")[-1].get("host") == ["plain.nowhere.test"]
            assert get("/here/e") == get("/direct/f") == 200
            assert proxy.asked == [
                "CONNECT api.nowhere.test:443 HTTP/1.1",
                "GET http://plain.nowhere.test/base/c?d=%2f HTTP/1.1",
            ]
            assert own.asked == ["CONNECT api.nowhere.test:443 HTTP/1.1"]
            own.refuses = True
            assert run.end() == 0


def test_keys_of_an_identity_provider_pass_it_too(secure: Upstream, authority: Authority) -> None:
    secure.body = b'{"keys": []}'
    with Proxy({"api.nowhere.test:443": secure.port}) as proxy:
        given = Proxies({"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        assert isinstance(fetch("https://api.nowhere.test/jwks", str(authority.file), given), Jwks)
        assert proxy.asked[0].startswith("CONNECT api.nowhere.test:443 HTTP/1")

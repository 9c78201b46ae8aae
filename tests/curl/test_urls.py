"""URL words: paths are completed, the gateway's own URLs pass, everything else is refused."""

from __future__ import annotations

import pytest

from mom.auth.base_url import Gateway, parse_base_url
from mom.curl import urls

HTTP = parse_base_url("http://127.0.0.1:8082")
HTTPS = parse_base_url("https://atlas.example/team")
PORT_80 = parse_base_url("http://localhost")
IPV6 = parse_base_url("http://[::1]:8082")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/a?b=c&d=/e",
        "//double",
        "/a{b,c}[1-3]",
        "/a%2Fb/../c",
        "/?url=http://other/",
        "/a#fragment",
        "/with space",
        "/ünï",
        "/@x",
        "/:80/",
        "/\\x",
    ],
)
def test_a_path_is_put_after_the_base_url_as_it_is(path: str) -> None:
    assert urls.resolve_url(path, HTTP) == "http://127.0.0.1:8082" + path
    assert urls.resolve_url(path, HTTPS) == "https://atlas.example/team" + path
    assert urls.resolve_url(path, IPV6) == "http://[::1]:8082" + path


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("http://127.0.0.1:8082", HTTP),
        ("HTTP://127.0.0.1:8082/x", HTTP),
        ("http://127.0.0.1:8082?x", HTTP),
        ("http://127.0.0.1:8082#x", HTTP),
        ("http://user:pw@127.0.0.1:8082/x", HTTP),
        ("127.0.0.1:8082/x", HTTP),
        ("127.0.0.1:8082/x?u=http://y", HTTP),
        ("user@127.0.0.1:8082", HTTP),
        ("https://Atlas.Example/other", HTTPS),
        ("https://atlas.example:443/", HTTPS),
        ("http://localhost:80/", PORT_80),
        ("localhost", PORT_80),
        ("http://[::1]:8082/x", IPV6),
        ("ws://127.0.0.1:8082/x", HTTP),
        ("WSS://atlas.example/x", HTTPS),
        ("", HTTP),
        ("@file", HTTP),
    ],
)
def test_a_url_of_the_gateway_itself_passes_unchanged(text: str, at: Gateway) -> None:
    assert urls.resolve_url(text, at) == text


@pytest.mark.parametrize(
    ("text", "at", "url"),
    [
        ("http://localhost:8082/x?u=http://y", HTTP, "http://127.0.0.1:8082/x?u=http://y"),
        ("localhost:8082/x", HTTP, "127.0.0.1:8082/x"),
        ("LocalHost:8082", HTTP, "127.0.0.1:8082"),
        ("user:pw@localhost:8082#x", HTTP, "user:pw@127.0.0.1:8082#x"),
        ("http://[::1]:8082/{a,b}", HTTP, "http://127.0.0.1:8082/{a,b}"),
        ("http://127.0.0.1/x", PORT_80, "http://localhost/x"),
        ("127.0.0.1:80", PORT_80, "localhost"),
        ("http://localhost:8082/x", IPV6, "http://[::1]:8082/x"),
        ("ws://localhost:8082/x", HTTP, "ws://127.0.0.1:8082/x"),
    ],
)
def test_another_name_of_this_machine_becomes_that_of_the_gateway(text: str, at: Gateway, url: str) -> None:
    assert urls.resolve_url(text, at) == url


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("http://127.0.0.1:8083/", HTTP, id="another port"),
        pytest.param("http://127.0.0.1/", HTTP, id="the default port"),
        pytest.param("https://127.0.0.1:8082/", HTTP, id="another scheme"),
        pytest.param("http://localhost:8083/", HTTP, id="this machine by another name, but another port"),
        pytest.param("http://localhost/", HTTP, id="this machine by another name, without its port"),
        pytest.param("http://127.0.0.2:8082/", HTTP, id="another loopback address"),
        pytest.param("http://localhost.evil:8082/", HTTP, id="a host that starts like localhost"),
        pytest.param("https://localhost/", HTTPS, id="this machine for another one"),
        pytest.param("wss://127.0.0.1:8082/", HTTP, id="a web socket with TLS at a gateway without"),
        pytest.param("ws://127.0.0.1:8083/", HTTP, id="a web socket at another port"),
        pytest.param("ws://atlas.example/", HTTPS, id="a web socket without TLS"),
        pytest.param("http://127.0.0.1:80820/", HTTP, id="a port that starts alike"),
        pytest.param("http://127.0.0.1:8082.evil/", HTTP, id="a host that starts alike"),
        pytest.param("http://127.0.0.1:8082@evil/", HTTP, id="the gateway as a user name"),
        pytest.param("http://127.0.0.1:8082:pw@evil/", HTTP, id="the gateway as user name and password"),
        pytest.param("http://a@b@127.0.0.1:8082/", HTTP, id="two @"),
        pytest.param("http://127.0.0.1:8082\\@evil/", HTTP, id="a backslash"),
        pytest.param("http://evil\\@127.0.0.1:8082/", HTTP, id="a backslash before @"),
        pytest.param("http://evil#@127.0.0.1:8082/", HTTP, id="a fragment before @"),
        pytest.param("http://evil?@127.0.0.1:8082/", HTTP, id="a query before @"),
        pytest.param("http://{127.0.0.1:8082,evil}/", HTTP, id="a glob of hosts"),
        pytest.param("http://127.0.0.[1-9]:8082/", HTTP, id="a range of hosts"),
        pytest.param("http:127.0.0.1:8082/", HTTP, id="no slashes"),
        pytest.param("http:///127.0.0.1:8082/", HTTP, id="three slashes"),
        pytest.param(" http://127.0.0.1:8082/", HTTP, id="a blank before"),
        pytest.param("http://127.0.0.1:8082 /", HTTP, id="a blank after"),
        pytest.param("file:///etc/passwd", HTTP, id="a file"),
        pytest.param("ftp://127.0.0.1:8082/", HTTP, id="ftp"),
        pytest.param("evil", HTTP, id="a host without a scheme"),
        pytest.param("v1/x", HTTP, id="a path without its slash"),
        pytest.param("?x", HTTP, id="a query"),
        pytest.param("http://atlas.example/", HTTPS, id="http for https"),
        pytest.param("atlas.example/", HTTPS, id="no scheme, which is http for curl"),
        pytest.param("http://[::2]:8082/", IPV6, id="another IPv6 address"),
    ],
)
def test_everything_else_is_refused_with_a_way_out(text: str, at: Gateway) -> None:
    assert urls.resolve_url(text, at) is None
    message, hint = urls.url_error(text, at, {})
    assert at.origin in message
    assert hint


def test_a_windows_path_is_not_a_path_of_the_gateway() -> None:
    """mom runs on Windows only in WSL, whose shells rewrite no path."""
    for text in ("C:/Program Files/Git/v1/x", "C:\\v1\\x"):
        assert urls.resolve_url(text, HTTP) is None
        assert "is neither a path nor a URL of the gateway" in urls.url_error(text, HTTP, {})[0]


def test_a_path_without_its_slash_is_shown_with_it() -> None:
    assert urls.url_error("v1/x", HTTP, {})[1].endswith("/v1/x")


ADAPTERS = {"openai": "https://api.openai.com/v1", "github": "https://api.github.com/", "local": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("openai/v1/models", "/v1/apis/http/openai/v1/models"),
        ("openai", "/v1/apis/http/openai"),
        ("github?x=a/b", "/v1/apis/http/github?x=a/b"),
        ("https://api.openai.com/v1/models?x", "/v1/apis/http/openai/models?x"),
        ("https://API.github.com", "/v1/apis/http/github/"),
        ("api.github.com/user", "/v1/apis/http/github/user"),
        ("127.0.0.1:9/x", "/v1/apis/http/local/x"),
    ],
)
def test_what_an_adapter_serves_is_shown_with_its_path_at_the_gateway(text: str, path: str) -> None:
    assert urls.resolve_url(text, HTTP) is None
    assert urls.url_error(text, HTTP, ADAPTERS)[1].split()[-1] == path


@pytest.mark.parametrize("text", ["stripe/v1/charges", "api.openai.com/v2", "open/ai", "openai.example/v1"])
def test_for_a_url_that_no_adapter_serves_the_pattern_is_printed(text: str) -> None:
    for adapters in (ADAPTERS, {}):
        hint = urls.url_error(text, HTTP, adapters)[1]
        assert hint == "paths are /v1/apis/http/ADAPTER/PATH; the adapters: mom curl /v1alpha1/apis"

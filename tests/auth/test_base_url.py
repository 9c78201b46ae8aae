"""Base URLs: what is an address of a gateway, and what a token for it names."""

from __future__ import annotations

import pytest

from mom.auth.base_url import parse_base_url, resolve_gateway
from mom.errors import UsageError


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        pytest.param("http://127.0.0.1:8082", "http://127.0.0.1:8082", id="the default is its own origin"),
        pytest.param("http://127.0.0.1:8082/", "http://127.0.0.1:8082", id="a slash at the end does not count"),
        pytest.param(
            "HTTPS://Atlas.Example:443/", "https://atlas.example", id="case and the default port do not count"
        ),
        pytest.param("http://localhost:80", "http://localhost", id="port 80 is http's own"),
        pytest.param("https://localhost:80", "https://localhost:80", id="port 80 is not https's own"),
        pytest.param("https://atlas.example/team/a", "https://atlas.example", id="a path is no part of the origin"),
        pytest.param("http://[::1]:8082", "http://[::1]:8082", id="an IPv6 address keeps its brackets"),
        pytest.param("https://[2001:DB8::1]", "https://[2001:db8::1]", id="an IPv6 address is lower case"),
        pytest.param("http://x:08082", "http://x:8082", id="a zero before the port does not count"),
    ],
)
def test_the_audience_is_the_origin(base_url: str, expected: str) -> None:
    assert parse_base_url(base_url).origin == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        " ",
        "127.0.0.1:8082",
        "//127.0.0.1",
        "ftp://x",
        "http://",
        "http:///x",
        "http://x:",
        "http://x:0",
        "http://x:65536",
        "http://x:8o82",
        "http://x:٣",
        "http://x y",
        "http://x\n",
        "http://x?q",
        "http://x#f",
        "http://x/?q",
        "http://x/a b",
        "http://x/{a,b}",
        "http://{a,b}/",
        "http://[a-z]/",
        "http://[::1",
        "http://[::1]8082",
        "http://[::1%25eth0]",
        "http://::1:8082",
        "http://user@x",
        "http://user:secret@x",
        "http://x?key=secret",
        "http://x/#secret",
        "http://x/a?b@c=secret",
        "http://x\\@y",
        "http://bücher.example",
        "http://.",
        " http://x",
    ],
)
def test_anything_that_curl_might_read_differently_is_refused(base_url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_base_url(base_url, "--base-url")
    assert caught.value.message.startswith("--base-url is not a gateway's address")
    assert "secret" not in caught.value.message


def test_the_path_of_a_base_url_goes_before_the_path_of_the_request() -> None:
    assert parse_base_url("https://x/a/b//").base + "/v1" == "https://x/a/b/v1"


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://localhost", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://[0:0:0:0:0:0:0:1]", True),
        ("http://127.255.0.255", True),
        ("http://127.0.0.256", False),
        ("http://127.999.1.1", False),
        ("http://127.0.0.01", False),
        ("http://sub.localhost", False),
        ("http://127.1", False),
        ("http://128.0.0.1", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.example", False),
        ("http://[::2]", False),
        ("http://0x7f.0.0.1", False),
    ],
)
def test_loopback_is_what_cannot_leave_the_machine(base_url: str, *, expected: bool) -> None:
    assert parse_base_url(base_url).loopback is expected


def test_the_option_wins_over_the_variable_and_the_variable_over_the_default() -> None:
    environ = {"MOM_BASE_URL": "http://variable"}
    assert resolve_gateway("http://option", environ).origin == "http://option"
    assert resolve_gateway(None, environ).origin == "http://variable"
    assert resolve_gateway(None, {}).origin == "http://127.0.0.1:8082"


def test_an_empty_variable_is_an_error_and_not_the_default() -> None:
    with pytest.raises(UsageError, match="MOM_BASE_URL is not"):
        resolve_gateway(None, {"MOM_BASE_URL": ""})

"""What is added to a command line, and where. Pure: nothing runs."""

from __future__ import annotations

import pytest

from mom.auth.base_url import Gateway, parse_base_url
from mom.curl import arguments, command

HTTP = parse_base_url("http://127.0.0.1:8082")
HTTPS = parse_base_url("https://atlas.example")

CONNECT = ["--connect-to", "::127.0.0.1:8082"]
PROTOCOLS = ["--proto", "=http", "--proto-redir", "=http"]
NO_PROXY = ["--noproxy", "*"]
TOKEN = ["-K", ""]
ALL = [*CONNECT, *PROTOCOLS, "--no-location", *NO_PROXY, *TOKEN]
# Before curl 7.70 `-K` counts for the first group, wherever it stands.
LATER = [*CONNECT, *PROTOCOLS, "--no-location", *NO_PROXY, "-H", "@"]


def build(*line: str, at: Gateway = HTTP) -> command.Command:
    found = arguments.scan(line, dict, tuple)
    return command.build(found.words, found, at)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(["-s", "/a", "-v"], ["-s", "/a", "-v", *ALL], id="at the end"),
        pytest.param(["-q", "/a"], ["-q", "/a", *ALL], id="so that -q stays the first word"),
        pytest.param(["-s", "--", "/a", "-x"], ["-s", *ALL, "--", "/a", "-x"], id="before two dashes"),
        pytest.param(["/a", "--next", "/b"], ["/a", *ALL, "--next", "/b", *LATER], id="in each group"),
        pytest.param(
            ["/a", "-s:", "/b", "--", "/c"], ["/a", *ALL, "-s:", "/b", *LATER, "--", "/c"], id="before -: too"
        ),
        pytest.param(["--", "/a", "--next"], [*ALL, "--", "/a", "--next"], id="--next after -- is a URL"),
        pytest.param(
            ["-L", "/a"], ["-L", "/a", *CONNECT, *PROTOCOLS, *NO_PROXY, *TOKEN], id="redirects that are asked for stay"
        ),
        pytest.param(
            ["-x", "p", "/a"],
            ["-x", "p", "/a", *CONNECT, *PROTOCOLS, "--no-location", *TOKEN],
            id="a proxy that is asked for stays",
        ),
        pytest.param(
            ["-H", "Atlas-Accesstoken: x", "/a"],
            ["-H", "Atlas-Accesstoken: x", "/a", *CONNECT, *PROTOCOLS, "--no-location", *NO_PROXY],
            id="a token of the user's own is pinned and stays the only one",
        ),
        pytest.param(
            ["-K", "f", "/a"], [*CONNECT, "-K", "f", "/a", *ALL], id="pinned before a file that may reroute, too"
        ),
        pytest.param(
            ["-qK", "f", "/a"], ["-q", *CONNECT, "-qK", "f", "/a", *ALL], id="with -q still the first word then"
        ),
        pytest.param(["-s", "-Kf"], ["-s", *CONNECT, "-Kf", *ALL], id="a file may hold the URL"),
        pytest.param(
            ["--connect-to", "a:1:b:2", "-K", "f", "/a"],
            ["--connect-to", "a:1:b:2", "-K", "f", "/a", *ALL],
            id="a way that the user names on the command line comes first",
        ),
    ],
)
def test_the_pin_and_the_token_are_added(line: list[str], expected: list[str]) -> None:
    built = build(*line)
    assert built.arguments == expected
    assert built.token_arguments == [index for index, word in enumerate(expected) if word in ("", "@")]


def test_with_https_a_proxy_may_stay_since_it_only_tunnels() -> None:
    assert build("/a", at=HTTPS).arguments == [
        *("/a", "--connect-to", "::atlas.example:443", "--proto", "=https", "--proto-redir", "=https"),
        *("--no-location", "-K", ""),
    ]


@pytest.mark.parametrize("value", ["=https", "-http", "-all", "=ws"])
def test_a_group_that_may_not_talk_to_the_gateway_has_no_token_and_no_protocol_of_moms(value: str) -> None:
    built = build("--proto", value, "/a", "--next", "/b")
    first, second = built.arguments[: built.arguments.index("--next")], built.arguments
    assert first == ["--proto", value, "/a", *CONNECT, "--no-location", *NO_PROXY]
    assert second[-2:] == ["-H", "@"]
    assert len(built.token_arguments) == 1


def test_redirects_that_the_user_forbids_stay_forbidden() -> None:
    assert build("--proto-redir", "=https", "-L", "/a").arguments == [
        *("--proto-redir", "=https", "-L", "/a", *CONNECT, "--proto", "=http", *NO_PROXY, *TOKEN)
    ]


def test_a_web_socket_at_the_gateway_is_allowed_where_it_is_used() -> None:
    built = build("ws://127.0.0.1:8082/a", "--next", "/b").arguments
    assert [built[index + 1] for index, word in enumerate(built) if word == "--proto"] == ["=http,ws", "=http"]
    secure = build("--proto", "=wss", "wss://atlas.example/a", at=HTTPS).arguments
    assert secure[secure.index("--connect-to") :][2:4] == ["--proto", "=wss"]


def test_an_ipv6_gateway_is_pinned_in_brackets() -> None:
    assert "::[::1]:8082" in build("/a", at=parse_base_url("http://[::1]:8082")).arguments


@pytest.mark.parametrize(
    "option", ["-x", "--proxy", "--preproxy", "--proxy1.0", "--socks4", "--socks4a", "--socks5", "--socks5-hostname"]
)
def test_each_way_to_name_a_proxy_is_seen(option: str) -> None:
    assert "--noproxy" not in build(option, "p", "/a").arguments


def test_a_token_for_curl_is_one_line_of_its_configuration_or_of_headers() -> None:
    assert command.pipe_content(command.CONFIG, "a.b-c") == b'header = "Atlas-Accesstoken: a.b-c"\n'
    assert command.pipe_content(command.HEADERS, "a.b-c") == b"Atlas-Accesstoken: a.b-c\n"

"""What the translation refuses although Envoy would take it."""

from __future__ import annotations

import dataclasses

import pytest

from mom.atlas.adapters.http_tls import Tls
from mom.atlas.model import Configuration
from mom.envoy.headers import MAX_LITERAL, format_string
from mom.envoy.options import Listen, LocalKey, Options
from mom.envoy.translate import problems, translate
from mom.errors import MomError
from tests.envoy.configurations import configuration, http, provider

OPTIONS = Options(listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys": '{"keys":[]}'})
GOOD = http("api", "https://api.example.com")
TRUSTED = (provider("keys"),)


def rules(given: Configuration, options: Options = OPTIONS) -> list[str]:
    return [problem.rule for problem in problems(given, options)]


def test_a_valid_configuration_has_no_problem() -> None:
    assert rules(configuration(GOOD, providers=TRUSTED)) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a?b", "a%2fb", "ü", "a#b", "../x"])
def test_names_that_are_not_a_path_segment(name: str) -> None:
    assert rules(configuration(http(name, "https://x.test"), providers=TRUSTED)) == ["adapter-name"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.test",
        "x.test",
        "https://",
        "https://u:p@x.test",
        "https://x.test?a=b",
        "https://x.test/#a",
        "https://x.test/../a",
        "https://x.test/%2e%2e",
        "https://x.test:0",
        "https://x.test:99999",
        "https://x test",
        "https://x.test/\r\nX: y",
    ],
)
def test_base_urls(url: str) -> None:
    adapter = http("api", url)
    assert rules(configuration(adapter, providers=TRUSTED)) == ["base-url"]
    for each in (adapter._replace(http2=True), adapter._replace(tls=Tls("ca.pem"))):
        assert rules(configuration(each, providers=TRUSTED))[0] == "base-url"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        pytest.param("X A", "1", "header-name", id="a blank in the name"),
        pytest.param("X:A", "1", "header-name", id="a colon in the name"),
        pytest.param("", "1", "header-name", id="no name"),
        pytest.param("Content-Length", "1", "header-name", id="framing"),
        pytest.param("transfer-encoding", "chunked", "header-name", id="framing in small letters"),
        pytest.param("Connection", "close", "header-name", id="hop by hop"),
        pytest.param("Upgrade", "websocket", "header-name", id="upgrade"),
        pytest.param("Expect", "100-continue", "header-name", id="expect"),
        pytest.param("X", "a\r\nY: b", "header-value", id="a line ending in the value"),
        pytest.param("X", "a\0", "header-value", id="a NUL in the value"),
        pytest.param("X", "${{ A", "environment-reference", id="an open reference"),
        pytest.param("X", "${{ A-B }}", "environment-reference", id="a name that no variable has"),
        pytest.param("Host", "${{ A }}", "header-value", id="a host from a variable"),
        pytest.param("host", "", "header-value", id="an empty host"),
        pytest.param("X", "%" * (MAX_LITERAL // 2 + 1), "header-value", id="a literal that is too long once escaped"),
    ],
)
def test_headers(name: str, value: str, rule: str) -> None:
    assert rules(configuration(http("api", "https://x.test", {name: value}), providers=TRUSTED)) == [rule]


def test_a_header_twice() -> None:
    given = http("api", "https://x.test", {"X-Key": "1", "x-key": "2"})
    assert rules(configuration(given, providers=TRUSTED)) == ["repeated-header"]


def test_an_adapter_twice() -> None:
    assert rules(configuration(GOOD, GOOD, providers=TRUSTED)) == ["duplicate-name"]


def test_a_provider_without_audience_or_issuer_would_take_any() -> None:
    assert rules(configuration(GOOD, providers=(provider("keys", audience=" "),))) == ["missing-key"]
    assert rules(configuration(GOOD, providers=(provider("keys", issuer=""),))) == ["missing-key"]


@pytest.mark.parametrize("url", ["http://idp.test/keys", "ftp://idp.test/keys", "other", "https://u:p@idp.test/"])
def test_keys_that_anyone_could_change_or_that_were_not_read(url: str) -> None:
    assert rules(configuration(GOOD, providers=(provider(url),))) == ["public-key"]


@pytest.mark.parametrize(
    "url", ["https://idp.test/keys", "http://localhost:1/keys", "http://127.0.0.1/k", "http://[::1]/k"]
)
def test_keys_from_a_safe_place(url: str) -> None:
    assert rules(configuration(GOOD, providers=(provider(url),))) == []


def test_without_a_key_to_trust_nothing_is_served() -> None:
    assert rules(configuration(GOOD)) == ["no-identity-provider"]
    local = dataclasses.replace(OPTIONS, local_key=LocalKey("me", ("a",), {"keys": []}))
    assert rules(configuration(GOOD), local) == []


def test_all_at_once() -> None:
    bad = http("a b", "nothing", {"X Y": "1"})
    with pytest.raises(MomError) as caught:
        translate(configuration(bad), OPTIONS)
    assert [problem.rule for problem in caught.value.problems] == [
        "adapter-name",
        "base-url",
        "header-name",
        "no-identity-provider",
    ]


def test_format_strings() -> None:
    assert format_string("a ${{ B }}%${{C}} 100%") == "a %ENVIRONMENT(B)%%%%ENVIRONMENT(C)% 100%%"

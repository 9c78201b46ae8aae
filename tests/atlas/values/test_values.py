"""What names, base URLs, headers and key locations may be, and that every refusal says what to write instead."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.atlas.values.headers import check_header_name, check_header_value
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.urls import check_base_url, check_public_key, endpoint


@pytest.mark.parametrize("name", ["openai", "a", "0", "GitHub", "a.b_c-d", "v1.0", "a" * 253, "x..y"])
def test_an_adapter_name_of_letters_digits_and_three_marks_is_accepted(name: str) -> None:
    assert check_adapter_name(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("a" * 254, "254 characters", id="too long"),
        pytest.param(".", "start with a letter", id="a dot"),
        pytest.param("..", "start with a letter", id="two dots"),
        pytest.param("-a", "start with a letter", id="a leading dash, which a command would take for an option"),
        pytest.param("_a", "start with a letter", id="a leading underscore"),
        pytest.param("a/b", "`/`", id="a slash"),
        pytest.param("a b", "a space", id="a space"),
        pytest.param("a\nb", "U+000A", id="a line ending"),
        pytest.param("openai\n", "U+000A", id="a final line ending"),
        pytest.param("açaí", "`ç`", id="a letter outside ASCII"),
        pytest.param("а", "`а`", id="a Cyrillic letter that looks like a Latin one"),
        pytest.param("٣", "`٣`", id="a digit outside ASCII"),
        pytest.param("a%2fb", "`%`", id="a percent sign"),
    ],
)
def test_an_adapter_name_that_is_not_a_path_segment_is_refused(name: str, reason: str) -> None:
    assert reason in (check_adapter_name(name) or "")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com",
        "http://127.0.0.1:9000",
        "HTTPS://api.example.com",
        "https://gitlab.com/api/v4",
        "https://gitlab.com/api/v4/",
        "https://my_service.internal:8443/a%20b",
        "https://[::1]:8080/x",
        "https://xn--bcher-kva.example/",
        "https://a.b/x@y;z=1,2",
        "https://localhost",
    ],
)
def test_an_absolute_http_url_that_names_a_host_is_a_base_url(url: str) -> None:
    assert check_base_url(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("api.openai.com", "write https://api.openai.com", id="no scheme"),
        pytest.param("//api.openai.com", "write https://api.openai.com", id="no scheme but slashes"),
        pytest.param("api.openai.com:443/v1", "write https://api.openai.com:443/v1", id="no scheme but a port"),
        pytest.param("https:api.openai.com", "write https://api.openai.com", id="no slashes"),
        pytest.param("https:/api.openai.com", "write https://api.openai.com", id="one slash"),
        pytest.param("https:///v1", "has no host", id="no host"),
        pytest.param("https://", "has no host", id="nothing after the scheme"),
        pytest.param("https://:443", "has no host", id="a port without a host"),
        pytest.param("ftp://example.com", "`ftp` is not served", id="another scheme"),
        pytest.param("https://user@example.com", "user name", id="a user name"),
        pytest.param("https://user:hunter2@example.com", "user name", id="a password"),
        pytest.param("user:hunter2@example.com", "has a user name", id="a password without a scheme"),
        pytest.param("https://example.com?a=1", "query", id="a query"),
        pytest.param("https://example.com/?", "query", id="an empty query"),
        pytest.param("https://example.com/#a?b", "fragment", id="a fragment"),
        pytest.param("https://example.com:0", "port", id="port 0"),
        pytest.param("https://example.com:65536", "port", id="a port too high"),
        pytest.param("https://example.com:", "port", id="a colon without a port"),
        pytest.param("https://example.com:x", "port", id="a port that is no number"),
        pytest.param("https://exa mple.com", "white space", id="a space"),
        pytest.param("https://example.com\n", "white space", id="a final line ending"),
        pytest.param("https://example.com/\x00", "control character", id="a NUL"),
        pytest.param("https://example.com\\@evil.example", "backslash", id="a backslash"),
        pytest.param("https://example.com/a/../b", "segment", id="a dot segment"),
        pytest.param("https://example.com/a/%2E%2e", "segment", id="an encoded dot segment"),
        pytest.param("https://bücher.example", "xn--bcher-kva.example", id="a host outside ASCII"),
        pytest.param("https://example.com/ü", "percent-encoded", id="a path outside ASCII"),
        pytest.param("https://a..b", "labels", id="an empty label"),
        pytest.param("https://-a.b", "labels", id="a label that starts with a dash"),
        pytest.param("https://a.b.", "ends in a dot: write a.b", id="a final dot"),
        pytest.param("https://ex%61mple.com", "labels", id="a percent sign in the host"),
        pytest.param("https://[::1", "IPv6", id="an open bracket"),
        pytest.param("https://[nope]", "IPv6", id="no address in brackets"),
        pytest.param("https://${{ HOST }}", "references do not work in a base URL", id="a reference with spaces"),
        pytest.param("https://${{HOST}}", "references do not work in a base URL", id="a reference"),
        pytest.param("https://a.b/" + "x" * 5000, "2000", id="very long"),
    ],
)
def test_what_is_not_a_base_url_is_refused_with_the_fix(url: str, reason: str) -> None:
    assert reason in (check_base_url(url) or "")


@pytest.mark.parametrize("url", ["https://user:hunter2@example.com", "user:hunter2@example.com"])
def test_the_refusal_of_a_password_does_not_repeat_it(url: str) -> None:
    assert "hunter2" not in (check_base_url(url) or "")


@given(st.text(max_size=60) | st.from_regex(r"https?://[ -~]{0,40}", fullmatch=True))
def test_every_accepted_base_url_has_a_host_and_no_parts_that_a_proxy_would_drop(url: str) -> None:
    if check_base_url(url) is None:
        assert re.fullmatch(r"[Hh][Tt][Tt][Pp][Ss]?://[!-~]+", url)
        assert not set(url) & set("?#\\ ")
        assert "@" not in url.split("/")[2]
        assert url.split("/")[2]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "x_y", "!#$%&'*+-.^_`|~09", "Host"])
def test_a_token_is_a_header_name(name: str) -> None:
    assert check_header_name(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("X Y", "a space", id="a space"),
        pytest.param("X:Y", "`:`", id="a colon"),
        pytest.param("X\r\nY", "U+000D", id="a line ending"),
        pytest.param("X\n", "U+000A", id="a final line ending"),
        pytest.param("ünï", "`ü`", id="letters outside ASCII"),
        pytest.param("Content-Length", "is set by the proxy", id="framing"),
        pytest.param("transfer-ENCODING", "is set by the proxy", id="framing in another case"),
        pytest.param("Connection", "is set by the proxy", id="of the connection"),
        pytest.param("Upgrade", "is set by the proxy", id="of an upgrade"),
    ],
)
def test_what_is_not_a_header_name_or_is_the_proxys_own_is_refused(name: str, reason: str) -> None:
    assert reason in (check_header_name(name) or "")


@pytest.mark.parametrize("value", ["", "Bearer ${{ X }}", "a\tb", "naïve ✓", "${{A}}:${{ B }}", "100%", "{{ x }}"])
def test_one_line_of_text_with_well_formed_references_is_a_header_value(value: str) -> None:
    assert check_header_value(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("a\r\nX: y", "a line ending (U+000D)", id="header injection"),
        pytest.param("a\n", "a line ending (U+000A)", id="a final line ending, as a block scalar leaves it"),
        pytest.param("a\x00", "U+0000", id="NUL"),
        pytest.param("a\x7f", "U+007F", id="DEL"),
        pytest.param("a\x85", "U+0085", id="NEL"),
        pytest.param("${{ X", "without a closing", id="a reference not closed"),
        pytest.param("${{ }}", "does not name a variable", id="an empty reference"),
        pytest.param("${{ A B }}", "not a name", id="a space in the name"),
        pytest.param("${{ 1A }}", "not a name", id="a name that starts with a digit"),
        pytest.param("${{ secrets.TOKEN }}", "write `${{ TOKEN }}`", id="another tool's expression"),
    ],
)
def test_control_characters_and_malformed_references_are_refused(value: str, reason: str) -> None:
    assert reason in (check_header_value(value) or "")


@pytest.mark.parametrize(
    "location",
    [
        "https://a.example/jwks.json",
        "http://localhost:9/jwks",
        "http://127.1.2.3/x",
        "http://[::1]/x",
        "jwks.json",
        "/etc/atlas/jwks.json",
        "../keys.json",
        "C:\\keys.json",
    ],
)
def test_keys_come_over_https_from_this_machine_or_from_a_file(location: str) -> None:
    assert check_public_key(location) is None


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("http://a.example/jwks", "plain http", id="plain http"),
        pytest.param("http://localhost.evil.example/jwks", "plain http", id="a name that only begins as loopback"),
        pytest.param("http://127.0.0.1.evil.example/jwks", "plain http", id="an address that is part of a name"),
        pytest.param("ftp://a.example/jwks", "`ftp`", id="another scheme"),
        pytest.param("https:///jwks", "no host", id="no host"),
        pytest.param("https://u:p@a.example/jwks", "user name", id="a password"),
        pytest.param("https://[x/jwks", "not a URL", id="no URL"),
        pytest.param("a\x00b", "control character", id="a NUL"),
    ],
)
def test_keys_that_somebody_on_the_way_could_replace_are_refused(location: str, reason: str) -> None:
    assert reason in (check_public_key(location) or "")


TELEGRAM = "bot" + "123456789:AAH" + "x" * 32
SLACK = "services/T01234567" + "/B01234567/" + "hunter2hunter2hunter2"
DISCORD = "api/webhooks/" + "123456789012345678/" + "hunter2" * 9


@pytest.mark.parametrize(
    "url",
    [
        "https://hunter2@api.example.com",
        "https://user:hunter2@api.example.com/v1",
        "https:///user:hunter2@api.example.com",
        "https:user:hunter2@api.example.com",
        "http:/user:hunter2@api.example.com",
        "user:hunter2@api.example.com",
        "https://api.example.com?q=hunter2",
        "https://api.example.com/v1?api_key=hunter2&x=1",
        "https://api.example.com/v1#hunter2",
        "api.example.com?q=hunter2",
        "https:api.example.com#hunter2",
        f"https://hooks.slack.com/{SLACK}",
        f"https://discord.com/{DISCORD}",
        f"discord.com/{DISCORD}",
        "https://api.example.com/sk" + "-hunter2hunter2/v1",
    ],
)
def test_a_credential_anywhere_in_a_base_url_is_refused_and_not_repeated(url: str) -> None:
    reason = check_base_url(url)
    assert reason is not None
    assert "hunter2" not in reason


def test_the_token_of_a_telegram_bot_in_a_base_url_is_refused_and_not_repeated() -> None:
    for url in (f"https://api.telegram.org/{TELEGRAM}", f"api.telegram.org/{TELEGRAM}"):
        reason = check_base_url(url)
        assert reason is not None
        assert "AAH" not in reason


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/client/v4/accounts/0123456789abcdef0123456789abcdef/ai",
        "https://api.example.com/projects/6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "https://bottles.example.com/bot1",
        "https://api.example.com/services/status",
    ],
)
def test_an_id_in_a_path_is_no_credential(url: str) -> None:
    assert check_base_url(url) is None


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("https://api.openai.com/v1/chat/completions", "/v1/chat/completions"),
        ("https://api.anthropic.com/v1/messages/", "/v1/messages"),
        ("https://slack.com/api/chat.postMessage", "/chat.postMessage"),
        ("https://api.openai.com", None),
        ("https://api.openai.com/v1", None),
        ("https://api.linear.app/graphql", None),
        ("https://gitlab.com/api/v4", None),
    ],
)
def test_an_endpoint_is_told_from_a_base_url(url: str, ending: str | None) -> None:
    assert endpoint(url) == ending

"""What an option takes for a part of an HTTP adapter is what the schema takes in a document: neither more nor less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from mom.atlas.adapters.http import HTTP
from mom.atlas.adapters.http_words import read_allow, read_limit, read_smoke, read_timeout
from mom.atlas.quick_check import fits
from mom.atlas.schemas import schema
from mom.cli.http_access import Retries
from mom.cli.http_credentials import OAuth2Options, read_oauth2_parts
from mom.errors import UsageError

METHODS = ("GET", "TRACE", "TRACK", "CONNECT", "DEBUG", "TRACES", "X-TRACE", "VERSION-CONTROL", "get", "G1", "-A")
PATHS = (
    "/",
    "/a/**",
    "/a**",
    "/*/b*c",
    "/**/a",
    "/a**b",
    "/a?b",
    "/a#b",
    '/a"b',
    "/a%2Fb",
    "/é",
    "/a***",
    "/~!$&'()+,;=:@",
)
TIMES = (
    *("1s", "9999999s", "10000000s", "99999m", "100000m", "9999h", "10000h"),
    *("0s", "05s", "1d", "1.5s", "s", "5", "1 s", "1S", ""),
)
NUMBERS = (0, 1, 60, 1_000_000, 1_000_001, 9_999_999)
REQUESTS = (
    *(("GET", "/a", 200), ("HEAD", "/a?b=c", 599), ("OPTIONS", "/", 204), ("POST", "/!$~", 404)),
    *(("PUT", "/a", 200), ("get", "/a", 200), ("GET", "a", 200), ("GET", "/a#b", 200), ("GET", "/é", 200)),
    *(("GET", "/a", 199), ("GET", "/a", 600), ("GET", f"/{'a' * 1_999}", 200), ("GET", f"/{'a' * 2_000}", 200)),
)
CASES: list[tuple[Callable[..., Any], str, str, Any]] = [
    *((read_timeout, "timeout", text, text) for text in TIMES),
    *((read_limit, "limits", str(number), {"requestsPerMinute": number}) for number in NUMBERS),
    *(
        (read_limit, "limits", f"60/{per}", {"requestsPerMinute": 60, "per": per})
        for per in ("subject", "adapter", "caller", "")
    ),
    *(
        (read_smoke, "smoke", f"{method} {path} {status}", {"method": method, "path": path, "expect": status})
        for method, path, status in REQUESTS
    ),
]


def http_schema(key: str) -> dict[str, Any]:
    """Return the schema of a key of `spec`."""
    whole = schema(HTTP)
    return {**whole["properties"]["spec"]["properties"][key], "$defs": whole["$defs"]}


def accepted(read: Callable[..., Any], given: Any) -> Any:
    """Return what an option is read as, None where it is refused."""
    try:
        return read(given)
    except UsageError:
        return None


@pytest.mark.parametrize(("read", "key", "text", "value"), CASES)
def test_a_value_of_an_option_is_one_of_the_schema(read: Callable[..., Any], key: str, text: str, value: Any) -> None:
    assert accepted(read, text) == (value if fits(http_schema(key), value) else None)


@pytest.mark.parametrize(
    ("word", "entry"), [(word, {"methods": [word]}) for word in METHODS] + [(word, {"paths": [word]}) for word in PATHS]
)
def test_a_word_of_allow_is_one_of_the_schema(word: str, entry: dict[str, Any]) -> None:
    expected = (entry,) if fits(http_schema("allow"), [entry]) else None
    assert accepted(read_allow, [word]) == expected


def test_retries_have_the_bounds_of_the_schema() -> None:
    option = get_args(Retries)[1]
    rules = http_schema("retries")
    assert (option.min, option.max) == (rules["minimum"], rules["maximum"])


@pytest.mark.parametrize("scope", ["read", "b:c#d", "!~", "[]", 'a"b', "a\\b", "a b", "é"])
def test_a_scope_is_one_of_the_schema(scope: str) -> None:
    rules = http_schema("oauth2")["properties"]["scopes"]
    expected = {"scopes": [scope]} if fits(rules, [scope]) else None
    assert accepted(read_oauth2_parts, OAuth2Options(scopes=[scope])) == expected

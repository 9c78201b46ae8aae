"""What a stand-in responds with: the request as it came, and nothing in it that could be a credential."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mom.run.echo import SHOWN_BYTES, Received, dummy, echo

MARK = ("atlas-stand-in", "openai https://api.openai.com")


def shown(target: str = "/v1", *headers: tuple[str, str], **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(echo(Received("POST", target, (MARK, *headers), **fields)))
    return found


def test_it_shows_where_to_and_the_headers_in_their_order() -> None:
    found = shown("/v1/models?a=%2F&b", ("b", "1"), ("A", "2"), ("b", "3"))
    assert found["adapter"] == "openai"
    assert found["method"] == "POST"
    assert found["url"] == "https://api.openai.com/v1/models?a=%2F&b"
    assert [(one["name"], one["value"]) for one in found["headers"]] == [("b", "1"), ("A", "2"), ("b", "3")]


def test_a_dummy_is_shown_and_the_clients_own_credentials_are_not() -> None:
    secret = "c0rrect-horse"
    token = "ghp_0123456789abcdef"
    text = echo(
        Received(
            "GET",
            f"/?api_key={secret}&q={token}",
            (
                ("authorization", f"Bearer {dummy('OPENAI_API_TOKEN')}"),
                ("x-api-key", secret),
                ("cookie", f"s={secret}"),
                ("x-note", f"mine is {token}"),
            ),
            body=f'{{"key": "{token}"}}'.encode(),
            size=40,
            trailers=(("x-auth-token", secret),),
        )
    )
    assert "Bearer stand-in-for-OPENAI_API_TOKEN" in text
    assert secret not in text
    assert token not in text


def test_a_dummy_is_shown_wherever_an_adapter_puts_it() -> None:
    encoded = base64.b64encode(f"{dummy('USER')}:{dummy('PASSWORD')}".encode()).decode()
    found = shown(f"/x?key={dummy('MAPS_KEY')}&token=c0rrect", ("authorization", f"Basic {encoded}"))
    assert found["url"] == "https://api.openai.com/x?key=stand-in-for-MAPS_KEY&token=*******"
    assert found["headers"] == [{"name": "authorization", "value": f"Basic {encoded}"}]
    for value in ("Basic Y2xpZW50OnNlY3JldA==", "Basic not base64"):
        assert shown("/", ("authorization", value))["headers"][0]["value"] == "***"


@pytest.mark.parametrize(
    ("body", "size", "expected"),
    [
        (b"", 0, {"bytes": 0}),
        ("naïve".encode(), 6, {"bytes": 6, "text": "naïve"}),
        (b"\xff\x00", 2, {"bytes": 2, "base64": "/wA="}),
        ("aï".encode()[:2], 9, {"bytes": 9, "shown": 2, "text": "a"}),
        (b"\xc3", 1, {"bytes": 1, "base64": "ww=="}),
        (b"", SHOWN_BYTES + 1, {"bytes": SHOWN_BYTES + 1, "shown": 0}),
    ],
)
def test_a_body_is_shown_as_text_where_it_is_text(body: bytes, size: int, expected: dict[str, object]) -> None:
    assert shown(body=body, size=size)["body"] == expected


def test_a_terminal_is_not_driven_by_what_is_repeated() -> None:
    text = echo(Received("GET", "/", (MARK, ("x", "\x1b[2J\u202e")), body=b"\x1b]0;x\x07", size=6))
    assert all(character.isprintable() or character == "\n" for character in text)

"""What is masked in any text: known tokens, and credentials in URLs; as many characters stay as there were."""

from __future__ import annotations

import pytest

from mom.masking import mask_tokens


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://user:hunter2@api.example.com/x", "see https://************@api.example.com/x"),
        ("postgres://app:hunter2@db/app", "postgres://***********@db/app"),
        ("https://a.example/x?api_key=hunter2&page=2", "https://a.example/x?api_key=*******&page=2"),
        ("https://a.example/x?page=2&access_token=hunter2#top", "https://a.example/x?page=2&access_token=*******#top"),
        ("https://a.example/#id_token=hunter2", "https://a.example/#id_token=*******"),
        ("https://api.telegram.org/bot" + "123456789:" + "h" * 30, "https://api.telegram.org/" + "*" * 43),
        ("Bearer gh" + "p_hunter2hunter2", "Bearer " + "*" * 18),
    ],
)
def test_a_credential_is_replaced_by_as_many_asterisks(text: str, masked: str) -> None:
    assert mask_tokens(text) == masked
    assert len(masked) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.com/v1?page=2&sort=name",
        "postgres://app:${{ DATABASE_PASSWORD }}@db.example.com:5432/app",
        "postgres://app:${{DATABASE_PASSWORD}}@db.example.com:5432/app",
        "mail me@example.com or see https://example.com/@me",
        "value: Bearer ${{ GITHUB_TOKEN }}",
        "key: value",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert mask_tokens(text) == text

"""Placeholders of the preset `production`."""

from __future__ import annotations

import pytest

from mom.atlas.values.placeholders import is_placeholder


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://login.invalid/", True),
        ("https://LOGIN.INVALID.:8443/x", True),
        ("https://invalid/", True),
        ("https://login.invalid.example/", False),
        ("https://notinvalid/", False),
        ("keys.json", False),
        ("https://[", False),
    ],
)
def test_a_placeholder_is_a_host_under_invalid(url: str, expected: bool) -> None:
    assert is_placeholder(url) is expected

"""Options that all tests share."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.golden")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`: golden cases write what they got, and the reviewer reads the diff."""
    parser.addoption("--update-golden", action="store_true", help="write the expected files of golden cases anew")

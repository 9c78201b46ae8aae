"""The readers that judge an edit must not be wrong themselves."""

from __future__ import annotations

import pytest

from tests.yamledit.readers import read_11, read_12


@pytest.mark.parametrize("text", ["--- |\n\n---\na\n", "--- >-\n\n\n---\nb: 1\n---\nc\n", "--- |\r\n\r\n---\r\na\r\n"])
def test_a_reader_that_skips_a_marker_has_not_read_the_stream(text: str) -> None:
    markers = text.count("---")
    for read in (read_11, read_12):
        documents = read(text)
        assert documents is None or len(documents) == markers


def test_a_reader_that_skips_no_marker_is_believed() -> None:
    for read in (read_11, read_12):
        assert read("--- |\n  ---\n---\n- a\n") == ["---\n", ["a"]]
        assert read("\ufeff--- a\n") == ["a"]
        assert read("a\n") == ["a"]

"""A stream that lines `---` separate, as nearly all are, has the documents that the rules for all streams give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.yamledit import stream
from mom.yamledit.source import Source
from mom.yamledit.stream import documents

LINES = [
    "---",
    "--- a",
    "---a",
    "----",
    "...",
    "....",
    "",
    "a: 1",
    "# a comment",
    "%YAML 1.2",
    "\ufeff---",
    "---\r",
    " ---",
]


@given(
    st.lists(st.sampled_from(LINES) | st.sampled_from(["---", "a: 1"]), max_size=12),
    st.sampled_from(["\n", "", "\r\n"]),
)
def test_documents_are_the_same_by_a_split_and_marker_by_marker(lines: list[str], end: str) -> None:
    source = Source("stream.yml", "\n".join(lines) + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_plain_documents", lambda _: None)
        expected = documents(source)
    assert documents(source) == expected


@given(st.text(alphabet="a\n\r\u0085\u2028é", max_size=30), st.integers(1, 8))
def test_lines_start_behind_line_feeds(text: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mom.yamledit.source._PIECE", piece)
        starts = list(Source("stream.yml", text).line_starts)
    assert starts == [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]

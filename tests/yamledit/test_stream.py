"""A stream that lines `---` separate, as nearly all are, has the documents that the rules for all streams give."""

from __future__ import annotations

from itertools import chain, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.yamledit import stream
from mom.yamledit.source import Source
from mom.yamledit.stream import documents
from tests.searches import examples

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
    "a: 1\r---",
    " ---",
]


@pytest.mark.parametrize("odd", LINES)
def test_documents_are_the_same_by_a_split_and_marker_by_marker(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    several = chain.from_iterable(product(["---", "a: 1", "# a comment", odd], repeat=count) for count in range(5))
    sources = [Source("stream.yml", "\n".join(lines) + end) for lines in several for end in ("\n", "", "\r\n")]
    found = [documents(source) for source in sources]
    monkeypatch.setattr(stream, "_plain_documents", lambda _: None)
    assert found == [documents(source) for source in sources]


@settings(max_examples=examples(50), deadline=None)
@given(st.text(alphabet="a\n\r\u0085\u2028é", max_size=30), st.integers(1, 8))
def test_lines_start_behind_line_feeds(text: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mom.yamledit.source._PIECE", piece)
        starts = list(Source("stream.yml", text).line_starts)
    assert starts == [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]

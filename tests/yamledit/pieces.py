"""Small documents and their parts, for tests of single functions."""

from __future__ import annotations

from mom.yamledit.nodes import Mapping, Node, entries_of
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice, apply
from mom.yamledit.stream import Document, documents, parse_document


def only(text: str) -> tuple[Source, Document, Mapping]:
    """Return a text of one document that is a mapping: its source, its limits and its tree."""
    source = Source("x.yml", text)
    (document,) = documents(source)
    root = parse_document(source, document)
    assert isinstance(root, Mapping)
    return source, document, root


def entry(root: Node, key: str) -> tuple[Node, Node]:
    """Return the entry of `key`."""
    return entries_of(root, key)[0]


def edited(source: Source, splices: list[Splice]) -> str:
    """Return the text with the splices applied."""
    return apply(source.text, sorted(splices, key=lambda splice: splice.offset))

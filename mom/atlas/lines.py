"""The lines of an adapter in its file: its document and its reference in `apiAdapters`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mom.atlas.documents import DataDocument, Stream, items_at, text_at
from mom.atlas.kinds import ATLAS
from mom.atlas.model import Adapter
from mom.atlas.rules.stream_rules import references_of
from mom.atlas.values.secrets import literal_secret
from mom.masking import mask_tokens


@dataclass(frozen=True, slots=True)
class AdapterLines:
    """Where an adapter is: first and last line of its document and of its reference, from 1.

    `text`: the lines of the document, its leading comments included and its `---` not; credentials are masked.
    """

    text: str
    document: tuple[int, int]
    reference: tuple[int, int]


def lines_of(stream: Stream, adapter: Adapter) -> AdapterLines:
    """Return where `adapter`, of a configuration that was loaded from the same stream, is."""
    source = stream.source
    document = next(own for own in stream.own if own.data.get("kind") == adapter.kind and own.name == adapter.name)
    body = document.limits.body
    whole = _without_credentials(document)[body : document.limits.end]
    text = whole.strip()
    first = body + whole.index(text)
    lines = (source.line_number(first), source.line_number(first + len(text) - 1))
    # The spaces before the first line are part of it, unless a `---` is.
    begin = whole.rindex("\n", 0, whole.index(text)) + 1 if "\n" in whole[: whole.index(text)] else whole.index(text)
    return AdapterLines(whole[begin:].rstrip(), lines, _reference_lines(stream, adapter))


def _reference_lines(stream: Stream, adapter: Adapter) -> tuple[int, int]:
    atlas = next(own for own in stream.own if own.data.get("kind") == ATLAS.kind)
    reference = next(each for each in references_of(atlas) if (each.kind, each.name) == (adapter.kind, adapter.name))
    item = atlas.tree.nearest(reference.path[:-1]).value
    return atlas.source.line_number(item.start), atlas.source.line_number(max(item.start, item.end - 1))


def _without_credentials(document: DataDocument) -> str:
    """Return the file's text, as long as before, with asterisks for each credential that is written out in a header."""
    text = document.source.text
    for path, header in items_at(document.data, "spec", "headers"):
        name, value = (text_at(header, key) or "" for key in ("name", "value"))
        if literal_secret(name, value):
            node = document.tree.nearest((*path, "value")).value
            text = text[: node.start] + re.sub(r"\S", "*", text[node.start : node.end]) + text[node.end :]
    return mask_tokens(text)

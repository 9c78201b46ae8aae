"""What goes when a document is taken out of a stream: its `---`, its directives, its lines, its comments.

The comments directly above its `---`, without a blank line between, belong to it; those directly above the next `---`
belong to the next document. Of two separations by blank lines one goes. A `...` stays where what follows needs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as SequenceABC
from typing import NamedTuple

from mom.yamledit.nodes import last_leaf
from mom.yamledit.positions import blank_above, blank_below, comments_above, line_after, line_start, next_line
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice, apply
from mom.yamledit.stream import Document, YamlSyntaxError, parse_document

# Comments about the file, wherever they are: an editor's modelines, settings of other tools, licences, and what is
# commented out, which is another document.
_ABOUT_THE_FILE = re.compile(
    r"""(?im)^[ \t\ufeff]*\#+\s*(?:
        (?:.*\s)?(?:vim?|ex):\s | -\*- | (?:.*\s)?(?:yaml-language-server|yamllint|prettier|code:\s|editorconfig)
      | .*\b(?:SPDX|copyright|licen[cs]e) | (?:---|\.\.\.)\s*$ | -\s | [\w"'./-]+:(?:\s|$)
    )""",
    re.VERBOSE,
)

_MOST_COMMENT_LINES = 200


class Removal(NamedTuple):
    """What taking a document out does: the splices, and what its neighbours' texts are then, None for unchanged."""

    splices: list[Splice]
    previous_text: str | None
    following_text: str | None


def remove_document(
    source: Source, documents: SequenceABC[Document], index: int, *, keep_comments: bool = False
) -> Removal:
    """Return what takes `documents[index]` out of the stream. `keep_comments`: those above its `---` stay."""
    text = source.text
    document = documents[index]
    previous = documents[index - 1] if index else None
    following = documents[index + 1] if index + 1 < len(documents) else None
    begin = _begin(text, document)
    start = begin
    if not keep_comments:
        above = _comments_above(text, begin, _limit(source, document, previous))
        start = begin if _ABOUT_THE_FILE.search(text[above:begin]) else above
    end = _end(source, document, previous, following)
    if following is not None:
        start, end = _with_separation(source, start, end, previous, following)
    elif previous is not None and not text.startswith("...", previous.end):
        start = _without_separation(source, documents, start, previous)
    splices = [*_directives(text, document, start), Splice(start, end - start, "")]
    below = text[end : document.end]
    if previous is not None and not text.startswith("...", previous.end):
        return Removal(splices, text[previous.start : min(start, previous.end)] + below, None)
    kept = text.startswith("...", document.end) and end < document.end
    if following is None or kept:
        return Removal(splices, None, None)
    prefix = apply(
        text[document.start : start],
        [splice._replace(offset=splice.offset - document.start) for splice in splices[:-1]],
    )
    return Removal(splices, None, prefix + below + text[following.start : following.end])


def heads_what_follows(text: str, offset: int) -> bool:
    """Whether a document that begins at `offset` would take the comments above it with it when it is removed."""
    above = _comments_above(text, offset, 0)
    return above < offset and _ABOUT_THE_FILE.search(text[above:offset]) is None


def _begin(text: str, document: Document) -> int:
    """Return where the document's own lines begin: at its `---`, without one at its first line with content."""
    if document.marker is not None:
        return document.marker
    position = document.start
    while position < document.end and re.match(r"[ \t]*(?:#|\r?$)", text[position : next_line(text, position)]):
        position = next_line(text, position)
    return position


def _comments_above(text: str, start: int, limit: int) -> int:
    """Return where the comments directly above a document begin. An indented one belongs to what is above it.

    A block of more than `_MOST_COMMENT_LINES` is about the file, whatever it says: none of it belongs to the document.
    """
    line = start
    lines = 0
    while line > limit and text.startswith("#", above := line_start(text, line - 1)) and above >= limit:
        line, lines = above, lines + 1
        if lines > _MOST_COMMENT_LINES:
            return start
    return line


def _limit(source: Source, document: Document, previous: Document | None) -> int:
    """Return what the comments above a document do not reach beyond: its start, or the last value before it."""
    if previous is None or document.marker is None or document.start < document.marker:
        return document.start
    # Without a `...` between them its comments are in the limits of the document before.
    # Below a literal that is a whole document a comment may be its text: parsers disagree.
    end = None if _is_literal(source, previous) else _content_end(source, previous)
    return document.marker if end is None else end


def _is_literal(source: Source, document: Document) -> bool:
    return re.match(r"[ \t]+(?:[&!]\S*\s+)*[|>]", source.text[document.body : document.end]) is not None


def _content_end(source: Source, document: Document) -> int | None:
    """Return where the line begins that is below the last value of a document; None where it cannot be read."""
    try:
        root = parse_document(source, document)
    except YamlSyntaxError:
        return None
    if root is None:
        return next_line(source.text, document.body)
    return line_after(source.text, max(last_leaf(root).end, document.body))


def _end(source: Source, document: Document, previous: Document | None, following: Document | None) -> int:
    """Return where the document's lines end: before comments at column 0 that follow its value, past its `...`."""
    text = source.text
    content = _content_end(source, document)
    content = document.end if content is None else content
    stop = document.end
    if text.startswith("...", document.end) and _ends_with_it(text, previous, following):
        rest = text[content : document.end]
        stop = next_line(text, document.end)
        if not re.search(r"^#", rest, re.MULTILINE):
            return stop
    comment = re.compile(r"^#", re.MULTILINE).search(text, content, document.end)
    if comment is None:
        return stop
    # What heads the next document stays, and what only follows this one, which may be about the file.
    return comment.start() if following is not None else blank_above(text, comment.start(), content)


def _ends_with_it(text: str, previous: Document | None, following: Document | None) -> bool:
    """Whether nothing needs the document's `...`: no directive and no document without `---` comes after it."""
    if following is None or previous is None or text.startswith("...", previous.end):
        return True
    return following.marker is not None and "%" not in text[following.start : following.marker]


def _with_separation(
    source: Source, start: int, end: int, previous: Document | None, following: Document
) -> tuple[int, int]:
    """Take the blank lines of one side with a document between others: of the side with fewer."""
    text = source.text
    below = blank_below(text, end, following.marker or following.body)
    trailing = blank_above(text, end, start)
    after = text.count("\n", trailing, end) + text.count("\n", end, below)
    if previous is None:
        return start, below
    above = blank_above(text, start, previous.body)
    before = text.count("\n", above, start)
    if before >= after:
        return start, below
    if before:
        content = _content_end(source, previous)
        above = start if content is None else max(above, content)
    return above, trailing


def _without_separation(source: Source, documents: SequenceABC[Document], start: int, previous: Document) -> int:
    """Take the blank lines above the last document with it where blank lines are above every other `---` too."""
    text = source.text
    above = blank_above(text, start, previous.body)
    others = [other.marker for other in documents[1:-1] if other.marker is not None]
    if above == start or not others or not all(_is_set_off(text, marker) for marker in others):
        return start
    content = _content_end(source, previous)
    return start if content is None else max(above, content)


def _is_set_off(text: str, marker: int) -> bool:
    line = comments_above(text, marker, 0)
    return blank_above(text, line, 0) < line


def _directives(text: str, document: Document, start: int) -> list[Splice]:
    """Return the splices that take out the directives of a document, of which `start` is the first line that goes."""
    splices: list[Splice] = []
    position = document.start
    while document.marker is not None and position < start:
        below = next_line(text, position)
        if text.startswith("%", position):
            splices.append(Splice(position, below - position, ""))
        position = below
    return splices

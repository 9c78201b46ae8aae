"""A YAML stream as documents with limits, and what is wrong with one that cannot be read.

`documents` finds the limits without parsing; `parse_document` reads one document (`mom.yamledit.parser`).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from mom.errors import MomError
from mom.problems import Problem
from mom.yamledit import parser
from mom.yamledit.nodes import Node
from mom.yamledit.source import BOM, Source

if TYPE_CHECKING:
    from mom.yamledit.line_slips import Slip

# c-forbidden (YAML 1.2.2, rule 206): these lines are document markers wherever they are. A byte-order mark may be
# before a document (rules 202 and 211). A lone carriage return ends a line too (rule 28).
_MARKER = re.compile(r"^(\ufeff*+)(---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_MARKER_AFTER_RETURN = re.compile(r"(?:^|(?<=\r))(\ufeff*+)(---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
# Before `---`, lines that have a directive, a comment or nothing belong to the document that follows.
_LINE = re.compile(r"[^\n]+")
_PREFIX_LINE = re.compile(r"[ \t]*(?:#[^\r]*)?\r?\Z|%[^\r]*\r?\Z")

# In that many broken documents of a stream slips are looked for; a file with more has another problem.
_MOST_SEARCHED = 200

# A stream of millions of documents would make a list of gigabytes. Ten thousand adapters make a tenth of these.
MAX_DOCUMENTS = 100_000


class Document(NamedTuple):
    """The limits of one document, as offsets into the stream's text.

    start: of its directives and leading comments. marker: of its `---`, None without one. body: after the marker (or
    `start`). end: of the next document's marker, of its own `...` line, or the stream's end.
    """

    start: int
    marker: int | None
    body: int
    end: int


def documents(source: Source) -> tuple[Document, ...]:
    """Return the documents of the stream, in order, without parsing any.

    A stretch with only comments, blank lines or directives is not a document unless a `---` opens it. Raises MomError
    where there are more than `MAX_DOCUMENTS`.
    """
    text = source.text
    if (plain := _plain_documents(text)) is not None:
        return plain
    result: list[Document] = []
    marker: int | None = None
    start = body = _past_marks(text, 0)

    def close(end: int) -> None:
        if marker is not None or not _is_prefix(text[body:end]):
            result.append(Document(start, marker, body, end))

    pattern = _MARKER if source.carriage_return(0, len(text)) is None else _MARKER_AFTER_RETURN
    for count, match in enumerate(pattern.finditer(text)):
        if count > MAX_DOCUMENTS:
            raise MomError(
                f"{source.name} has too many documents (limit {MAX_DOCUMENTS:,})",
                hint="split the file, or remove the lines of `---` that separate nothing",
            )
        at = match.start(2)
        if match[2] == "...":
            close(match.start())
            line_end = text.find("\n", at)
            marker, start = None, len(text) if line_end == -1 else _past_marks(text, line_end + 1)
            body = start
        elif marker is None and _is_prefix(text[body : match.start()]):
            if match[1] and "%" not in text[start:at]:
                start = at
            marker, body = at, at + 3
        else:
            close(match.start())
            marker, start, body = at, at, at + 3
    close(len(text))
    return tuple(result)


def _plain_documents(text: str) -> tuple[Document, ...] | None:
    """Return the documents of a stream that lines `---` separate; None where there may be other markers, or too many.

    A tenth of the time: a file of ten thousand adapters is read again after each change.
    """
    separated = text.split("\n---\n")
    if text.count("\n---") != len(separated) - 1 or not 1 < len(separated) < MAX_DOCUMENTS:
        return None
    if "\r" in text or BOM in text or "\n..." in text or text.startswith("..."):
        return None
    if (starts_with_marker := text.startswith("---")) and not text.startswith("---\n"):
        return None
    after = accumulate(len(part) + len("\n---\n") for part in separated[:-1])
    markers = [0] * starts_with_marker + [offset - len("---\n") for offset in after]
    new: Any = tuple.__new__
    result: list[Document] = [new(Document, (at, at, at + 3, end)) for at, end in pairwise([*markers, len(text)])]
    if _is_prefix(text[: markers[0]]):
        result[0] = result[0]._replace(start=0)
    else:
        result.insert(0, Document(0, None, 0, markers[0]))
    return tuple(result)


def _past_marks(text: str, offset: int) -> int:
    """Return where a document begins whose byte-order mark, or marks, are at `offset`."""
    while text.startswith(BOM, offset):
        offset += len(BOM)
    return offset


def _is_prefix(text: str) -> bool:
    # Line by line: of most texts the first one says it.
    return all(_PREFIX_LINE.match(line.group()) for line in _LINE.finditer(text))


class YamlSyntaxError(MomError):
    """A document that cannot be read; `problem` has the place and the reason."""

    def __init__(self, document: Document, problem: Problem) -> None:
        """Carry the document and its one problem."""
        super().__init__(problem.message, hint=problem.hint, problems=[problem])
        self.document = document
        self.problem = problem


def parse_document(source: Source, document: Document) -> Node | None:
    """Return the tree of `document`, None where it has nothing (not even a null).

    Raises YamlSyntaxError with the place, in words that name git conflict markers and template braces as such.
    """
    text = source.text[document.start : document.end]
    try:
        return parser.parse(text, document.start)
    except parser.ParserError as failure:
        raise YamlSyntaxError(document, _explain(source, document, failure)) from None


def check_syntax(source: Source, unread: SequenceABC[Document]) -> Iterator[YamlSyntaxError]:
    """Yield an error for each of the documents `found` that cannot be read; no trees are built where none is wrong."""
    # Directives belong to one document; libyaml takes them where the document before has no end, too.
    if "\n%" not in source.text and parser.reads(source.text.removeprefix(BOM)):
        return
    for document in unread:
        if not parser.reads(source.text[document.start : document.end]):
            try:
                parse_document(source, document)
            except YamlSyntaxError as error:
                yield error


# Braces where a key or a value begins: inside text, quotes or a comment they are only text.
_TEMPLATE = re.compile(r"^[ \t]*+#[^\n]*+|(?:^|(?<=[:\-\[{,]))[ \t]*+(\{\{|\{%)", re.MULTILINE)


def _explain(source: Source, document: Document, failure: parser.ParserError) -> Problem:
    """Turn a parser's words into a problem: a place, and what is really wrong where that is known."""
    text = source.text
    # The first conflict that ends inside or after the document.
    conflict = bisect.bisect_left(source.conflicts, document.start, key=lambda limits: limits[1])
    if conflict < len(source.conflicts) and (start := source.conflicts[conflict][0]) < document.end:
        return source.problem(
            start,
            "conflict-marker",
            "git conflict markers: the merge is unfinished",
            end=start + 7,
            hint="resolve the conflict between `<<<<<<<` and `>>>>>>>`, and remove these lines",
        )
    matches = _TEMPLATE.finditer(text, document.start, document.end)
    template = next((match for match in matches if match.group(1)), None)
    if template:
        return source.problem(
            template.start(1),
            "template",
            f"`{template.group(1)}` is a template (Helm, Jinja): render the file first",
            end=template.end(),
            hint="run mom on the rendered file; an environment reference is written ${{ NAME }}",
        )
    offset = min(document.start + failure.offset, len(text))
    # At the end of the text the last line with content says more than the empty line after it.
    while offset > document.start and offset >= len(text) and text[offset - 1 : offset] in {"\n", "\r"}:
        offset -= 1
    line_start = text.rfind("\n", 0, offset) + 1
    before = text[line_start : offset + 1]
    if "\t" in before and not before.strip():
        message = "a tab in the indentation: YAML allows only spaces"
        return source.problem(line_start + before.index("\t"), "yaml-syntax", message, hint="use spaces")
    if (slip := _slip(source, document, failure)) is not None:
        begin, end = slip.start + document.start, slip.end + document.start
        problem = source.problem(begin, "yaml-syntax", f"invalid YAML: {slip.message}", end=end, hint=slip.hint)
        is_separator = slip.repair == ((slip.start, slip.end, "---"),)
        return replace(problem, replacement="---") if is_separator else problem
    from mom.yamledit import phrases

    message, hint = phrases.translate(failure.message)
    return source.problem(offset, "yaml-syntax", message, hint=hint)


def _slip(source: Source, document: Document, failure: parser.ParserError) -> Slip | None:
    """Return the slip because of which a document cannot be read, with offsets from the document's start."""
    # Most files can be read, and an edit of one does not pay for these.
    from mom.yamledit import slips

    def fails_at(text: str) -> int | None:
        try:
            parser.parse(text, 0)
        except parser.ParserError as again:
            return again.offset
        return None

    source.searched.add(document.start)
    if failure.is_final or len(source.searched) > _MOST_SEARCHED:
        return None
    text = source.text[document.start : document.end]
    return slips.find_slip(text, failure.offset, fails_at, fast=parser.c_parser() is not None)

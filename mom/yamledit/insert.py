"""Where new text goes in a stream: at a list's end, and at the stream's end.

Every function returns splices on the original text. All but these insert whole lines only:

- a flow list on one line, or whose last item shares the line of its `]`: the item goes inside that line;
- a flow list over several lines without a trailing comma: its last item gets one;
- an empty `[]`, `~` or `null`: dropped, the item stands below its key;
- a file without a final line end: it gets one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from typing import NamedTuple

from mom.yamledit import shape as shapes
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.stream import Document


class Splice(NamedTuple):
    """Replace `length` code points at `offset` by `text`. Splices at the same offset apply in their order."""

    offset: int
    length: int
    text: str


def apply(text: str, splices: SequenceABC[Splice]) -> str:
    """Return `text` with all splices applied; they are given in the order of their offsets and do not overlap."""
    parts: list[str] = []
    position = 0
    for splice in splices:
        assert splice.offset >= position, "splices overlap or are out of order"
        parts += [text[position : splice.offset], splice.text]
        position = splice.offset + splice.length
    parts.append(text[position:])
    return "".join(parts)


def line_end_at(text: str, offset: int) -> str:
    """Return the line end to write at `offset`: that of the line before it, else of the line that follows, else LF."""
    position = text.rfind("\n", 0, offset)
    if position == -1:
        position = text.find("\n", offset)
    return "\r\n" if position > 0 and text[position - 1] == "\r" else "\n"


def final_line_end(source: Source, splices: SequenceABC[Splice]) -> list[Splice]:
    """Return `splices` with a line end before the first that stands at the end of a text that lacks one."""
    text = source.text
    if not text or text.endswith("\n") or all(splice.offset < len(text) for splice in splices):
        return list(splices)
    first = next(number for number, splice in enumerate(splices) if splice.offset == len(text))
    return [*splices[:first], Splice(len(text), 0, line_end_at(text, len(text))), *splices[first:]]


def append_item(source: Source, parent: Mapping, entry: tuple[Node, Node], value: Value, house: Shape) -> list[Splice]:
    """Return the splices that append `value` to the list that is the value of `entry` in `parent`.

    The entry's value is a sequence or a null. `house` is the shape of a list where this one shows none.
    """
    key, node = entry
    if isinstance(node, Sequence) and node.items:
        return _append_flow(source, node, value) if node.flow else _append_block(source, key, node, value)
    if parent.flow:
        text = shapes.flow([value], house)
        if isinstance(node, Sequence):
            return [Splice(node.start, node.end - node.start, text)]
        return [Splice(node.start, node.end - node.start, text if node.end > node.start else f" {text}")]
    if isinstance(node, Sequence) and "\n" in source.text[source.text.index("[", node.start) : node.end]:
        return _fill_flow(source, node, value, house)
    return _fill_block(source, key, node, value, house)


def append_entry(source: Source, mapping: Mapping, key: str, value: SequenceABC[Value], house: Shape) -> list[Splice]:
    """Return the splice that adds `key` with a list as the last entry of a block `mapping`."""
    text = source.text
    indent = shapes.column(text, mapping.entries[0][0].start)
    at = _below(text, mapping.end, indent)
    parent = Shape().with_child(key, house)
    return [_lines(text, at, shapes.block({key: value}, parent), indent)]


def append_document(
    source: Source, found: SequenceABC[Document], value: MappingABC[str, Value], shape: Shape
) -> list[Splice]:
    """Return the splice that puts a document at the end of the stream; a bare `---` there is used for it.

    One with directives is left alone: they were written for another document.
    """
    text = source.text
    lines = [shapes.flow(value, shape)] if shape.flow else shapes.block(value, shape)
    last = found[-1] if found else None
    bare = (
        last is not None
        and last.marker is not None
        and last.end == len(text)
        and _is_empty(text[last.start : last.marker])
        and _is_empty(text[last.body :])
    )
    return [_lines(text, len(text), lines if bare else ["---", *lines], 0)]


def _is_empty(body: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in body.split("\n"))


def _append_block(source: Source, key: Node, node: Sequence, value: Value) -> list[Splice]:
    text = source.text
    shape = shapes.shape_of(text, node, shapes.column(text, key.start))
    dash = shapes.dash_column(text, node)
    at = _below(text, node.end, dash)
    # A blank line below a scalar that keeps its last blank lines would be one of them.
    blanks = 0 if at == node.end and _keeps_blank_lines(text, node) else shape.blanks
    return [_lines(text, at, [""] * blanks + shapes.item(value, shape), dash)]


def _keeps_blank_lines(text: str, node: Node) -> bool:
    """Whether `node` ends in a block scalar with a `+` in its header."""
    while isinstance(node, Sequence | Mapping) and not node.flow:
        node = node.items[-1] if isinstance(node, Sequence) else node.entries[-1][1]
    if not isinstance(node, Scalar) or node.style not in {"|", ">"}:
        return False
    return "+" in text[node.start : node.end].split("\n", 1)[0].split("#", 1)[0]


def _fill_block(source: Source, key: Node, node: Node, value: Value, house: Shape) -> list[Splice]:
    """Put the first item below a key that has `[]`, a null word or nothing."""
    text = source.text
    indent = shapes.column(text, key.start)
    at = _below(text, node.end, indent)
    lines = shapes.items([value], house)
    dash = indent + (house.indent if house.indent is not None else shapes.LIST_INDENT)
    added = _lines(text, at, lines, dash)
    start = node.start
    if isinstance(node, Scalar) and (node.anchor is not None or node.tag is not None):
        # `&a` stays, for the list; only a word after it goes.
        word = re.search(r"(?<![ \t])[ \t]++(?:~|null|Null|NULL)\Z", text[start : node.end])
        start = start + word.start() if word else node.end
    elif isinstance(node, Sequence):
        start = text.index("[", start)
    if start == node.end:
        return [added]
    line_start = text.rfind("\n", 0, start) + 1
    if (
        not text[line_start:start].strip()
        and (rest := text.find("\n", node.end)) != -1
        and not text[node.end : rest].strip()
    ):
        # The word has a line of its own: the line goes.
        return [Splice(line_start, rest + 1 - line_start, ""), added]
    while text[start - 1] in " \t":
        start -= 1
    return [Splice(start, node.end - start, ""), added]


def _append_flow(source: Source, node: Sequence, value: Value) -> list[Splice]:
    text = source.text
    shape = shapes.shape_of(text, node)
    new = shapes.flow(value, shape.item or Shape())
    last = node.items[-1].end
    close = node.end - 1
    comma = _trailing_comma(text, last, close)
    close_line = text.rfind("\n", 0, close) + 1
    if close_line <= last or text[close_line:close].strip():
        # `]` shares a line with the last item, or with its comma: the new item goes inside that line.
        return [Splice(last, 0, f", {new}")] if comma is None else [Splice(comma + 1, 0, f" {new},")]
    indent = _line_indent(text, node.items[-1].start)
    if comma is not None:
        return [_lines(text, close_line, [f"{new},"], indent)]
    return [Splice(last, 0, ","), _lines(text, close_line, [new], indent)]


def _fill_flow(source: Source, node: Sequence, value: Value, house: Shape) -> list[Splice]:
    """Put the first item on a line of its own into an empty list whose brackets stand on different lines."""
    text = source.text
    close_line = text.rfind("\n", 0, node.end) + 1
    indent = _line_indent(text, node.end - 1) + shapes.MAP_INDENT
    return [_lines(text, close_line, [shapes.flow(value, house.item or Shape())], indent)]


def _trailing_comma(text: str, start: int, end: int) -> int | None:
    """Return the offset of the comma between `start` and `end`, which hold only white space and comments besides."""
    for match in re.compile(r"#[^\n]*|,").finditer(text, start, end):
        if match.group() == ",":
            return match.start()
    return None


def _line_indent(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 :]
    return len(line) - len(line.lstrip(" "))


def _below(text: str, end: int, indent: int) -> int:
    """Return the start of the line below what ends at `end`, past comments indented deeper than `indent`."""
    if text[end - 1 : end] != "\n":
        line_end = text.find("\n", end)
        if line_end == -1:
            return len(text)
        end = line_end + 1
    # One expression, for there may be millions of lines.
    comments = re.compile(rf"(?:(?:[ \t\r]*+\n)*+[ \t]{{{indent + 1},}}+#[^\n]*+(?:\n|\Z))*+")
    found = comments.match(text, end)
    return found.end() if found else end


def _lines(text: str, at: int, lines: SequenceABC[str], indent: int) -> Splice:
    newline = line_end_at(text, at)
    return Splice(at, 0, "".join((" " * indent + line if line else line) + newline for line in lines))

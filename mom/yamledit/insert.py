"""Where new text goes in a stream: at the end of a list or a mapping, below a key without a value, at the stream's end.

Every function returns splices on the original text. All but these insert whole lines only:

- a flow collection on one line, or whose last item shares the line of its bracket: the item goes inside that line;
- a flow collection over several lines without a trailing comma, or leading ones: its last item gets one;
- an empty `[]`, `{}`, `~` or `null`: dropped, what comes is below its key, or in its place inside braces;
- a file without a final line ending: it gets one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from dataclasses import replace

from mom.yamledit import shape as shapes
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence, last_leaf
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import BOM, Source
from mom.yamledit.splice import BECAME_LIST, BECAME_MAPPING, COMMA_ADDED, FLOW_STYLE, Splice, line_ending_at
from mom.yamledit.stream import Document


def append_items(
    source: Source, parent: Mapping, entry: tuple[Node, Node], values: SequenceABC[Value], fallback: Shape
) -> list[Splice]:
    """Return the splices that append `values` to the list that is the value of `entry` in `parent`.

    The entry's value is a sequence or a null. `fallback` is the shape of a list where this one shows none.
    """
    node = entry[1]
    if not isinstance(node, Sequence) or not node.items:
        return fill(source, parent, entry, values, fallback)
    if not node.flow:
        return _append_block(source, parent, node, values)
    shape = shapes.shape_of(source.text, node)
    new = [shapes.flow([value], shape)[1:-1].strip(" ") for value in values]
    return insert_in_flow(source, node, new, FLOW_STYLE)


def append_entry(source: Source, mapping: Mapping, key: str, value: Value, fallback: Shape) -> list[Splice]:
    """Return the splices that add `key` with `value` as the last entry of a `mapping` that has others."""
    text = source.text
    if mapping.flow:
        shape = shapes.shape_of(text, mapping).with_child(key, replace(fallback, flow=True))
        return insert_in_flow(source, mapping, [shapes.flow_entries({key: value}, shape)], _FLOW_MAPPING)
    indent = shapes.mapping_column(text, mapping)
    at = below(text, mapping.end, indent)
    style = shapes.shape_of(text, mapping)
    if fallback.quote is None:
        fallback = replace(fallback, quote=style.child(key).quote)
    shape = Shape(key_quote=style.key_quote).with_child(key, fallback)
    return [_lines(text, at, shapes.block({key: value}, shape), indent)]


def fill(source: Source, parent: Mapping, entry: tuple[Node, Node], value: Value, fallback: Shape) -> list[Splice]:
    """Return the splices that make `value`, a list or a mapping, of the empty value of `entry` in `parent`.

    That is `[]`, `{}`, a null word, or nothing. Brackets over several lines stay: comments may be between them.
    """
    key, node = entry
    text = source.text
    if isinstance(node, Sequence | Mapping) and (
        parent.flow or "\n" in text[text.index(_BRACKETS[type(node)], node.start) : node.end]
    ):
        return insert_in_flow(source, node, [_between_brackets(value, fallback)], _became(value))
    if parent.flow:
        return _fill_null_in_flow(text, key, node, shapes.flow(value, fallback), _became(value))
    return _fill_block(text, parent, entry, value, fallback)


_BRACKETS = {Sequence: "[", Mapping: "{"}
_FLOW_MAPPING = "the mapping is written in flow style"


def _became(value: Value) -> str:
    return BECAME_MAPPING if isinstance(value, MappingABC) else BECAME_LIST


def _between_brackets(value: Value, shape: Shape) -> str:
    return shapes.flow(value, replace(shape, pad=False))[1:-1]


def _fill_null_in_flow(text: str, key: Node, node: Node, new: str, reason: str) -> list[Splice]:
    """Put `new` behind a key in a flow mapping that has a null word or nothing there."""
    colon = "" if _has_colon(text, key, node) else ":"
    start = _null_word(text, node)
    if start < node.end:
        return [Splice(start, node.end - start, new, reason)]
    line_end = text.find("\n", node.end)
    rest = text[node.end : line_end]
    if not colon and line_end != -1 and (not rest.strip() or (rest.lstrip().startswith("#") and rest[:1].isspace())):
        # What closes the collection, or the entry, is further down: a line between needs no change of this one.
        indent = _line_indent(text, key.start)
        return [_lines(text, line_end + 1, [new], indent + ("\t" if "\t" in indent else "  "))]
    return [Splice(node.end, 0, f"{colon} {new}", reason)]


def _has_colon(text: str, key: Node, node: Node) -> bool:
    """Whether a key is followed by a colon: it is not in `? key` and `{key}`."""
    return ":" in re.sub(r"#[^\n]*", "", text[key.end : node.start])


def _null_word(text: str, node: Node) -> int:
    """Return where the null word of an empty scalar begins, behind its anchor; its end where there is none."""
    if not isinstance(node, Scalar) or (node.anchor is None and node.tag is None):
        return node.start
    word = re.search(r"(?<![ \t])[ \t]++(?:~|null|Null|NULL)\Z", text[node.start : node.end])
    return node.start + word.end() - len(word.group().lstrip()) if word else node.end


def append_document(
    source: Source, documents: SequenceABC[Document], value: MappingABC[str, Value], shape: Shape
) -> list[Splice]:
    """Return the splice that puts a document at the end of the stream; a bare `---` there is used for it."""
    text = source.text
    lines = [shapes.flow(value, shape)] if shape.flow else shapes.block(value, shape)
    return [_lines(text, len(text), lines if ends_in_bare_marker(source, documents) else ["---", *lines], 0)]


def ends_in_bare_marker(source: Source, documents: SequenceABC[Document]) -> bool:
    """Whether the stream ends in a `---` with nothing but comments after it.

    One with directives is none of these: they were written for another document.
    """
    text = source.text
    last = documents[-1] if documents else None
    return (
        last is not None
        and last.marker is not None
        and last.end == len(text)
        and _is_empty(text[last.start : last.marker])
        and _is_empty(text[last.body :])
    )


def _is_empty(body: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in body.split("\n"))


def _append_block(source: Source, parent: Mapping, node: Sequence, values: SequenceABC[Value]) -> list[Splice]:
    text = source.text
    shape = shapes.shape_of(text, node, shapes.mapping_column(text, parent) if not parent.flow else 0)
    dash = shapes.dash_column(text, node)
    at = below(text, node.end, dash)
    # A blank line below a scalar that keeps its last blank lines would be one of them.
    blanks = 0 if at == node.end and _keeps_blank_lines(text, node) else shape.blanks
    return [_lines(text, at, [""] * blanks + shapes.items(values, shape), dash)]


def _keeps_blank_lines(text: str, node: Node) -> bool:
    """Whether `node` ends in a block scalar with a `+` in its header."""
    last = last_leaf(node)
    if not isinstance(last, Scalar) or last.style not in {"|", ">"}:
        return False
    return "+" in text[last.start : last.end].split("\n", 1)[0].split("#", 1)[0]


def _fill_block(text: str, parent: Mapping, entry: tuple[Node, Node], value: Value, fallback: Shape) -> list[Splice]:
    """Put a list's items, or a mapping's entries, below a key that has `[]`, `{}`, a null word or nothing."""
    key, node = entry
    indent = shapes.mapping_column(text, parent)
    at = below(text, node.end, indent)
    if isinstance(value, MappingABC):
        lines, step = shapes.block(value, fallback), shapes.MAP_INDENT
    else:
        assert not isinstance(value, str | int)
        lines, step = shapes.items(value, fallback), shapes.LIST_INDENT
    added = [_lines(text, at, lines, indent + (step if fallback.indent is None else fallback.indent))]
    if not _has_colon(text, key, node):
        # `? key` alone: the position of what is missing is that of what follows.
        at = below(text, key.end, indent)
        return [_lines(text, at, [":"], indent), added[0]._replace(offset=at)]
    start = _null_word(text, node)
    if isinstance(node, Sequence | Mapping):
        start = text.index(_BRACKETS[type(node)], start)
    if start == node.end:
        return added
    line_start = text.rfind("\n", 0, start) + 1
    if not text[line_start:start].strip() and (rest := text.find("\n", node.end)) != -1:
        # The word has a line of its own: the line goes, but for a comment, which keeps its column.
        if not text[node.end : rest].strip():
            return [Splice(line_start, rest + 1 - line_start, "", _became(value)), *added]
        return [Splice(start, node.end - start, " " * (node.end - start), _became(value)), *added]
    while text[start - 1] in " \t":
        start -= 1
    return [Splice(start, node.end - start, "", _became(value)), *added]


def insert_in_flow(source: Source, node: Sequence | Mapping, new: SequenceABC[str], reason: str) -> list[Splice]:
    """Put `new`, items or entries as text, at the end of a flow collection, on lines of their own where it has some.

    That is where the closing bracket has a line of its own. `reason` says why a line changes where it does.
    """
    text = source.text
    close = node.end - 1
    close_line = text.rfind("\n", 0, close) + 1
    parts = node.items if isinstance(node, Sequence) else [part for entry in node.entries for part in entry]
    if not parts:
        bracket = text.index(_BRACKETS[type(node)], node.start)
        inner = text[bracket + 1 : close]
        if "\n" not in inner:
            return [Splice(bracket + 1, close - bracket - 1, ", ".join(new), reason)]
        return [_lines(text, close_line, [", ".join(new)], _indent_inside(text, bracket, close))]
    last = parts[-1].end
    comma = trailing_comma(text, last, close)
    if close_line <= last or text[close_line:close].strip():
        # The bracket shares a line with the last item, or with its comma: the new item goes inside that line.
        if comma is None:
            return [Splice(last, 0, "".join(f", {part}" for part in new), reason)]
        return [Splice(comma + 1, 0, "".join(f" {part}," for part in new), reason)]
    last_start = parts[-1].start if isinstance(node, Sequence) else parts[-2].start
    if comma is not None:
        return [_lines(text, close_line, [f"{part}," for part in new], _line_indent(text, last_start))]
    if (before := _leading_comma(text, node, last_start)) is not None:
        return [_lines(text, close_line, new, before)]
    lines = [*(f"{part}," for part in new[:-1]), new[-1]]
    return [Splice(last, 0, ",", COMMA_ADDED), _lines(text, close_line, lines, _line_indent(text, last_start))]


def _leading_comma(text: str, node: Node, last_start: int) -> str | None:
    """Return what lines begin with where commas are at their start (`    , `), None where they are not."""
    line_start = text.rfind("\n", 0, last_start) + 1
    before = text[line_start:last_start]
    if before.strip() == ",":
        return before
    bracket = before.lstrip(" \t")[:1]
    if bracket and bracket in "[{" and before.strip() == bracket and line_start + before.index(bracket) == node.start:
        # Of one item the bracket's column tells: `[ a`, and `]` below it.
        column = before.index(bracket)
        if text.rfind("\n", 0, node.end - 1) + 1 + column == node.end - 1:
            return before.replace(bracket, ",")
    return None


def _indent_inside(text: str, bracket: int, close: int) -> str:
    """Return the white space before a new line between brackets that have only comments between them."""
    for line in text[bracket:close].split("\n")[1:-1]:
        if line.strip():
            return line[: len(line) - len(line.lstrip(" \t"))]
    indent = _line_indent(text, close)
    return indent + ("\t" if "\t" in indent else " " * shapes.MAP_INDENT)


def trailing_comma(text: str, start: int, end: int) -> int | None:
    """Return where the comma from `start` to `end` is, which have only white space and comments besides; or None."""
    for match in re.compile(r"#[^\n]*|,").finditer(text, start, end):
        if match.group() == ",":
            return match.start()
    return None


def _line_indent(text: str, offset: int) -> str:
    """Return the white space, tabs included, that the line of `offset` begins with."""
    line_start = text.rfind("\n", 0, offset) + 1
    if line_start == 0 and text.startswith(BOM):
        line_start = len(BOM)
    match = re.compile(r"[ \t]*").match(text, line_start)
    return match.group() if match else ""


def below(text: str, end: int, indent: int) -> int:
    """Return the start of the line below what ends at `end`, past comments indented deeper than `indent`."""
    if text[end - 1 : end] != "\n":
        line_end = text.find("\n", end)
        if line_end == -1:
            return len(text)
        end = line_end + 1
    # One expression, for there may be millions of lines.
    comments = re.compile(rf"(?:(?:[ \t\r]*+\n)*+[ \t]{{{indent + 1},}}+#[^\n]*+(?:\n|\Z))*+")
    match = comments.match(text, end)
    return match.end() if match else end


def _lines(text: str, at: int, lines: SequenceABC[str], indent: int | str) -> Splice:
    newline = line_ending_at(text, at)
    space = indent if isinstance(indent, str) else " " * indent
    return Splice(at, 0, "".join((space + line if line else line) + newline for line in lines))

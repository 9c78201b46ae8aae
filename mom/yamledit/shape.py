"""How the neighbour is written, as a value, and the same way of writing for something new.

`shape_of` looks at a node; `block` and `flow` write a value in that shape. What the neighbour does not show falls back
to the fallback style: two spaces a step, dashes at their key's column, plain scalars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence
from mom.yamledit.scalars import needs_quotes, write
from mom.yamledit.source import BOM

# What can be written: strings, integers, and mappings and lists of them, keys in the order of the fallback style.
Value: TypeAlias = "str | int | MappingABC[str, Value] | SequenceABC[Value]"


@dataclass(frozen=True)
class Shape:
    """One way of writing a value.

    flow: `{…}`, `[…]`. pad: a space inside the braces. quote, key_quote: '' plain, or the quote that was a choice;
    None where the neighbour shows none. In a collection, quote is that of the values in it. colon: a plain value of
    flow style has a `:` inside, which some parsers refuse.
    order: the neighbour's key order. indent: from a key's column to the first column of what is below it (a
    mapping's keys, a list's dashes); None where the neighbour shows none. gap: spaces after a dash. blanks: blank lines
    between two items. children: shapes of values by key. item: shape of a list's items.
    """

    flow: bool = False
    pad: bool = False
    quote: str | None = None
    key_quote: str = ""
    colon: bool = False
    order: tuple[str, ...] = ()
    indent: int | None = None
    gap: int = 1
    blanks: int = 0
    children: MappingABC[str, Shape] = field(default_factory=dict)
    item: Shape | None = None

    def child(self, key: str) -> Shape:
        """Return the shape of the value of `key`; where the neighbour has no such key, it is quoted as others are."""
        if (known := self.children.get(key)) is not None:
            return known
        if not self.flow:
            return Shape(quote=self._usual_quote(), key_quote=self.key_quote)
        # As in JSON, values are quoted as keys are.
        quote = self.quote if self.quote is not None else self.key_quote or None
        return Shape(flow=self.flow, pad=self.pad, quote=quote, key_quote=self.key_quote)

    def _usual_quote(self) -> str | None:
        """Return the quote that most values of a block mapping have, of two the later; where none shows one, its own.

        Only texts count for which there was a choice.
        """
        quotes = [
            child.quote
            for child in self.children.values()
            if child.quote is not None and not (child.flow or child.order or child.item)
        ]
        return max(reversed(quotes), key=quotes.count) if quotes else self.quote

    def with_child(self, key: str, shape: Shape) -> Shape:
        """Return this shape with another one for the value of `key`."""
        return replace(self, children={**self.children, key: shape})


MAP_INDENT = 2
LIST_INDENT = 0


def column(text: str, offset: int) -> int:
    """Return the column, from 0, of `offset`; a byte-order mark has none."""
    line = text.rfind("\n", 0, offset) + 1
    return offset - line - (1 if line == 0 and text.startswith(BOM) else 0)


def mapping_column(text: str, node: Mapping) -> int:
    """Return the column of the entries of a mapping: of its first key, or of the `?` before that."""
    if node.anchor is None and node.tag is None:
        return column(text, node.start)
    first = node.entries[0][0].start
    explicit = _EXPLICIT_KEY.search(text[node.start : first])
    return column(text, node.start + explicit.start() if explicit else first)


_EXPLICIT_KEY = re.compile(r"(?<!\S)\?(?:\s|#[^\n]*+\n)++\Z", re.ASCII)


def shape_of(text: str, node: Node, key_column: int = 0, *, in_flow: bool = False) -> Shape:
    """Return the shape of `node` in `text`; `key_column` is that of the key it is the value of."""
    if isinstance(node, Scalar):
        return Shape(quote=_chosen_quote(node), colon=in_flow and not node.style and ":" in node.value)
    if isinstance(node, Mapping):
        return _mapping_shape(text, node, key_column)
    if isinstance(node, Sequence):
        return _sequence_shape(text, node, key_column)
    return Shape()


def _chosen_quote(node: Scalar) -> str | None:
    """Return how a text is quoted where there was a choice, None where there was none."""
    if "\n" in node.value or needs_quotes(node.value, flow=False):
        return None
    return node.style if node.style in {"'", '"', ""} else None


def _mapping_shape(text: str, node: Mapping, key_column: int) -> Shape:
    if not node.entries:
        return Shape(flow=node.flow)
    first = node.entries[0][0]
    own_column = column(text, first.start) if node.flow else mapping_column(text, node)
    children = {
        key.value: shape_of(text, value, own_column, in_flow=node.flow)
        for key, value in node.entries
        if isinstance(key, Scalar)
    }
    return Shape(
        flow=node.flow,
        # A single pair of a flow sequence (`[a: b]`) has no brace.
        pad=node.flow and bool(re.search(r"\{ +[^\s#]\Z", text[node.start : first.start + 1])),
        quote=_common_quote(children.values()) if node.flow else None,
        key_quote=(_chosen_quote(first) or "") if isinstance(first, Scalar) else "",
        order=tuple(key.value for key, _ in node.entries if isinstance(key, Scalar)),
        indent=None if node.flow else own_column - key_column,
        children=children,
    )


def _common_quote(shapes: Iterable[Shape]) -> str | None:
    return next((shape.quote for shape in shapes if shape.quote is not None), None)


def _sequence_shape(text: str, node: Sequence, key_column: int) -> Shape:
    examples = [item for item in node.items if not isinstance(item, Alias)]
    if not examples:
        return Shape(flow=node.flow)
    if node.flow:
        inner = text[node.start + 1 : node.items[0].start]
        item_shape = shape_of(text, examples[-1], in_flow=True)
        return Shape(flow=True, pad=inner == " ", quote=item_shape.quote, item=item_shape)
    dash = dash_column(text, node)
    return Shape(
        indent=dash - key_column,
        gap=_dash_gap(text, node, dash),
        blanks=blank_lines_between(text, node),
        item=shape_of(text, examples[-1], dash),
    )


def dash_column(text: str, node: Sequence) -> int:
    """Return the column of a block list's dashes. An anchor or tag may be before the first of them."""
    if node.anchor is None and node.tag is None:
        return column(text, node.start)
    line_start = text.rfind("\n", 0, node.items[0].start) + 1
    while line_start > node.start:
        line = text[line_start : text.find("\n", line_start) + 1 or len(text)]
        if line.lstrip(" ").startswith("-"):
            return len(line) - len(line.lstrip(" "))
        line_start = text.rfind("\n", 0, line_start - 1) + 1
    return column(text, node.start)


def _dash_gap(text: str, node: Sequence, dash: int) -> int:
    """Return the spaces after the dash of the last item that starts on its dash's line."""
    for item in reversed(node.items):
        line_start = text.rfind("\n", 0, item.start) + 1
        between = text[line_start + dash + 1 : item.start]
        if text[line_start + dash : line_start + dash + 1] == "-" and between and not between.strip(" "):
            return len(between)
    return 1


def blank_lines_between(text: str, node: Sequence) -> int:
    """Return how many blank lines are together before the last item of a block list: what separates items here.

    Comments may be above them, which belong to the item before, and below them.
    """
    if len(node.items) < 2:
        return 0
    end = node.items[-2].end
    line_end = end if text[end - 1 : end] == "\n" else text.find("\n", end) + 1
    most = count = 0
    for line in text[line_end : node.items[-1].start].split("\n")[:-1]:
        count = 0 if line.strip() else count + 1
        most = max(most, count)
    return most


def list_style(text: str, root: Node) -> Shape | None:
    """Return how the dashes of the last block list in a tree are placed, None where it has no such list."""
    style: Shape | None = None
    waiting: list[Node] = [root]
    while waiting and style is None:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting.extend(node.items)
        elif isinstance(node, Mapping):
            waiting.extend(value for _, value in node.entries)
            for _, value in node.entries:
                if isinstance(value, Sequence) and value.items and not value.flow:
                    dash = dash_column(text, value)
                    style = Shape(indent=dash - mapping_column(text, node), gap=_dash_gap(text, value, dash))
    return style


def ordered(value: MappingABC[str, Value], shape: Shape) -> list[tuple[str, Value]]:
    """Return the entries of `value`: those that the neighbour has in its order, the others after them."""
    known = [key for key in shape.order if key in value]
    return [(key, value[key]) for key in dict.fromkeys([*known, *value])]


def flow(value: Value, shape: Shape) -> str:
    """Return `value` on one line: a scalar, `{…}` or `[…]`."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # Some parsers, libyaml's old ones among them, take no `:` in a plain scalar of flow style.
        style = shape.quote or ("'" if ":" in value and not shape.colon else "")
        return write(value, flow=True, style=style)
    pad = " " if shape.pad else ""
    if isinstance(value, MappingABC):
        return "{" + pad + flow_entries(value, shape) + pad + "}"
    item_shape = _inherit(shape.item or Shape(), shape)
    return "[" + pad + ", ".join(flow(item, item_shape) for item in value) + pad + "]"


def flow_entries(value: MappingABC[str, Value], shape: Shape) -> str:
    """Return the entries of a mapping on one line, without braces."""
    return ", ".join(
        f"{write(key, flow=True, style=shape.key_quote)}: {flow(part, _inherit(shape.child(key), shape))}"
        for key, part in ordered(value, shape)
    )


def _inherit(child: Shape, parent: Shape) -> Shape:
    """What shows no way of its own is written like the flow collection around it."""
    quote = child.quote if child.quote is not None else parent.quote
    if child.order or child.item:
        return replace(child, quote=quote)
    return replace(child, pad=child.pad or parent.pad, quote=quote, key_quote=child.key_quote or parent.key_quote)


def block(value: MappingABC[str, Value], shape: Shape) -> list[str]:
    """Return a mapping as lines, without line endings, its keys at column 0."""
    lines: list[str] = []
    for key, part in ordered(value, shape):
        name = write(key, flow=False, style=shape.key_quote)
        child = shape.child(key)
        if isinstance(part, str):
            lines.append(f"{name}: {write(part, flow=False, style=child.quote)}")
        elif isinstance(part, int) or child.flow or not part:
            lines.append(f"{name}: {flow(part, child)}")
        elif isinstance(part, MappingABC):
            indent = MAP_INDENT if child.indent is None else child.indent
            lines += [f"{name}:", *_indented(block(part, child), indent)]
        else:
            indent = LIST_INDENT if child.indent is None else child.indent
            lines += [f"{name}:", *_indented(items(part, child), indent)]
    return lines


def items(values: SequenceABC[Value], shape: Shape) -> list[str]:
    """Return list items as lines, their dashes at column 0, without the blank lines before the first."""
    lines: list[str] = []
    for number, value in enumerate(values):
        if number:
            lines += [""] * shape.blanks
        lines += item(value, shape)
    return lines


def item(value: Value, shape: Shape) -> list[str]:
    """Return one list item as lines, its dash at column 0."""
    item_shape = shape.item or Shape(quote=shape.quote)
    dash = "-" + " " * shape.gap
    if not isinstance(value, MappingABC) or item_shape.flow:
        return [
            dash
            + (write(value, flow=False, style=item_shape.quote) if isinstance(value, str) else flow(value, item_shape))
        ]
    first, *rest = block(value, item_shape)
    return [dash + first, *_indented(rest, len(dash))]


def _indented(lines: SequenceABC[str], width: int) -> list[str]:
    return [" " * width + line if line else line for line in lines]

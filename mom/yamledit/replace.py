"""Another text in the place of a scalar: its quotes stay where they can, its anchor, tag and comment always do."""

from __future__ import annotations

from mom.yamledit.nodes import Mapping, Scalar
from mom.yamledit.positions import content_start, next_line, without_line_ending
from mom.yamledit.scalars import write
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice


def replace_scalar(source: Source, node: Scalar, value: str | int, *, flow: bool) -> list[Splice]:
    """Return the splices that make `value` of a scalar; `flow`: whether it is inside `{…}` or `[…]`.

    It becomes one line, a number without quotes. Of a block scalar the header gives way to the value, and its lines go.
    """
    text = source.text
    start = content_start(text, node)
    if node.style in {"|", ">"}:
        return _replace_block(text, start, node, value)
    # Some parsers, libyaml's old ones among them, take no `:` in a plain scalar of flow style.
    careful = flow and not node.style and ":" in str(value) and ":" not in node.value
    new = _written(value, flow=flow, style="'" if careful else node.style)
    if start == node.end and text[start - 1 : start].strip():
        # Nothing is there: right behind the colon, the dash or the anchor.
        new = f" {new}"
    return [Splice(start, node.end - start, new)]


def _written(value: str | int, *, flow: bool, style: str | None = None) -> str:
    return str(value) if isinstance(value, int) else write(value, flow=flow, style=style)


def _replace_block(text: str, start: int, node: Scalar, value: str | int) -> list[Splice]:
    header_line = next_line(text, start)
    header = text[start:header_line].split("#", 1)[0].rstrip()
    splices = [Splice(start, len(header), _written(value, flow=False))]
    if header_line < node.end:
        end = node.end
        if header_line != end and text[node.end - 1 : node.end] != "\n":
            # The file ends here, without a line ending: that of the line before stays away too.
            header_line = without_line_ending(text, header_line)
        splices.append(Splice(header_line, end - header_line, ""))
    return splices


def rename_key(source: Source, mapping: Mapping, index: int, name: str) -> list[Splice]:
    """Return the splices that give the entry at `index` of a `mapping` another key, which is a scalar now."""
    key = mapping.entries[index][0]
    assert isinstance(key, Scalar)
    return replace_scalar(source, key, name, flow=mapping.flow)

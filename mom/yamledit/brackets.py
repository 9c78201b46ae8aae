"""Slips with brackets: one that is not closed, one that is closed by the other kind, a comma that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mom.yamledit.line_slips import LONGEST, Line, Slip

# Quoted text, comments, `${{ … }}`; brackets that open where a value can begin; those that close.
_TOKENS = re.compile(
    r"""(?<!\S)#[^\n]*|(?<![^\s\[{,:])"(?:[^"\\]|\\.)*"|(?<![^\s\[{,:])'(?:[^']|'')*'|\$\{\{[^{}\n]*\}\}"""
    r"""|(?<![^\s\[{,:])[\[{]|[\]}]""",
    re.DOTALL,
)
_CLOSING = {"[": "]", "{": "}"}
_SIBLING = re.compile(r"""(?<=[^\s,\[{:])([ \t]+)(?=["']?[A-Za-z_][\w.-]*["']?[ \t]*:[ \t])""")


class _Opened(NamedTuple):
    mark: str
    at: int


def bracket_slips(text: str, lines: Sequence[Line], last: int) -> Iterator[Slip]:
    """Yield the bracket slips of `lines`, a part of `text`, up to the index `last`."""
    if any(len(line.text) > LONGEST for line in lines):
        return
    opened: list[_Opened] = []
    for token in _TOKENS.finditer(text[lines[0].start : lines[last].end]):
        mark, at = token.group(), token.start() + lines[0].start
        if mark in _CLOSING:
            opened.append(_Opened(mark, at))
        elif mark in {"]", "}"} and opened:
            if _CLOSING[opened[-1].mark] != mark:
                yield from _crossed(opened[-1], mark, at)
            opened.pop()
    for index in range(len(opened) - 1, max(len(opened) - 6, -1), -1):
        yield from _unclosed(lines, last, opened[index])
        yield from _missing_comma(lines, last, opened[index])


def _crossed(opened: _Opened, mark: str, at: int) -> Iterator[Slip]:
    wanted = _CLOSING[opened.mark]
    yield Slip(opened.at, opened.at + 1, *_words(opened.mark), ((at, at, wanted),))
    yield Slip(
        at, at + 1, f"`{mark}` where `{opened.mark}` is to be closed", f"write `{wanted}`", ((at, at + 1, wanted),)
    )


def _words(mark: str) -> tuple[str, str]:
    return f"`{mark}` is not closed", f"close it with `{_CLOSING[mark]}`"


def _unclosed(lines: Sequence[Line], last: int, opened: _Opened) -> Iterator[Slip]:
    """Close it in its own line, or before the first line that is not indented deeper."""
    own = max(index for index, line in enumerate(lines[: last + 1]) if line.start <= opened.at)
    ends = [own]
    for index in range(own + 1, len(lines)):
        if lines[index].text.strip() and lines[index].indent <= lines[own].indent:
            ends.append(index - 1)
            break
    else:
        ends.append(len(lines) - 1)
    for index in dict.fromkeys(ends):
        bare = re.sub(r"[ \t]+#.*\Z", "", lines[index].text).rstrip()
        close = max(lines[index].start + len(bare), opened.at + 1)
        yield Slip(opened.at, opened.at + 1, *_words(opened.mark), ((close, close, _CLOSING[opened.mark]),))


def _missing_comma(lines: Sequence[Line], last: int, opened: _Opened) -> Iterator[Slip]:
    message, hint = f"no comma between two parts of `{opened.mark}…{_CLOSING[opened.mark]}`", "write `,` between them"
    line = lines[last]
    for match in _SIBLING.finditer(line.text, max(opened.at - line.start, 0)):
        at = line.start + match.start()
        yield Slip(at, at + 1, message, hint, ((at, at, ","),))
    above = next((lines[index] for index in range(last - 1, -1, -1) if lines[index].text.strip()), None)
    if above is not None and above.start >= opened.at - len(above.text):
        at = above.start + len(re.sub(r"[ \t]+#.*\Z", "", above.text).rstrip())
        if at > opened.at + 1:
            yield Slip(at, at + 1, message, hint, ((at, at, ","),))

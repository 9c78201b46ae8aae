"""The events of ruamel.yaml's parser in Python, made to accept what libyaml accepts, with libyaml's positions.

Imported only where libyaml is missing, or refuses an anchor's name: it takes about ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.parser import Parser, ParserError
from ruamel.yaml.scanner import Scanner, ScannerError

_LINE_END = "\0\r\n"
# White space is ASCII's (YAML 1.2.2, rules 25 and 33): a no-break space is text.
# In 1.1 mode ruamel.yaml reads other plain scalars; libyaml reads all versions alike.
_VERSION = re.compile(r"\A((?:(?:[ \t\ufeff]*+(?:#[^\n]*+)?|%[^\n]*+)\n)*?%YAML[ \t]++1\.)1(?=\s)", re.ASCII)
# libyaml wants a block scalar's lines indented, also where the scalar is the whole document.
_FLUSH_SCALAR = re.compile(r"(?:[&!]\S*+\s++)*+[|>][^\n]*+\n\s*+^\S", re.MULTILINE | re.ASCII)
# libyaml ends an anchor's name there. Other names are those of YAML 1.2.2, rule 102, but for a colon that ends a key.
_ANCHOR = re.compile(
    r"[A-Za-z0-9_-]++(?=[?:,\]}%@`\s\0])|[^\s\0,\[\]{}:]++(?::(?![\s\0,\[\]{}])[^\s\0,\[\]{}:]*+)*+", re.ASCII
)


class _LikeLibyaml(Scanner):
    """Takes tabs as white space where libyaml does, and ends the names of anchors where libyaml does."""

    def scan_to_next_token(self) -> Any:
        peek, forward = self.reader.peek, self.reader.forward
        if self.reader.index == 0 and peek() == "\ufeff":
            forward()
        while True:
            # No tab where the key of a block mapping may begin.
            while peek() == " " or (peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                forward()
            if peek() == "#":
                while peek() not in _LINE_END:
                    forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        peek, forward = self.reader.peek, self.reader.forward
        length = 0
        while peek(length) in " \t":
            length += 1
        spaces = self.reader.prefix(length)
        forward(length)
        first = self.scan_line_break()
        if not first:
            return [spaces] if spaces else []
        self.allow_simple_key = True
        breaks: list[Any] = []
        while not self._is_at_marker():
            if peek() == "\t" and self.reader.column < indent:
                words = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start_mark, words, self.reader.get_mark())
            if peek() in " \t":
                forward()
            elif line_break := self.scan_line_break():
                breaks.append(line_break)
            else:
                return [*([first] if first != "\n" else [] if breaks else [" "]), *breaks]
        return None

    def scan_directive(self) -> Any:
        token = super().scan_directive()
        known = token.name == "TAG" or (token.name == "YAML" and token.value in {(1, 1), (1, 2)})
        if not known:
            words = "unknown directive name" if token.name != "YAML" else "incompatible YAML document"
            raise ScannerError("while scanning a directive", token.start_mark, f"found {words}", token.start_mark)
        return token

    def scan_tag_uri(self, name: Any, start_mark: Any) -> Any:
        length = 0
        while (character := self.reader.peek(length)) not in "\0 \t\r\n":
            if character == "#":
                words = "did not find expected whitespace or line break"
                raise ScannerError(f"while scanning a {name}", start_mark, words, self.reader.get_mark())
            length += 1
        return super().scan_tag_uri(name, start_mark)

    def _is_at_marker(self) -> bool:
        at_line_start = self.reader.column == 0
        return at_line_start and self.reader.prefix(3) in {"---", "..."} and self.reader.peek(3) in "\0 \t\r\n"

    def scan_anchor(self, TokenClass: Any) -> Any:  # noqa: N803 - the name it has in ruamel.yaml
        start = self.reader.get_mark()
        self.reader.forward()
        length = 0
        while self.reader.peek(length) not in "\0 \t\r\n,[]{}":
            length += 1
        name = _ANCHOR.match(self.reader.prefix(length + 1))
        if name is None or self.reader.peek(name.end()) in "[{":
            words = "did not find expected alphabetic or numeric character"
            raise ScannerError("while scanning an anchor or alias", start, words, self.reader.get_mark())
        self.reader.forward(name.end())
        return TokenClass(name.group(), start, self.reader.get_mark())


class _NoEmptyKey(Parser):
    """Refuses `: value` without a key, as libyaml and YAML 1.1 do: a slip, where an empty key is never meant."""

    resolver: Any = SimpleNamespace(processing_version=(1, 1))


def events(text: str) -> Iterator[Any]:
    """Yield the events of `text`. Raises what ruamel.yaml raises."""
    if "%YAML" in text:
        text = _VERSION.sub(r"\g<1>2", text)
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner, yaml.Parser = _LikeLibyaml, _NoEmptyKey
    is_root = False
    flow: list[Any] = []
    for event in yaml.parse(text):
        if is_root and isinstance(event, ScalarEvent) and _FLUSH_SCALAR.match(text, event.start_mark.index):
            raise ParserError(None, None, "did not find expected <document start>", event.start_mark)
        if isinstance(event, ScalarEvent) and not event.style and event.value.endswith(":"):
            # `{a:, b: c}`: rule 130 wants more of a word behind such a colon.
            raise ParserError("while scanning a plain scalar", event.start_mark, "found unexpected ':'", event.end_mark)
        if isinstance(event, CollectionStartEvent):
            if flow or event.flow_style:
                flow.append(event)
        elif flow and isinstance(event, CollectionEndEvent):
            flow.pop()
        elif flow and isinstance(event, ScalarEvent) and not event.style:
            _refuse_unread_sign(text, event, flow[-1])
        is_root = isinstance(event, DocumentStartEvent)
        if getattr(event, "anchor", None) and getattr(event, "tag", None):
            # Its mark is that of the second of the two.
            event.start_mark.index = _first_property(text, event.start_mark.index)
        yield event


# `[a ? b]`, `[a ?b]`: in a flow collection libyaml takes this sign for a key's where white space is before it. Nor does
# `mom.yamledit.parser` make a sign readable to it in a word that looks quoted, or like a property (`[a "b:c"]`).
_UNREAD_SIGN = re.compile(r"""(?<=\s)(?:\?|[&*!"'][^\s,\[\]{}]*?(?::(?=[^\s,\[\]{}])|\?))""", re.ASCII)


def _refuse_unread_sign(text: str, scalar: Any, collection: Any) -> None:
    """Raise a `ParserError` for a `?` or `:` that libyaml refuses in a flow collection.

    They are those of `_UNREAD_SIGN` inside a plain scalar, and a `?` of a sequence without a key (`[? : b]`).
    """
    start, end = scalar.start_mark.index, scalar.end_mark.index
    opening = collection.start_mark.index
    match = _UNREAD_SIGN.search(text, start + 1, end)
    if match or (start == end == opening + 1 and text[opening] == "?"):
        mark = copy(scalar.start_mark)
        mark.index = match.start() if match else opening
        kind, closing = ("mapping", "}") if isinstance(collection, MappingStartEvent) else ("sequence", "]")
        words = f"did not find expected ',' or '{closing}'"
        raise ParserError(f"while parsing a flow {kind}", collection.start_mark, words, mark)


# Another anchor or tag before the one that a node starts with, comments and line endings between them.
_PROPERTY_BEFORE = re.compile(r"(?<!\S)[&!]\S*+(?:\s|#[^\n]*+\n)*+\Z", re.ASCII)


def _first_property(text: str, offset: int) -> int:
    """Return where the properties of a node begin, of which one is at `offset`."""
    line_start = text.rfind("\n", 0, offset) + 1
    while line_start and not text[line_start:offset].strip():
        line_start = text.rfind("\n", 0, line_start - 1) + 1
    match = _PROPERTY_BEFORE.search(text[line_start:offset])
    return line_start + match.start() if match else offset

"""The one place where a parser is called: one document's events become a tree of `mom.yamledit.nodes`.

The events are libyaml's where `ruamel.yaml.clib` is installed, else those of ruamel.yaml in Python
(`mom.yamledit.python_parser`): slower, the same.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence
from mom.yamledit.source import BOM

# No configuration is nested that deep or has that many nodes; hostile files are (libyaml takes quadratic time for the
# first, trees take gigabytes for the second). Ten thousand adapters make a tenth of them.
MAX_DEPTH = 200
MAX_EVENTS = 1_000_000

_BLOCK_STYLES = frozenset("|>")
_HEADER_COMMENT = re.compile(r"(?:[&!]\S*+\s++)*+[|>][-+0-9]*+#", re.ASCII)


class ParserError(Exception):
    """What a parser said: an offset into the text it was given, and its words.

    `is_final`: the text is refused for what no small repair would change.
    """

    is_final = False

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class _TooLargeError(ParserError):
    """The text is refused for its size, however it is written."""

    is_final = True


class _DirectiveError(ParserError):
    """A line that begins with `%` is refused, whatever the document says."""

    is_final = True


# What a collection on its parent's line begins with. Braces of environment references do not count.
_NESTING = ("[", "{", "- -", "? ", ": -", ": :")
_REFERENCE = re.compile(r"\$\{\{ ?\w+ ?\}\}")
_OTHERWISE = (BOM, "\x85", "\u2028", "\u2029")
# Nested on lines of their own, two collections share a column at most.
_DEEP = " " * (MAX_DEPTH // 2 - 2)


def reads(text: str) -> bool:
    """Whether libyaml is installed and reads `text`: it goes through the events without making Python objects.

    It has no bound on nesting, so where more collections may be nested than are read the answer is no. Nor is it
    asked where a character means something else to it: byte-order marks, and line breaks of YAML 1.1.
    """
    if sum(map(text.count, _NESTING)) - 2 * len(_REFERENCE.findall(text)) > MAX_DEPTH:
        return False
    parser = c_parser()
    if parser is None or _DEEP in text or any(sign in text for sign in _OTHERWISE):
        return False
    try:
        parser(text).raw_parse()
    except Exception:  # noqa: BLE001 - what libyaml dislikes is judged, and worded, by the full parse
        return False
    return True


def c_parser() -> Any:
    """Return the class of libyaml's parser, or None where `ruamel.yaml.clib` is not installed."""
    try:
        from _ruamel_yaml import CParser
    except ImportError:
        return None
    return CParser


# Characters that YAML 1.2 takes as text and libyaml takes as line breaks or refuses. While libyaml reads, each is
# replaced by a private-use character that the text does not have, so that offsets stay and values can be put back.
_FOREIGN = re.compile("[\x7f\x80-\x9f\u2028\u2029\ufeff]")
# A tab in white space before a comment or a line's end is separation in YAML 1.2; libyaml refuses some of them.
_SPACE_BEFORE_COMMENT = re.compile(r"(?<![ \t])[ \t]++(?=#|\r?$)", re.MULTILINE)
# A plain scalar inside `{…}` or `[…]` may have a `:` or a `?` (`{url: https://x/y?z}`); the libyaml of
# ruamel.yaml.clib refuses it. This finds words with such a sign that neither are quoted nor name a tag, an anchor
# or an alias, and directives and verbatim tags, which stay.
_DIRECTIVE_OR_WORD = re.compile(
    r"""^%.*|!<[^>\s]*+>|(?:(?<![^\s,\[\]{}])|(?<=["']:))(?=[^\s,\[\]{}!&*'"])[^\s,\[\]{}:?]*+(?:[:?][^\s,\[\]{}]++|\?)""",
    re.MULTILINE | re.ASCII,
)
_SIGN_IN_WORD = re.compile(r"""(?<!['"]):(?!\Z)|(?<!\A)\?""")


def parse(text: str, offset: int) -> Node | None:
    free = _unused_characters(text)
    restore: dict[int, str] = {}
    foreign = sorted({match.group() for match in _FOREIGN.finditer(text)})
    if foreign:
        away = {ord(character): next(free) for character in foreign}
        restore = {ord(new): chr(old) for old, new in away.items()}
        text = text.translate(away)
    try:
        return _build(text, offset, restore)
    except (_TooLargeError, _DirectiveError):
        raise
    except ParserError as first:
        easier = text
        if "\t" in text:
            easier = _SPACE_BEFORE_COMMENT.sub(lambda match: " " * len(match.group()), text)
        instead = {":": next(free), "?": next(free)}
        easier = _DIRECTIVE_OR_WORD.sub(lambda match: _without_signs(match.group(), instead), easier)
        restore = {**restore, **{ord(new): sign for sign, new in instead.items()}}
        # What only one of the parsers reads is read all the same: which is installed must make no difference.
        in_python = c_parser() is not None and _BEYOND_LIBYAML.search(text) is not None
        if easier == text and not in_python:
            raise
        try:
            return _build(easier, offset, restore, in_python=in_python)
        except ParserError:
            raise first from None


# An anchor or alias with a character that YAML 1.2.2 (rule 102) allows in its name, and libyaml does not.
_BEYOND_LIBYAML = re.compile(r"(?<![^\s,\[\]{}:])[&*][A-Za-z0-9_-]*+[^\sA-Za-z0-9_\-,\[\]{}]", re.ASCII)


def _unused_characters(text: str) -> Iterator[str]:
    """Yield private-use characters that `text` does not have. A text that has them all is refused."""
    used = set(text)
    yield from (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in used)
    raise ParserError(0, "every private-use character is in use: mom needs some of them to read this")


def _without_signs(word: str, instead: dict[str, str]) -> str:
    return word if word.startswith(("%", "!<")) else _SIGN_IN_WORD.sub(lambda sign: instead[sign.group()], word)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out while trees are made: they are large and have no cycles.

    Looking for some would take a third of the time on a file of ten thousand adapters.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@collector_paused()
def _build(text: str, offset: int, restore: dict[int, str], *, in_python: bool = False) -> Node | None:
    """Turn events into a tree, without recursion."""
    return _Builder(text, offset, restore).build(_events(text, in_python=in_python))


class _Builder:
    """One tree in the making. `offset` is added to every position; `restore` puts foreign characters back."""

    def __init__(self, text: str, offset: int, restore: dict[int, str]) -> None:
        self.text = text
        self.offset = offset
        self.restore = restore

    def build(self, events: Iterator[Any]) -> Node | None:
        from ruamel.yaml import events as kinds

        scalar_event, alias_event = kinds.ScalarEvent, kinds.AliasEvent
        mapping_start, sequence_start = kinds.MappingStartEvent, kinds.SequenceStartEvent
        mapping_end, sequence_end = kinds.MappingEndEvent, kinds.SequenceEndEvent
        # One frame per open collection: its start event and the siblings before it.
        stack: list[tuple[Any, list[Node]]] = []
        children: list[Node] = []
        root = children
        offset, plain_only = self.offset, not self.restore
        # Scalars are most of a tree. This is what `Scalar(…)` does, without the call in between.
        new: Any = tuple.__new__
        for event in islice(events, MAX_EVENTS):
            kind = type(event)
            if kind is scalar_event:
                start, end, style = event.start_mark.index, event.end_mark.index, event.style
                if plain_only and start != end and style not in _BLOCK_STYLES:
                    tag = self._tag(event) if event.ctag is not None else None
                    fields = (start + offset, end + offset, event.value, style or "", tag, event.anchor)
                    children.append(new(Scalar, fields))
                else:
                    children.append(self._unusual(event, style or "", stack, children))
            elif kind is mapping_start or kind is sequence_start:
                stack.append((event, children))
                children = []
                if len(stack) > MAX_DEPTH:
                    message = f"collections are nested more than {MAX_DEPTH} levels deep"
                    raise _TooLargeError(event.start_mark.index, message)
            elif kind is mapping_end or kind is sequence_end:
                opened, siblings = stack.pop()
                start = opened.start_mark.index + offset
                flow = bool(opened.flow_style)
                end = event.end_mark.index + offset if flow else children[-1].end
                if kind is mapping_end:
                    if flow and children and type(children[0]) is Mapping and children[0].start == start + 1:
                        # `{{ x }}` can be read as a mapping with a mapping for a key. Nobody means that.
                        raise ParserError(start - offset, "`{{` opens a template")
                    pairs = tuple(zip(children[::2], children[1::2], strict=True))
                    siblings.append(Mapping(start, end, pairs, flow, self._tag(opened), opened.anchor))
                else:
                    siblings.append(Sequence(start, end, tuple(children), flow, self._tag(opened), opened.anchor))
                children = siblings
            elif kind is alias_event:
                children.append(Alias(event.start_mark.index + offset, event.end_mark.index + offset, event.anchor))
        if (event := next(events, None)) is not None:
            raise _TooLargeError(event.start_mark.index, f"the document has more than {MAX_EVENTS:,} nodes")
        return root[0] if root else None

    def _tag(self, event: Any) -> str | None:
        """Return the tag of an event. Raises ParserError for one with a mark inside, which libyaml reads."""
        tag: str | None = event.tag
        if tag is not None and "!" in tag[1:] and _MARK_IN_TAG.match(self.text, event.start_mark.index):
            raise ParserError(event.start_mark.index, "while scanning a tag, found a `!` inside its name")
        return tag

    def _unusual(self, event: Any, style: str, stack: list[tuple[Any, list[Node]]], children: list[Node]) -> Scalar:
        """Return a scalar whose position or value is not simply the event's: empty, block, or with foreign text."""
        start, end = event.start_mark.index, event.end_mark.index
        value = event.value.translate(self.restore) if self.restore else event.value
        if not style and self.restore and (sign := next((c for c in value if c in _OTHERWISE), None)):
            # YAML 1.2.2, section 5.2: a byte-order mark is inside a document only in quotes. The others end a line for
            # parsers of YAML 1.1, which would read another value here.
            offset = next((at for at in range(start, end) if self.restore.get(ord(self.text[at])) == sign), start)
            raise ParserError(offset, f"U+{ord(sign):04X} outside quotes, which is invisible or ends a line")
        if style in _BLOCK_STYLES:
            if header := _HEADER_COMMENT.match(self.text, start):
                # YAML 1.2.2, rule 79: a comment is set off by white space. libyaml does not insist.
                raise ParserError(header.end() - 1, "expected white space before this comment")
            end = _block_scalar_end(self.text, start, end, value)
        elif start == end:
            before = children[-1].end - self.offset if children else stack[-1][0].end_mark.index if stack else start
            start = end = _empty_scalar_position(self.text, before, start)
        return Scalar(start + self.offset, end + self.offset, value, style, self._tag(event), event.anchor)


# A `!` in what follows the handle (`!!null!seq`, `!:!seq`) is part of no tag (YAML 1.2.2, rules 40 and 93 to 99).
_MARK_IN_TAG = re.compile(r"[^!]*+(?>![0-9A-Za-z-]*+!|!)(?!<)[^\s!]*+!", re.ASCII)


def _events(text: str, *, in_python: bool) -> Iterator[Any]:
    """Return the parser's events; whatever it refuses is raised as a `ParserError`."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        if not in_python and (parser := c_parser()) is not None:
            # At the stream's end libyaml's parser gives None.
            yield from iter(parser(text).get_event, None)
        else:
            from mom.yamledit import python_parser

            yield from python_parser.events(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        if "quoted scalar" in (error.context or "") and (error.problem or "").startswith("found unexpected"):
            # The document's end was found: where the quote opens says more.
            mark, words = error.context_mark, "this quote is not closed"
        offset = mark.index if mark else 0
        if "directive" in words or "incompatible YAML document" in words:
            raise _DirectiveError(text.rfind("\n", 0, offset) + 1, words) from None
        raise ParserError(offset, words or "this is not YAML") from None
    except ReaderError as error:
        character = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"the control character U+{character:04X} is not allowed"
        raise ParserError(max(text.find(chr(character)), 0), message) from None
    except (YAMLError, RecursionError, ValueError, AssertionError) as error:
        raise ParserError(0, str(error)) from None


def _block_scalar_end(text: str, start: int, end: int, value: str) -> int:
    """Leave out the blank lines after a block scalar that are not part of its value.

    The parser's mark is past them. They are data under `|+`, and where the last line of the value is white space.
    """
    header = text[start:end].split("\n", 1)[0]
    keep = "+" in header.split("#", 1)[0]
    if keep or not value.strip("\n") or not value.rstrip("\n").rsplit("\n", 1)[-1].strip():
        return end
    trimmed = text[start:end].rstrip()
    line_end = text.find("\n", start + len(trimmed))
    return end if line_end == -1 else min(line_end + 1, end)


# From the end of what is before an empty value to its indicator: white space and comments only.
_INDICATOR = re.compile(r"(?:\s|(?<=\s)#[^\n]*+)*+[:\-?](?=\s|\Z)", re.ASCII)


def _empty_scalar_position(text: str, before: int, mark: int) -> int:
    """Return where an empty value is: right after its `:`, `-` or `?`.

    libyaml says so; the parser in Python gives the position of the next token, past comments and blank lines.
    """
    match = _INDICATOR.match(text, before, mark)
    return match.end() if match else mark

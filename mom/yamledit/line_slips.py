"""The slips that one line of a document can have, each with its repair. None is proved here (`mom.yamledit.slips`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Slip(NamedTuple):
    """A slip: its place, what is wrong, what to type, and the splices (start, end, new text) that would mend it.

    A message never repeats a value, which may be a credential: only keys and punctuation.
    """

    start: int
    end: int
    message: str
    hint: str
    repair: tuple[tuple[int, int, str], ...]


class Line(NamedTuple):
    """A line without its line ending, and the offset at which it starts."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """The offset at which it ends."""
        return self.start + len(self.text)

    @property
    def indent(self) -> int:
        """How many spaces it begins with."""
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def head(self) -> int:
        """Where, in the line, its first key or value begins: after the indentation and the dashes of list items."""
        match = _HEAD.match(self.text)
        return match.end() if match else 0

    def slip(self, start: int, end: int, message: str, hint: str, new: str) -> Slip:
        """Return a slip that is mended by writing `new` for what the line has from `start` to `end`."""
        splice = (self.start + start, self.start + end, new)
        return Slip(splice[0], splice[1], message, hint, (splice,))


# Nobody types longer lines; looking for slips in one of a megabyte would take minutes.
LONGEST = 2_000

_HEAD = re.compile(r"[ \t]*(?:-[ \t]+)*")
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_ENTRY = re.compile(rf"""(?:{_NAME}|"[^"]*"|'[^']*')[ \t]*:(?:[ \t]+|\Z)""")

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u200b-\u200d\u2060\ufeff\u00ad"
_COLONS = "\uff1a\ufe55\u2236\ua789"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\uff07"
LOOKALIKE = re.compile(f"([{_SPACES}])|([{_INVISIBLE}])|([{_COLONS}])[ \t]*|([{_DOUBLE_QUOTES}])|([{_SINGLE_QUOTES}])")
_STRAIGHT = (" ", "", ": ", '"', "'")


def explain_lookalike(character: str) -> tuple[str, str] | None:
    """Return what is wrong with a character that only looks like one of YAML's, and what to type; None for others."""
    match = LOOKALIKE.match(character)
    if match is None:
        return None
    name = f"U+{ord(character):04X}"
    return (
        (f"{name} is not a space to YAML (a no-break or other special space)", "type a plain space"),
        (f"{name} is an invisible character", "delete it"),
        (f"`{character}` ({name}) is not a colon to YAML", "type a plain `:` and a space"),
        (f"`{character}` ({name}) is a typographic quote, not one of YAML's", 'type a straight quote: `"`'),
        (f"`{character}` ({name}) is a typographic quote, not one of YAML's", "type a straight quote: `'`"),
    )[(match.lastindex or 1) - 1]


def _lookalikes(line: Line, _: Line | None) -> Iterator[Slip]:
    signs = list(LOOKALIKE.finditer(line.text))
    if not signs:
        return
    first = signs[0]
    message, hint = explain_lookalike(first.group()[0]) or ("", "")
    splices = tuple(
        (line.start + match.start(), line.start + match.end(), _STRAIGHT[(match.lastindex or 1) - 1]) for match in signs
    )
    yield Slip(line.start + first.start(), line.start + first.start() + 1, message, hint, splices)


_SEPARATOR = re.compile(
    r"(?:[ \t]+---|--|-{4,}|- - -|[\u2012-\u2015\u2212]+-?|={3,}|\*{3,}|_{3,}|~{3,}|(?=.*--|-.-)[^\w\s]{3,4})[ \t]*\Z"
)


def _separator(line: Line, after: Line | None) -> Iterator[Slip]:
    if after is None or not _SEPARATOR.match(line.text) or not re.match(r"[#%\w\"'{]", after.text):
        return
    begin = len(line.text) - len(line.text.lstrip())
    shown = line.text.strip()
    if begin:
        yield line.slip(begin, len(line.text), "`---` separates documents only at the line's start", "unindent it", "")
        yield line.slip(0, len(line.text), "`---` separates documents only at the line's start", "unindent it", "---")
    else:
        message = f"`{shown[:10]}` does not separate documents"
        yield line.slip(0, len(line.text), message, "write `---`, three hyphens, on a line of its own", "---")


def _fence(line: Line, _: Line | None) -> Iterator[Slip]:
    if re.match(r"[ \t]*(?:```|~~~)[A-Za-z]*[ \t]*\Z", line.text):
        yield line.slip(0, len(line.text), "a Markdown fence is not YAML", "remove this line", "")


_COMMENT = re.compile(r"(?:^[ \t]*|(?<=[ \t]))(//+|/\*+|<!--|--(?=[ \t])|;)")


def _comment(line: Line, _: Line | None) -> Iterator[Slip]:
    for match in _COMMENT.finditer(line.text):
        begin, end = match.span(1)
        yield line.slip(begin, end, f"`{match[1]}` does not begin a comment in YAML", "begin it with `#`", "#")


def _dash(line: Line, _: Line | None) -> Iterator[Slip]:
    match = re.match(r"[ \t]*(?:-[ \t]+)*-(?=[^\s-])", line.text)
    if match:
        end = match.end()
        yield line.slip(end, end, "no space after `-`", "write a space after the dash of a list item", " ")
    if match := re.match(r"[ \t]*([^\w\s\"'#-])(?=[ \t]+[\w\"'])", line.text):
        begin, end = match.span(1)
        yield line.slip(begin, end, f"`{match[1]}` does not begin a list item in YAML", "begin it with `- `", "-")


_NO_SPACE = re.compile(rf"({_NAME}|\"[^\"]*\"|'[^']*')[ \t]*:(?=[^\s:])")
_OTHER_SIGN = re.compile(rf"({_NAME})[ \t]*(=>|->|:=|==|[=;\u2192\u21d2]|[^\w\s:\"'#.-](?=\s|\Z))[ \t]*")
_ALONE = re.compile(rf"({_NAME})(?=[ \t]|\Z)[ \t]*")


def entry_slips(line: Line, _: Line | None = None) -> Iterator[Slip]:
    """Yield how a line that has no `key: value` may have been meant as one."""
    head = line.head
    if _ENTRY.match(line.text, head):
        return
    if match := _NO_SPACE.match(line.text, head):
        end = match.end()
        yield line.slip(end, end, f"no space after `{match[1]}:`", "write a space after the colon", " ")
    elif match := _OTHER_SIGN.match(line.text, head):
        begin, end = match.span(2)
        message = f"`{match[2]}` after `{match[1]}`, where YAML wants `:`"
        slip = line.slip(match.end(1), match.end(), message, f"write `{match[1]}:`, a space and the value", ": ")
        yield slip._replace(start=line.start + begin, end=line.start + end)
    elif match := _ALONE.match(line.text, head):
        begin = match.end(1)
        value = match.end() < len(line.text) and line.text[match.end()] != "#"
        hint = f"write `{match[1]}:`, a space and the value" if value else f"write `{match[1]}:`"
        slip = line.slip(begin, match.end(), f"no `:` after `{match[1]}`", hint, ": ")
        yield slip._replace(end=line.start + begin + 1)


_QUOTES = re.compile(r"""(?<!\S)#.*|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?<![^\s\[{,:(-])["']""")
_KEY_UNCLOSED = re.compile(rf"""(["'])({_NAME})(?=[ \t]*:(?:[ \t]|\Z))""")


def _quotes(line: Line, _: Line | None) -> Iterator[Slip]:
    if (match := _KEY_UNCLOSED.match(line.text, line.head)) is not None:
        yield _unclosed(line, match.start(), match.end())
    for match in _QUOTES.finditer(line.text):
        if len(match.group()) > 1:
            continue
        begin = match.start()
        # At the line's end, or before what may follow a value inside brackets or as a comment.
        yield _unclosed(line, begin, len(line.text.rstrip()))
        for stop in reversed(list(re.finditer(r"[ \t]*[,\]}]|[ \t]+#", line.text[begin:]))):
            yield _unclosed(line, begin, begin + stop.start())
        return


def _unclosed(line: Line, begin: int, close: int) -> Slip:
    quote = line.text[begin]
    slip = line.slip(close, close, "this quote is not closed", f"close it: write `{quote}` after the text", quote)
    return slip._replace(start=line.start + begin, end=line.start + begin + 1)


def _value_start(line: Line) -> int:
    match = _ENTRY.match(line.text, line.head)
    return match.end() if match else line.head


def _trailing(line: Line, _: Line | None) -> Iterator[Slip]:
    """Find a comma, or a bracket that closes nothing, behind a value."""
    bare = re.sub(r"[ \t]+#.*\Z", "", line.text).rstrip()
    match = re.search(r"[,\]}]\Z", bare)
    if match is None:
        return
    begin, mark = match.start(), match.group()
    if mark == ",":
        message = "a comma after a value: it separates values only inside `[…]` and `{…}`"
    else:
        message = f"`{mark}` closes nothing"
    yield line.slip(begin, begin + 1, message, "remove it", "")


def _after_quote(line: Line, _: Line | None) -> Iterator[Slip]:
    begin = _value_start(line)
    match = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""").match(line.text, begin)
    if match is None or not (rest := line.text[match.end() :].strip()) or rest.startswith("#"):
        return
    start = len(line.text) - len(line.text[match.end() :].lstrip())
    whole = line.text[begin:].rstrip()
    inner = {"'": "write `''` for a quote inside", '"': 'write `\\"` for a quote inside'}[line.text[begin]]
    hint = f"put all of the value inside the quotes; {inner}"
    slip = line.slip(begin, begin + len(whole), "text after the closing quote", hint, _quoted(whole))
    yield slip._replace(start=line.start + start, end=line.start + start + 1)


_BAD_ESCAPE = re.compile(r"""\\(?!["\\/0abtnvfre N_LP\t]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})""")


def _escape(line: Line, _: Line | None) -> Iterator[Slip]:
    offsets = [match.start() for match in _BAD_ESCAPE.finditer(line.text)]
    if offsets and '"' in line.text[: offsets[0]]:
        splices = tuple((line.start + at, line.start + at, "\\") for at in offsets)
        message = "an unknown escape: inside double quotes a backslash begins one"
        hint = "write `\\\\` for a backslash, or put the value in single quotes"
        yield Slip(line.start + offsets[0], line.start + offsets[0] + 2, message, hint, splices)


def _reserved(line: Line, _: Line | None) -> Iterator[Slip]:
    begin = _value_start(line)
    value = line.text[begin:].rstrip()
    if not value or value[0] not in "@`%*&!|>,?":
        return
    if value[0] in "|>":
        message = f"text after `{value[0]}`, which begins a block of text"
        hint = "write the text on the next lines, indented, or put the value in quotes"
        slip = line.slip(begin, begin + len(value), message, hint, _quoted(value))
        yield slip._replace(start=slip.start + 1, end=slip.start + 2)
    else:
        shown = "a backtick" if value[0] == "`" else f"`{value[0]}`"
        message = f"a value cannot begin with {shown} without quotes"
        slip = line.slip(begin, begin + len(value), message, "put the value in quotes", _quoted(value))
        yield slip._replace(end=slip.start + 1)


def _colon_in_value(line: Line, _: Line | None) -> Iterator[Slip]:
    begin = _value_start(line)
    value = line.text[begin:].rstrip()
    colon = re.search(r":(?=[ \t]|\Z)", value)
    if begin > line.head and colon and value[0] not in "\"'[{":
        hint = "put the value in quotes: a colon and a space inside it would begin another key"
        slip = line.slip(begin, begin + len(value), "a second `: ` in one line", hint, _quoted(value))
        yield slip._replace(start=slip.start + colon.start(), end=slip.start + colon.end())


_BRACES = re.compile(
    r"""(?<=[:,\[{ ])([^\s"',\[\]{}:][^"',\[\]{}]*?)?\$\{\{[^{}]*\}\}(?:[^"',\[\]{}]*[^\s"',\[\]{}])?"""
)


def _braces(line: Line, _: Line | None) -> Iterator[Slip]:
    """Find `${{ … }}` without quotes inside `{…}` or `[…]`, where braces are YAML's own."""
    braces = list(_BRACES.finditer(line.text))
    if braces:
        splices = tuple(
            (line.start + match.start(), line.start + match.end(), _quoted(match.group())) for match in braces
        )
        begin = line.start + line.text.index("${{", braces[0].start())
        message = "`${{` inside `{…}` or `[…]` without quotes"
        yield Slip(begin, begin + 3, message, "put the value in quotes: its braces are YAML's there", splices)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_KINDS: tuple[Callable[[Line, Line | None], Iterator[Slip]], ...] = (
    _lookalikes,
    _separator,
    _fence,
    _comment,
    _dash,
    entry_slips,
    _quotes,
    _trailing,
    _after_quote,
    _escape,
    _reserved,
    _colon_in_value,
    _braces,
)


def slips(line: Line, after: Line | None) -> Iterator[Slip]:
    """Yield each slip that `line` may have, the most specific kinds first; `after` is the line below it."""
    if not line.text.strip() or line.text.lstrip().startswith("#") or len(line.text) > LONGEST:
        return
    for kind in _KINDS:
        yield from kind(line, after)

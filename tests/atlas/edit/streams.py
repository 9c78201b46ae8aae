"""Random Atlas streams, as people and tools write them, for the properties of an edit.

A stream is built as lines, never from a tree, so that every spelling of the same data can come up: steps of
indentation, columns of dashes, orders of keys, quotes, flow and block, comments and blank lines in odd places, scalars
over several lines, anchors, markers and directives, line ends, and documents of other tools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st

from mom.atlas.adapters.http import HttpAdapterSpec
from tests.atlas.edit.choices import NAMES, Choices, Drawn

T = TypeVar("T")

ATLAS_VERSION = "moment.dev/atlas/v1alpha1"
ADAPTER_VERSION = "moment.dev/adapters/v1alpha1"
ODDITIES = tuple(path.read_bytes() for path in sorted(Path(__file__).parent.glob("bystanders/*.yaml")))


@dataclass(frozen=True)
class Stream:
    """A stream and what is known of it: how many of its lines the list's form makes an edit change."""

    text: str
    changed: int


PLAIN = (
    *("a", "two words", "https://a.example:8080/x#y", "key=val; v=3", "0x1F", "0o17", "1_000", "yes", "1.10", "~"),
    *("null", "Bearer ${{ TOKEN }}", "a:b", "don't", "-1", "12:30:45", "2024-01-01", "x" * 90, "ключ", "\U0001f600"),
    *("apiAdapters", "kind", "<<x", ".inf", "moment.dev/atlas/v1alpha1"),
)
ESCAPES = ("\\u263A", "\\n", "\\x41", "\\t", "\\\\", '\\"', "\\/", "\\_", "\\0")
# Lines of a scalar over several lines that look like something else.
LOOKALIKES = ("- adapterRef", "more words", "apiAdapters:x", "--- no marker", "a, b", "kind")
LITERAL_LINES = (
    *(
        "# text",
        "- adapterRef:",
        "---",
        "kind: Atlas",
        "apiAdapters: []",
        "",
        "  more indented",
        "text",
        "...",
        "\ttab",
    ),
    *("%YAML 1.2", "x: |", "trailing  "),
)
COMMENTS = (
    "#",
    "# comment",
    "# - adapterRef:",
    "# ---",
    "# kind: Atlas",
    "#!x",
    "#   apiAdapters: []",
    "# é \U0001f600",
)
WILD_COMMENTS = ("# a\tb", "# nel \x85 x", "# ls \u2028 x", "# bom \ufeff x")


class Writer:
    """Writes values as lines, one random choice at a time. `wild` admits what only YAML 1.2 reads."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.wild = self.chance(12)
        self.calm = self.chance(20)
        self.anchors: list[str] = []
        self.step = self.pick(2, 2, 4, 1, 3, 8)
        self.dash = self.pick(0, 0, 2, 1, 4)
        self.gap = self.pick(1, 1, 1, 2, 3)
        self.key_quote = self.pick("", "", "", '"', "'")

    def pick(self, *choices: T) -> T:
        return self.choices.pick(choices)

    def chance(self, percent: int) -> bool:
        return self.choices.integer(0, 99) >= 100 - percent

    def shuffled(self, values: Sequence[T]) -> list[T]:
        return self.choices.shuffled(values)

    # Comments, blank lines, white space.

    def comment(self) -> str:
        return self.pick(*COMMENTS, *WILD_COMMENTS) if self.wild else self.pick(*COMMENTS)

    def noise(self, indent: int) -> list[str]:
        """Return lines that may stand between two entries."""
        if self.calm or not self.chance(25):
            return []
        lines = []
        for _ in range(self.pick(1, 1, 2, 3)):
            blank = ("", "", " " * indent, "   ", *(("\t",) if self.wild else ()))
            column = self.pick(0, indent, indent + 1, max(indent - 1, 0), indent + self.step)
            lines.append(self.pick(*blank) if self.chance(45) else " " * column + self.comment())
        return lines

    def trail(self) -> str:
        """Return what may stand at a line's end."""
        if self.calm or not self.chance(20):
            return ""
        before = self.pick(" ", "  ", "     ", "\t", " \t ") if self.wild else self.pick(" ", "  ", "     ")
        return before + self.comment() if self.chance(70) else before

    # Scalars. Each returns lines: the first follows a key or a dash directly.

    def key(self, name: str) -> str:
        quote = self.key_quote if self.chance(85) else self.pick("", '"', "'")
        return f"{quote}{name}{quote}" + (" " if self.chance(5) else "")

    def plain(self) -> str:
        return self.pick(*PLAIN)

    def quoted(self) -> str:
        text = self.choices.quoted()
        if self.wild and self.chance(30):
            text += self.pick("\x85", "\u2028", "\u2029", "\ufeff") + "x"
        if self.chance(50):
            return "'" + text.replace("'", "''") + "'"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}{self.pick("", *ESCAPES)}"'

    def several_lines(self, indent: int) -> list[str]:
        """Return a plain or quoted scalar over several lines, `indent` being the column it must be deeper than."""
        quote = self.pick("", '"', "'")
        middle = [
            self.pick(*LOOKALIKES, *((("# no comment", "x: y", "}", "- adapterRef:")) if quote else ()))
            for _ in range(self.pick(1, 2))
        ]
        if self.chance(30):
            middle.insert(0, "")
        column = indent + self.pick(1, 2, self.step, 7)
        lines = [f" {quote}first", *(" " * column + line if line else line for line in middle)]
        return [*lines[:-1], lines[-1] + quote + self.trail()]

    def block_scalar(self, indent: int) -> list[str]:
        header = self.pick("|", ">") + self.pick("", "-", "+")
        step = self.pick(1, 2, self.step)
        lines = [self.pick(*LITERAL_LINES) for _ in range(self.pick(1, 2, 3, 4))]
        # Without an indication, the first line that is not empty sets the indentation.
        explicit = self.chance(20) or next((line for line in lines if line), "x").startswith((" ", "\t"))
        if explicit:
            header = header[0] + (header[1:] + str(step) if self.chance(50) else str(step) + header[1:])
        comment = " # a comment" if not self.calm and self.chance(15) else ""
        body = [" " * (indent + step) + line if line or self.chance(10) else line for line in lines]
        return [f" {header}{comment}", *body]

    def flow_value(self, depth: int = 0) -> str:
        if depth > 1 or self.chance(60):
            return self.pick("a", "1", "~", "x y", "'q'", '"d"', "[]", "{}", "a:b")
        parts = [self.flow_value(depth + 1) for _ in range(self.pick(0, 1, 2, 3))]
        pad, comma = self.pick("", " "), self.pick(", ", ",  ", " , ")
        if self.chance(50):
            return f"[{pad}{comma.join(parts)}{pad}]"
        return "{" + pad + comma.join(f"k{number}: {part}" for number, part in enumerate(parts)) + pad + "}"

    def flow_lines(self, indent: int) -> list[str]:
        """Return a flow list over several lines."""
        column = " " * (indent + self.pick(1, 2, 4))
        items = [column + self.flow_value(1) for _ in range(self.pick(1, 2))]
        lines = [" [" + self.trail()]
        for number, line in enumerate(items):
            comma = "," if number + 1 < len(items) or self.chance(50) else ""
            lines.append(line + comma + self.trail())
        return [*lines, " " * (indent + self.pick(1, 2)) + "]" + self.trail()]

    # Values of a key or an item at column `indent`.

    def value(self, indent: int, depth: int = 0) -> list[str]:
        """Return any value; the first line follows its key's colon."""
        kind = self.pick(*"ppppqqqqmlbffgna", *("MMSSN" if depth < 2 else ""))
        properties = self.properties() if kind in "pqflbMS" else ""
        if kind == "p":
            lines = [f" {self.plain()}{self.trail()}"]
        elif kind == "q":
            lines = [f" {self.quoted()}{self.trail()}"]
        elif kind in "lb":
            lines = self.block_scalar(indent)
        elif kind == "m":
            lines = self.several_lines(indent)
        elif kind == "f":
            lines = [f" {self.flow_value()}{self.trail()}"]
        elif kind == "g":
            lines = self.flow_lines(indent)
        elif kind == "a" and self.anchors:
            return [f" *{self.pick(*self.anchors)}{self.trail()}"]
        elif kind == "M":
            entries = [(f"k{number}", self.any(depth + 1)) for number in range(self.pick(1, 2, 3))]
            lines = [self.trail(), *self.noise(indent + 1), *self.mapping(indent + self.step, entries)]
        elif kind == "S":
            lines = [self.trail(), *self.sequence(indent + self.dash, [self.any(depth + 1)] * self.pick(1, 2, 3))]
        elif kind == "N":
            # The value stands on the line after its key.
            lines = [self.trail(), *self.noise(indent + 1), " " * (indent + self.step) + self.quoted() + self.trail()]
        else:
            lines = [self.trail()]
        return self.anchored(properties, lines)

    def properties(self) -> str:
        if self.calm or not self.chance(12):
            return ""
        return self.pick("&", "&", "!local", "!!str", "!local &")

    def anchored(self, properties: str, lines: list[str]) -> list[str]:
        if not properties:
            return lines
        if properties.endswith("&"):
            name = f"a{len(self.anchors)}"
            self.anchors.append(name)
            return [f" {properties}{name}{lines[0]}", *lines[1:]]
        if properties == "!!str" and not (len(lines) == 1 and lines[0].startswith((" '", ' "'))):
            return lines
        return [f" {properties}{lines[0]}", *lines[1:]]

    def any(self, depth: int = 0) -> Callable[[int], list[str]]:
        return lambda indent: self.value(indent, depth)

    def text(self, text: str) -> Callable[[int], list[str]]:
        """Return how a certain string may be written."""

        def lines(indent: int) -> list[str]:
            shown = self.pick(text, text, text, f'"{text}"', f"'{text}'")
            if self.chance(3):
                return [self.trail(), " " * (indent + self.step) + shown + self.trail()]
            return [f" {shown}{self.trail()}"]

        return lines

    # Collections: whole lines.

    def mapping(self, indent: int, entries: Sequence[tuple[str, Callable[[int], list[str]]]]) -> list[str]:
        lines: list[str] = []
        for number, (name, value) in enumerate(entries):
            if number:
                lines += self.noise(indent)
            first, *rest = value(indent)
            if name.startswith("k") and self.chance(2):
                lines += [" " * indent + "? " + name, " " * indent + ":" + first]
            else:
                lines.append(" " * indent + self.key(name) + ":" + first)
            lines += rest
        return lines

    def sequence(self, column: int, items: Sequence[Callable[[int], list[str]]]) -> list[str]:
        lines: list[str] = []
        for number, value in enumerate(items):
            if number:
                lines += self.noise(column)
            first, *rest = value(column)
            lines += [" " * column + "-" + first, *rest]
        return lines

    # Documents of ours.

    def reference(self, name: str, kind: str) -> list[tuple[str, Callable[[int], list[str]]]]:
        entries = [("apiVersion", self.text(ADAPTER_VERSION)), ("kind", self.text(kind)), ("name", self.text(name))]
        return self.shuffled(entries) if self.chance(20) else entries

    def flow_reference(self, name: str, kind: str) -> str:
        pad = self.pick("", "", " ")
        quote = self.pick("", "", '"', "'")
        inner = f"apiVersion: {ADAPTER_VERSION}, kind: {kind}, name: {quote}{name}{quote}"
        return "{" + pad + self.pick("adapterRef", '"adapterRef"') + ": {" + pad + inner + pad + "}" + pad + "}"

    def block_item(self, column: int, name: str, kind: str) -> list[str]:
        form = self.pick("compact", "compact", "compact", "compact", "alone", "commented", "flow", "alias")
        if form == "flow":
            return [" " * column + "-" + " " * self.gap + self.flow_reference(name, kind) + self.trail()]
        if form == "alias" and self.anchors:
            return [" " * column + f"- *{self.pick(*self.anchors)}{self.trail()}"]
        inner = column + 1 + self.gap

        def reference(indent: int) -> list[str]:
            return [self.trail(), *self.mapping(indent + self.step, self.reference(name, kind))]

        entries: list[tuple[str, Callable[[int], list[str]]]] = [("adapterRef", reference)]
        if self.chance(25):
            entries.append(("note", self.any(1)))
        if form == "compact":
            first, *rest = self.mapping(inner, entries)
            return [" " * column + "-" + " " * self.gap + first.lstrip(" "), *rest]
        comment = "-" + self.trail() if form == "alone" else "- # source control"
        return [" " * column + comment, *self.mapping(inner, entries)]

    def adapters(self, indent: int, names: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
        """Return the value of `apiAdapters`, and how many of its lines an edit must change."""
        properties = self.pick(*[""] * 8, " &list", " !!seq") if not self.calm else ""
        form = self.pick("block", "block", "block", "line", "lines") if names else self.pick(*"[~n e".replace(" ", ""))
        if form == "block":
            column = indent + self.dash
            blank = self.chance(15)
            lines = [properties + self.trail()]
            for number, (name, kind) in enumerate(names):
                lines += [""] if number and blank else self.noise(column)
                lines += self.block_item(column, name, kind)
            return lines, 0
        if form == "line":
            pad = self.pick("", " ")
            listed = self.pick(", ", ",").join(self.flow_reference(*name) for name in names)
            return [f"{properties} [{pad}{listed}{self.pick('', ',')}{pad}]{self.trail()}"], 1
        if form == "lines":
            return self.flow_adapters(indent, properties, names)
        if form == "e":
            if properties == " !!seq":
                properties = ""
            return [properties + self.trail()], 0
        if form == "[":
            if self.chance(20):
                return [f"{properties} [{self.trail()}", " " * (indent + 1) + "]" + self.trail()], 0
            if self.chance(20):
                return [properties + self.trail(), " " * (indent + 2) + "[]" + self.trail()], 1
            return [f"{properties} []{self.trail()}"], 1
        return [f"{properties.replace(' !!seq', '')} {self.pick('~', 'null', 'Null')}{self.trail()}"], 1

    def flow_adapters(self, indent: int, properties: str, names: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
        column = " " * (indent + self.pick(1, 2, 4))
        lines = [f"{properties} [{self.trail()}"]
        comma = self.chance(50)
        for number, name in enumerate(names):
            mark = "," if number + 1 < len(names) or comma else ""
            lines += [*self.noise(indent + 1), column + self.flow_reference(*name) + mark + self.trail()]
        if self.chance(15):
            lines[-1] = column + self.flow_reference(*names[-1]) + ("," if comma else "") + "]"
            return lines, 1
        close = " " * (indent + self.pick(1, 2, 0 if indent else 1)) + "]" + self.trail()
        return [*lines, *self.noise(indent + 1), close], 0 if comma else 1

    def atlas(self, names: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
        if self.chance(4):
            return self.flow_atlas(names)
        changed = 0

        def adapters(indent: int) -> list[str]:
            nonlocal changed
            lines, changed = self.adapters(indent, names)
            return lines

        def spec(indent: int) -> list[str]:
            entries: list[tuple[str, Callable[[int], list[str]]]] = [("owner", self.text("team"))]
            entries += [(f"k{number}", self.any()) for number in range(self.pick(0, 0, 1, 2))]
            if names or self.chance(75):
                entries.insert(self.choices.integer(0, len(entries)), ("apiAdapters", adapters))
            return [self.trail(), *self.noise(indent + 1), *self.mapping(indent + self.step, entries)]

        def metadata(indent: int) -> list[str]:
            entries: list[tuple[str, Callable[[int], list[str]]]] = [("name", self.text("atlas"))]
            if self.chance(25):
                entries.append(("annotations", self.any()))
            return [self.trail(), *self.mapping(indent + self.step, entries)]

        entries = [("apiVersion", self.text(ATLAS_VERSION)), ("kind", self.text("Atlas"))]
        entries += [("metadata", metadata), ("spec", spec)]
        if self.chance(20):
            entries.insert(self.choices.integer(0, 4), ("kx", self.any()))
        return self.mapping(0, self.shuffled(entries) if self.chance(20) else entries), changed

    def flow_atlas(self, names: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
        listed = ", ".join(self.flow_reference(*name) for name in names)
        spec = "{" + f"owner: team, apiAdapters: [{listed}]" + "}"
        text = "{" + f'"apiVersion": "{ATLAS_VERSION}", kind: Atlas, metadata: {{name: atlas}}, spec: {spec}' + "}"
        return [text + self.trail()], 1

    def adapter(self, name: str, kind: str) -> list[str]:
        def headers(indent: int) -> list[str]:
            if self.chance(20):
                return [" [{name: A, value: '${{ B }}'}]" + self.trail()]
            pairs = [("name", self.text("A")), ("value", self.text("${{ B }}" if self.chance(50) else "b"))]

            def item(column: int) -> list[str]:
                first, *rest = self.mapping(column + 1 + self.gap, pairs)
                return [" " * self.gap + first.lstrip(" "), *rest]

            return [self.trail(), *self.sequence(indent + self.dash, [item] * self.pick(1, 2))]

        def spec(indent: int) -> list[str]:
            entries: list[tuple[str, Callable[[int], list[str]]]] = [("baseUrl", self.text("https://a.example"))]
            if self.chance(50):
                entries.append(("headers", headers))
            return [self.trail(), *self.mapping(indent + self.step, entries)]

        def metadata(indent: int) -> list[str]:
            if self.chance(15):
                return [f" {{name: {name}}}{self.trail()}"]
            return [self.trail(), *self.mapping(indent + self.step, [("name", self.text(name))])]

        entries = [("apiVersion", self.text(ADAPTER_VERSION)), ("kind", self.text(kind))]
        return self.mapping(0, [*entries, ("metadata", metadata), ("spec", spec)])

    # Documents of others.

    def bystander(self) -> tuple[str, list[str]]:
        """Return what follows the marker on its line, and lines."""
        kind = self.pick("mapping", "mapping", "sequence", "scalar", "flow", "empty", "oddity" if self.wild else "flow")
        if kind == "mapping":
            entries = [
                ("apiVersion", self.text("apps/v1")),
                *((f"k{n}", self.any()) for n in range(self.pick(1, 2, 3))),
            ]
            return self.trail(), self.mapping(0, entries)
        if kind == "sequence":
            return self.trail(), self.sequence(0, [self.any()] * self.pick(1, 2))
        if kind == "scalar":
            first, *rest = self.pick(self.block_scalar, self.several_lines)(0)
            return first, rest
        if kind == "flow":
            return f" {self.flow_value()}{self.trail()}", []
        if kind == "empty":
            return self.trail(), self.noise(0)
        return "", self.pick(*ODDITIES).decode().removeprefix("\ufeff").replace("\r", "").split("\n")[:-1]

    def marker(self) -> list[str]:
        """Return lines that end the last document and open the next one, whose marker is the last line."""
        return self.pick(
            *([["---"]] * 6),
            ["...", "---"],
            ["...", "# between", "", "---"],
            ["...", "%YAML 1.2", "---"],
            ["# before the marker", "---"],
            ["", "---"],
        )

    def ending(self) -> list[str]:
        return self.pick(
            *([[]] * 6),
            *(
                [""],
                ["", ""],
                ["# vim: sw=2"],
                ["..."],
                ["...", "# after"],
                ["---"],
                ["--- # next"],
                ["---", "# x", ""],
            ),
            *(["---", "---"], ["  "], ["", "# - adapterRef:"]),
        )


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Draw a stream with one Atlas, some adapters and other tools' documents."""
    return stream_of(Drawn(draw))


def stream_of(choices: Choices) -> Stream:
    """Return a stream with one Atlas, some adapters and other tools' documents."""
    writer = Writer(choices)
    listed = [(name, writer.pick("HTTP", "HTTP", "AWS")) for name in NAMES[: writer.pick(0, 1, 2, 2, 3)]]
    others: list[tuple[str, list[str]] | None] = [None]
    others += [(writer.trail(), writer.noise(0) + writer.adapter(*one)) for one in listed if writer.chance(70)]
    for _ in range(writer.pick(0, 0, 1, 2)):
        others.insert(choices.integer(0, len(others)), ("", ["?"]))
    changed = 0
    lines: list[str] = []
    for number, document in enumerate(others):
        writer.anchors = []
        if document is None:
            body, changed = writer.atlas(listed)
            head, body = writer.trail(), [*writer.noise(0), *body]
        else:
            head, body = writer.bystander() if document == ("", ["?"]) else document
        if number:
            *before, marker = writer.marker()
            lines += [*before, marker + head, *body]
        elif head.strip() and not head.strip().startswith("#"):
            lines += ["---" + head, *body]
        else:
            opening = writer.pick([], [], ["---" + head], ["# licence", ""], ["%YAML 1.2", "# licence", "---" + head])
            lines += [*opening, *body]
    lines += writer.ending()
    ends = writer.pick(*([("\n",)] * 5), ("\r\n",), ("\r\n",), ("\n", "\r\n", "\n"), ("\r\n", "\n"))
    text = "".join(line + ends[number % len(ends)] for number, line in enumerate(lines))
    if writer.chance(15):
        text = text.rstrip("\r\n") if writer.chance(50) else text.removesuffix("\n").removesuffix("\r")
    bom = "\ufeff" if writer.chance(8) else ""
    return Stream(bom + text, changed)


@st.composite
def adapters(draw: st.DrawFn) -> HttpAdapterSpec:
    """Draw an adapter whose name no stream holds."""
    return Drawn(draw).adapter()

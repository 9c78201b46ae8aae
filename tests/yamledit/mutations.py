"""Files as they are, with a slip or an oddity put in: seeded, so that a number is enough to see one again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

CASES = Path(__file__).parents[1] / "cli" / "add_http_adapter"

# What is put in, at a random place: indicators, white space, properties, markers, and what editors and tools leave.
_SNIPPETS = (
    *(" ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "-", "- ", ":", ": ", ",", "?", "? ", "#", " # c", "\n# c\n"),
    *(
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        "[]",
        "{}",
        "[ # c\n ]",
        "|",
        ">",
        "|+\n",
        ">-\n",
        "~",
        "null",
        " &a",
        " *a",
        "&é ",
    ),
    *("*é", "&x.y ", "!!null ", "!!seq ", "!x ", "! ", "!<tag:yaml.org,2002:null> ", "%", "%FOO bar\n", "%YAML 1.2\n"),
    *("%YAML 1.1\n---\n", "\n---\n", "\n...\n", "\n--- ", "\ufeff", "\n\ufeff---\n", "\x85", "\u2028", "\xa0", "\0"),
    *("\x07", "<<: *a\n", "é", "{{ x }}", "${{ X }}", "<<<<<<< a\n", "apiAdapters:", "spec:", "name: openai", "\\"),
    *("kind: Atlas", "1", "true"),
)
_INDENTS = ("", " ", "  ", "    ", "\t", " \t", "   ")


def originals() -> list[str]:
    """Return the inputs of all golden cases that are text."""
    found = []
    for path in sorted(CASES.glob("*/in.yml")):
        try:
            found.append(path.read_bytes().decode())
        except UnicodeDecodeError:
            continue
    return found


def mutated(text: str, chance: random.Random) -> str:
    """Return `text` with one to three changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice((_insert, _insert, _insert, _delete, _replace, _indent, _lines, _lines))(text, chance)
    return text


def _place(text: str, chance: random.Random) -> int:
    """Return any offset, rather one where a token begins or ends."""
    at = chance.randrange(len(text) + 1)
    if chance.random() < 0.7:
        near = range(max(at - 20, 1), min(at + 20, len(text)))
        borders = [offset for offset in near if text[offset - 1].isspace() != text[offset].isspace()]
        at = chance.choice(borders) if borders else at
    return at


def _insert(text: str, chance: random.Random) -> str:
    at = _place(text, chance)
    return text[:at] + chance.choice(_SNIPPETS) + text[at:]


def _delete(text: str, chance: random.Random) -> str:
    at = _place(text, chance)
    return text[:at] + text[at + chance.choice((1, 1, 2, 5, 20)) :]


def _replace(text: str, chance: random.Random) -> str:
    at = _place(text, chance)
    return text[:at] + chance.choice(_SNIPPETS) + text[at + 1 :]


def _indent(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    for number in range(at, min(at + chance.choice((1, 1, 3, 9)), len(lines))):
        lines[number] = chance.choice(_INDENTS) + lines[number].lstrip(chance.choice((" ", "", " \t")))
    return "\n".join(lines)


def _lines(text: str, chance: random.Random) -> str:
    """Repeat, drop, move or empty a line."""
    lines = text.split("\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    line = lines[at]
    kind = chance.choice(("repeat", "drop", "move", "empty", "comment"))
    if kind == "repeat":
        lines.insert(to, line)
    elif kind == "drop":
        del lines[at]
    elif kind == "move":
        lines.insert(to, lines.pop(at))
    elif kind == "empty":
        lines.insert(at, "")
    else:
        lines[at] += "  # c"
    return "\n".join(lines)


def mutations(seed: int, number: int) -> Iterator[str]:
    """Yield `number` mutated files, the same for the same seed."""
    chance = random.Random(seed)
    files = originals()
    for _ in range(number):
        yield mutated(chance.choice(files), chance)

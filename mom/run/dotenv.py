"""Reads `--env-file`: `NAME=value` lines, as `docker run --env-file` and dotenv tools know them.

| line | value |
|---|---|
| `NAME=a b # why` | `a b`: blanks around it and a comment after a blank are not part of it |
| `NAME='a $b "c"'` | everything between the quotes, line endings too |
| `NAME="a\\tb"` | the same with the escapes `\\n` `\\r` `\\t` `\\"` `\\\\` `\\$` |
| `export NAME=a` | as without `export` |
| `# why`, an empty line | no variable |

Nothing is expanded: a `$` is a `$`, so that a token may contain one. Anything else is an error with its
line; a mistyped line that is skipped would come back as a missing variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mom.atlas.rules.catalogue import problem_of
from mom.errors import MomError
from mom.problems import Place, Problem

_START = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'(?P<value>[^']*)'")
_DOUBLE = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"', re.DOTALL)
_PLAIN = re.compile(r"(?P<value>(?:[^\n#]|(?<=\S)#)*)")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r'\\(["\\$nrt])')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str, file: str) -> dict[str, str]:
    """Return the variables of an env file; of two lines with one name the last counts.

    Raises MomError with a Problem for each line of another form. `file` is its name in messages, which never
    quote a line: it may contain a secret.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    variables: dict[str, str] = {}
    problems: list[Problem] = []
    for item in _items(text):
        if isinstance(item, int):
            place = Place(file, text.count("\n", 0, item) + 1, 1)
            problems.append(problem_of(place, "env-file", "this line is not NAME=value"))
        else:
            variables[item[0]] = item[1]
    if problems:
        raise MomError(f"{file} is not a valid env file", problems=problems)
    return variables


def _items(text: str) -> Iterator[tuple[str, str] | int]:
    """Yield names with values, and the offset of each line that is neither that nor empty."""
    position = 0
    while position < len(text):
        if nothing := _NOTHING.match(text, position):
            position = nothing.end()
            continue
        line_end = text.find("\n", position)
        item, position = _item(text, position), (len(text) if line_end < 0 else line_end + 1)
        if item is None:
            yield position - 1 if position == len(text) and line_end < 0 else line_end
        else:
            name, value, position = item
            yield name, value


def _item(text: str, position: int) -> tuple[str, str, int] | None:
    """Return the name, the value and the end of the item at `position`."""
    start = _START.match(text, position)
    if start is None:
        return None
    quote = text[start.end() : start.end() + 1]
    pattern = {"'": _SINGLE, '"': _DOUBLE}.get(quote, _PLAIN)
    match = pattern.match(text, start.end())
    rest = match and _REST.match(text, match.end())
    if match is None or rest is None:
        return None
    value = match["value"]
    if quote == '"':
        value = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), value)
    elif quote != "'":
        value = value.rstrip(" \t\r")
    return start["name"], value, rest.end()

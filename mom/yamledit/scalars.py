"""What a plain scalar means, and how a string is written so that every parser gives it back.

mom reads YAML 1.2 (core schema, 1.2.2 section 10.3.2) and writes for parsers of 1.1 and 1.2 alike: what either would
not read back as that string is quoted.
"""

from __future__ import annotations

import re

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")
_NOT_A_NUMBER = {".nan", ".NaN", ".NAN"}
# Python refuses to convert longer digits (and would take quadratic time).
_MAX_DIGITS = 4000

_CORE = "tag:yaml.org,2002:"


def resolve(value: str, style: str, tag: str | None) -> str | int | float | bool | None:
    """Return what YAML 1.2's core schema makes of a scalar: `value` as parsed, `style` '' for plain, `tag` or None.

    An application's own tag (`!secret`) leaves the text as it is: what it means is not ours to know.
    """
    if tag in {None, "?"}:
        return _resolve_plain(value) if not style else value
    if tag in {"!", f"{_CORE}str"} or not tag.startswith(_CORE):
        return value
    resolved = _resolve_plain(value)
    if tag == f"{_CORE}float" and isinstance(resolved, int) and not isinstance(resolved, bool):
        return float(resolved)
    return resolved


def _resolve_plain(value: str) -> str | int | float | bool | None:
    if value in _NULL:
        return None
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    if len(value) > _MAX_DIGITS:
        return value
    if _INT.match(value):
        return int(value)
    if _OCTAL.match(value):
        return int(value, 0)
    if _HEX.match(value):
        return int(value, 0)
    if _FLOAT.match(value) or _INFINITY.match(value):
        return float(value.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf"))
    return float("nan") if value in _NOT_A_NUMBER else value


def described(value: object) -> str:
    """Say what a value is that is not text, as YAML reads it: `the number 2`, `true`, `null`, `a list`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "text"


# Words and shapes that YAML 1.1 (yaml.org/type), 1.2, or a parser in between (PyYAML, Go's) takes for another type.
_OTHER_TYPE = re.compile(
    r"""(?:
      ~ | null | true | false | yes | no | on | off | y | n | = | <<
    | [-+]?0b[01_]+
    | [-+]?0o?[0-7_]+
    | [-+]?0x[0-9a-f_]+
    | [-+]?[0-9_]+
    | [-+]?(?:\.[0-9_]+|[0-9_]+\.[0-9_]*|[0-9_]+)(?:e[-+]?[0-9_]+)?
    | [-+]?[0-9_]+(?::[0-9]{1,2})+(?:\.[0-9_]*)?
    | [-+]?\.inf | \.nan
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_INDICATORS = frozenset("#@%*&!|>[]{},\"'-?:`=")
# PyYAML ends a plain scalar at a `?` there, even inside a word.
_FLOW_INDICATORS = re.compile(r"[\[\]{},?]")
# Everything that is not a printable character on one line: controls, line breaks of YAML 1.1, BOM, surrogates.
# What they are, not what all others are: a class with a range beyond U+FFFF takes milliseconds to compile.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def is_ambiguous(value: str) -> bool:
    """Whether some parser takes a plain `value` for something else than that text: a number, a boolean, a date."""
    return not value or _OTHER_TYPE.match(value) is not None


def needs_quotes(value: str, *, flow: bool) -> bool:
    """Whether `value` must be quoted to be read back as that string, inside a flow collection or in block style."""
    return (
        is_ambiguous(value)
        or value != value.strip()
        or value[0] in _INDICATORS
        or value.startswith(("---", "..."))
        or ": " in value
        or " #" in value
        or value.endswith(":")
        or bool(_UNPRINTABLE.search(value))
        or (flow and bool(_FLOW_INDICATORS.search(value)))
    )


def write(value: str, *, flow: bool, style: str | None = None) -> str:
    """Return `value` as a one-line scalar, never folded.

    `style` is the neighbour's: '' or None (plain where that is safe), `'` or `"`. Where quotes are needed and the
    neighbour has none, single quotes are used unless the value has one. Characters that only escapes can carry get
    double quotes.
    """
    if _UNPRINTABLE.search(value):
        return double_quoted(value)
    if not style:
        if not needs_quotes(value, flow=flow):
            return value
        style = '"' if "'" in value else "'"
    return double_quoted(value) if style == '"' else "'" + value.replace("'", "''") + "'"


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x85": "\\N", "\xa0": "\xa0"}


def double_quoted(value: str) -> str:
    """Return `value` in double quotes, with the escapes of YAML 1.2.2, section 5.7, that 1.1 has too."""
    return '"' + "".join(_ESCAPES.get(c) or (_escape(c) if _UNPRINTABLE.match(c) else c) for c in value) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"

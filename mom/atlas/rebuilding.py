"""Building a value again with other texts in it: an adapter from the one that was read with stand-ins for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

from mom.problems import Place

# From the texts, the name of a file and the line where it begins there.
Build = Callable[[Sequence[str], str, int], Any]


def compiled(value: Any, stand_ins: Sequence[str], first_line: int) -> Build | None:
    """Return what builds `value` with other values, in another place of another file; None for what is always equal.

    One expression, as the standard library has for named tuples: functions for the parts would take thrice the time.
    """
    compiler = _Compiler(stand_ins, first_line)
    code = compiler.code(value)
    if code is None:
        return None
    # No text of a file is in it: numbers, and names of what is given here.
    build: Build = eval(f"lambda values, file, start: {code}", compiler.names)  # noqa: S307
    return build


def moved(value: Any, file: str, lines: int) -> Any:
    """Return `value` in another place: in a file of that name, so many lines further down.

    For a value of which there is only one: this takes more time than what `compiled` returns, and `compiled` far more.
    """
    if isinstance(value, Place):
        return Place(file, value.line + lines, value.column)
    if isinstance(value, tuple):
        parts = [moved(each, file, lines) for each in value]
        return value if all(map(is_, parts, value)) else tuple.__new__(type(value), parts)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
        changed = {name: new for name, each in fields if (new := moved(each, file, lines)) is not each}
        return dataclasses.replace(value, **changed) if changed else value
    return value


class _Compiler:
    """Writes the expression. `names`: what the names in it stand for."""

    def __init__(self, stand_ins: Sequence[str], first_line: int) -> None:
        self._stand_ins = stand_ins
        self._first_line = first_line
        self.names: dict[str, Any] = {"new": tuple.__new__, "Place": Place, "replace": dataclasses.replace}

    def code(self, value: Any) -> str | None:
        """Return the expression for a value, None for one that is always equal."""
        if isinstance(value, Place):
            return f"new(Place, (file, start + {value.line - self._first_line}, {value.column}))"
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple):
            parts = [self.code(each) for each in value]
            if not any(parts):
                return None
            last = max(number for number, part in enumerate(parts) if part) + 1
            items = "".join(
                f"{part or self._constant(each)}, " for part, each in zip(parts[:last], value[:last], strict=True)
            )
            # Most of an adapter's fields have their defaults.
            rest = f"*{self._constant(value[last:])}" if last < len(value) else ""
            return f"new({self._constant(type(value))}, ({items}{rest}))"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [(field.name, self.code(getattr(value, field.name))) for field in dataclasses.fields(value)]
            changed = ", ".join(f"{name}={part}" for name, part in fields if part)
            return f"replace({self._constant(value)}, {changed})" if changed else None
        return None

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self.names)}"
        self.names[name] = value
        return name

    def _text(self, value: str) -> str | None:
        parts: list[str | int] = [value]
        for at, stand_in in enumerate(self._stand_ins):
            if stand_in in value:
                parts = [each for part in parts for each in _split(part, stand_in, at)]
        if parts == [value]:
            return None
        return " + ".join(
            f"values[{part}]" if isinstance(part, int) else self._constant(part) for part in parts if part != ""
        )


def _split(part: str | int, stand_in: str, number: int) -> list[str | int]:
    """Return a text split where a stand-in is, with the number of that in its place; a number as it is."""
    if isinstance(part, int):
        return [part]
    first, *others = part.split(stand_in)
    return [first, *(each for other in others for each in (number, other))]

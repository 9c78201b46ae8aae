"""Building a value again with other texts in it: an adapter from the one that was read with stand-ins for them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

from mom.problems import Place

# From the texts, the name of a file and the line where it begins there.
Build = Callable[[Sequence[str], str, int], Any]


def compiled(value: Any, stand_ins: Sequence[str], first_line: int) -> Build | None:
    """Return what builds `value` with other values, in another place of another file; None for what is always equal."""
    if isinstance(value, Place):
        line, column = value.line - first_line, value.column
        return lambda _values, file, start: tuple.__new__(Place, (file, start + line, column))
    if isinstance(value, str):
        return _compiled_text(value, stand_ins)
    if isinstance(value, tuple):
        parts = [(at, build) for at, each in enumerate(value) if (build := compiled(each, stand_ins, first_line))]
        return _compiled_tuple(value, parts) if parts else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
        named = {name: build for name, each in fields if (build := compiled(each, stand_ins, first_line))}
        return (
            (lambda *given: dataclasses.replace(value, **{name: build(*given) for name, build in named.items()}))
            if named
            else None
        )
    return None


def _compiled_text(value: str, stand_ins: Sequence[str]) -> Build | None:
    for at, stand_in in enumerate(stand_ins):
        if value == stand_in:
            return lambda values, _file, _start: values[at]
    present = [at for at, stand_in in enumerate(stand_ins) if stand_in in value]
    if not present:
        return None
    if len(present) == 1:
        before, after = value.split(stand_ins[at := present[0]], 1)
        if stand_ins[at] not in after:
            return lambda values, _file, _start: before + values[at] + after
    return lambda values, _file, _start: _replaced(value, stand_ins, values)


def _replaced(text: str, stand_ins: Sequence[str], values: Sequence[str]) -> str:
    of_each = dict(zip(stand_ins, values, strict=True))
    return re.sub("|".join(map(re.escape, stand_ins)), lambda match: of_each[match.group()], text)


def _compiled_tuple(value: tuple[Any, ...], parts: Sequence[tuple[int, Build]]) -> Build:
    kind, items = type(value), list(value)

    def build(values: Sequence[str], file: str, start: int) -> Any:
        built = items.copy()
        for at, part in parts:
            built[at] = part(values, file, start)
        return tuple.__new__(kind, built)

    return build

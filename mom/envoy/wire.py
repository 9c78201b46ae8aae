"""Envoy's messages in the binary form of protobuf, which Envoy reads at a third of the cost of JSON (measured).

A message is the same dictionary that `mom.envoy.messages` writes as JSON. Its fields and their numbers are in
`wire.json`, which comes from the descriptors in Envoy's own program; a test makes it again.

Source of the rules: "Encoding" and "ProtoJSON Format" of the Protocol Buffers documentation.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mom.envoy.messages import Entries, Json

# What a field with these is followed by: a number, eight or four bytes, a length and so many bytes.
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
WRAPPERS = {
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.DoubleValue": "double",
    "google.protobuf.StringValue": "string",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.UInt64Value": "uint64",
}
_MOST_LENGTHS = 1_000
_ANY = "google.protobuf.Any"
_FILE = Path(__file__).with_name("wire.json")


class _Delimited(NamedTuple):
    """A message in another one: its length and its bytes."""

    template: Template


class Template:
    """The bytes of a message with places for values, which may differ from one use to the next."""

    def __init__(self, parts: Sequence[bytes | int | _Delimited]) -> None:
        """Take what follows one another: bytes, the number of a value, or a message in this one."""
        self.parts = parts
        # Values of a length give the same lengths around them; of 10,000 adapters there are a few hundred.
        self._known: dict[tuple[int, ...], list[bytes | int]] = {}

    def filled(self, values: Sequence[bytes]) -> bytes:
        """Return the bytes with the values in their places."""
        lengths = tuple(map(len, values))
        pieces = self._known.get(lengths)
        if pieces is None:
            pieces = self._pieces(lengths)
            if values and len(self._known) < _MOST_LENGTHS:
                self._known[lengths] = pieces
        return b"".join([piece if isinstance(piece, bytes) else values[piece] for piece in pieces])

    def _pieces(self, lengths: tuple[int, ...]) -> list[bytes | int]:
        """Return what to write with values of these lengths: bytes, and the numbers of values."""
        merged: list[bytes | int] = []
        between: list[bytes] = []
        for piece in self._sized(lengths)[0]:
            if isinstance(piece, bytes):
                between.append(piece)
            else:
                merged += [b"".join(between), piece]
                between = []
        return [*merged, b"".join(between)]

    def _sized(self, lengths: tuple[int, ...]) -> tuple[list[bytes | int], int]:
        pieces: list[bytes | int] = []
        size = 0
        for part in self.parts:
            if isinstance(part, _Delimited):
                inner, length = part.template._sized(lengths)  # noqa: SLF001  of the same class
                pieces += [_varint(length), *inner]
                size += len(_varint(length)) + length
            else:
                pieces.append(part)
                size += len(part) if isinstance(part, bytes) else lengths[part]
        return pieces, size


Content = bytes | Template
TextEncoder = Callable[[str], Content]


def encode(message: str, value: Json) -> bytes:
    """Return the bytes of `value`, a message with the full name `message`.

    A field that the message does not have raises KeyError.
    """
    content = _message(message, value, str.encode)
    return content if isinstance(content, bytes) else content.filled(())


def _message(message: str, value: Json, text: TextEncoder) -> Content:
    """Return a message. text: what gives the bytes of each text, or a template where that has places for values."""
    if message == _ANY:
        return _any(value, text)
    if (of_any_json := _STRUCTS.get(message)) is not None:
        return of_any_json(value, text)
    fields = _fields(message)
    return joined([fields[name].encode(given, text) for name, given in value.items() if given is not None])


def joined(parts: Sequence[Content]) -> Content:
    """Return what follows one another as one."""
    plain = [part for part in parts if isinstance(part, bytes)]
    if len(plain) == len(parts):
        return b"".join(plain)
    flat: list[bytes | int | _Delimited] = []
    for part in parts:
        flat.extend([part] if isinstance(part, bytes) else part.parts)
    return Template(flat)


class _Field(NamedTuple):
    """A field: its number, and the kinds of its values; `key` is that of a map."""

    number: int
    kind: str
    key: str | None

    def encode(self, value: Any, text: TextEncoder) -> Content:
        if self.key is not None:
            if isinstance(value, Entries):
                content: Content = value.encoded(self.encode)
                return content
            pairs = ((_one(1, self.key, key, text), _one(2, self.kind, each, text)) for key, each in value.items())
            return joined([_delimited(self.number, joined(pair)) for pair in pairs])
        if isinstance(value, list | tuple):
            return joined([_one(self.number, self.kind, each, text) for each in value])
        return _one(self.number, self.kind, value, text)


@cache
def _schema() -> Json:
    schema: Json = json.loads(_FILE.read_text(encoding="utf-8"))
    return schema


@cache
def _fields(message: str) -> dict[str, _Field]:
    fields = {}
    for name, (number, kind) in _schema()["messages"][message].items():
        is_map, _, rest = kind.partition("map ")
        key, _, of_values = rest.partition(" ")
        fields[name] = _Field(number, kind, None) if is_map else _Field(number, of_values, key)
    return fields


def _one(number: int, kind: str, value: Any, text: TextEncoder) -> Content:
    """Return a field with one value."""
    if kind == "string":
        return _delimited(number, text(value))
    if kind in _SCALARS:
        wire_type, of_scalar = _SCALARS[kind]
        return _tag(number, wire_type) + of_scalar(value)
    if kind in WRAPPERS:
        return _delimited(number, _one(1, WRAPPERS[kind], value, text))
    if kind == "google.protobuf.Duration":
        return _delimited(number, _duration(value))
    if (values := _schema()["enums"].get(kind)) is not None:
        return _tag(number, _VARINT) + _varint(values[value])
    return _delimited(number, _message(kind, value, text))


def _delimited(number: int, content: Content) -> Content:
    tag = _tag(number, _DELIMITED)
    if isinstance(content, bytes):
        return tag + _varint(len(content)) + content
    return Template([tag, _Delimited(content)])


@cache
def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(number: int) -> bytes:
    # Negative ones as 64 bits (two's complement).
    number &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _double(value: float) -> bytes:
    return struct.pack("<d", value)


# How a number is written after its tag.
_SCALARS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "bool": (_VARINT, lambda value: _varint(bool(value))),
    "double": (_FIXED64, _double),
    "float": (_FIXED32, lambda value: struct.pack("<f", value)),
    "int32": (_VARINT, _varint),
    "int64": (_VARINT, lambda value: _varint(int(value))),
    "uint32": (_VARINT, _varint),
    "uint64": (_VARINT, lambda value: _varint(int(value))),
}


def _duration(text: str) -> bytes:
    """Return the Duration that a text like `1.5s` is."""
    nanoseconds = int(Decimal(text.removesuffix("s")) * 1_000_000_000)
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return _tag(1, _VARINT) + _varint(seconds) + _tag(2, _VARINT) + _varint(rest)


def _any(value: Mapping[str, Any], text: TextEncoder) -> Content:
    """Return an Any, whose `@type` says which message the other keys are; without one it is empty."""
    if not value:
        return b""
    url = value["@type"]
    content = _message(url.partition("/")[2], {name: each for name, each in value.items() if name != "@type"}, text)
    return joined([_delimited(1, url.encode()), _delimited(2, content)])


def _struct(value: Mapping[str, Any], text: TextEncoder) -> Content:
    pairs = ((_delimited(1, text(key)), _delimited(2, _value(each, text))) for key, each in value.items())
    return joined([_delimited(1, joined(pair)) for pair in pairs])


def _value(value: Any, text: TextEncoder) -> Content:
    match value:
        case None:
            return _tag(1, _VARINT) + _varint(0)
        case bool():
            return _tag(4, _VARINT) + _varint(value)
        case int() | float():
            return _tag(2, _FIXED64) + _double(value)
        case str():
            return _delimited(3, text(value))
        case list() | tuple():
            return _delimited(6, _list(value, text))
        case _:
            return _delimited(5, _struct(value, text))


def _list(values: Sequence[Any], text: TextEncoder) -> Content:
    return joined([_delimited(1, _value(each, text)) for each in values])


# Messages that are any JSON.
_STRUCTS: dict[str, Callable[[Any, TextEncoder], Content]] = {
    "google.protobuf.ListValue": _list,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Value": _value,
}

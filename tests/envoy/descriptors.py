"""Makes `wire.json` of `mom.envoy` from the descriptors in Envoy's own program: `python -m tests.envoy.descriptors`.

A C++ program that uses protobuf contains the descriptor of each of its .proto files, serialized (FileDescriptorProto).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from mom.envoy import wire
from tests.envoy.binary import ENVOY

FILE = Path(wire.__file__).with_name("wire.json")
SOURCES = FILE.parent
# What a file that Envoy watches contains, and what is in it without being named in a source.
ROOTS = ("envoy.service.discovery.v3.DiscoveryResponse", "envoy.config.route.v3.RouteConfiguration")
# The beginning of a descriptor: its first field, the name of the file.
_BEGINNING = re.compile(rb"\n[\x10-\x7f]([\w/.-]+\.proto)\x12")
# A package, and the last part of a name, which a source may have apart.
_PACKAGE, _NAME = re.compile(r"(?:envoy|xds)\.[a-z0-9_.]+\.v3"), re.compile(r"\.([A-Z][A-Za-z0-9]+)")
_SCALARS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


@cache
def pool() -> descriptor_pool.DescriptorPool:
    """Return the descriptors of all messages that Envoy knows."""
    program = Path(ENVOY).read_bytes()
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for match in _BEGINNING.finditer(program):
        if found := _descriptor(program, match.start()):
            files.setdefault(found.name, found)
    made, added = descriptor_pool.DescriptorPool(), set[str]()

    def add(name: str) -> None:
        if name in files and name not in added:
            added.add(name)
            for needed in files[name].dependency:
                add(needed)
            made.Add(files[name])

    for name in files:
        add(name)
    return made


def _descriptor(program: bytes, start: int) -> descriptor_pb2.FileDescriptorProto | None:
    """Return the descriptor that begins there; it ends where no further field of one can be."""
    at, seen_name = start, False
    while at < len(program):
        tag = program[at]
        if tag & 7 != 2 or not 1 <= tag >> 3 <= 14 or (tag >> 3 == 1 and seen_name):
            break
        seen_name = True
        length, at = _varint(program, at + 1)
        at += length
    found = descriptor_pb2.FileDescriptorProto()
    try:
        found.ParseFromString(program[start:at])
    except DecodeError:
        return None
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def made() -> dict[str, Any]:
    """Return what the file should have: of each message that mom writes the fields that mom names in its sources."""
    words = set(_literals())
    packages = {name for word in words for name in _PACKAGE.findall(word)}
    names = {name for word in words for name in _NAME.findall(word)}
    found = (f"{package}.{name}" for package in sorted(packages) for name in sorted(names))
    todo, messages, enums = [*ROOTS, *found], dict[str, Any](), dict[str, Any]()
    while todo:
        name = todo.pop()
        if name in messages or (message := _find(name)) is None:
            continue
        fields = [field for field in message.fields if field.name in words]
        messages[name] = {field.name: [field.number, _type(field)] for field in fields}
        for field in fields:
            todo.extend(needed.full_name for needed in _messages(field))
            if field.enum_type is not None:
                enums[field.enum_type.full_name] = {value.name: value.number for value in field.enum_type.values}
    return {"messages": dict(sorted(messages.items())), "enums": dict(sorted(enums.items()))}


def _literals() -> Iterator[str]:
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _find(name: str) -> Descriptor | None:
    try:
        return pool().FindMessageTypeByName(name)
    except KeyError:
        return None


def _messages(field: FieldDescriptor) -> Iterable[Descriptor]:
    message = field.message_type
    if message is None or message.full_name.startswith("google.protobuf."):
        return []
    if message.GetOptions().map_entry:
        return _messages(message.fields_by_name["value"])
    return [message]


def _type(field: FieldDescriptor) -> str:
    """Return how a value is written: a scalar's name, that of a message or an enum, `map KEY VALUE` of them."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return f"map {_type(message.fields_by_name['key'])} {_type(message.fields_by_name['value'])}"
    if message is not None:
        return str(message.full_name)
    return str(field.enum_type.full_name) if field.enum_type is not None else _SCALARS[field.type]


def text(content: dict[str, Any]) -> str:
    """Return the text of the file: a line for each message and enum."""
    parts = []
    for name, entries in content.items():
        lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
        parts.append(f"  {json.dumps(name)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(made()), encoding="utf-8")

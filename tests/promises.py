"""What `add-http-adapter` promises of every file, checked with readers that are not mom's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

VERSION = "moment.dev/adapters/v1alpha1"


def lines_lost(old: bytes, new: bytes) -> int:
    """Return the least number of lines of `old` that must go so that the others stand in `new`, in their order.

    It is what `git diff` shows as removed lines; a last line that gained its line end counts.
    """
    left, right = old.split(b"\n"), new.split(b"\n")
    left[:-1] = [line + b"\n" for line in left[:-1]]
    right[:-1] = [line + b"\n" for line in right[:-1]]
    if not left[-1]:
        del left[-1]
    # The longest common subsequence, row by row.
    row = [0] * (len(right) + 1)
    for line in left:
        above, row = row, [0]
        for number, other in enumerate(right):
            row.append(above[number] + 1 if line == other else max(above[number + 1], row[number]))
    return len(left) - row[-1]


def read_1_2(text: str) -> list[Any]:
    """Read a stream as YAML 1.2, with ruamel.yaml in Python."""
    return list(YAML(typ="safe", pure=True).load_all(text))


def read_1_1(text: str) -> list[Any]:
    """Read a stream as YAML 1.1, with PyYAML."""
    return list(yaml.safe_load_all(text))


def documents_of(reader: Any, data: bytes) -> list[Any] | None:
    """Return the documents of a stream as `reader` sees them, None where it cannot read the stream at all."""
    try:
        documents: list[Any] = reader(data.decode().removeprefix("\ufeff"))
    except (yaml.YAMLError, YAMLError, ValueError):
        return None
    return documents


def with_adapter(documents: Sequence[Any], name: str, base_url: str, headers: Sequence[tuple[str, str]]) -> list[Any]:
    """Return `documents` plus an HTTP adapter: what its reference and its document add, each where it is missing."""
    reference = {"adapterRef": {"apiVersion": VERSION, "kind": "HTTP", "name": name}}
    spec: dict[str, Any] = {"baseUrl": base_url}
    if headers:
        spec["headers"] = [{"name": header, "value": value} for header, value in headers]
    document = {"apiVersion": VERSION, "kind": "HTTP", "metadata": {"name": name}, "spec": spec}
    result = list(documents)
    for number, each in enumerate(result):
        if isinstance(each, dict) and each.get("kind") == "Atlas" and "moment.dev" in str(each.get("apiVersion")):
            atlas_spec = each.get("spec") or {}
            listed = atlas_spec.get("apiAdapters") or []
            if reference not in listed:
                result[number] = {**each, "spec": {**atlas_spec, "apiAdapters": [*listed, reference]}}
    if document not in result:
        if result and result[-1] is None:
            # A bare `---` at the end becomes the new document.
            result.pop()
        result.append(document)
    return result

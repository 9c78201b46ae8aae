"""The JSON Schemas of the configuration's documents: that of a kind, and one for a whole file."""

from __future__ import annotations

import copy
from functools import cache

from mom.atlas import adapters
from mom.atlas.kinds import ATLAS, PREFIX, Kind
from mom.atlas.schema_files import Schema, read_schema


def schema(kind: Kind) -> Schema:
    """Return the schema of documents of that kind. Callers share it and leave it as it is."""
    return _atlas_schema(tuple(adapters.KINDS)) if kind == ATLAS else adapters.KINDS[kind.kind].schema()


@cache
def _atlas_schema(adapter_kinds: tuple[str, ...]) -> Schema:
    """Return the schema of the Atlas document, in which an adapterRef may name any of `adapter_kinds`."""
    schema = copy.deepcopy(read_schema(ATLAS.schema))
    reference = schema["properties"]["spec"]["properties"]["apiAdapters"]["items"]["properties"]["adapterRef"]
    reference["properties"]["kind"]["enum"] = list(adapter_kinds)
    return schema


def combined() -> Schema:
    """Return one schema for every document of a configuration file, other tools' documents included.

    An editor applies one schema to all documents of a file; this one chooses by `apiVersion` and `kind`, and accepts
    whatever is not of `moment.dev/`.
    """
    kinds = adapters.kinds()
    definitions: Schema = {}
    choices: list[Schema] = []
    for kind in kinds:
        # Definitions move to the top, and the parts lose their `$id`: editors look for `#/$defs/…` in the whole schema
        # only, though 2020-12 (core, 9.3.1) lets a bundled part keep its own.
        own = {word: value for word, value in schema(kind).items() if word not in {"$schema", "$id", "$defs"}}
        definitions |= {kind.kind: own, **schema(kind).get("$defs", {})}
        choices.append({"if": _is_of(kind), "then": {"$ref": f"#/$defs/{kind.kind}"}})
    ours = {"apiVersion": {"type": "string", "pattern": f"^{PREFIX.replace('.', '[.]')}"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mom-cli:schema:configuration",
        "title": "Atlas configuration",
        "description": "A document of an Atlas configuration file: an Atlas, an adapter, or another tool's document.",
        "type": ["object", "null"],
        "properties": {
            "apiVersion": {
                "description": "The version of this kind of document.",
                "examples": sorted({kind.api_version for kind in kinds}),
            },
            "kind": {"description": "The kind of this document.", "examples": [kind.kind for kind in kinds]},
        },
        "allOf": [
            *choices,
            {
                "if": {"type": "object", "properties": ours, "required": ["apiVersion"]},
                "then": {"anyOf": [_is_of(kind) for kind in kinds]},
            },
        ],
        "$defs": definitions,
    }


def _is_of(kind: Kind) -> Schema:
    wanted = {"apiVersion": {"const": kind.api_version}, "kind": {"const": kind.kind}}
    return {"type": "object", "properties": wanted, "required": list(wanted)}

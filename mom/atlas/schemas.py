"""The JSON Schemas of the configuration's documents: finding them, and one for a whole file.

They are data: files under `schemas/`, at the project's top so that people find them, inside the package once installed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from mom.atlas.kinds import KINDS, PREFIX, Kind

Schema = dict[str, Any]


def folder() -> Path:
    """Return the folder of the schemas: `mom/schemas` in a wheel, `schemas` beside `mom` in a working copy.

    An editable install maps only the package, not what a wheel puts into it; hence the second place.
    """
    package = Path(__file__).parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@cache
def schema(kind: Kind) -> Schema:
    """Return the schema of documents of that kind. Callers share it and leave it as it is."""
    path = folder() / kind.schema
    found: Schema = json.loads(path.read_text(encoding="utf-8") if path.is_file() else _packed(kind.schema))
    return found


def _packed(name: str) -> str:
    """Return the text of a schema where mom runs from a zip archive, which has no folders to look into."""
    from importlib.resources import files

    return files("mom").joinpath("schemas", *name.split("/")).read_text(encoding="utf-8")


def combined() -> Schema:
    """Return one schema for every document of a configuration file, other tools' documents included.

    An editor applies one schema to all documents of a file; this one chooses by `apiVersion` and `kind`, and accepts
    whatever is not of `moment.dev/`.
    """
    definitions: Schema = {}
    choices: list[Schema] = []
    for kind in KINDS:
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
                "examples": sorted({kind.api_version for kind in KINDS}),
            },
            "kind": {"description": "The kind of this document.", "examples": [kind.kind for kind in KINDS]},
        },
        "allOf": [
            *choices,
            {
                "if": {"type": "object", "properties": ours, "required": ["apiVersion"]},
                "then": {"anyOf": [_is_of(kind) for kind in KINDS]},
            },
        ],
        "$defs": definitions,
    }


def _is_of(kind: Kind) -> Schema:
    wanted = {"apiVersion": {"const": kind.api_version}, "kind": {"const": kind.kind}}
    return {"type": "object", "properties": wanted, "required": list(wanted)}

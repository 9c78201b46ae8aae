"""Where the JSON Schemas are: files under `schemas/`, at the project's top, inside the package once installed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]


def folder() -> Path:
    """Return the folder of the schemas: `mom/schemas` in a wheel, `schemas` beside `mom` in a working copy.

    An editable install maps only the package, not what a wheel puts into it; hence the second place.
    """
    package = Path(__file__).parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@cache
def read_schema(name: str) -> Schema:
    """Return the schema in the file `name` below the folder. Callers share it and leave it as it is."""
    path = folder() / name
    schema: Schema = json.loads(path.read_text(encoding="utf-8") if path.is_file() else _packed(name))
    return schema


def _packed(name: str) -> str:
    """Return the text of a schema where mom runs from a zip archive, which has no folders to look into."""
    from importlib.resources import files

    return files("mom").joinpath("schemas", *name.split("/")).read_text(encoding="utf-8")

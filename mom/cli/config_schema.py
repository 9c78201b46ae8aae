"""`mom atlas config schema`: the JSON Schemas, for editors and other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters import kinds
from mom.atlas.suggestions import listed
from mom.console import Console
from mom.errors import ExitStatus, UsageError


def _names() -> list[str]:
    return [kind.kind for kind in kinds()]


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help=f"{listed(_names())}. Default: all in one schema, for a whole file.",
            show_default=False,
            autocompletion=_names,
        ),
    ] = None,
) -> int:
    """Print the JSON Schema of a kind of document, or one for a whole file.

    With it, an editor that has the YAML language server completes and checks.
    Name the files in its setting yaml.schemas; or, for one document of a file,
    say so there: # yaml-language-server: $schema=atlas.schema.json

    Example: mom atlas config schema > atlas.schema.json
    """
    from mom.atlas.schemas import combined
    from mom.atlas.schemas import schema as schema_of
    from mom.atlas.suggestions import closest

    if name is None:
        Console().json(combined())
        return int(ExitStatus.DONE)
    kind = next((known for known in kinds() if known.kind.lower() == name.lower()), None)
    if kind is None:
        meant = closest(name, _names())
        hint = f"did you mean `{meant}`?" if meant else f"the kinds are {listed(_names())}"
        raise UsageError(f"there is no kind `{name}`", hint=hint)
    Console().json(schema_of(kind))
    return int(ExitStatus.DONE)

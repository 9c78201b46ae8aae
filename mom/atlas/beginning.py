"""The smallest configuration: what every error about a missing one tells a newcomer to write."""

from __future__ import annotations

from mom.atlas.kinds import ATLAS
from mom.errors import UnreadableError

LINES = (
    f"apiVersion: {ATLAS.api_version}",
    f"kind: {ATLAS.kind}",
    "metadata:",
    "  name: atlas",
    "spec:",
    "  apiAdapters: []",
)


def hint(words: str) -> str:
    """Return a hint: `words`, then the lines, indented."""
    return "\n".join((f"{words}:", *(f"    {line}" for line in LINES)))


def with_beginning(error: UnreadableError) -> UnreadableError:
    """Return `error` about a configuration with the way to begin, where it says that there is no such file."""
    if error.missing:
        error.hint = hint(f"to begin with, write this to {error.path}")
    return error

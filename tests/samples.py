"""Sample configurations: text that a test begins with, where what is in it does not matter to the test.

A test about the text itself (its places, its style, its mistakes) has its own.
"""

from __future__ import annotations

from pathlib import Path

from mom.atlas.validate import validate
from mom.problems import Problem
from mom.yamledit.source import decode

ATLAS_VERSION = "moment.dev/atlas/v1alpha1"
ADAPTERS_VERSION = "moment.dev/adapters/v1alpha1"
HEAD = f"apiVersion: {ATLAS_VERSION}\nkind: Atlas\nmetadata:\n  name: atlas\nspec:\n"

# Documents of other tools, valid YAML or not: an edit leaves them alone, and no check complains of them.
BYSTANDERS = sorted((Path(__file__).parent / "atlas" / "edit" / "bystanders").glob("*.yaml"))
assert BYSTANDERS


def reference(name: str, kind: str = "HTTP") -> str:
    """Return an item of `apiAdapters`, in the guide's style."""
    return f"  - adapterRef:\n      apiVersion: {ADAPTERS_VERSION}\n      kind: {kind}\n      name: {name}\n"


def atlas(*names: str, after: str = "") -> str:
    """Return an Atlas document that refers to HTTP adapters; `after`: lines of its spec that follow."""
    adapters = "  apiAdapters:\n" + "".join(map(reference, names)) if names else "  apiAdapters: []\n"
    return HEAD + adapters + after


def http(name: str, base_url: str | None = None, headers: dict[str, str] | None = None) -> str:
    """Return the document of an HTTP adapter, with the marker before it."""
    text = f"---\napiVersion: {ADAPTERS_VERSION}\nkind: HTTP\nmetadata:\n  name: {name}\nspec:\n"
    text += f"  baseUrl: {base_url or f'https://api.{name}.com'}\n"
    if headers:
        text += "  headers:\n" + "".join(f"  - name: {key}\n    value: {value}\n" for key, value in headers.items())
    return text


# The least that is valid.
EMPTY = atlas()
# One adapter.
GITHUB = atlas("github") + http("github")


def problems_in(data: bytes, name: str) -> list[Problem]:
    """Return every problem of a file's content, as `mom atlas config validate` reports them."""
    return validate(decode(data, name))

"""The types of documents that make up an Atlas configuration: `apiVersion` and `kind`.

Those of adapters are in `mom.atlas.adapters`.
"""

from __future__ import annotations

from typing import NamedTuple

# What begins the apiVersion of every document of ours. All others are bystanders.
PREFIX = "moment.dev/"
ATLAS_VERSION = "moment.dev/atlas/v1alpha1"
ADAPTERS_VERSION = "moment.dev/adapters/v1alpha1"


class Kind(NamedTuple):
    """A type of document."""

    api_version: str
    kind: str

    @property
    def schema(self) -> str:
        """Return the path of its schema below `schemas/`."""
        return f"{self.api_version.removeprefix(PREFIX)}/{self.kind}.json"

    def __str__(self) -> str:
        """Name the kind as messages do."""
        return f"{self.kind} of {self.api_version}"


ATLAS = Kind(ATLAS_VERSION, "Atlas")

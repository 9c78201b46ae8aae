"""The kinds of adapters: one module each, and the registry of them.

A kind is added by its schema (`schemas/adapters/`), a module here and a line in the registry. `mom.envoy.adapters` has
a module for each kind that Atlas serves.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.references import names

if TYPE_CHECKING:
    from mom.atlas.adapters.kind import AdapterKind, Setting
    from mom.atlas.model import Adapter


class Registry(Mapping[str, "AdapterKind[Any]"]):
    """Kinds by the name of their documents' kind. A module is imported when it is needed: most edits need one."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """`modules`: where the `KIND` of each name is, below this package."""
        self._modules = dict(modules)
        self._kinds: dict[str, AdapterKind[Any]] = {}

    def __getitem__(self, name: str) -> AdapterKind[Any]:
        """Return the kind of that name; raises KeyError."""
        if name not in self._kinds:
            self._kinds[name] = importlib.import_module(f"{__name__}.{self._modules[name]}").KIND
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names in their order in lists."""
        return iter(self._modules)

    def __len__(self) -> int:
        """Return the number of kinds."""
        return len(self._modules)


KINDS = Registry({"HTTP": "http", "AWS": "aws", "Kubernetes": "kubernetes", "Moment": "moment", "Postgres": "postgres"})


def kinds() -> tuple[Kind, ...]:
    """Return the kinds of all documents of a configuration: the Atlas, then the adapters."""
    return (ATLAS, *(known.kind for known in KINDS.values()))


def kind_of(adapter: Adapter) -> AdapterKind[Any]:
    """Return the kind of an adapter."""
    return KINDS[adapter.kind]


def encoded(adapter: Adapter, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield credentials in the forms in which they are sent, where those are not their variables' own."""
    return kind_of(adapter).encoded(adapter, variables)


def settings(adapter: Adapter) -> Iterator[Setting]:
    """Yield the texts of an adapter that may contain environment references."""
    yield from kind_of(adapter).settings(adapter)


def variables_in(adapter: Adapter) -> tuple[str, ...]:
    """Return the variables that the texts of an adapter name, each once, in their order."""
    return tuple(dict.fromkeys(name for setting in settings(adapter) for name in names(setting.value)))

"""The kinds of adapters: one module each, and the registry of them.

A kind is added by its schema (`schemas/adapters/`), a module here and an entry in `KINDS`. `mom.envoy.adapters` has a
module for each kind that Atlas serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mom.atlas.adapters import aws, http, kubernetes, moment, postgres
from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.model import Adapter

__all__ = ["KINDS", "AdapterKind", "Setting", "kind_of", "settings", "value_warnings"]

KINDS: dict[str, AdapterKind[Any]] = {
    known.kind.kind: known for known in (http.KIND, aws.KIND, kubernetes.KIND, moment.KIND, postgres.KIND)
}


def kind_of(adapter: Adapter) -> AdapterKind[Any]:
    """Return the kind of an adapter."""
    return KINDS[adapter.kind]


def settings(adapter: Adapter) -> Iterator[Setting]:
    """Yield the texts of an adapter that may contain environment references."""
    yield from kind_of(adapter).settings(adapter)


def value_warnings(adapters: Iterable[Adapter], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable whose value has a form that no API takes; `variables` has all of them."""
    seen: set[tuple[str, str]] = set()
    for adapter in adapters:
        for name, reason, setting in kind_of(adapter).value_warnings(adapter, variables):
            if (name, reason) not in seen:
                seen.add((name, reason))
                yield f"the variable {name} {reason} ({setting.label} of {adapter.name})"

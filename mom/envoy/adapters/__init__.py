"""The kinds of adapters that Atlas serves: one module each, and the registry of them.

A kind that is not here has valid documents, and its adapters are named when a run starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_limits import Limits
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.variable_rules import variable_names
from mom.envoy.adapters import aws, http, kubernetes
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.key_slots import Opening
from mom.envoy.messages import Json
from mom.envoy.options import Options

KINDS: dict[str, ServedKind[Any]] = {http.NAME: http.KIND, aws.NAME: aws.KIND, kubernetes.NAME: kubernetes.KIND}


def served(configuration: Configuration) -> tuple[Adapter, ...]:
    """Return the adapters that Atlas serves, in the order of the configuration."""
    return tuple(adapter for adapter in configuration.adapters if adapter.kind in KINDS)


def unserved(configuration: Configuration) -> tuple[Adapter, ...]:
    """Return the adapters of kinds that Atlas does not serve."""
    return tuple(adapter for adapter in configuration.adapters if adapter.kind not in KINDS)


def http_adapters(configuration: Configuration) -> tuple[HttpAdapter, ...]:
    """Return the HTTP adapters of a configuration."""
    return tuple(adapter for adapter in configuration.adapters if isinstance(adapter, HttpAdapter))


def kind_of(adapter: Adapter) -> ServedKind[Any]:
    """Return the kind of an adapter that is served."""
    return KINDS[adapter.kind]


def path(adapter: Adapter) -> str:
    """Return the path below which an adapter is served, without a trailing slash."""
    return kind_of(adapter).path(adapter)


def reached(adapter: Adapter) -> str:
    """Return the path of an adapter as lists show it."""
    return kind_of(adapter).reached(adapter)


def example(adapter: Adapter) -> str:
    """Return the path of a request to try an adapter with."""
    return kind_of(adapter).example(adapter)


def headers(adapters: Iterable[Adapter]) -> set[str]:
    """Return the names, in lower case, of all headers that adapters set."""
    return {name.lower() for adapter in adapters for name in kind_of(adapter).headers(adapter)}


def openings(adapters: Iterable[Adapter], options: Options) -> tuple[Opening, ...]:
    """Return what opens each adapter: which tokens, and where a client may send them."""
    return tuple(opening(adapter, options) for adapter in adapters)


def opening(adapter: Adapter, options: Options) -> Opening:
    """Return what opens an adapter."""
    return Opening(path(adapter), tuple(kind_of(adapter).key_slots(adapter)) if options.key_slots else ())


def limits(adapters: Iterable[Adapter]) -> list[Limits | None]:
    """Return how many requests may pass to each adapter."""
    return [kind_of(adapter).limits(adapter) for adapter in adapters]


def composed(adapters: Iterable[Adapter]) -> dict[str, Sequence[str]]:
    """Return what Envoy needs instead of variables that adapters name: each with the variables in it."""
    return {name: parts for adapter in adapters for name, parts in kind_of(adapter).composed(adapter).items()}


def needed(adapters: Iterable[Adapter]) -> set[str]:
    """Return the names of all that Envoy needs for adapters: variables, and what is composed of them."""
    needed: set[str] = set()
    for adapter in adapters:
        needed.update(kind_of(adapter).composed(adapter) or variable_names([adapter]))
    return needed


def environment(adapters: Iterable[Adapter], variables: Mapping[str, str]) -> dict[str, str]:
    """Return the values of what `composed` names. variables: those that have a value. Raises MomError."""
    return {
        name: value for adapter in adapters for name, value in kind_of(adapter).environment(adapter, variables).items()
    }


def credential_headers(adapters: Iterable[Adapter]) -> set[str]:
    """Return the names, in lower case, of the headers in which adapters send credentials."""
    return {name.lower() for adapter in adapters for name in kind_of(adapter).credential_headers(adapter)}


def http_filters(options: Options) -> list[Json]:
    """Return the HTTP filters that the kinds need, in the order of the registry."""
    return [http_filter for kind in KINDS.values() for http_filter in kind.http_filters(options)]

"""What works differently where an export runs than a user may expect: sentences, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from mom.envoy import adapters
from mom.export.model import Layout, Source
from mom.gateway import is_this_machine
from mom.lists import some

_NAMED = 3


def notes(source: Source, layout: Layout, *, with_mom: bool = False) -> tuple[str, ...]:
    """Return them for a source and a layout, in a fixed order. with_mom: whether mom runs there with Envoy."""
    return tuple(_notes(source, layout, with_mom=with_mom))


def _notes(source: Source, layout: Layout, *, with_mom: bool) -> Iterator[str]:
    configuration = source.configuration
    if layout.tls is None and not layout.listen.is_loopback:
        yield f"Envoy serves plain http on {layout.listen}: end TLS in front of it, or others can read tokens"
    if configuration.admin_port is not None and layout.metrics is None:
        yield f"no metrics are served there, at port {configuration.admin_port} or another"
    if unserved := [adapter.name for adapter in adapters.unserved(configuration)]:
        yield f"not served: {some(unserved, _NAMED)}; Atlas serves {', '.join(adapters.KINDS)}"
    near = [
        adapter.name
        for adapter in adapters.served(configuration)
        if any(is_this_machine(upstream.origin.host) for upstream in adapters.kind_of(adapter).upstreams(adapter))
    ]
    if near:
        yield f"{some(near, _NAMED)}: the host of the base URL is the machine or the container that runs Envoy"
    fetched = [provider.name for provider in configuration.identity_providers if "://" in provider.public_key]
    if fetched and not with_mom:
        what = "Envoy fetches the keys itself, and refuses tokens when it cannot do so for five minutes"
        yield f"{some(fetched, _NAMED)}: {what}"

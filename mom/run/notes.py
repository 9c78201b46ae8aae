"""What works differently here than a user may expect: reported once, when a run starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mom.atlas.adapters.http import HttpAdapter
from mom.envoy import adapters
from mom.envoy.clusters import Upstream
from mom.envoy.limits import limits
from mom.envoy.origins import Origin
from mom.gateway import is_this_machine
from mom.lists import some
from mom.run.plan import Plan
from mom.run.proxies import excepts, variable_of

# Fewer clients than this can be too few for a team.
_FEW_CLIENTS = 1_000
_NAMED = 3


def notes(plan: Plan, environ: Mapping[str, str], *, verbose: bool = False) -> Iterator[str]:
    """Yield a sentence for each, with what to do. None contains the value of a variable.

    verbose: those, too, that most users have no need of.
    """
    yield from _proxies(plan)
    yield from _all_proxy(plan, environ)
    if verbose:
        yield from _plain_http1(plan)
    clients = limits(plan.options.open_files).clients
    if clients < _FEW_CLIENTS:
        files = plan.options.open_files
        yield f"{clients} client connections at most, since {files} files may be open: raise `ulimit -Hn`"


def _plain_http1(plan: Plan) -> Iterator[str]:
    """Yield which APIs get HTTP/1.1; one that takes HTTP/2 alone fails with a hint (`mom.envoy.failures`)."""
    plain = [
        adapter.name
        for adapter in adapters.served(plan.configuration)
        # Most of ten thousand adapters, which are reached over TLS, need no further look.
        if not (isinstance(adapter, HttpAdapter) and adapter.base_url.startswith("https:"))
        and _is_plain_http1(list(adapters.kind_of(adapter).upstreams(adapter)))
    ]
    if plain:
        what = "plain http APIs get HTTP/1.1; for HTTP/2 alone (gRPC) set `http2: prior-knowledge`"
        yield f"{some(plain, _NAMED)}: {what}"


def _is_plain_http1(upstreams: list[Upstream]) -> bool:
    plain = any(upstream.origin.scheme == "http" for upstream in upstreams)
    return plain and not any(upstream.http2 for upstream in upstreams)


def _apis(plan: Plan) -> list[tuple[str, Origin]]:
    """Return each adapter's name with each origin that its requests go to; none where a stand-in takes them."""
    if plan.options.stand_in is not None:
        return []
    pairs = [
        (adapter.name, upstream.origin)
        for adapter in adapters.served(plan.configuration)
        for upstream in adapters.kind_of(adapter).upstreams(adapter)
    ]
    return list(dict.fromkeys(pairs))


def _proxies(plan: Plan) -> Iterator[str]:
    """Yield which proxies lead to which APIs."""
    if not plan.options.proxies:
        return
    by_url: dict[str, dict[str, None]] = {}
    for adapter in adapters.served(plan.configuration):
        for upstream in adapters.kind_of(adapter).upstreams(adapter):
            proxy = plan.options.proxies.get((upstream.origin, upstream.proxy))
            if proxy is not None:
                by_url.setdefault(proxy.url, {})[adapter.name] = None
    for url, names in by_url.items():
        yield f"through the proxy {url}: {some(list(names), _NAMED)}"


def _all_proxy(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield which APIs other clients (curl, Python) would reach through a proxy that is not used here."""
    variable = next((name for name in ("all_proxy", "ALL_PROXY") if environ.get(name)), None)
    if variable is None:
        return
    patterns = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [
        name
        for name, origin in _apis(plan)
        if not is_this_machine(origin.host)
        and not excepts(patterns, origin)
        and not variable_of(origin.scheme, environ)
    ]
    if names:
        yield f"{variable} has no effect, HTTPS_PROXY has: Atlas connects directly to {some(names, _NAMED)}"

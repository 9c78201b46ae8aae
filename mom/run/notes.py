"""What works differently here than a user may expect: reported once, when a run starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mom.envoy import adapters, jwt
from mom.envoy.clusters import Upstream
from mom.envoy.limits import limits
from mom.envoy.origins import Origin, split
from mom.gateway import authority, is_this_machine
from mom.run.plan import Plan

# Fewer clients than this can be too few for a team.
_FEW_CLIENTS = 1_000
_NAMED = 3


def notes(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each, with what to do. None contains the value of a variable."""
    directory = environ.get("SSL_CERT_DIR")
    # The folder of the bundle that is used anyway is what some environments set by themselves.
    if directory and Path(directory) != Path(plan.options.ca_file).parent:
        yield "SSL_CERT_DIR has no effect: set SSL_CERT_FILE to a PEM file instead"
    yield from _proxies(plan, environ)
    plain = [
        adapter.name
        for adapter in adapters.served(plan.configuration)
        if _is_plain_http1(list(adapters.kind_of(adapter).upstreams(adapter)))
    ]
    if plain:
        yield f"{_some(plain)}: plain http APIs get HTTP/1.1; for HTTP/2 alone (gRPC) set `http2: prior-knowledge`"
    clients = limits(plan.options.open_files).clients
    if clients < _FEW_CLIENTS:
        files = plan.options.open_files
        yield f"{clients} client connections at most, since {files} files may be open: raise `ulimit -Hn`"


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


def _proxies(plan: Plan, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield which APIs a client that obeys the proxy variables (curl, Python) would reach through a proxy."""
    by_variable: dict[str, list[str]] = {}
    exceptions = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    keys = [
        (f"the keys of {provider.name}", split(provider.public_key)[0])
        for provider in plan.configuration.identity_providers
        if jwt.is_url(provider.public_key)
    ]
    for name, origin in [*_apis(plan), *keys]:
        variable = _proxy_variable(origin.scheme, environ)
        hosts = (origin.host, authority(origin.host, origin.port))
        excepted = any(_excepts(pattern, host) for pattern in exceptions for host in hosts)
        if variable and not is_this_machine(origin.host) and not excepted:
            by_variable.setdefault(variable, []).append(name)
    for variable, names in by_variable.items():
        yield f"{variable} has no effect: Atlas connects directly to {_some(names)}"


def _proxy_variable(scheme: str, environ: Mapping[str, str]) -> str | None:
    # curl reads http_proxy in lower case only: a CGI server sets HTTP_PROXY from a client's header.
    names = [f"{scheme}_proxy", *(["HTTPS_PROXY"] if scheme == "https" else []), "all_proxy", "ALL_PROXY"]
    return next((name for name in names if environ.get(name)), None)


def _excepts(pattern: str, name: str) -> bool:
    """Whether an item of NO_PROXY names a host, or a host with its port: itself or a domain above it, or `*`."""
    domain = pattern.strip().lower().removeprefix("*.").lstrip(".")
    return domain == "*" or (domain != "" and f".{name.lower()}".endswith(f".{domain}"))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown

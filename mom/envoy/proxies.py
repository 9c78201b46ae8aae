"""Upstreams that are reached through an HTTP proxy: clusters whose endpoint is the proxy.

Over TLS the connection begins with CONNECT and the API's name (RFC 9110, 9.3.6); the proxy sees neither the request nor
the credential. Over plain http it gets the whole URL (RFC 9112, 3.2.2), and everything else. Envoy takes an address of
the proxy and no name, and has no field for its user and password, so `mom.run.proxies` looks the name up.
"""

from __future__ import annotations

from typing import NamedTuple

from mom.envoy.messages import Json, extension
from mom.envoy.origins import Origin

# The address of a cluster that is never connected to (RFC 5737): the proxy takes the name in its place.
_NOWHERE = "192.0.2.1"
_SOCKET = "envoy.extensions.transport_sockets.http_11_proxy.v3.Http11ProxyUpstreamTransport"


class Proxy(NamedTuple):
    """A proxy by plain http. url: as it was given. address: the IP address that its name has at present."""

    url: str
    address: str
    port: int


# How the connections to an origin are made: by the setting `proxy` of an adapter, empty where it has none.
ProxyKey = tuple[Origin, str]


def through(cluster: Json, origin: Origin, proxy: Proxy, protocol_options: str) -> Json:
    """Return `cluster`, which reaches `origin` directly, as one that reaches it through `proxy`.

    protocol_options: the name of the extension with its HTTP protocols.
    """
    direct = {key: value for key, value in cluster.items() if not key.startswith("dns_")}
    direct.pop("typed_dns_resolver_config", None)
    direct.pop("respect_dns_ttl", None)
    direct["type"] = "STATIC"
    if origin.scheme == "http":
        options = cluster["typed_extension_protocol_options"][protocol_options]
        http1 = {**options["explicit_http_config"]["http_protocol_options"], "send_fully_qualified_url": True}
        changed = {**options, "explicit_http_config": {"http_protocol_options": http1}}
        return {
            **direct,
            "typed_extension_protocol_options": {protocol_options: changed},
            "load_assignment": _endpoint(cluster["name"], proxy.address, proxy.port),
        }
    address = {"socket_address": {"address": proxy.address, "port_value": proxy.port}}
    fields = {"transport_socket": cluster["transport_socket"], "default_proxy_address": address}
    at = origin.host if origin.is_ip else _NOWHERE
    return {
        **direct,
        "transport_socket": extension("envoy.transport_sockets.http_11_proxy", _SOCKET, fields),
        "load_assignment": _endpoint(cluster["name"], at, origin.port, None if origin.is_ip else origin.host),
    }


def _endpoint(name: str, address: str, port: int, hostname: str | None = None) -> Json:
    endpoint: Json = {"address": {"socket_address": {"address": address, "port_value": port}}}
    if hostname is not None:
        endpoint["hostname"] = hostname
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}

"""Clusters that lead to an echo on this machine instead of to an API (`mom atlas run --stand-in`).

Only the endpoint of a cluster changes, and the TLS and the protocol that belong to it; routes, headers and limits are
those of the configuration. The echo cannot see which API a request was for, so the cluster adds a header that names it,
behind everything that the API would have received (Envoy: "Upstream HTTP filters").
"""

from __future__ import annotations

from mom.envoy.clusters import HTTP1, PROTOCOL_OPTIONS, Upstream, discovery, load_assignment
from mom.envoy.messages import Json, codec, extension, typed
from mom.envoy.origins import Origin
from mom.gateway import STAND_IN_HEADER

HOST = "127.0.0.1"
# In each response, Atlas's own too: no API has seen the request.
RESPONSE_HEADER: Json = {
    "header": {"key": STAND_IN_HEADER, "value": "no API was called"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}


def at_stand_in(cluster: Json, upstream: Upstream, port: int) -> Json:
    """Return `cluster`, which reaches `upstream`, with the echo at `port` of 127.0.0.1 in the place of that.

    The echo speaks HTTP/1.1 without TLS, whatever the API would have chosen.
    """
    echo = Origin("http", HOST, port)
    # What only a cluster with a name to look up, or with TLS, may have.
    dropped = {*discovery(upstream.origin), "cluster_type", "lb_policy", "transport_socket"}
    return {
        **{key: value for key, value in cluster.items() if key not in dropped},
        **discovery(echo),
        "typed_extension_protocol_options": {PROTOCOL_OPTIONS: _protocol(cluster, upstream)},
        "load_assignment": load_assignment(cluster["name"], echo),
    }


def _protocol(cluster: Json, upstream: Upstream) -> Json:
    options = cluster["typed_extension_protocol_options"][PROTOCOL_OPTIONS]
    # The name of a route is that of its adapter. Of a shared cluster the host of a request is the API's.
    host = "%REQ(:AUTHORITY)%" if upstream.is_shared else upstream.origin.authority
    value = {"key": STAND_IN_HEADER, "value": f"%ROUTE_NAME% {upstream.origin.scheme}://{host}"}
    addition = {"append": {"header": value, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    mutation = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    mark = extension("stand-in", mutation, {"mutations": {"request_mutations": [addition]}})
    *filters, last = options.get("http_filters") or [codec()]
    return typed(
        PROTOCOL_OPTIONS,
        {
            "common_http_protocol_options": options["common_http_protocol_options"],
            **HTTP1,
            # What the cluster itself does to a request comes before, and is shown.
            "http_filters": [*filters, mark, last],
        },
    )

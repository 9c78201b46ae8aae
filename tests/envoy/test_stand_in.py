"""With stand-ins the clusters lead elsewhere, and each response says so; all else is as it would be without them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mom.envoy.clusters import Upstream
from mom.envoy.messages import Json
from mom.envoy.options import Listen, Options
from mom.envoy.origins import split
from mom.envoy.stand_in import at_stand_in
from mom.envoy.translate import resources
from tests.envoy.configurations import configuration, http, provider

GIVEN = configuration(
    http("openai", "https://api.openai.com/v1", {"Authorization": "Bearer ${{ OPENAI }}"}),
    http("address", "https://192.0.2.7:8443"),
    http("local", "http://localhost:9000"),
    http("tenant", "http://192.0.2.8", {"Host": "tenant.test"}),
    providers=(provider("keys.json"), provider("https://idp.test/jwks")),
)
REAL = Options(
    listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys.json": '{"keys": []}'}, timeout=7, access_log="-"
)
STAND_IN = replace(REAL, stand_in=4321)


def clusters(options: Options) -> dict[str, Json]:
    return {one["name"]: one for one in resources(GIVEN, options).clusters}


def without_header(value: Any) -> Any:
    """Return `value` without the header that stand-ins add to responses."""
    if isinstance(value, dict):
        return {key: without_header(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_header(one) for one in value if not is_mark(one)]
    return value


def is_mark(value: Any) -> bool:
    return isinstance(value, dict) and value.get("header", {}).get("key") == "Atlas-Stand-In"


def test_the_listener_differs_in_the_header_of_responses_only() -> None:
    real, stand_in = (resources(GIVEN, options).listener for options in (REAL, STAND_IN))
    assert real != stand_in
    assert json.dumps(without_header(stand_in)) == json.dumps(real)


def test_a_cluster_of_apis_leads_to_the_stand_in_with_all_limits_of_its_own() -> None:
    real, stand_in = clusters(REAL), clusters(STAND_IN)
    assert list(stand_in) == list(real)
    assert {"https", "https#websocket", "http", "https://192.0.2.7:8443"} < set(stand_in)
    for name, cluster in stand_in.items():
        if name == "https://idp.test:443":
            # Keys are not an API's: nothing takes their place.
            assert cluster == real[name]
            continue
        (group,) = cluster["load_assignment"]["endpoints"]
        (endpoint,) = group["lb_endpoints"]
        address = {"socket_address": {"address": "127.0.0.1", "port_value": 4321}}
        assert endpoint == {"endpoint": {"address": address}}
        assert cluster["type"] == "STATIC"
        # No TLS, and nothing is looked up.
        assert not {"transport_socket", "cluster_type", "lb_policy"} & set(cluster)
        replaced = {"type", "load_assignment", "typed_extension_protocol_options"}
        # All of its requests go to one host then.
        replaced |= {"circuit_breakers"} if "cluster_type" in real[name] else set()
        kept = set(cluster) - replaced
        assert {key: cluster[key] for key in kept} == {key: real[name][key] for key in kept}
        assert not any(
            "api.openai.com" in str(value) for key, value in cluster.items() if key not in {"name", *replaced}
        )


def test_what_a_cluster_does_to_requests_itself_stays_in_front_of_the_stand_in() -> None:
    cluster = clusters(REAL)["https"]
    (options,) = cluster["typed_extension_protocol_options"].values()
    signer, codec = {"name": "signer"}, {"name": "codec"}
    options["http_filters"] = [signer, codec]
    upstream = Upstream(split("https://api.openai.com")[0])
    (changed,) = at_stand_in(cluster, upstream, 1)["typed_extension_protocol_options"].values()
    first, mark, last = changed["http_filters"]
    assert (first, last) == (signer, codec)
    assert "https://%REQ(:AUTHORITY)%" in str(mark)

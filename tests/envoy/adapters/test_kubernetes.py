"""The API server of a cluster behind a proxy: the routes lead to clusters that exist."""

from __future__ import annotations

from mom.atlas.adapters.kubernetes import Cluster, KubernetesAdapter
from mom.envoy.options import Listen, Options
from mom.envoy.origins import split
from mom.envoy.proxies import Proxy
from mom.envoy.translate import resources
from tests.envoy.configurations import HERE, configuration, provider

SERVER = "https://kube.example:6443"


def test_behind_a_proxy_the_routes_lead_to_the_clusters_of_that_proxy() -> None:
    adapter = KubernetesAdapter("cluster", HERE, cluster=Cluster(SERVER))
    options = Options(
        listen=Listen("127.0.0.1", 8082),
        ca_file="/ca.pem",
        jwks={"keys.json": '{"keys": []}'},
        proxies={(split(SERVER)[0], ""): Proxy("http://proxy.example:3128", "192.0.2.7", 3128)},
    )
    translated = resources(configuration(adapter, providers=(provider("keys.json"),)), options, directory="/run")
    assert translated.routes is not None
    (host,) = translated.routes["virtual_hosts"]
    named = {route["route"]["cluster"] for route in host["routes"] if "route" in route}
    assert named == {SERVER, f"{SERVER}#websocket"}
    assert named == {cluster["name"] for cluster in translated.clusters}

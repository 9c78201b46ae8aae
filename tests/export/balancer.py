"""A TCP balancer in front of replicas, as a Service or a load balancer is: a real Envoy that knows nothing of HTTP.

It gives new connections to the endpoints that it is told, if they are healthy, and leaves connections that are open
alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.envoy.binary import ENVOY
from tests.envoy.client import Client
from tests.envoy.running import free_port, wait_until_serving
from tests.run.mom_run import replace

_TYPES = "type.googleapis.com/envoy"
# How often it looks whether an endpoint is healthy, and after how many failures it is not.
HEALTH_SECONDS, UNHEALTHY_AFTER = 0.5, 2


class Balancer:
    """A running balancer. `port`: where clients connect."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._file = folder / "endpoints.json"

    def endpoints(self, ports: Sequence[int]) -> None:
        """Have new connections go to these ports of this machine, and to no other."""
        endpoints = [{"endpoint": {"address": _address(port)}} for port in ports]
        resource = {
            "@type": f"{_TYPES}.config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": "replicas",
            "endpoints": [{"lb_endpoints": endpoints}],
        }
        replace(self._file, json.dumps({"resources": [resource]}))

    def bootstrap(self) -> dict[str, Any]:
        """Return Envoy's configuration."""
        proxy = {
            "@type": f"{_TYPES}.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "replicas",
            "cluster": "replicas",
        }
        listener = {
            "name": "balancer",
            "address": _address(self.port),
            "enable_reuse_port": False,
            "filter_chains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}],
        }
        watched = {"path": str(self._file), "watched_directory": {"path": str(self._file.parent)}}
        cluster = {
            "name": "replicas",
            "type": "EDS",
            "connect_timeout": "1s",
            "eds_cluster_config": {"eds_config": {"resource_api_version": "V3", "path_config_source": watched}},
            "ignore_health_on_host_removal": True,
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "health_checks": [
                {
                    "timeout": "1s",
                    "interval": f"{HEALTH_SECONDS}s",
                    # Before the first connection, too; the default is a minute.
                    "no_traffic_interval": f"{HEALTH_SECONDS}s",
                    "unhealthy_threshold": UNHEALTHY_AFTER,
                    "healthy_threshold": 1,
                    "http_health_check": {"path": "/healthz"},
                }
            ],
        }
        node = {"id": "balancer", "cluster": "balancer"}
        return {"node": node, "static_resources": {"listeners": [listener], "clusters": [cluster]}}


@contextlib.contextmanager
def balancer(folder: Path, ports: Sequence[int]) -> Iterator[Balancer]:
    """Run a balancer in front of these ports until the block ends."""
    folder.mkdir()
    made = Balancer(folder)
    made.endpoints(ports)
    (folder / "bootstrap.json").write_text(json.dumps(made.bootstrap()))
    command = [
        ENVOY,
        "-c",
        str(folder / "bootstrap.json"),
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "-l",
        "error",
    ]
    with (folder / "log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"]}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            wait_until_serving(Client(made.port), process)
            yield made
        finally:
            process.kill()
            process.wait(120)


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

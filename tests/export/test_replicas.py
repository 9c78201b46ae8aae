"""Several replicas behind a balancer: a rolling restart and a rotated credential lose no request; what a loss costs.

MOM_REQUESTS says how many requests each test sends. From 100,000 on all times are as exported; with fewer they are a
quarter, of the same sequence.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests import samples
from tests.envoy.tokens import es256, jwks
from tests.export.balancer import HEALTH_SECONDS, UNHEALTHY_AFTER, Balancer, balancer
from tests.export.deployments import kustomized
from tests.export.exports import PROVIDER
from tests.export.load import CLIENTS, Load, telling_api
from tests.export.replicas import Deployment
from tests.golden import run_mom

pytestmark = pytest.mark.proof

REQUESTS = int(os.environ.get("MOM_REQUESTS", "20000"))
REPLICAS = 3
# What docs/deploy/kubernetes.md says of a changed value, once the kubelet has written it.
ROTATED_SECONDS = 1.0


@dataclass
class Cluster:
    """A Deployment whose replicas are behind a balancer, and the clients' token."""

    deployment: Deployment
    balancer: Balancer
    token: str

    def load(self) -> Load:
        """Return clients, which send requests in a block."""
        return Load(self.balancer.port, "/v1/apis/http/api", self.token)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Export, render and start."""
    key = es256()
    (tmp_path / "keys.json").write_text(json.dumps(jwks(key)))
    with ExitStack() as stack:
        api = stack.enter_context(telling_api())
        adapter = samples.http("api", f"http://127.0.0.1:{api}", {"Authorization": "Bearer ${{ SECRET }}"})
        (tmp_path / "atlas.yml").write_text(samples.atlas("api", after=PROVIDER) + adapter)
        out = tmp_path / "out"
        done = run_mom(["atlas", "export", "kubernetes", "-f", str(tmp_path / "atlas.yml"), "-o", str(out)])
        assert done.status == 0, done.stderr
        overlay = out / "overlays" / "production"
        (overlay / "credentials.env").write_text("SECRET=old\n")
        objects = {(each["kind"], each["metadata"]["name"]): each for each in kustomized(overlay)}
        deployment = Deployment(tmp_path / "pods", objects, shorter=1 if REQUESTS >= 100_000 else 4)
        stack.callback(deployment.close)
        for _ in range(REPLICAS):
            deployment.start()
        ports = [replica.port for replica in deployment.replicas]
        made = stack.enter_context(balancer(tmp_path / "balancer", ports))
        yield Cluster(deployment, made, key.token(exp=int(time.time()) + 3_600))


def test_a_rolling_restart_loses_no_request(cluster: Cluster) -> None:
    restarts = 0
    with cluster.load() as load:
        while restarts == 0 or load.done < REQUESTS:
            cluster.deployment.rolling_restart(cluster.balancer)
            restarts += 1
    print(
        f"{load.done:,} requests, {restarts} rolling restarts of {REPLICAS}, {load.seconds:.0f} s, {load.slowest:.2f} s"
    )
    assert load.lost == []


def test_a_rotated_credential_is_used_by_all_replicas_in_time_and_loses_no_request(cluster: Cluster) -> None:
    rotated: dict[str, float] = {}
    with cluster.load() as load:
        number = 0
        while number < 5 or load.done < REQUESTS:
            number += 1
            before = load.done
            for replica in cluster.deployment.replicas:
                replica.credentials.write({"SECRET": f"value-{number}".encode()})
            rotated[f"Bearer value-{number}"] = time.monotonic()
            load.wait(before + 1_000)
            wait = rotated[f"Bearer value-{number}"] + 2 * ROTATED_SECONDS - time.monotonic()
            time.sleep(max(0.0, wait))
    values = ["Bearer old", *rotated]
    late = [load.last[old] - rotated[new] for old, new in pairwise(values)]
    print(f"{load.done:,} requests, {number} rotations of {REPLICAS}, the last old value {max(late):.2f} s after one")
    assert load.lost == []
    # A busy machine is late with everything; the slowest request tells by how much.
    assert max(late) < ROTATED_SECONDS + load.slowest


def test_a_node_that_is_lost_takes_the_requests_that_it_had_and_nothing_once_that_is_noticed(cluster: Cluster) -> None:
    with cluster.load() as load:
        load.wait(REQUESTS // 4)
        assert load.lost == []
        lost = cluster.deployment.replicas.pop()
        lost.process.kill()
        killed = time.monotonic()
        lost.process.wait(120)
        load.wait(load.done + REQUESTS // 2)
    noticed = max((each.at for each in load.lost), default=killed) - killed
    print(f"{len(load.lost):,} of {load.done:,} requests lost, until {noticed:.2f} s after the loss")
    # Those that it had, and one of three new connections until then.
    assert len(load.lost) < 2 * CLIENTS
    assert noticed < HEALTH_SECONDS * UNHEALTHY_AFTER + 1 + load.slowest

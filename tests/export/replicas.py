"""Replicas of an exported Deployment, each an Envoy of its own on this machine, and what the engine does with them.

A replica that is to end is taken from the endpoints a while after it has been told, as in a cluster: each node learns
of it in its own time (Kubernetes: "Termination of Pods").
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.envoy.binary import ENVOY
from tests.envoy.client import Client
from tests.envoy.running import free_port
from tests.export.balancer import Balancer
from tests.export.container import inside
from tests.export.kubelet import Node, Volume
from tests.run.mom_run import wait_until

# Until no node gives a connection to a replica that has been told to end.
ENDPOINTS_SECONDS = 3.0


@dataclass
class Replica:
    """A running pod: its port, its process, and the volume with its credentials."""

    port: int
    process: subprocess.Popen[bytes]
    credentials: Volume


@dataclass
class Deployment:
    """An exported Deployment, rendered, with its replicas. shorter: what its times are divided by, to wait less."""

    folder: Path
    objects: Mapping[tuple[str, str], Any]
    shorter: float = 1.0
    replicas: list[Replica] = field(default_factory=list)
    _number: int = 0
    _ending: list[threading.Thread] = field(default_factory=list)

    @property
    def specification(self) -> Any:
        """Return what the Deployment says."""
        (found,) = (each["spec"] for (kind, _), each in self.objects.items() if kind == "Deployment")
        return found

    def seconds(self, value: float) -> float:
        """Return a time of the Deployment as it is waited for here."""
        return value / self.shorter

    def start(self) -> Replica:
        """Start a replica, and wait until it is ready."""
        self._number += 1
        pod = self.specification["template"]["spec"]
        (container,) = pod["containers"]
        here = self.folder / f"pod-{self._number}"
        (here / "root").mkdir(parents=True)
        node = Node(here, self.objects)
        node.mount(pod)
        port = free_port()
        mounts = {**node.mounts(pod), "/usr/local/bin/envoy": Path(ENVOY)}
        mounts["/etc/atlas"] = self._configuration(mounts["/etc/atlas"], here / "own", port)
        command = inside(here / "root", mounts, [*container["command"], *container["args"]])
        with (here / "log").open("wb") as log:
            environment = {"PATH": os.environ["PATH"]}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        replica = Replica(port, process, node.volumes["credentials"])
        self.replicas.append(replica)
        wait_until(lambda: _is_ready(port), "the replica is ready")
        return replica

    def _configuration(self, mounted: Path, own: Path, port: int) -> Path:
        """Return the configuration with a port of this machine, which replicas here share, and with shorter times."""
        shutil.copytree(mounted, own)
        bootstrap = own / "envoy.json"
        text = bootstrap.read_text()
        for old, new in {
            '"address":"0.0.0.0","port_value":8082': f'"address":"127.0.0.1","port_value":{port}',
            '"max_connection_duration":"20.000s"': f'"max_connection_duration":"{self.seconds(20):.3f}s"',
        }.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        bootstrap.unlink()
        bootstrap.write_text(text)
        return own

    def rolling_restart(self, balancer: Balancer) -> None:
        """Replace each replica as the Deployment's strategy says: a new one is ready before an old one ends."""
        assert self.specification["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        for old in list(self.replicas):
            self.start()
            balancer.endpoints([replica.port for replica in self.replicas])
            time.sleep(self.seconds(self.specification["minReadySeconds"]))
            self.replicas.remove(old)
            self._ending.append(threading.Thread(target=self._end, args=(old,)))
            self._ending[-1].start()
            # Of a node that learns late: until then it gives connections to both.
            ports = [replica.port for replica in self.replicas]
            threading.Timer(self.seconds(ENDPOINTS_SECONDS), lambda ports=ports: balancer.endpoints(ports)).start()
        for thread in self._ending:
            thread.join()
        self._ending.clear()

    def _end(self, replica: Replica) -> None:
        """End a replica as the kubelet does: what `preStop` says, then a signal, then another."""
        pod = self.specification["template"]["spec"]
        (container,) = pod["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause < pod["terminationGracePeriodSeconds"]
        time.sleep(self.seconds(pause))
        replica.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            replica.process.wait(self.seconds(pod["terminationGracePeriodSeconds"] - pause))
        replica.process.kill()
        replica.process.wait(120)

    def close(self) -> None:
        """End everything."""
        for replica in self.replicas:
            replica.process.kill()
            replica.process.wait(120)


def _is_ready(port: int) -> bool:
    with contextlib.suppress(OSError):
        return Client(port).send("/healthz").status == 200
    return False

"""The pod of an export with mom: `mom atlas run` with the volumes that a kubelet would have written."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.export.image import MEMORY
from tests import samples
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.tokens import Key
from tests.envoy.upstream import Upstream
from tests.export import exports
from tests.export.container import inside
from tests.export.deployments import kustomized
from tests.export.kubelet import Node
from tests.export.own_network import in_own_network
from tests.golden import MOM
from tests.run.mom_run import wait_until

pytestmark = pytest.mark.proof

MUTUAL = "  tls:\n    certFile: certificates/client.pem\n    keyFile: certificates/client.key\n"


def exported(folder: Path, api: Upstream, authority: Authority) -> tuple[dict[tuple[str, str], Any], Key]:
    """Export what needs mom and has a client certificate; return what is rendered, and a caller's key."""
    key = exports.configure(folder, f"http://127.0.0.1:{api.port}")
    text = exports.with_aws((folder / "atlas.yml").read_text())
    reference = samples.reference("mutual")
    text = text.replace("  identityProviders", f"{reference}  identityProviders", 1)
    (folder / "atlas.yml").write_text(text + samples.http("mutual", "https://mutual.test") + MUTUAL)
    (folder / "issued").mkdir()
    issued = authority.issue("client.test").write(folder / "issued")
    (folder / "certificates").mkdir()
    for given, name in ((issued.chain, "client.pem"), (issued.key, "client.key")):
        (folder / "certificates" / name).write_bytes(Path(given).read_bytes())
        (folder / "certificates" / name).chmod(0o600)
    overlay = exports.export(folder, "kubernetes", "--with-mom") / "overlays" / "production"
    (overlay / "credentials.env").write_text("AWS_ID=AKIAEXAMPLE\nAWS_KEY=example\nGITHUB_TOKEN=first\n")
    for path in (folder / "certificates").iterdir():
        (overlay / path.name).write_bytes(path.read_bytes())
    return {(each["kind"], each["metadata"]["name"]): each for each in kustomized(overlay)}, key


@contextlib.contextmanager
def pod(folder: Path, objects: dict[tuple[str, str], Any]) -> Iterator[tuple[Node, subprocess.Popen[bytes]]]:
    """Run the one container of the Deployment, with the installed mom in the place of the image's."""
    specification = objects["Deployment", "atlas"]["spec"]["template"]["spec"]
    (container,) = specification["containers"]
    assert container["command"] == ["mom", "atlas", "run"]
    memory = {volume["name"]: volume["emptyDir"] for volume in specification["volumes"] if "emptyDir" in volume}
    assert memory == {"memory": {"medium": "Memory", "sizeLimit": "64Mi"}}
    own = [mount for mount in container["volumeMounts"] if mount["name"] == "memory"]
    assert own == [{"name": "memory", "mountPath": MEMORY}]
    (folder / "volumes").mkdir()
    (folder / "root").mkdir()
    node = Node(folder / "volumes", objects)
    node.mount(specification)
    command = inside(folder / "root", node.mounts(specification), [MOM, "atlas", "run", *container["args"]])
    environ = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": MEMORY, "HOME": "/"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
        try:
            wait_until(lambda: serves() or process.poll() is not None, "the pod serves")
            assert process.poll() is None, (folder / "log").read_text()
            yield node, process
        finally:
            process.kill()
            process.wait()


def serves() -> bool:
    """Whether the pod responds at the port of its probes."""
    try:
        return Client(8082).send("/healthz").status == 200
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_a_pod_with_mom_serves_follows_its_secret_and_ends_in_order(tmp_path: Path, authority: Authority) -> None:
    def check() -> None:
        with Upstream() as api:
            objects, key = exported(tmp_path, api, authority)

            def credential() -> list[str]:
                assert Client(8082).send("/v1/apis/http/github/user", token=key.token()).status == 200
                return api.requests[-1].get("authorization")

            with pod(tmp_path, objects) as (node, process):
                assert credential() == ["Bearer first"]
                modes = {path.name: path.stat().st_mode & 0o777 for path in files(node)}
                assert modes["client.key"] == modes["GITHUB_TOKEN"] == 0o440
                secret = {"AWS_ID": b"AKIAEXAMPLE", "AWS_KEY": b"example", "GITHUB_TOKEN": b"second"}
                node.volumes["credentials"].write(secret)
                wait_until(lambda: credential() == ["Bearer second"], "the new value is used")
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
        said = (tmp_path / "log").read_text()
        assert len(re.findall(r'^\{.*"adapter": ?"github"', said, flags=re.MULTILINE)) == len(api.requests)

    in_own_network(check)


def files(node: Node) -> list[Path]:
    """Return the files of all volumes, not the links that lead to them."""
    return [path for path in node.folder.rglob("*") if path.is_file() and not path.is_symlink()]

"""Exports to Kubernetes, as kubectl renders them, the schemas of Kubernetes check them, and podman runs them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mom.export.image import envoy
from tests import samples
from tests.envoy.certificates import Authority
from tests.envoy.client import Client, read_response
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.export import podman
from tests.export.kubelet import Node
from tests.export.own_network import in_own_network
from tests.golden import MOM
from tests.pages import ROOT, consoles
from tests.run.mom_run import wait_until

pytestmark = pytest.mark.proof

CASES = Path(__file__).parent / "kubernetes"
KUBECTL = Path(sys.executable).parent / "kubectl"
VERSION = "1.37"
OVERLAY = "overlays/production"
PROVIDER = (
    f"  identityProviders:\n  - idp:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: keys.json\n"
)


def mom(folder: Path, *words: str) -> None:
    """Run the installed command in a folder."""
    subprocess.run([MOM, *words], cwd=folder, check=True, capture_output=True, timeout=120)


def render(folder: Path) -> list[Any]:
    """Return the documents that `kubectl apply -k` would send."""
    command = [str(KUBECTL), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def by_name(documents: list[Any]) -> dict[tuple[str, str], Any]:
    """Return documents by their kinds and names."""
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def names(documents: list[Any], kind: str) -> list[str]:
    """Return the names of the documents of a kind."""
    return sorted(document["metadata"]["name"] for document in documents if document["kind"] == kind)


def mounted(documents: list[Any]) -> tuple[set[str], set[str]]:
    """Return the names of the ConfigMaps and of the Secrets that the pods of a Deployment mount."""
    (deployment,) = [document for document in documents if document["kind"] == "Deployment"]
    volumes = deployment["spec"]["template"]["spec"].get("volumes", [])
    sources = [source for volume in volumes for source in volume.get("projected", {}).get("sources", [])]
    secrets = {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    secrets |= {source["secret"]["name"] for source in sources if "secret" in source}
    return {source["configMap"]["name"] for source in sources if "configMap" in source}, secrets


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_base_and_overlay_are_rendered_and_are_valid(case: Path, tmp_path: Path) -> None:
    """Strictly: a key that Kubernetes does not know is an error."""
    import kubernetes_validate

    shutil.copy(case / "atlas.yml", tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps(jwks(es256())))
    options = (case / "options").read_text().split() if (case / "options").exists() else []
    mom(tmp_path, "atlas", "export", "kubernetes", "-o", "out", *options)
    overlay = tmp_path / "out" / OVERLAY
    generated = yaml.safe_load((overlay / "kustomization.yaml").read_text()).get("secretGenerator", [])
    for generator in generated:
        shutil.copy(overlay / "credentials.env.example", overlay / "credentials.env")
        for name in generator.get("files", []):
            (overlay / name).write_text("certificate\n")

    base, whole = render(tmp_path / "out" / "base"), render(overlay)
    for document in [*base, *whole]:
        kubernetes_validate.validate(document, VERSION, strict=True)
    for documents, own_secrets in ((base, False), (whole, bool(generated))):
        maps, secrets = mounted(documents)
        assert sorted(maps) == names(documents, "ConfigMap")
        assert [name for name in maps if not re.search(r"-[a-z0-9]{10}\Z", name)] == []
        assert names(documents, "Secret") == (sorted(secrets) if own_secrets else [])
    # The overlay's namespace is that of everything.
    assert {document["metadata"]["namespace"] for document in whole} == {"atlas"}
    # An API server wants it here, too, and the schema does not.
    subjects = [subject for document in whole for subject in document.get("subjects", [])]
    assert [subject for subject in subjects if subject["namespace"] != "atlas"] == []
    whole[0]["metadata"]["unknown"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(whole[0], VERSION, strict=True)


def test_a_changed_configuration_has_other_names_and_a_changed_credential_has_not(tmp_path: Path) -> None:
    text = (CASES / "one-api" / "atlas.yml").read_text()
    generated = []
    for configuration, value in ((text, "1"), (text, "2"), (text.replace("api.openai.com", "eu.api.openai.com"), "2")):
        (tmp_path / "atlas.yml").write_text(configuration)
        mom(tmp_path, "atlas", "export", "kubernetes", "-o", "out")
        (tmp_path / "out" / OVERLAY / "credentials.env").write_text(f"OPENAI_API_TOKEN={value}\n")
        documents = render(tmp_path / "out" / OVERLAY)
        generated.append({kind: names(documents, kind) for kind in ("ConfigMap", "Secret")})
    first, other_credential, other_configuration = generated
    assert first == other_credential
    assert first["ConfigMap"] != other_configuration["ConfigMap"]
    assert first["Secret"] == other_configuration["Secret"] == ["atlas-credentials"]


@pytest.mark.parametrize("value", ['"quoted"', "a=b", "#x", "$HOME 100% $(x)", "trailing  ", "naïve ✓", "'", "\\n"])
def test_a_value_of_the_template_is_the_credential_byte_for_byte(value: str, tmp_path: Path) -> None:
    shutil.copy(CASES / "one-api" / "atlas.yml", tmp_path)
    mom(tmp_path, "atlas", "export", "kubernetes", "-o", "out")
    overlay = tmp_path / "out" / OVERLAY
    template = (overlay / "credentials.env.example").read_text()
    (overlay / "credentials.env").write_text(template.replace("OPENAI_API_TOKEN=\n", f"OPENAI_API_TOKEN={value}\n"))
    secret = by_name(render(overlay))["Secret", "atlas-credentials"]
    values = {name: base64.b64decode(data).decode() for name, data in secret["data"].items()}
    assert values == {"OPENAI_API_TOKEN": value}


def test_the_commands_of_the_page_work_as_far_as_no_cluster_is_needed(tmp_path: Path) -> None:
    """The console blocks, and then what the page has kubectl do without an API server."""
    import kubernetes_validate

    page = ROOT / "docs" / "deploy" / "kubernetes.md"
    consoles(page, tmp_path)
    commands = re.findall(r"^    (kubectl .+)$", page.read_text(), flags=re.MULTILINE)
    (rendering,) = [command for command in commands if command.startswith("kubectl kustomize ")]
    documents = render(tmp_path / rendering.split()[-1])
    for document in documents:
        kubernetes_validate.validate(document, VERSION, strict=True)
    assert commands.count(f"kubectl apply --server-side -k {rendering.split()[-1]}") == 2
    secret = by_name(documents)["Secret", "atlas-credentials"]
    assert base64.b64decode(secret["data"]["GITHUB_TOKEN"]) == b"ghp_example"
    # What other commands name is there.
    assert {"rollout status deployment/atlas", "port-forward service/atlas 8082:80"} <= {
        command.removeprefix("kubectl -n atlas ") for command in commands
    }
    assert {("Deployment", "atlas"), ("Service", "atlas")} <= by_name(documents).keys()
    assert by_name(documents)["Service", "atlas"]["spec"]["ports"][0]["port"] == 80


@dataclass
class Pod:
    """A pod of an export that podman runs, in a network of its own."""

    node: Node
    client: Client
    key: Key
    api: Upstream
    pid: int
    run: podman.Podman

    def status(self, path: str) -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.client.send(path, token=self.key.token())
        return response.status, response.error


def exported(folder: Path, api: Upstream, key: Key) -> dict[tuple[str, str], Any]:
    """Export an Atlas with two adapters, one of them with a credential that is missing, and fill the overlay in."""
    base = f"http://127.0.0.1:{api.port}"
    given = {"openai": "TOKEN", "empty": "EMPTY"}
    text = samples.atlas(*given, after=PROVIDER) + "".join(
        samples.http(name, base, {"Authorization": f"Bearer ${{{{ {variable} }}}}"}) for name, variable in given.items()
    )
    (folder / "atlas.yml").write_text(text)
    (folder / "keys.json").write_text(json.dumps(jwks(key)))
    mom(folder, "atlas", "export", "kubernetes", "-o", "out")
    (folder / "out" / OVERLAY / "credentials.env").write_text("TOKEN=first\nEMPTY=\n")
    return by_name(render(folder / "out" / OVERLAY))


def for_podman(deployment: Any, node: Node) -> str:
    """Return a Deployment as podman 4.3 can play it on this network, all else as it was exported.

    Volumes are folders that a kubelet would have written. Podman refuses ports in the network of a machine, and needs
    systemd for probes; it does not know `lifecycle`.
    """
    changed = json.loads(json.dumps(deployment))
    pod = changed["spec"]["template"]["spec"]
    node.mount(pod)
    pod["volumes"] = [
        {"name": name, "hostPath": {"path": str(volume.folder), "type": "Directory"}}
        for name, volume in node.volumes.items()
    ]
    (container,) = pod["containers"]
    for name in ("ports", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe"):
        del container[name]
    return yaml.safe_dump(changed)


def play(folder: Path, authority: Authority) -> Generator[Pod]:
    """Run an exported pod until the generator is closed."""
    key, run = es256(), podman.Podman(folder / "podman")
    run.import_envoy(folder, envoy(), authority.file)
    with Upstream() as api:
        objects = exported(folder, api, key)
        (folder / "volumes").mkdir()
        node = Node(folder / "volumes", objects)
        played = folder / "played.yaml"
        played.write_text(for_podman(objects["Deployment", "atlas"], node))
        run("kube", "play", "--network=host", str(played))
        try:
            (container,) = [name for name in run("ps", "--format", "{{.Names}}").split() if name.endswith("-envoy")]
            pid = int(run("inspect", container, "--format", "{{.State.Pid}}"))
            client = Client(8082)
            wait_until(lambda: _serves(client), run("logs", container))
            yield Pod(node, client, key, api, pid, run)
        finally:
            run("kube", "down", str(played))


def _serves(client: Client) -> bool:
    try:
        return client.send("/healthz").status == 200
    except OSError:
        return False


def curl(folder: Path, path: str, token: str) -> subprocess.CompletedProcess[str]:
    """Send the guide's request with the installed `mom curl`."""
    (folder / "token").write_text(token)
    words = ["curl", "-sS", "--fail", "--base-url", "http://127.0.0.1:8082", "--mom-token-file", str(folder / "token")]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "MOM_HOME": str(folder / "home")}
    return subprocess.run(
        [MOM, *words, path],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def check_confinement(pod: Pod) -> None:
    """Check what the process may do, as the kernel reports it."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pod.pid}/status").read_text().splitlines())
    assert (
        Path(f"/proc/{pod.pid}/cmdline").read_bytes().startswith(b"/usr/local/bin/envoy\0-c\0/etc/atlas/envoy.json\0")
    )
    assert {*lines["Uid"].split(), *lines["Gid"].split()} == {"65532"}
    assert {int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert lines["NoNewPrivs"] == "1"
    # Of a filter (seccomp(2)).
    assert lines["Seccomp"] == "2"
    mounts = [line.split() for line in Path(f"/proc/{pod.pid}/mountinfo").read_text().splitlines()]
    options = {words[4]: words[5].split(",") for words in mounts}
    assert [path for path in ("/", "/etc/atlas", "/credentials") if "ro" not in options[path]] == []
    credentials = pod.node.volumes["credentials"].folder / "TOKEN"
    assert credentials.stat().st_mode & 0o777 == 0o440


def check_rotation(pod: Pod) -> None:
    """Check that each request has one of the two values, that none is lost, and that the new one counts soon."""
    stop, seen = threading.Event(), Counter[int]()

    def ask() -> None:
        request = pod.client.request("/v1/apis/http/openai/x", token=pod.key.token()).replace(
            b"Connection: close\r\n", b""
        )
        with pod.client.connect() as connection, connection.makefile("rb") as reader:
            while not stop.is_set():
                connection.sendall(request)
                seen[read_response(reader).status] += 1
                time.sleep(0.005)

    def sent() -> list[str]:
        return [value for request in pod.api.requests for value in request.get("authorization")]

    clients = [threading.Thread(target=ask) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        wait_until(lambda: sent().count("Bearer first") > 20, "no request before the rotation")
        pod.node.volumes["credentials"].write({"TOKEN": b"second", "EMPTY": b""})
        wait_until(lambda: "Bearer second" in sent(), "the new value is not used")
        wait_until(lambda: sent().count("Bearer second") > 20, "no request after the rotation")
    finally:
        stop.set()
        for client in clients:
            client.join()
    values = sent()
    assert set(values) == {"Bearer first", "Bearer second"}
    # One worker may be ahead of the other, by less than the time between two looks at the file.
    assert "Bearer first" not in values[-20:]
    assert set(seen) == {200}


@pytest.mark.skipif(bool(podman.missing()), reason=podman.missing())
def test_podman_runs_the_pod_confined_and_a_rotated_secret_counts_without_loss(
    tmp_path: Path, authority: Authority
) -> None:
    def check() -> None:
        pods = play(tmp_path, authority)
        pod = next(pods)
        try:
            guide = curl(tmp_path, "/v1/apis/http/openai/v1/models", pod.key.token())
            assert guide.stdout == "ok"
            assert pod.api.requests[-1].target == "/v1/models"
            assert pod.api.requests[-1].get("authorization") == ["Bearer first"]
            assert pod.status("/v1/apis/http/empty/x") == (503, "API_CredentialUnavailableError")
            assert pod.client.send("/v1/apis/http/openai/v1/models").status == 401
            check_confinement(pod)
            pod.api.requests.clear()
            check_rotation(pod)
        finally:
            pods.close()

    in_own_network(check)

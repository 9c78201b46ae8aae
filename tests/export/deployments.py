"""What each engine would start of an export: a process, its file system and its environment, taken from the files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.envoy.binary import ENVOY
from tests.envoy.client import Client
from tests.envoy.running import wait_until_serving
from tests.export.container import inside
from tests.export.kubelet import Node
from tests.export.world import VARIABLES, World
from tests.golden import MOM
from tests.run.api_server import UID

_CERTIFICATE = ("client.pem", "client-key.pem")
# Where Envoy's official image has the authorities.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Deployment:
    """What runs in a container: a command, files and folders at their paths, and the environment."""

    command: Sequence[str]
    mounts: Mapping[str, Path]
    environment: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running(deployment: Deployment, folder: Path, port: int) -> Iterator[Path]:
    """Run it until the block ends, once it listens at `port`. Returns the file with what it writes to stdout."""
    (folder / "root").mkdir()
    log = folder / "stdout"
    with log.open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            inside(folder / "root", deployment.mounts, deployment.command),
            env={"PATH": os.environ["PATH"], **deployment.environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            wait_until_serving(Client(port), process)
            yield log
        finally:
            process.terminate()
            process.wait(120)


def export(world: World, folder: Path, *arguments: str) -> tuple[Path, str]:
    """Export the configuration of `world` with the installed command; return the folder, and what the command said."""
    out = folder / "exported"
    command = [MOM, "atlas", "export", *arguments, "-f", str(world.folder / "atlas.yml"), "-o", str(out)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def credentials(world: World, folder: Path) -> Path:
    """Return a folder with a file for each variable and for the client certificate, as a mounted Secret is."""
    made = folder / "credentials"
    made.mkdir()
    for name, value in VARIABLES.items():
        (made / name).write_text(value)
    for name in _CERTIFICATE:
        (made / name).write_bytes((world.folder / name).read_bytes())
    return made


def envoy(world: World, folder: Path, port: int) -> Deployment:
    """Return an Envoy without mom, with credentials in files."""
    out, said = export(world, folder, "envoy", "--listen", f"127.0.0.1:{port}")
    mounts = {"/etc/atlas": out, "/credentials": credentials(world, folder), AUTHORITIES: world.authority.file}
    return Deployment(_envoy(said), mounts)


def envoy_with_environment(world: World, folder: Path, port: int) -> Deployment:
    """Return an Envoy without mom, with credentials in its environment."""
    out, said = export(world, folder, "envoy", "--listen", f"127.0.0.1:{port}", "--credentials-dir", "env")
    mounts = {"/etc/atlas": out, AUTHORITIES: world.authority.file}
    return Deployment(_envoy(said), mounts, {**VARIABLES, **_certificate_variables(world)})


def kubernetes(world: World, folder: Path, port: int) -> Deployment:
    """Return the container of the pods, of what `kubectl kustomize` renders of the overlay once it is filled in."""
    return _pod(world, export(world, folder, "kubernetes")[0], folder, port)


def kubernetes_with_mom(world: World, folder: Path, port: int) -> Deployment:
    """Return the same with mom in it, as the image of the exported Dockerfile has it."""
    return _pod(world, export(world, folder, "kubernetes", "--with-mom")[0], folder, port)


def kubernetes_with_its_api_server(world: World, folder: Path, port: int) -> Deployment:
    """Return the same with an adapter for the API server, which is elsewhere here; the kubelet gives the login."""
    out, _ = export(world, folder, "kubernetes", "--cluster-id", UID)
    made = _pod(world, out, folder, port)
    bootstrap = made.mounts["/etc/atlas"] / "envoy.json"
    text = bootstrap.read_text()
    name = '"host_rewrite_literal":"kubernetes.default.svc"'
    assert name in text
    here = f"localhost:{world.ports['api server']}"
    bootstrap.write_text(text.replace(name, f'"host_rewrite_literal":"{here}"'))
    login = folder / "login"
    _write(login, {"token": b"of-atlas", "ca.crt": world.authority.file.read_bytes()})
    return replace(made, mounts={**made.mounts, "/var/run/secrets/kubernetes.io/serviceaccount": login})


def _pod(world: World, out: Path, folder: Path, port: int) -> Deployment:
    overlay = out / "overlays" / "production"
    (overlay / "credentials.env").write_text("".join(f"{name}={value}\n" for name, value in VARIABLES.items()))
    for name in _CERTIFICATE:
        if (world.folder / name).exists():
            (overlay / name).write_bytes((world.folder / name).read_bytes())
    rendered = {(each["kind"], each["metadata"]["name"]): each for each in kustomized(overlay)}
    (deployment,) = (each for (kind, _), each in rendered.items() if kind == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        if "emptyDir" in (volume := volumes[mount["name"]]):
            # In memory, as it is on this machine.
            assert (mount["mountPath"], volume["emptyDir"]["medium"]) == ("/dev/shm", "Memory")
    (folder / "volumes").mkdir()
    node = Node(folder / "volumes", rendered)
    node.mount(pod)
    mounts = {"/usr/local/bin/envoy": Path(ENVOY), AUTHORITIES: world.authority.file, **node.mounts(pod)}
    program, *rest = container["command"]
    command = [MOM if program == "mom" else program, *rest, *container["args"]]
    # Of the image, as of the pod.
    environment = {"XDG_RUNTIME_DIR": "/dev/shm"} if program == "mom" else {}
    return Deployment(_at_loopback(command, mounts, port), mounts, environment)


def kustomized(overlay: Path) -> list[dict[str, Any]]:
    """Return the objects that `kubectl kustomize` renders of a folder."""
    command = [str(Path(sys.executable).parent / "kubectl"), "kustomize", str(overlay)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def compose(world: World, folder: Path, port: int) -> Deployment:
    """Return the container of the one service of a Compose file."""
    out, _ = export(world, folder, "compose")
    return _service(out, world, folder, port, {"/usr/local/bin/envoy": Path(ENVOY), AUTHORITIES: world.authority.file})


def compose_with_mom(world: World, folder: Path, port: int) -> Deployment:
    """Return the same with mom in it: the entry point of the image is that of its Dockerfile."""
    out, _ = export(world, folder, "compose", "--with-mom")
    for name in _CERTIFICATE:
        (out / "atlas" / name).write_bytes((world.folder / name).read_bytes())
    (entry,) = re.findall(r"(?m)^ENTRYPOINT (.*)", (out / "image" / "Dockerfile").read_text())
    made = _service(out, world, folder, port, {AUTHORITIES: world.authority.file})
    return replace(made, command=[MOM, *json.loads(entry)[1:], *made.command])


def _service(out: Path, world: World, folder: Path, port: int, mounts: dict[str, Path]) -> Deployment:
    document = yaml.safe_load((out / "compose.yaml").read_text())
    service = document["services"]["atlas"]
    given = credentials(world, folder)
    for name in service["secrets"]:
        assert document["secrets"][name] == {"file": f"./credentials/{name}"}
        mounts[f"/run/secrets/{name}"] = given / name
    for volume in service["volumes"]:
        source, target, mode = volume.split(":")
        assert mode == "ro"
        mounts[target] = out / source
    (published,) = service["ports"]
    assert published.startswith(f"127.0.0.1:{port}:")
    command = [*service.get("entrypoint", ()), *service["command"]]
    return Deployment(_at_loopback(command, mounts, port), mounts, service.get("environment", {}))


def ecs(world: World, folder: Path, port: int) -> Deployment:
    """Return the container of a task: an image by its Dockerfile, secrets in the environment."""
    out, _ = export(world, folder, "ecs")
    text = (out / "Dockerfile").read_text()
    (copied,) = re.findall(r"(?m)^COPY --chown=65532:65532 (\S+) (/\S+)$", text)
    (entry,) = re.findall(r"(?m)^ENTRYPOINT (.*)", text)
    mounts = {copied[1]: out / copied[0], "/usr/local/bin/envoy": Path(ENVOY), AUTHORITIES: world.authority.file}
    (container,) = json.loads((out / "task-definition.json").read_text())["containerDefinitions"]
    values = {**VARIABLES, **_certificate_variables(world)}
    environment = {secret["name"]: values[secret["name"]] for secret in container["secrets"]}
    return Deployment(_at_loopback(json.loads(entry), mounts, port), mounts, environment)


def _certificate_variables(world: World) -> dict[str, str]:
    """Return the variables of a client certificate where credentials are in the environment."""
    names = {name: f"ATLAS_{re.sub('[^A-Z0-9]', '_', name.upper())}" for name in _CERTIFICATE}
    return {variable: (world.folder / name).read_text() for name, variable in names.items()}


def systemd(world: World, folder: Path, _port: int) -> Deployment:
    """Return the service of a unit, with its credentials where systemd puts them."""
    out, _ = export(world, folder, "systemd")
    (unit,) = out.glob("*.service")
    settings = [line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#"]
    (start,) = (value for name, value in settings if name == "ExecStart")
    given = credentials(world, folder)
    loaded = folder / "loaded"
    loaded.mkdir()
    for name, value in settings:
        if name == "LoadCredential":
            credential, _, path = value.partition(":")
            assert path == f"/etc/atlas-test/credentials/{credential}"
            (loaded / credential).write_bytes((given / credential).read_bytes())
        elif name == "BindReadOnlyPaths":
            credential, _, path = value.partition(":")
            _write(out / "etc", {path.removeprefix("/etc/atlas-test/"): (given / credential[3:]).read_bytes()})
    (folder / "runtime").mkdir(mode=0o700)
    _, *arguments = shlex.split(start)
    mounts = {"/etc/atlas-test": out / "etc", "/run/atlas-test": folder / "runtime", "/run/credentials": loaded}
    environment = {"CREDENTIALS_DIRECTORY": "/run/credentials", "XDG_RUNTIME_DIR": "/run/atlas-test"}
    return Deployment([MOM, *arguments], {**mounts, AUTHORITIES: world.authority.file}, environment)


def _at_loopback(command: list[str], mounts: Mapping[str, Path], port: int) -> list[str]:
    """Have a container listen on one address and port of this machine, which it shares; return its command."""
    here = [re.sub(r"^0\.0\.0\.0:\d+$", f"127.0.0.1:{port}", word) for word in command]
    if here != command:
        return here
    bootstrap = mounts["/etc/atlas"] / "envoy.json"
    listening = r'"address":"0\.0\.0\.0","port_value":\d+'
    text, count = re.subn(listening, f'"address":"127.0.0.1","port_value":{port}', bootstrap.read_text())
    assert count == 1
    bootstrap.write_text(text)
    return command


def _envoy(said: str) -> list[str]:
    """Return the command of the one Envoy that an export named."""
    (line,) = re.findall(r"\benvoy -c .*", said)
    return [str(ENVOY), *shlex.split(line)[1:]]


EXPORTS: dict[str, Callable[[World, Path, int], Deployment]] = {
    "envoy": envoy,
    "envoy, environment": envoy_with_environment,
    "kubernetes": kubernetes,
    "kubernetes, with mom": kubernetes_with_mom,
    "ecs": ecs,
    "compose": compose,
    "compose, with mom": compose_with_mom,
    "systemd": systemd,
}

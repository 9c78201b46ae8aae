"""What each engine would start of an export: a process, its file system and its environment, taken from the files."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.envoy.binary import ENVOY
from tests.envoy.client import Client
from tests.envoy.running import wait_until_serving
from tests.export.container import inside
from tests.export.world import VARIABLES, World
from tests.golden import MOM

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
            process.wait(30)


def export(world: World, folder: Path, *arguments: str) -> tuple[Path, str]:
    """Export the configuration of `world` with the installed command; return the folder, and what the command said."""
    out = folder / "exported"
    command = [MOM, "atlas", "export", *arguments, "-f", str(world.folder / "atlas.yml"), "-o", str(out)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def credentials(world: World, folder: Path) -> Path:
    """Return a folder with a file for each variable and for the client certificate, as a mounted Secret is."""
    made = folder / "credentials"
    made.mkdir()
    for name, value in VARIABLES.items():
        (made / name).write_text(value)
    for name in ("client.pem", "client-key.pem"):
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
    certificate = {
        f"ATLAS_{name.upper().replace('.', '_').replace('-', '_')}": (world.folder / name).read_text()
        for name in ("client.pem", "client-key.pem")
    }
    mounts = {"/etc/atlas": out, AUTHORITIES: world.authority.file}
    return Deployment(_envoy(said), mounts, {**VARIABLES, **certificate})


def _envoy(said: str) -> list[str]:
    """Return the command of the one Envoy that an export named."""
    (line,) = re.findall(r"\benvoy -c .*", said)
    return [str(ENVOY), *shlex.split(line)[1:]]


EXPORTS: dict[str, Callable[[World, Path, int], Deployment]] = {
    "envoy": envoy,
    "envoy, environment": envoy_with_environment,
}

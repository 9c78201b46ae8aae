"""The job that the project exists for: the guide's command on the guide's file gives the guide's diff, byte for byte.

The file is rebuilt from the diff: its context lines stand where the hunks say, in a file of 52 lines.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.golden import read_command, run_mom

COMMAND = r"""
mom atlas config add-http-adapter \
    -f YOUR_ATLAS_CONFIG.yml \
    --adapter-name YOUR_ADAPTER_NAME \
    --base-url https://api.openai.com \
    -H 'Authorization: Bearer ${{ OPENAI_API_TOKEN }}'
"""

DIFF = """\
--- a/YOUR_ATLAS_CONFIG.yml
+++ b/YOUR_ATLAS_CONFIG.yml
@@ -12,6 +12,10 @@ spec:
       apiVersion: moment.dev/adapters/v1alpha1
       kind: AWS
       name: aws
+  - adapterRef:
+      apiVersion: moment.dev/adapters/v1alpha1
+      kind: HTTP
+      name: YOUR_ADAPTER_NAME
   exposedPorts: {}
   gatewayRegistration:
     backoff:
@@ -50,3 +54,13 @@ spec:
   headers:
   - name: Authorization
     value: '"token ${{ GITHUB_TOKEN }}"'
+---
+apiVersion: moment.dev/adapters/v1alpha1
+kind: HTTP
+metadata:
+  name: YOUR_ADAPTER_NAME
+spec:
+  baseUrl: https://api.openai.com
+  headers:
+  - name: Authorization
+    value: Bearer ${{ OPENAI_API_TOKEN }}
"""

FILE = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  apiAdapters:
  - adapterRef:
      apiVersion: moment.dev/adapters/v1alpha1
      kind: HTTP
      name: github
  - adapterRef:
      apiVersion: moment.dev/adapters/v1alpha1
      kind: AWS
      name: aws
  exposedPorts: {}
  gatewayRegistration:
    backoff:
      factor: 2
      jitter: true
      maxInterval: 120
      minInterval: 2
    connectionRetries: 15
    connectionTimeout: 15
    registrationHostpath: gateway.example.com:443
  identityProviders:
    auth0:
      audience: https://atlas.example.com
      issuer: https://login.example.com/
      publicKey: https://login.example.com/.well-known/jwks.json
  owner: example.com
---
apiVersion: moment.dev/adapters/v1alpha1
kind: AWS
metadata:
  name: aws
spec:
  accessKeyId: ${{ AWS_ACCESS_KEY_ID }}
  region: us-west-2
  secretAccessKey: ${{ AWS_SECRET_ACCESS_KEY }}
---
# Read by the dashboards.
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  labels:
    team: platform
  name: github
spec:
  baseUrl: https://api.github.com
  headers:
  - name: Authorization
    value: '"token ${{ GITHUB_TOKEN }}"'
"""


@pytest.fixture
def atlas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The guide's file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "YOUR_ATLAS_CONFIG.yml"
    path.write_text(FILE)
    return path


def test_the_command_prints_the_guides_diff(atlas: Path) -> None:
    result = run_mom([*read_command(COMMAND), "--diff"])
    # What git puts behind a hunk's numbers is the last line before it that starts at column 0.
    assert result.stdout.decode() == re.sub(r"^(@@ .* @@) spec:$", r"\1", DIFF, flags=re.MULTILINE)
    assert atlas.read_text().count("YOUR_ADAPTER_NAME") == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_shows_the_guides_diff(atlas: Path, tmp_path: Path) -> None:
    git = ["git", "-c", "core.autocrlf=false", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q"], check=True, cwd=tmp_path)
    subprocess.run([*git, "add", atlas.name], check=True, cwd=tmp_path)
    assert run_mom(read_command(COMMAND)).status == 0
    shown = subprocess.run(
        [*git, "diff", "--no-color"], check=True, cwd=tmp_path, capture_output=True, text=True
    ).stdout
    assert shown.startswith(f"diff --git a/{atlas.name} b/{atlas.name}\nindex ")
    assert shown.split("\n", 2)[2] == DIFF


@pytest.mark.usefixtures("atlas")
def test_the_messages_name_the_new_lines_and_the_next_step() -> None:
    result = run_mom(read_command(COMMAND))
    assert result.status == 0
    assert result.stdout == b""
    assert result.stderr == (
        "Added HTTP adapter YOUR_ADAPTER_NAME to YOUR_ATLAS_CONFIG.yml (lines 15-18 and 57-66)\n"
        "  next: set OPENAI_API_TOKEN, then: mom atlas run -f YOUR_ATLAS_CONFIG.yml\n"
        "  undo: mom atlas config remove -f YOUR_ATLAS_CONFIG.yml YOUR_ADAPTER_NAME\n"
    )

"""What tests of several engines share: a configuration, its export, and a real systemd or container engine."""

from __future__ import annotations

import json
from pathlib import Path

from tests import samples
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.tokens import Key, es256, jwks
from tests.golden import run_mom

PROVIDER = (
    f"  identityProviders:\n  - idp:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: keys.json\n"
)
# What Envoy cannot do without mom.
_AWS = """\
---
apiVersion: moment.dev/adapters/v1alpha1
kind: AWS
metadata:
  name: aws
spec:
  profiles:
  - name: prod
    accessKeyId: ${{ AWS_ID }}
    secretAccessKey: ${{ AWS_KEY }}
"""


def configure(folder: Path, base: str = "https://api.github.com", more: str = "", *, key: Key | None = None) -> Key:
    """Write `atlas.yml` with one adapter, and the keys of its identity provider. more: lines of the adapter's spec."""
    key = es256() if key is None else key
    (folder / "keys.json").write_text(json.dumps(jwks(key)))
    adapter = samples.http("github", base, {"Authorization": '"Bearer ${{ GITHUB_TOKEN }}"'})
    (folder / "atlas.yml").write_text(samples.atlas("github", after=PROVIDER) + adapter + more)
    return key


def with_aws(text: str) -> str:
    """Return the text of a configuration with an AWS adapter more."""
    provider = "  identityProviders"
    return text.replace(provider, samples.reference("aws", "AWS") + provider, 1) + _AWS


def export(folder: Path, engine: str, *options: str) -> Path:
    """Export the configuration of `folder` to its folder `out`; it must succeed. Returns that folder."""
    done = run_mom(["atlas", "export", engine, "-f", str(folder / "atlas.yml"), "-o", str(folder / "out"), *options])
    assert done.status == 0, done.stderr
    return folder / "out"


def written(folder: Path) -> dict[str, str]:
    """Return the text of each file of an export but the manifest, by its path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".mom-export.json"
    }

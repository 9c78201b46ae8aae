"""OAuth2 client credentials of a real OpenID provider, through a run."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.run.mom_run import mom_run, replace, wait_until

ROOT = Path(__file__).parents[2]
# Where `make proof` installs what tests/proof/package-lock.json names.
INSTALLED = ROOT / ".venv" / "proof"


@pytest.fixture
def provider() -> Iterator[int]:
    """Run the provider; return its port."""
    node = shutil.which("node")
    assert node is not None, "the proofs need Node.js"
    assert (INSTALLED / "node_modules").is_dir(), "run: make proof"
    port = free_port()
    script = INSTALLED / "oidc-provider.mjs"
    shutil.copy(ROOT / "tests" / "proof" / script.name, script)
    process = subprocess.Popen([node, script, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "listening"
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.proof
@pytest.mark.parametrize("client", ["post", "basic"])
def test_a_token_of_a_real_provider_reaches_the_api_and_is_renewed(
    tmp_path: Path, api: Upstream, provider: int, client: str
) -> None:
    (tmp_path / ".env").write_text("SECRET='s+cr/et==&%'\n")
    oauth2 = {
        "tokenUrl": f"http://127.0.0.1:{provider}/token",
        "clientId": client,
        "clientSecret": "${{ SECRET }}",
        "scopes": ["read"],
        "parameters": [{"name": "resource", "value": "https://api.test"}],
    }
    with mom_run(tmp_path) as run:
        run.configure({"api": (f"http://127.0.0.1:{api.port}", {})}, settings={"api": {"oauth2": oauth2}})
        run.start("--env-file", ".env")

        def status() -> int:
            return run.client.send("/v1/apis/http/api/x", token=run.token()).status

        def claims() -> dict[str, object]:
            wait_until(lambda: status() == 200, "there is a token")
            scheme, _, token = api.requests[-1].get("authorization")[0].partition(" ")
            assert scheme == "Bearer"
            payload = token.split(".")[1]
            read: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return read

        first = claims()
        assert (first["aud"], first["scope"], first["client_id"]) == ("https://api.test", "read", client)
        wait_until(lambda: claims()["jti"] != first["jti"], "the token is renewed")
        # A secret that the provider refuses: what is left of the last token, and then nothing.
        replace(tmp_path / ".env", "SECRET=wrong\n")
        run.wait("Reloaded variables: SECRET")
        wait_until(lambda: status() == 503, "no token is to be had")
        replace(tmp_path / ".env", "SECRET='s+cr/et==&%'\n")
        run.wait("Reloaded variables: SECRET", count=2)
        assert claims()["jti"] != first["jti"]

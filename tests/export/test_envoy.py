"""An exported folder, served by a real Envoy without mom."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import samples
from tests.envoy.binary import ENVOY
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.running import SECONDS, free_port, wait_until_serving
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.golden import MOM

PROVIDER = (
    f"  identityProviders:\n  - idp:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: keys.json\n"
)


@dataclass
class Deployed:
    """An Envoy that serves an exported folder, with the folder of its credentials."""

    client: Client
    key: Key
    api: Upstream
    folder: Path
    credentials: Path

    def status(self, path: str) -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.client.send(path, token=self.key.token())
        return response.status, response.headers.get("atlas-error")


@pytest.fixture(scope="module")
def deployed(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Export with the installed command, and serve."""
    here, port, key = tmp_path_factory.mktemp("export"), free_port(), es256()
    credentials = here / "credentials"
    credentials.mkdir()
    (credentials / "TOKEN").write_text("t0ken")
    (credentials / "NEWLINE").write_text("t0ken\n")
    (credentials / "EMPTY").write_text("")
    (here / "keys.json").write_text(json.dumps(jwks(key)))
    with Upstream() as api:
        base = f"http://127.0.0.1:{api.port}"
        given = {"one": "TOKEN", "newline": "NEWLINE", "empty": "EMPTY", "missing": "MISSING"}
        text = samples.atlas(*given, after=PROVIDER) + "".join(
            samples.http(name, base, {"Authorization": f"Bearer ${{{{ {variable} }}}}"})
            for name, variable in given.items()
        )
        (here / "atlas.yml").write_text(text)
        words = ["atlas", "export", "envoy", "-o", "out", "--config-dir", str(here / "out")]
        words += ["--credentials-dir", str(credentials), "--ca-file", str(authority.file)]
        words += ["--listen", f"127.0.0.1:{port}"]
        subprocess.run([MOM, *words], cwd=here, check=True, capture_output=True)
        client = Client(port)
        command = [ENVOY, "-c", str(here / "out" / "envoy.json"), "--disable-hot-restart", "--concurrency", "1"]
        with (here / "envoy.log").open("wb") as log:
            environ = {"PATH": os.environ["PATH"]}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
            try:
                wait_until_serving(client, process)
                yield Deployed(client, key, api, here / "out", credentials)
            finally:
                process.terminate()
                process.wait(SECONDS)


def test_a_request_gets_the_credential_of_a_mounted_file(deployed: Deployed) -> None:
    assert deployed.status("/v1/apis/http/one/x") == (200, None)
    assert deployed.api.requests[-1].get("authorization") == ["Bearer t0ken"]


@pytest.mark.parametrize("adapter", ["newline", "empty", "missing"])
def test_a_file_without_a_value_that_can_be_sent_opens_nothing(deployed: Deployed, adapter: str) -> None:
    before = len(deployed.api.requests)
    assert deployed.status(f"/v1/apis/http/{adapter}/x") == (503, "API_CredentialUnavailableError")
    assert len(deployed.api.requests) == before


def test_health_needs_no_token(deployed: Deployed) -> None:
    assert [deployed.client.send(path).status for path in ("/healthz", "/healthcheck", "/x")] == [200, 200, 401]

"""OAuth2 client credentials in a run: a reload fetches no token again, and a secret that is gone opens nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.envoy.token_endpoint import TokenEndpoint
from tests.envoy.upstream import Upstream
from tests.run.mom_run import mom_run, replace, wait_until


def test_tokens_outlast_a_reload_and_not_their_secret(tmp_path: Path, api: Upstream) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    base = f"http://127.0.0.1:{api.port}"
    with TokenEndpoint() as endpoint, mom_run(tmp_path, environ={"ID": "client"}) as run:
        given = {"tokenUrl": endpoint.url, "clientId": "${{ ID }}", "clientSecret": "${{ SECRET }}"}

        def configure(*others: str, **changed: Any) -> None:
            adapters: dict[str, tuple[str, dict[str, str]]] = {name: (base, {}) for name in ("api", *others)}
            run.configure(adapters, settings={"api": {"oauth2": {**given, **changed}}})

        def answer() -> tuple[int, str | None]:
            response = run.client.send("/v1/apis/http/api/x", token=run.token())
            return response.status, response.error

        configure()
        run.start("--credential", f"SECRET=file:{secret}")
        wait_until(lambda: answer() == (200, None), "there is a token")
        assert [asked["client_secret"] for asked in endpoint.asked] == ["s3cret"]
        configure("other")
        run.wait("Reloaded + other")
        assert answer() == (200, None)
        assert api.requests[-1].get("authorization") == ["Bearer token-1"]
        assert len(endpoint.asked) == 1
        # Another setting needs another token.
        configure("other", scopes=["write"])
        run.wait("Reloaded ~ api: oauth2")
        wait_until(lambda: len(endpoint.asked) == 2, "it is fetched")
        assert endpoint.asked[-1]["scope"] == "write"
        wait_until(lambda: answer() == (200, None), "there is a token")
        # The token is good still; the run knows that it must not be used any more.
        secret.unlink()
        run.wait("adapters that need it respond with 503")
        assert answer() == (503, "API_CredentialUnavailableError")
        replace(secret, "s3cret\n")
        run.wait("Reloaded variables: SECRET", count=2)
        wait_until(lambda: answer() == (200, None), "it is back")
        for path in run.runtime.rglob("*"):
            assert not path.is_file() or b"s3cret" not in path.read_bytes(), path
        assert "s3cret" not in run.text

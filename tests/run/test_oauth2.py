"""OAuth2 client credentials in a run: a reload fetches no token again, and a secret that is gone opens nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mom.gateway import APIS_PATH
from tests.envoy.token_endpoint import TokenEndpoint
from tests.envoy.upstream import Upstream
from tests.observed import contents
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
        for path, content in contents(run.runtime).items():
            assert b"s3cret" not in content, path
        assert "s3cret" not in run.text


def test_the_list_of_apis_has_the_state_of_each_token(tmp_path: Path, api: Upstream) -> None:
    """Of two clients of one endpoint, too; the state of one that has a token says what becomes of it."""
    base = f"http://127.0.0.1:{api.port}"
    with TokenEndpoint(lifetime=4) as endpoint, mom_run(tmp_path, environ={"SECRET": "s3cret"}) as run:
        endpoint.refused = "b"
        given = {"tokenUrl": endpoint.url, "clientSecret": "${{ SECRET }}"}
        clients = {name: {"oauth2": {**given, "clientId": name}} for name in ("a", "b")}

        def states() -> dict[str, tuple[str, str]]:
            listed = json.loads(run.client.send(APIS_PATH, token=run.token()).body)["apis"]
            found = {each["name"]: each.get("credential", {"state": "", "since": ""}) for each in listed}
            return {name: (state["state"], state["since"]) for name, state in found.items()}

        def words() -> dict[str, str]:
            return {name: word for name, (word, _) in states().items()}

        run.configure({"a": (base, {}), "b": (base, {}), "c": (base, {})}, settings=clients)
        run.start()
        wait_until(lambda: words() == {"a": "ready", "b": "unavailable", "c": ""}, "the states are known")
        run.wait(f"warning: b: no token from {endpoint.url}; requests get a 503")
        # A reload of another adapter fetches none again.
        before = states()
        run.configure({"a": (base, {}), "b": (base, {}), "d": (base, {})}, settings=clients)
        run.wait("Reloaded")
        assert (states()["a"], states()["b"]) == (before["a"], before["b"])
        endpoint.refused = ""
        wait_until(lambda: words()["b"] == "ready", "there is a token")
        endpoint.works = False
        wait_until(lambda: words()["a"] == words()["b"] == "stale", "they cannot be renewed")
        run.wait(f"a: no token from {endpoint.url}; the last one is used until it expires")
        endpoint.works = True
        wait_until(lambda: words()["a"] == words()["b"] == "ready", "they are renewed")
        assert "s3cret" not in run.text
        assert "token-" not in run.text
        assert run.text.count("Reloaded") == 1

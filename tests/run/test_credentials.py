"""Basic authentication and parameters of the query in a run: reloaded, rotated, and written nowhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.envoy.upstream import Request, Upstream
from tests.observed import contents
from tests.run.mom_run import MomRun, atlas_yml, mom_run, replace, with_aws

BASIC = {"username": "${{ API_USER }}", "password": "${{ API_PASSWORD }}"}


def configure(run: MomRun, api: Upstream, **spec: Any) -> None:
    """Write the configuration of one adapter with that in its `spec`."""
    base_url = f"http://127.0.0.1:{api.port}"
    text = atlas_yml({"api": (base_url, {})})
    url = f'"baseUrl": "{base_url}"'
    more = "".join(f', "{key}": {json.dumps(value)}' for key, value in spec.items())
    replace(run.folder / "atlas.yml", text.replace(url, url + more))


def reached(run: MomRun, api: Upstream, path: str) -> Request:
    """Send a request and return what the API received."""
    before = len(api.requests)
    response = run.client.send(f"/v1/apis/http/api{path}", token=run.token())
    assert response.status == 200, response
    return api.requests[before]


def basic(username: str, password: str) -> str:
    """Return the value of the header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def test_credentials_are_reloaded_rotated_and_written_nowhere(tmp_path: Path, api: Upstream) -> None:
    secrets = ["first-password/1", "second-password/2", "key+of+the+query"]
    env_file = tmp_path / ".env"
    env_file.write_text(f"API_USER=me\nAPI_PASSWORD={secrets[0]}\nAPI_KEY='{secrets[2]}'\n")
    env_file.chmod(0o600)
    with mom_run(tmp_path) as run:
        configure(run, api, basicAuth=BASIC)
        run.start("--env-file", str(env_file), "--debug")
        assert reached(run, api, "/x?key=mine").get("authorization") == [basic("me", secrets[0])]

        configure(run, api, basicAuth=BASIC, query=[{"name": "key", "value": "${{ API_KEY }}"}])
        run.wait("~ api: query")
        request = reached(run, api, "/x?key=mine&a=1")
        assert request.target == "/x?a=1&key=key%2Bof%2Bthe%2Bquery"
        assert request.get("authorization") == [basic("me", secrets[0])]

        replace(env_file, env_file.read_text().replace(secrets[0], secrets[1]))
        run.wait("Reloaded variables: API_PASSWORD")
        assert reached(run, api, "/x").get("authorization") == [basic("me", secrets[1])]

        configure(run, api)
        run.wait("Reloaded", 3)
        request = reached(run, api, "/x?key=mine")
        assert (request.get("authorization"), request.target) == ([], "/x?key=mine")

        configure(run, api, basicAuth=BASIC, headers=[{"name": "authorization", "value": "Bearer ${{ API_KEY }}"}])
        run.wait("several-credentials")
        assert reached(run, api, "/x").get("authorization") == []

        written = contents(run.runtime).values()
        assert written
        forms = [*secrets, *(basic("me", secret).partition(" ")[2] for secret in secrets), "key%2Bof"]
        for form in forms:
            assert form not in run.text
            assert not any(form.encode() in content for content in written)


def test_a_missing_variable_of_each_is_named_before_anything_starts(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run:
        configure(run, api, basicAuth=BASIC, query=[{"name": "key", "value": "${{ API_KEY }}"}])
        run.start(serving=False)
        assert run.status() == 1
        for name in ("API_USER", "API_PASSWORD", "API_KEY"):
            assert f"the variable {name} is not set" in run.text
        assert "query key of api" in run.text


def test_keys_of_aws_come_from_a_file_and_change_there(tmp_path: Path) -> None:
    """A profile has one file: there is no file of each secret to wait for."""
    profile = {"name": "prod", "accessKeyId": "${{ KEY_ID }}", "secretAccessKey": "${{ KEY }}"}
    env_file = tmp_path / ".env"
    env_file.write_text("KEY_ID=first\nKEY=secret\n")
    env_file.chmod(0o600)
    with mom_run(tmp_path) as run:
        (tmp_path / "atlas.yml").write_text(with_aws(atlas_yml({}), profile, services=["sts"]))
        run.start("--env-file", str(env_file))
        replace(env_file, "KEY_ID=second\nKEY=secret\n")
        run.wait("Reloaded variables: KEY_ID")

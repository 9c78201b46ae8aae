"""docs/atlas.mjs in the real Node: `atlasProxyFetch` sends the token to the gateway, and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.envoy.upstream import Upstream
from tests.golden import MOM

MODULE = Path(__file__).parents[2] / "docs" / "atlas.mjs"
NODE = shutil.which("node")


def node(program: str, **environ: str) -> Any:
    """Run a program that has the module, and return the JSON that it prints."""
    if NODE is None:
        pytest.skip("there is no node here")
    text = f"import {{ atlasProxyFetch, configure }} from {json.dumps(MODULE.as_uri())};\n{program}"
    path = f"{Path(MOM).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", text],
        env={"PATH": path, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_sends_requests_with_the_token_to_the_gateway_alone() -> None:
    with Upstream() as gateway, Upstream() as other:
        base = f"http://127.0.0.1:{gateway.port}"
        elsewhere = f"/v1/apis/http/a/say?302&Location=http://127.0.0.1:{other.port}/stolen"
        said = node(
            f"""
            const said = [];
            async function attempt(path, init) {{
              try {{
                const response = await atlasProxyFetch(path, init);
                said.push([response.status, await response.text()]);
              }} catch (error) {{
                said.push(String(error));
              }}
            }}
            await attempt("/v1/apis/http/a/x?q=1", {{ method: "POST", body: "b", headers: {{ "X-Mine": "1" }} }});
            await attempt("/v1/apis/http/a/say?302&Location=/v1/apis/http/a/next");
            await attempt({json.dumps(elsewhere)});
            await attempt({json.dumps(elsewhere)}, {{ redirect: "error" }});
            for (const redirect of ["follow", "manual"]) {{
              await attempt({json.dumps(elsewhere)}, {{ redirect }});
            }}
            for (const path of ["//127.0.0.1:{other.port}/x", "http://127.0.0.1:{other.port}/x", "x", ""]) {{
              await attempt(path);
            }}
            configure({{ token: async () => "from.a.function", gateway: "{base}/prefix/" }});
            await attempt("/v1/apis/http/a/configured");
            configure({{ token: "" }});
            await attempt("/v1/apis/http/a/none");
            console.log(JSON.stringify(said));
            """,
            MOM_BASE_URL=base,
            MOM_TOKEN="t.o.k",
        )
        assert said[:3] == [[200, "ok"], [200, "ok"], [302, "ok"]]
        assert said[3] == "TypeError: fetch failed"
        # `fetch` itself would send the token along.
        assert said[4:6] == [[302, "ok"]] * 2
        # `//host` is a path like any other, of the gateway.
        assert said[6] == [200, "ok"]
        assert all("not a path of the gateway" in each for each in said[7:10])
        assert said[10] == [200, "ok"]
        assert "no access token" in said[11]
        assert other.requests == []
        assert not gateway.seen("/none")
        first = gateway.requests[0]
        assert (first.method, first.target, first.body) == ("POST", "/v1/apis/http/a/x?q=1", b"b")
        assert first.get("x-mine") == ["1"]
        assert gateway.seen("/next")[0].get("atlas-accesstoken") == ["t.o.k"]
        (configured,) = gateway.seen("/configured")
        assert configured.target == "/prefix/v1/apis/http/a/configured"
        assert configured.get("atlas-accesstoken") == ["from.a.function"]


def test_in_node_the_token_is_that_of_mom_auth_token(tmp_path: Path) -> None:
    with Upstream() as gateway:
        said = node(
            'console.log((await atlasProxyFetch("/v1/apis/http/a/own")).status);',
            MOM_BASE_URL=f"http://127.0.0.1:{gateway.port}",
            MOM_HOME=str(tmp_path / "home"),
        )
        assert said == 200
        (request,) = gateway.seen("/own")
        (token,) = request.get("atlas-accesstoken")
        assert token.count(".") == 2

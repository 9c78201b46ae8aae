"""Each row of docs/sdks.md: the real SDK through a real Atlas, by what mom exec sets; no token reaches an API.

`make proof` installs what these need, from the lock files of this folder, beside the environment of the tests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio has no types: its classes are Any
import pytest

from mom.catalog.loader import get
from tests.envoy.client import Client
from tests.golden import MOM
from tests.run.mom_run import MomRun, mom_run, replace
from tests.sdks.stand_in import RESPONSES, StandIn

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sdks.md"
VENV = Path(sys.executable).parent.parent
PYTHON = VENV / "sdks" / "bin" / "python"
NODE = VENV / "sdks" / "node"

BEARER = {"Authorization": "Bearer ${{ KEY }}"}
ADAPTERS = {
    "openai": BEARER,
    "anthropic": {header.name: header.value.replace("ANTHROPIC_API_KEY", "KEY") for header in get("anthropic").headers},
    "stripe": BEARER,
    "github": {"Authorization": "token ${{ KEY }}"},
    "slack": BEARER,
    "gemini": {"x-goog-api-key": "${{ KEY }}"},
    "jira": BEARER,
    "plain": BEARER,
    "git": BEARER,
}


@dataclass(frozen=True)
class Row:
    """A row of the table: the adapter, the path that the API must see, and the program."""

    adapter: str
    path: str
    program: str
    language: str = "python"


ROWS = {
    "openai (Python)": Row("openai", "/openai/v1/models", "import openai; list(openai.OpenAI().models.list())"),
    "anthropic (Python)": Row(
        "anthropic",
        "/anthropic/v1/models",
        "import anthropic; list(anthropic.Anthropic().models.list())",
    ),
    "stripe": Row(
        "stripe",
        "/stripe/v1/charges",
        "import os, stripe; stripe.api_base = os.environ['ATLAS_STRIPE_URL']\n"
        "stripe.api_key = os.environ['MOM_TOKEN']; stripe.Charge.list()",
    ),
    "PyGithub": Row(
        "github",
        "/github/user",
        "import os, github\n"
        "auth = github.Auth.Token(os.environ['MOM_TOKEN'])\n"
        "hub = github.Github(auth=auth, base_url=os.environ['ATLAS_GITHUB_URL'])\n"
        "assert hub.get_user().login == 'octo'",
    ),
    "slack_sdk": Row(
        "slack",
        "/slack/auth.test",
        "import os, slack_sdk\n"
        "client = slack_sdk.WebClient(os.environ['MOM_TOKEN'], base_url=os.environ['ATLAS_SLACK_URL'] + '/')\n"
        "assert client.auth_test()['user'] == 'octo'",
    ),
    "google-genai": Row(
        "gemini",
        "/gemini/v1/models",
        "from google import genai; client = genai.Client(); list(client.models.list())",
    ),
    "jira": Row(
        "jira",
        "/jira/rest/api/2/myself",
        "import os, jira\n"
        "client = jira.JIRA(os.environ['ATLAS_JIRA_URL'], token_auth=os.environ['MOM_TOKEN'])\n"
        "assert client.myself()['name'] == 'octo'",
    ),
    "requests": Row(
        "plain",
        "/plain/x",
        "import os, requests\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['MOM_TOKEN']}\n"
        "requests.get(os.environ['ATLAS_PLAIN_URL'] + '/x', headers=headers).raise_for_status()",
    ),
    "httpx": Row(
        "plain",
        "/plain/x",
        "import os, httpx\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['MOM_TOKEN']}\n"
        "httpx.get(os.environ['ATLAS_PLAIN_URL'] + '/x', headers=headers).raise_for_status()",
    ),
    "aiohttp": Row(
        "plain",
        "/plain/x",
        "import os, asyncio, aiohttp\n"
        "async def main():\n"
        "    headers = {'Authorization': 'Bearer ' + os.environ['MOM_TOKEN']}\n"
        "    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:\n"
        "        await (await session.get(os.environ['ATLAS_PLAIN_URL'] + '/x')).read()\n"
        "asyncio.run(main())",
    ),
    "openai (Node)": Row(
        "openai",
        "/openai/v1/models",
        'import OpenAI from "openai"; await new OpenAI().models.list();',
        language="node",
    ),
    "anthropic (Node)": Row(
        "anthropic",
        "/anthropic/v1/models",
        'import Anthropic from "@anthropic-ai/sdk"; await new Anthropic().models.list();',
        language="node",
    ),
    "octokit": Row(
        "github",
        "/github/user",
        'import { Octokit } from "octokit"; const { env } = process;\n'
        "const octokit = new Octokit({ baseUrl: env.ATLAS_GITHUB_URL });\n"
        'const headers = { "Atlas-Accesstoken": env.MOM_TOKEN };\n'
        'await octokit.request("GET /user", { headers });',
        language="node",
    ),
    "axios": Row(
        "plain",
        "/plain/x",
        'import axios from "axios"; const { env } = process;\n'
        "const headers = { Authorization: `Bearer ${env.MOM_TOKEN}` };\n"
        "await axios.get(`${env.ATLAS_PLAIN_URL}/x`, { headers });",
        language="node",
    ),
    "fetch": Row(
        "plain",
        "/plain/x",
        "const { env } = process; const headers = { Authorization: `Bearer ${env.MOM_TOKEN}` };\n"
        "const answer = await fetch(`${env.ATLAS_PLAIN_URL}/x`, { headers });\n"
        "if (!answer.ok) throw new Error(answer.status);",
        language="node",
    ),
}
# Rows with a test of their own, below or elsewhere.
OTHERS = {"git over https", "gRPC", "boto3", "AWS CLI"}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("git")) as api:
        yield api


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, stand_in: StandIn) -> Iterator[MomRun]:
    assert PYTHON.exists(), "make proof installs it"
    with mom_run(tmp_path_factory.mktemp("sdks"), environ={"KEY": "the-real-key"}) as started:
        base = f"http://127.0.0.1:{stand_in.port}"
        started.configure(
            {name: (f"{base}/{name}", headers) for name, headers in ADAPTERS.items()},
            cors={"origins": ["http://localhost:3999"]},
        )
        started.start()
        yield started


def execute(run: MomRun, adapter: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [MOM, "exec", "--base-url", f"http://127.0.0.1:{run.port}", "--adapter", adapter, "--", *map(str, words)]
    return subprocess.run(
        command, env={**run.environ, "HOME": str(run.folder)}, cwd=NODE, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ROWS)
def test_an_sdk_works_as_its_row_says(run: MomRun, stand_in: StandIn, name: str) -> None:
    row = ROWS[name]
    words = [PYTHON, "-c"] if row.language == "python" else ["node", "--input-type=module", "-e"]
    before = len(stand_in.requests)
    done = execute(run, row.adapter, *words, row.program)
    assert done.returncode == 0, done.stderr
    requests = stand_in.requests[before:]
    assert row.path in {path for path, _ in requests}
    (name_of_key, text) = next(iter(ADAPTERS[row.adapter].items()))
    for _, headers in requests:
        assert headers[name_of_key.lower()] == text.replace("${{ KEY }}", "the-real-key")
        # An access token has the form of a JWT, whose header begins so.
        assert not any("eyJ" in value for value in headers.values())
    assert row.path in RESPONSES


def test_octokit_alone_is_refused_since_it_writes_bearer_in_lower_case(run: MomRun) -> None:
    program = (
        'import { Octokit } from "octokit"; const { env } = process;\n'
        "const octokit = new Octokit({ baseUrl: env.ATLAS_GITHUB_URL, auth: env.MOM_TOKEN });\n"
        'try { await octokit.request("GET /user"); } catch (error) { console.log(error.status); }'
    )
    assert execute(run, "github", "node", "--input-type=module", "-e", program).stdout == "401\n"


def test_git_clones_through_the_gateway(run: MomRun, stand_in: StandIn, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@test", "-C", str(work)]
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    (work / "file").write_text("content")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(stand_in.files / "x.git")], check=True)
    subprocess.run(["git", "-C", str(stand_in.files / "x.git"), "update-server-info"], check=True)
    before = len(stand_in.requests)
    done = execute(run, "git", "sh", "-c", f'git clone -q "$ATLAS_GIT_URL/x.git" {tmp_path / "clone"}')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clone" / "file").read_text() == "content"
    assert len(stand_in.requests) > before
    for _, headers in stand_in.requests[before:]:
        assert headers["authorization"] == "Bearer the-real-key"
        assert "atlas-accesstoken" not in headers


def test_the_table_has_these_rows() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| (?:`|[a-zA-Z])", PAGE.read_text().split("## Tested SDKs")[1], re.MULTILINE)
    assert set(rows[1:]) == set(ROWS) | OTHERS


def test_the_canvas_shows_the_response_in_a_browser(
    run: MomRun, stand_in: StandIn, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The page of docs/ in a headless Chromium, from an origin that may call and from one that may not.

    `pytest --update-golden` puts its picture into docs/.
    """
    token = subprocess.run(
        [MOM, "auth", "token", "--base-url", f"http://127.0.0.1:{run.port}", "--adapter", "openai", "--ttl", "10m"],
        env=run.environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    before = len(stand_in.requests)
    picture = tmp_path / "canvas.png"
    given = {"docs": str(ROOT / "docs"), "gateway": f"http://127.0.0.1:{run.port}", "token": token}
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("canvas.mjs")), json.dumps({**given, "picture": str(picture)})],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NODE_PATH": str(NODE)},
        cwd=NODE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    allowed, refused = json.loads(done.stdout)
    assert json.loads(allowed) == RESPONSES["/openai/v1/models"]
    assert "Failed to fetch" in refused
    ((path, headers),) = stand_in.requests[before:]
    assert path == "/openai/v1/models"
    assert headers["authorization"] == "Bearer the-real-key"
    assert not {"atlas-accesstoken", "origin", "referer", "cookie"} & set(headers)
    assert picture.read_bytes().startswith(b"\x89PNG")
    if request.config.getoption("update_golden"):
        (ROOT / "docs" / "canvas.png").write_bytes(picture.read_bytes())
    assert Client(run.port).send("/v1/apis/http/openai/v1/models", token=token).status == 200


GRPC = """
import os, grpc
from urllib.parse import urlsplit

class Below(grpc.UnaryUnaryClientInterceptor):
    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), ("atlas-accesstoken", os.environ["MOM_TOKEN"])]
        path = urlsplit(os.environ["ATLAS_GRPC_URL"]).path
        new = details._replace(method=path + details.method, metadata=metadata)
        return continuation(new, request)

target = urlsplit(os.environ["MOM_BASE_URL"]).netloc
channel = grpc.intercept_channel(grpc.insecure_channel(target), Below())
# As generated code calls it.
print(channel.unary_unary("/test.Echo/Say")(b"hello", timeout=120).decode())
"""


def test_grpc_works_below_an_adapter_by_an_interceptor(run: MomRun) -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    seen: list[dict[str, str]] = []

    def say(request: bytes, context: Any) -> bytes:
        seen.append(dict(context.invocation_metadata()))
        return request + b" back"

    class Echo(grpc.GenericRpcHandler):  # type: ignore[misc]  # a class of grpcio's, as above
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(say) if details.method == "/test.Echo/Say" else None

    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        text = (run.folder / "atlas.yml").read_text()
        document = {
            "apiVersion": "moment.dev/adapters/v1alpha1",
            "kind": "HTTP",
            "metadata": {"name": "grpc"},
            "spec": {
                "baseUrl": f"http://127.0.0.1:{port}",
                "http2": "prior-knowledge",
                "headers": [{"name": "Authorization", "value": "Bearer ${{ KEY }}"}],
            },
        }
        first, *others = text.split("---\n")
        atlas = json.loads(first)
        reference = {"apiVersion": "moment.dev/adapters/v1alpha1", "kind": "HTTP", "name": "grpc"}
        atlas["spec"]["apiAdapters"].append({"adapterRef": reference})
        replace(
            run.folder / "atlas.yml",
            "---\n".join(map(json.dumps, [atlas])) + "\n---\n" + "---\n".join([*others, json.dumps(document) + "\n"]),
        )
        run.wait("+ grpc")
        done = execute(run, "grpc", PYTHON, "-c", GRPC)
        assert (done.returncode, done.stdout) == (0, "hello back\n"), done.stderr
        (metadata,) = seen
        assert metadata["authorization"] == "Bearer the-real-key"
        assert "atlas-accesstoken" not in metadata
    finally:
        server.stop(None)

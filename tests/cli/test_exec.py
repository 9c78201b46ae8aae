"""`mom exec` at a running Atlas: what the program can do, what it cannot, and that its token ends with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.envoy.upstream import Upstream
from tests.golden import MOM, run_mom
from tests.observed import contents
from tests.run.mom_run import MomRun, mom_run, wait_until

# Says its variables, calls the URL of each adapter with the token, and waits for a line.
PROGRAM = """
import json, os, sys, urllib.error, urllib.request
def status(url, header):
    request = urllib.request.Request(url, headers=header)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
token = os.environ["OPENAI_API_KEY"]
bearer = {"Authorization": f"Bearer {token}"}
said = {
    "base": os.environ["OPENAI_BASE_URL"],
    "token": token,
    "statuses": [
        status(os.environ["OPENAI_BASE_URL"] + "/models", bearer),
        status(os.environ["ATLAS_OPENAI_URL"] + "/x", {"Atlas-Accesstoken": token}),
        status(os.environ["MOM_BASE_URL"] + "/v1/apis/http/other/x", {"Atlas-Accesstoken": token}),
        status(os.environ["MOM_BASE_URL"] + "/v1alpha1/apis", {"Atlas-Accesstoken": token}),
    ],
}
print(json.dumps(said), flush=True)
sys.stdin.readline()
sys.exit(9)
"""
MODELS = "/v1/apis/http/openai/v1/models"


@pytest.fixture(scope="module")
def api() -> Iterator[Upstream]:
    """Return the API."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, api: Upstream) -> Iterator[MomRun]:
    """Return a run with three adapters; its own key signs for them."""
    folder = tmp_path_factory.mktemp("exec")
    with mom_run(folder, environ={"OPENAI_API_TOKEN": "sk-real"}) as started:
        base = f"http://127.0.0.1:{api.port}"
        headers = {"Authorization": "Bearer ${{ OPENAI_API_TOKEN }}"}
        started.configure({"openai": (base, headers), "other": (base, headers), "x.y": (base, {})})
        started.start()
        yield started


def command(run: MomRun, *words: str) -> list[str]:
    return [MOM, "exec", "--base-url", f"http://127.0.0.1:{run.port}", *words]


def mom_exec(run: MomRun, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(run, *words), env=run.environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_a_program_reaches_its_adapter_alone_and_only_while_it_runs(run: MomRun) -> None:
    words = ("--adapter", "openai", "--", sys.executable, "-c", PROGRAM)
    with subprocess.Popen(
        command(run, *words), env=run.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["statuses"] == [200, 200, 401, 403]
        assert said["base"] == f"http://127.0.0.1:{run.port}/v1/apis/http/openai/v1"
        token = said["token"]
        assert run.client.send(MODELS, token=token).status == 200
        # The private key is nowhere, and the token in no file: those of mom have the public key alone.
        for path, content in contents(Path(run.environ["MOM_HOME"]), pattern="*.json").items():
            assert token.encode() not in content
            assert path.name == "keys.json" or b'"d"' not in content
        process.communicate("\n")
        assert process.returncode == 9
    wait_until(lambda: run.client.send(MODELS, token=token).status == 401, "the token outlives the program")
    # Programs come and go: none is a change to report.
    assert "Reloaded" not in run.text
    assert token not in run.text


def test_the_token_ends_when_mom_exec_is_killed(run: MomRun) -> None:
    words = ("--adapter", "openai", "--", "sh", "-c", "echo $OPENAI_API_KEY $$; exec sleep 600")
    with subprocess.Popen(command(run, *words), env=run.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        token, pid = process.stdout.readline().split()
        try:
            assert run.client.send(MODELS, token=token).status == 200
            process.kill()
            wait_until(lambda: run.client.send(MODELS, token=token).status == 401, "the token outlives mom exec")
        finally:
            os.kill(int(pid), signal.SIGKILL)


def test_openai_and_requests_work_as_they_are(run: MomRun, api: Upstream) -> None:
    """The SDK by its variables alone, requests by mom.client; the API gets its own credential and no token."""
    program = """
import os, requests, openai
from mom.client import auth, url
answer = openai.OpenAI().models.with_raw_response.list()
print(answer.status_code, requests.get(url("openai", "/by-requests"), auth=auth("openai")).status_code)
print(os.environ["MOM_TOKEN"])
"""
    before = len(api.requests)
    done = mom_exec(run, "--adapter", "openai", "--", sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    *statuses, token = done.stdout.split()
    assert statuses == ["200", "200"]
    requests = api.requests[before:]
    assert [request.target for request in requests] == ["/v1/models", "/by-requests"]
    for request in requests:
        assert request.get("authorization") == ["Bearer sk-real"]
        assert not any(token.encode() in value for _, value in request.headers)


def test_print_gives_a_shell_what_it_needs(run: MomRun) -> None:
    printed = mom_exec(run, "--adapter", "openai", "--adapter", "other", "--print")
    assert (printed.returncode, printed.stderr) == (0, "")
    script = 'eval "$1"; python3 -c "import json, os; print(json.dumps(dict(os.environ)))"'
    environ = json.loads(
        subprocess.run(
            ["sh", "-c", script, "sh", printed.stdout],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            check=True,
        ).stdout
    )
    gateway = f"http://127.0.0.1:{run.port}"
    assert environ["OPENAI_BASE_URL"] == f"{gateway}/v1/apis/http/openai/v1"
    assert environ["ATLAS_OTHER_URL"] == f"{gateway}/v1/apis/http/other"
    assert environ["OPENAI_API_KEY"] == environ["MOM_TOKEN"]
    assert environ["GIT_CONFIG_COUNT"] == "4"
    assert run.client.send(MODELS, token=environ["MOM_TOKEN"]).status == 200
    assert run.client.send("/v1/apis/http/other/x", token=environ["MOM_TOKEN"]).status == 200
    assert run.client.send("/v1/apis/http/x.y/x", token=environ["MOM_TOKEN"]).status == 401

    # In such a shell, mom exec passes on the token that is there, which may not list the adapters.
    given = {name: value for name, value in environ.items() if not name.startswith("OPENAI_")}
    for named in ("openai", "/v1/apis/http/openai"):
        nested = subprocess.run(
            [MOM, "exec", "--adapter", named, "--", "sh", "-c", "echo $OPENAI_API_KEY $OPENAI_BASE_URL"],
            env=given | {"MOM_HOME": run.environ["MOM_HOME"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert nested.stdout.split() == [environ["MOM_TOKEN"], environ["OPENAI_BASE_URL"]]


def test_what_cannot_be_run_is_said_with_the_statuses_of_env(run: MomRun, monkeypatch: pytest.MonkeyPatch) -> None:
    for program, expected, said in (
        ("there-is-no-such-program", 127, "there is no program there-is-no-such-program"),
        ("/", 126, "cannot run /: permission denied"),
    ):
        done = mom_exec(run, "--adapter", "openai", "--", program)
        assert (done.returncode, done.stdout) == (expected, "")
        assert said in done.stderr
    for name in ("MOM_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, run.environ[name])
    cases = [
        (("--adapter", "opena", "--", "true"), 125, "serves no adapter opena\nhint: it serves: openai, other, x.y\n"),
        (("--adapter", "a b", "--", "true"), 125, "the name contains a space"),
        (("--adapter", "openai"), 125, "no command is given"),
        (("--adapter", "openai", "--print", "--", "true"), 125, "--print runs no command"),
        (("true",), 125, "no adapter is named\nhint: name one: --adapter openai\n"),
        (
            ("--adapter", "openai", "--ttl", "2h", "--", "true"),
            125,
            "a token cannot live 2h\nhint: choose 1s to 1h; the default is 1m\n",
        ),
        (("--adapter", "openai", "--ttl", "soon", "--", "true"), 125, "--ttl 'soon' is not a duration"),
        (
            ("--base-url", "http://127.0.0.1:1", "--adapter", "openai", "--", "true"),
            125,
            "start one with mom atlas run",
        ),
        (("--base-url", "http://example.com", "--adapter", "openai", "--", "true"), 125, "plain http to another host"),
    ]
    for words, status, message in cases:
        result = run_mom(command(run, *words)[1:])
        assert (result.status, result.stdout) == (status, b""), (words, result.stderr)
        assert message in result.stderr, words


def test_alone_it_shows_its_help() -> None:
    """As a group does: on stderr, with the status of wrong usage."""
    result = run_mom(["exec"])
    assert (result.status, result.stdout) == (2, b"")
    assert "Example: mom exec --adapter openai -- python app.py" in result.stderr


def test_a_token_that_lives_so_long_is_signed_by_the_lasting_key(run: MomRun) -> None:
    done = mom_exec(run, "--adapter", "openai", "--ttl", "15m", "--", "sh", "-c", "echo $MOM_TOKEN")
    assert run.client.send(MODELS, token=done.stdout.strip()).status == 200

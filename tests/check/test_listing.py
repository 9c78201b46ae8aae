"""`mom atlas apis list` and `mom atlas instances list`, of a running gateway and of a file."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from mom.cli import main
from tests.envoy.upstream import Upstream
from tests.golden import Result, Terminal, run_mom
from tests.run.mom_run import MomRun

APIS, INSTANCES = ("atlas", "apis", "list"), ("atlas", "instances", "list")
FILE = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata: {name: prod}
spec:
  owner: example.com
  apiAdapters:
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: one}
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: Postgres, name: db}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata: {name: one}
spec: {baseUrl: "https://api.example.com/v2"}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: Postgres
metadata: {name: db}
spec: {profiles: [{name: main, databaseUrl: "${{ DB }}"}]}
"""


@pytest.fixture(autouse=True)
def identity(run: MomRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOM_HOME", run.environ["MOM_HOME"])
    monkeypatch.delenv("MOM_TOKEN", raising=False)
    monkeypatch.setenv("MOM_BASE_URL", f"http://127.0.0.1:{run.port}")


def test_the_apis_of_a_gateway_are_a_table_with_the_columns_of_the_original(run: MomRun, api: Upstream) -> None:
    result = run_mom(APIS)
    header, row = (re.split(r"\s{2,}", line) for line in result.stdout.decode().splitlines())
    assert header[:4] == ["KIND", "NAME", "BASE URL", "INSTANCE"]
    assert row[:4] == ["HTTP", "one", f"http://127.0.0.1:{api.port}", "test"]
    named = run_mom([*APIS, "-u", f"http://localhost:{run.port}", "--format", "json"])
    report = json.loads(named.stdout)
    assert report["gateway"] == f"http://localhost:{run.port}"
    assert {key: report["apis"][0][key] for key in ("kind", "name", "path")} == {
        "kind": "HTTP",
        "name": "one",
        "path": "/v1/apis/http/one/",
    }


def test_the_instances_of_a_gateway_are_a_table(run: MomRun) -> None:
    result = run_mom(INSTANCES)
    assert result.stdout.decode() == "NAME  OWNER        APIS\ntest  example.com  1\n"
    report = json.loads(run_mom([*INSTANCES, "--format", "json"]).stdout)
    assert report["gateway"] == f"http://127.0.0.1:{run.port}"
    assert report["instances"][0] == {"name": "test", "owner": "example.com", "apis": 1}


def test_a_file_is_listed_without_a_gateway_and_says_what_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOM_BASE_URL", "http://127.0.0.1:1")
    (tmp_path / "a.yml").write_text(FILE)
    result = run_mom([*APIS, "-f", str(tmp_path / "a.yml")])
    rows = [re.split(r"\s{2,}", line) for line in result.stdout.decode().splitlines()]
    assert rows == [
        ["KIND", "NAME", "BASE URL", "INSTANCE"],
        ["HTTP", "one", "https://api.example.com/v2", "prod"],
        ["Postgres", "db", "main", "prod"],
    ]
    assert result.stderr == "not served: db (Postgres)\n"
    report = json.loads(run_mom([*APIS, "-f", "-", "--format", "json"], FILE.encode()).stdout)
    assert [entry["path"] for entry in report["apis"]] == ["/v1/apis/http/one/", None]


NO_GATEWAY = "error: no response from the gateway http://127.0.0.1:1: Connection refused\nhint: "
# What a user typed, what else is in the environment; the exit status, and words of the message and the hint.
FAILURES: dict[str, tuple[tuple[str, ...], dict[str, str], int, str]] = {
    "no gateway": (
        (*APIS, "-u", "http://127.0.0.1:1"),
        {},
        1,
        NO_GATEWAY + "start one with mom atlas run, or name one: -u URL, or list a file: -f atlas.yml\n",
    ),
    "no gateway for instances": (
        (*INSTANCES, "-u", "http://127.0.0.1:1"),
        {},
        1,
        NO_GATEWAY + "start one with mom atlas run, or name one: -u URL\n",
    ),
    "a refused token": (APIS, {"MOM_TOKEN": "a.b.c"}, 1, "error: API_InvalidAccessTokenError: "),
    "not an address": ((*APIS, "-u", "nowhere"), {}, 2, "error: --base-url is not a gateway's address"),
    "another host": (
        (*APIS, "-u", "http://gateway.example.com"),
        {},
        2,
        "error: refusing to send the token to http://gateway.example.com: plain http to another host\n",
    ),
    "a file and a gateway": ((*APIS, "-u", "http://a.test", "-f", "a.yml"), {}, 2, "error: -f lists a configuration"),
    "no file": ((*APIS, "-f", "none.yml"), {}, 1, "error: cannot read none.yml: there is no such file\n"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_wrong_is_one_error_with_a_hint(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, environ, status, words = FAILURES[name]
    monkeypatch.chdir(tmp_path)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    result = run_mom(arguments)
    assert (result.status, result.stdout) == (status, b"")
    assert result.stderr.startswith(words)
    assert result.stderr.count("error:") == result.stderr.count("hint:") == 1


def test_a_refused_token_names_the_command_that_shows_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOM_TOKEN", "a.b.c")
    assert "hint: mom auth status --base-url http://127.0.0.1:" in run_mom(INSTANCES).stderr


def answered(api: Upstream, body: Any, *arguments: str) -> Result:
    """Run a list against a server that is not an Atlas."""
    before, api.body = api.body, body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return run_mom([*arguments, "-u", f"http://127.0.0.1:{api.port}"])
    finally:
        api.body = before


GOOD = {"kind": "HTTP", "name": "a", "path": "/v1/apis/http/a/", "instance": "atlas"}


@pytest.mark.parametrize(
    "body",
    [b"ok", b"", b"[" * 5_000, [], {"apis": None}, {"apis": ["a"]}, {"apis": [{**GOOD, "name": 1}]}, {"apis": [{}]}],
)
def test_a_server_that_is_not_an_atlas_is_one_error(api: Upstream, body: Any) -> None:
    result = answered(api, body, *APIS)
    assert (result.status, result.stdout) == (1, b"")
    assert f"error: the server at http://127.0.0.1:{api.port} is not an Atlas" in result.stderr


def test_what_a_gateway_sends_cannot_control_the_terminal(api: Upstream) -> None:
    hostile = {**GOOD, "baseUrl": "https://a.test/\x1b[2J\n", "instance": "a\rb", "credential": {"state": "ready\x07"}}
    result = answered(api, {"apis": [hostile]}, *APIS)
    assert result.status == 0
    assert [line.split()[-1] for line in result.stdout.decode().splitlines()] == ["CREDENTIAL", r"ready\x07"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", result.stdout.decode())


def test_an_empty_list_says_so(api: Upstream) -> None:
    for arguments, name in ((APIS, "apis"), (INSTANCES, "instances")):
        result = answered(api, {name: []}, *arguments)
        assert (result.status, result.stdout) == (0, b"")
        assert result.stderr.startswith("Empty ")


def test_at_a_terminal_of_80_columns_the_table_fits(api: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    long = [{**GOOD, "name": "n" * 40, "baseUrl": f"https://{'h' * 60}.test", "instance": f"i{n}"} for n in range(3)]
    before, api.body = api.body, json.dumps({"apis": long}).encode()
    try:
        assert main([*APIS, "-u", f"http://127.0.0.1:{api.port}"]) == 0
    finally:
        api.body = before
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in screen.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    assert sum(line.count("h") for line in lines) >= 180, "nothing of an address is cut off"

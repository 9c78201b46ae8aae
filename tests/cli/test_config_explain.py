"""`mom atlas config explain` with a caller: claims from a file or stdin, a token, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.envoy.tokens import es256
from tests.golden import run_mom

GIVEN = (Path(__file__).parent / "explain" / "refused-as-JSON" / "in.yml").read_text()
ISSUER = "https://token.actions.githubusercontent.com"
REPOSITORY = "/v1/apis/http/github/repos/example/mom"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "home"))
    (tmp_path / "atlas.yml").write_text(GIVEN)


def test_claims_come_from_stdin_and_a_token_from_a_file(tmp_path: Path) -> None:
    explain = ["atlas", "config", "explain", "GET", REPOSITORY]
    result = run_mom([*explain, "--as", "-"], b'{"groups": ["security"]}')
    assert (result.status, result.stdout) == (
        0,
        b"allowed: http/github spec.allow[1] at atlas.yml:33:5: an entry matches\n",
    )
    claims = {"iss": ISSUER, "aud": "https://atlas.example.com", "groups": "platform"}
    for owner, status, word in (("example", 0, "allowed"), ("stranger", 3, "refused")):
        (tmp_path / "token").write_text(f"{es256().token(**claims, repository_owner=owner)}\n")
        result = run_mom([*explain, "--token", "token"])
        assert (result.status, result.stdout.decode().partition(":")[0]) == (status, word)
    (tmp_path / "token").write_text(es256().token(**claims, repository_owner="example", exp=1))
    result = run_mom([*explain, "--token", "token"])
    assert (result.status, "it expired" in result.stderr) == (3, True)


def test_claims_are_asked_for_only_where_they_could_decide() -> None:
    paths = {REPOSITORY: True, "/v1/apis/http/github/user": False, "/v1/apis/http/nothing/": False}
    asked = {path: "pass --as" in run_mom(["atlas", "config", "explain", "GET", path]).stderr for path in paths}
    assert asked == paths


@pytest.mark.parametrize(
    ("method", "path", "options", "words"),
    [
        ("FOO", REPOSITORY, [], "Envoy knows no method FOO over HTTP/1.1 (400 API_RequestError)"),
        ("FOO", REPOSITORY, ["--http2"], "no entry matches (403 API_NotAllowedError)"),
        ("get", "/healthz", [], "methods are written in capital letters: GET, not get (400 API_RequestError)"),
        ("TRACE", "/healthz", [], "(405 API_MethodNotAllowedError)"),
        ("FOO BAR", REPOSITORY, ["--http2"], "not a token (no response: the HTTP/2 stream is reset)"),
        ("GET", f"{REPOSITORY}/a b", [], "blanks are percent-encoded in the path and the query: %20 (400"),
        ("GET", f"{REPOSITORY}/ü", [], "control characters and non-ASCII ones are percent-encoded"),
        ("GET", f"{REPOSITORY}#x", ["--http2"], "a number sign is in the path: write it as %23 (400"),
        ("GET", f"{REPOSITORY}/{'x' * 62_000}", [], "larger than 60 KiB (431 API_RequestHeadersTooLargeError)"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else " ".join(value),
)
def test_a_request_that_is_refused_at_its_first_line(method: str, path: str, options: list[str], words: str) -> None:
    result = run_mom(["atlas", "config", "explain", method, path, *options])
    assert (result.status, words in result.stdout.decode()) == (3, True), result.stdout
    report = json.loads(run_mom(["atlas", "config", "explain", method, path, *options, "--format", "json"]).stdout)
    assert report["status"] == (None if "no response" in words else int(words.partition("(")[2][:3] or 400))


def test_claims_that_no_token_can_have_are_named() -> None:
    explain = ["atlas", "config", "explain", "GET", "/v1/apis/http/open/x", "--as", "-"]
    for claims, status, words in (
        (b'{"sub": 5}', 3, "the token would be refused: its sub is not a string"),
        (b'{"level": 1e999}', 3, "the token would be refused: its level has a number beyond what a double can be"),
        (b'{"level": NaN}', 1, "NaN is not a JSON number"),
        (b'{"a": 1, "a": 2}', 1, "a name is in one object twice"),
        (b"[" * 5_000 + b"]" * 5_000, 1, "is not JSON"),
    ):
        result = run_mom(explain, claims)
        assert (result.status, words in result.stderr) == (status, True), result.stderr


def test_of_a_url_the_path_is_named() -> None:
    result = run_mom(["atlas", "config", "explain", "GET", "http://127.0.0.1:8082/v1/apis/http/github/user"])
    assert (result.status, "hint: such as /v1/apis/http/github/user" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "content", "message"),
    [
        (["--as", "x", "--token", "x"], "{}", "--as and --token exclude each other"),
        (["--as", "x"], "{", "x is not JSON"),
        (["--as", "x"], "[]", "x is not a JSON object"),
        (["--as", "x"], "", "error: x is empty\n"),
        (["--token", "x"], "\n", "error: x is empty: it contains no token\n"),
        (["--as", "missing"], "{}", "cannot read missing: there is no such file"),
        (["--token", "x"], "no token", "token"),
    ],
)
def test_what_is_no_caller_is_one_clear_error(tmp_path: Path, options: list[str], content: str, message: str) -> None:
    (tmp_path / "x").write_text(content)
    result = run_mom(["atlas", "config", "explain", "GET", "/x", *options])
    assert result.status in {1, 2}
    assert message in result.stderr
    assert "Traceback" not in result.stderr

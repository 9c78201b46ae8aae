"""`mom atlas config explain` with a caller: claims from a file or stdin, a token, and what is neither."""

from __future__ import annotations

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
    ("options", "content", "message"),
    [
        (["--as", "x", "--token", "x"], "{}", "--as and --token exclude each other"),
        (["--as", "x"], "{", "x is not JSON"),
        (["--as", "x"], "[]", "x is not a JSON object"),
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

"""`mom auth` as it is typed: data on stdout, messages on stderr, exit statuses."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest

from mom.auth import jwk, keys
from mom.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_mom(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        assert home.parent.exists()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main(["auth", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_mom


def test_keygen_makes_a_key_once_and_says_where_on_stderr(run: Run, home: Path) -> None:
    status, out, err = run("keygen")
    assert (status, out) == (0, "")
    assert err.startswith("Created EdDSA signing key ")
    assert keys.key_file(home) in err
    again = run("keygen")
    assert (again[0], again[1]) == (0, "")
    assert again[2].startswith("Unchanged EdDSA signing key ")


@pytest.mark.parametrize(
    ("name", "algorithm"), [("es256", "ES256"), ("ES256", "ES256"), ("eddsa", "EdDSA"), ("Ed25519", "EdDSA")]
)
def test_keygen_makes_a_key_for_the_algorithm_that_was_asked_for(
    run: Run, home: Path, name: str, algorithm: str
) -> None:
    status, _, err = run("keygen", "--algorithm", name)
    assert (status, keys.ensure(home).algorithm) == (0, algorithm)
    assert err.startswith(f"Created {algorithm} signing key ")


def test_keygen_does_not_replace_a_key_of_another_algorithm(run: Run, home: Path) -> None:
    run("keygen")
    kid = keys.ensure(home).kid
    status, _, err = run("keygen", "--algorithm", "es256")
    assert status == 1
    assert "mom auth rotate --algorithm ES256" in err
    assert keys.ensure(home).kid == kid


def test_an_algorithm_that_we_do_not_have_is_wrong_usage(run: Run) -> None:
    assert run("keygen", "--algorithm", "rs256")[0] == 2


def test_rotate_tells_both_keys_and_what_to_do_next(run: Run, home: Path) -> None:
    old = keys.ensure(home).kid
    status, out, err = run("rotate")
    assert (status, out) == (0, "")
    assert keys.ensure(home).kid in err
    assert f"Retired EdDSA key {old}" in err
    assert "mom auth jwks" in err


def test_jwks_prints_the_public_set_alone(run: Run, home: Path) -> None:
    status, out, err = run("jwks")
    assert (status, err) == (0, "")
    assert json.loads(out) == keys.public_jwks(home)


def test_jwks_merges_a_file_and_stdin(run: Run, home: Path, tmp_path: Path) -> None:
    other = {"keys": [jwk.public_jwk(jwk.generate("EdDSA", 0))]}
    (tmp_path / "team.json").write_text(json.dumps(other))
    mine = keys.public_jwks(home)["keys"]
    assert json.loads(run("jwks", "--merge", str(tmp_path / "team.json"))[1]) == {"keys": [*other["keys"], *mine]}
    assert json.loads(run("jwks", "--merge", "-", stdin=json.dumps(other))[1]) == {"keys": [*other["keys"], *mine]}


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_jwks_refuses_a_file_without_a_set(run: Run, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    status, out, err = run("jwks", "--merge", str(tmp_path / "x.json"))
    assert (status, out) == (1, "")
    assert err.startswith("error: ")


def test_token_prints_a_token_alone_for_the_gateway_that_is_named(run: Run, home: Path) -> None:
    status, out, err = run("token", "--base-url", "https://Atlas.example/x", "--ttl", "120")
    assert (status, err, out.count("\n")) == (0, "", 1)
    jwk = keys.public_jwks(home)["keys"][0]
    claims = jwt.decode(out.strip(), jwt.PyJWK(jwk), algorithms=["EdDSA"], audience="https://atlas.example")
    assert claims["exp"] - claims["iat"] == 120


def test_token_is_narrowed_to_adapters_and_lives_as_long_as_it_is_told(run: Run, home: Path) -> None:
    def claims(*words: str) -> dict[str, object]:
        status, out, err = run("token", "--base-url", "https://atlas.example/x", *words)
        assert (status, err) == (0, "")
        return dict(jwt.decode(out.strip(), options={"verify_signature": False}))

    gateway = "https://atlas.example/v1/apis"
    assert claims("--adapter", "openai")["aud"] == f"{gateway}/http/openai"
    several = claims("--adapter", "openai", "--adapter", "a.b", "--adapter", "/v1/apis/aws/", "--adapter", "openai")
    assert several["aud"] == [f"{gateway}/http/openai", f"{gateway}/http/a.b", f"{gateway}/aws"]
    status, out, err = run("token", "--adapter", "aws")
    assert (status, err.partition(";")[2]) == (0, " for AWS: --adapter /v1/apis/aws\n")
    assert out.count("\n") == 1
    for text, seconds in {"90": 90, "90s": 90, "15m": 900, "1h": 3600}.items():
        each = claims("--ttl", text)
        assert int(str(each["exp"])) - int(str(each["iat"])) == seconds
    for words in (("--adapter", "a/b"), ("--adapter", ""), ("--adapter", "/v2/x"), ("--adapter", "/v1/apis/aws?x")):
        assert run("token", *words)[0] == 2
    other = home.parent / "token"
    other.write_text("a.b.c")
    status, out, err = run("token", "--token-file", str(other), "--adapter", "openai")
    assert (status, out) == (2, "")
    assert "--adapter applies to tokens that your own key signs" in err


@pytest.mark.parametrize("ttl", ["", "1d", "2h", "0", "3601", "-1", "x", "1.5"])
def test_token_refuses_a_life_that_is_not_a_number_of_seconds_up_to_an_hour(run: Run, ttl: str) -> None:
    status, out, _ = run("token", "--ttl", ttl)
    assert (status, out) == (2, "")


def test_token_prints_the_given_token_and_cannot_change_its_life(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOM_TOKEN", "given")
    assert run("token") == (0, "given\n", "")
    status, out, err = run("token", "--ttl", "10")
    assert (status, out) == (2, "")
    assert "unset MOM_TOKEN" in err
    assert not home.exists()


def test_a_malformed_base_url_is_wrong_usage(run: Run, home: Path) -> None:
    assert run("token", "--base-url", "localhost")[0] == 2
    assert run("status", "--base-url", "ftp://x")[0] == 2
    assert not home.exists()


def test_status_tells_what_would_be_sent_without_making_a_key(run: Run, home: Path) -> None:
    status, out, err = run("status")
    assert status == 0
    assert "http://127.0.0.1:8082" in out
    assert "no signing key yet" in err
    assert not home.exists()


def test_status_as_json_is_an_object_for_programs(run: Run, home: Path) -> None:
    kid = keys.ensure(home).kid
    status, out, _ = run("status", "--format", "json", "--base-url", "http://localhost:1")
    used = json.loads(out)
    assert status == 0
    assert (used["gateway"], used["source"], used["identity"]["key"]) == ("http://localhost:1", "local key", kid)


def test_status_of_an_expired_token_fails_and_says_why(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    token = run("token", "--ttl", "1")[1].strip()
    payload = json.loads(jwk.decode_base64url(token.split(".")[1]))
    header, _, signature = token.split(".")
    old = jwk.encode_base64url(json.dumps({**payload, "exp": 1}).encode())
    monkeypatch.setenv("MOM_TOKEN", f"{header}.{old}.{signature}")
    status, out, err = run("status")
    assert status == 1
    assert "expired" in err
    assert "variable" in out


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_inspect_reads_stdin(run: Run, arguments: tuple[str, ...]) -> None:
    token = run("token")[1]
    status, out, err = run("inspect", *arguments, stdin=token)
    assert (status, err) == (0, "")
    assert "valid, by your own key" in out
    assert "in 5" in out or "in 60 seconds" in out


@pytest.mark.parametrize("before", ["", "Atlas-Accesstoken: ", "Authorization: Bearer ", "Bearer ", "  "])
def test_inspect_takes_a_token_as_it_is_copied_from_a_request(run: Run, before: str) -> None:
    token = run("token")[1].strip()
    assert run("inspect", f"{before}{token}")[0] == 0


def test_inspect_of_a_token_that_would_be_refused_fails_and_says_why(run: Run) -> None:
    status, out, err = run("inspect", "eyJhbGciOiJub25lIn0.e30.AA", "--format", "json")
    assert status == 1
    assert "it has no exp" in " ".join(json.loads(out)["wrong"])
    status, out, err = run("inspect", "eyJhbGciOiJub25lIn0.e30.AA")
    assert status == 1
    assert "not signed" in err
    assert "signature   not verified" in out


def test_inspect_of_something_else_is_an_error_that_does_not_repeat_it(run: Run) -> None:
    status, out, err = run("inspect", "secret")
    assert (status, out) == (1, "")
    assert "secret" not in err


def test_inspect_of_the_name_of_a_file_says_how_it_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a token").write_text("x")
    status, _, err = run("inspect", str(tmp_path / "a token"))
    assert status == 1
    assert err == (
        f"error: {tmp_path}/a token is a file, not a token\nhint: mom auth inspect - < '{tmp_path}/a token'\n"
    )


def test_inspect_shows_nothing_that_drives_the_terminal(run: Run) -> None:
    parts = [{"alg": "ES256", "\x1b[31m": "\x9b31m"}, {"sub": "\x1b]0;x\x07\u202e"}]
    token = ".".join([*(jwk.encode_base64url(json.dumps(part, ensure_ascii=False).encode()) for part in parts), "AA"])
    for output in ("text", "json"):
        _, out, _ = run("inspect", token, "--format", output)
        assert not set("\x1b\x9b\x07\u202e") & set(out)


def test_the_token_is_in_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOM_TOKEN", 'secret"\nurl = "http://evil')
    for command in ("token", "status"):
        status, out, err = run(command)
        assert status == 1
        assert "secret" not in out + err


def test_curl_is_in_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "curl" in capsys.readouterr().out


def test_inspecting_nothing_says_so(run: Run) -> None:
    status, _, stderr = run("inspect", "-", stdin="\n")

    assert status == 1
    assert stderr.startswith("error: not a signed token: it is empty\n")


@pytest.mark.parametrize("command", ["keygen", "rotate"])
def test_quiet_prints_no_messages_but_errors(run: Run, command: str) -> None:
    assert run(command, "-q") == (0, "", "")
    assert run("keygen", "-q", "--algorithm", "nonsense")[2] != ""

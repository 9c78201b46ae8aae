"""`--mom-print`: the line does the same in every shell that a user may have, and has no secret in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mom.auth.jwk import decode_base64url
from mom.shell import quote
from tests.curl.conftest import TOKEN, Mom
from tests.curl.recorder import Recorder


def installed(*names: str) -> list[str]:
    """Return the shells of `names` that this machine has, each once."""
    found = {os.path.realpath(path): name for name in reversed(names) if (path := shutil.which(name))}
    return [*reversed(found.values())]


SHELLS = installed("sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "busybox")


def in_shell(mom: Mom, shell: str, line: bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `line` in `shell`, without its start-up files, where `mom` is the one under test."""
    path = f"{Path(mom.command()[0]).parent}:{os.environ['PATH']}"
    # fish wants to write below its home.
    environ = {**mom.environ, "PATH": path, "XDG_DATA_HOME": str(mom.home), "XDG_CONFIG_HOME": str(mom.home)}
    options = {"zsh": ["-f"], "fish": ["--no-config"]}.get(shell, [])
    return subprocess.run(
        [shell, *options, "-c", line],
        env=environ,
        cwd=mom.folder,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_the_shells_that_every_machine_has_are_here() -> None:
    assert {"sh", "bash"} & set(SHELLS)


@pytest.mark.parametrize(
    ("line", "stdin"),
    [
        pytest.param(["-s", "-d", "it's", "/a%20b?c&d"], b"", id="one group, stdin free"),
        pytest.param(["-s", "-d", "a\\b\\\\c\\'d'\\", "/a"], b"", id="backslashes and quotes"),
        pytest.param(
            ["-s", "-d", '$HOME `id` $(id) !x *?[a] {a,b} ~ #x\n"y"\t^ %self', "/a"], b"", id="what shells read"
        ),
        pytest.param(["-s", "-d", "=ls", "-d", "~", "-d", "", "-d", "%1", "-d", "#", "/{a,b}[1-2]"], b"", id="words"),
        pytest.param(["-s", "-d", "@-", "/a"], b"from stdin\n", id="stdin is the user's"),
        pytest.param(["-s", "-T", "-", "/a"], b"uploaded", id="an upload from stdin"),
        pytest.param(["-s", "-d", "@-", "/a", "--next", "-s", "/b?c&d"], b"x", id="two groups and stdin"),
        pytest.param([w for n in range(6) for w in ("-s", f"/{n}", "--next")][:-1], b"", id="six groups"),
        pytest.param(["-s", "-H", "Atlas-Accesstoken: x", "/a", "--next", "-s", "/b"], b"", id="a token of one's own"),
        pytest.param(["-s", "--mom-no-auth", "-d", "it's", "/a"], b"", id="no token"),
        pytest.param(["-sf", "/status/404"], b"", id="the exit status"),
        pytest.param(["-sf", "-d", "@-", "/status/404"], b"", id="the exit status with stdin"),
    ],
)
def test_the_printed_line_does_the_same_in_every_shell(
    mom: Mom, gateway: Recorder, line: list[str], stdin: bytes
) -> None:
    printed = mom("--mom-print", *line)
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert TOKEN.encode() not in printed.stdout
    assert gateway.take() == []
    ours = mom(*line, stdin=stdin)
    requests = gateway.take()
    for shell in SHELLS:
        by_hand = in_shell(mom, shell, printed.stdout, stdin)
        assert gateway.take() == requests, shell
        assert (by_hand.returncode, by_hand.stdout, by_hand.stderr) == (ours.returncode, ours.stdout, b""), shell


@pytest.mark.parametrize("shell", SHELLS)
def test_the_printed_line_gets_the_token_where_mom_curl_does(mom: Mom, gateway: Recorder, shell: str) -> None:
    (mom.folder / "a token's").write_text(" from-file \n\n")
    line = mom("--mom-print", "-s", "/a", "--mom-token-file", "a token's").stdout
    assert in_shell(mom, shell, line).returncode == 0
    assert [request.tokens for request in gateway.take()] == [["from-file"]]
    line = mom("--mom-print", "-s", "-m", "9", "/a[1-2]", MOM_TOKEN=None).stdout
    assert f"mom auth token --base-url {gateway.url} --ttl 69 | ".encode() in line
    del mom.environ["MOM_TOKEN"]
    assert in_shell(mom, shell, line).returncode == 0
    first, second = gateway.take()
    assert first.tokens == second.tokens
    claims = json.loads(decode_base64url(first.tokens[0].split(".")[1]))
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (gateway.url, 69)


def test_a_token_that_cannot_be_had_is_in_no_error(mom: Mom, gateway: Recorder) -> None:
    (mom.folder / "token").write_text("secret")
    line = mom("--mom-print", "-sf", "/status/401", "--mom-token-file", "token").stdout
    (mom.folder / "token").unlink()
    for shell in SHELLS:
        done = in_shell(mom, shell, line)
        assert done.returncode != 0
        assert b"secret" not in done.stdout + done.stderr
    assert all(request.tokens == [] for request in gateway.take())


@pytest.mark.parametrize("shell", SHELLS)
def test_any_word_is_quoted_so_that_the_shell_reads_it_back(mom: Mom, shell: str) -> None:
    words = [chr(code) for code in range(1, 127)] + [
        "",
        "=",
        "==x",
        "a=b",
        "\\'",
        "'\\",
        "\\\\",
        "''",
        "ü\\n'",
        "a" * 99,
    ]
    done = in_shell(mom, shell, b"printf '%s\\0' " + " ".join(map(quote, words)).encode())
    assert done.stdout.decode().split("\0")[:-1] == words


def test_an_argument_that_is_not_utf_8_is_printed_as_it_came(mom: Mom) -> None:
    done = subprocess.run(
        [*mom.command("--mom-print", "--mom-no-auth", "/a"), "-d", b"\xff"],
        env=mom.environ,
        capture_output=True,
        check=True,
    )
    assert done.stdout.endswith(b"-d '\xff'\n")


def test_more_groups_than_a_shell_has_descriptors_are_refused(mom: Mom) -> None:
    done = mom("--mom-print", *[word for number in range(7) for word in (f"/{number}", "--next")][:-1])
    assert done.returncode == 125
    assert b"cannot print 7 groups" in done.stderr

"""`mom curl` as it is run: the installed command, the real curl, a recording server."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from mom.auth import keys
from mom.curl import execute
from mom.errors import ExitStatus
from tests.curl.conftest import TOKEN, Mom
from tests.curl.recorder import Recorder
from tests.samples import EMPTY


def test_a_path_is_requested_at_the_gateway_with_the_token(mom: Mom, gateway: Recorder) -> None:
    done = mom("-s", "/v1/apis/http/x/y?z=1")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"GET /v1/apis/http/x/y?z=1\n\n", b"")
    (request,) = gateway.take()
    assert request.tokens == [TOKEN]
    assert [name for name, _ in request.headers] == ["Host", "User-Agent", "Accept", "Atlas-Accesstoken"]


def test_without_a_given_token_the_users_own_key_signs_one_for_this_gateway(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "/a", MOM_TOKEN=None).returncode == 0
    assert mom("-s", "/b", MOM_TOKEN=None).returncode == 0
    first, second = (request.tokens for request in gateway.take())
    jwks = keys.public_jwks(mom.home / "mom")["keys"]
    claims = [
        jwt.decode(token, jwt.PyJWK(jwks[0]), algorithms=["EdDSA"], audience=gateway.url, issuer="urn:mom:local")
        for token in (*first, *second)
    ]
    assert len(claims) == 2
    assert claims[0]["jti"] != claims[1]["jti"]
    assert all(one["exp"] - one["iat"] == 60 for one in claims)


def test_every_group_has_the_token(mom: Mom, gateway: Recorder) -> None:
    done = mom("-s", "/a", "/b", "--next", "-s", "/c", "-:", "-s", "--", "/d")
    assert done.returncode == 0
    assert [(request.target, request.tokens) for request in gateway.take()] == [
        (path, [TOKEN]) for path in ("/a", "/b", "/c", "/d")
    ]


def test_sixty_groups_have_sixty_tokens(mom: Mom, gateway: Recorder) -> None:
    line = [word for number in range(60) for word in ("-s", f"/{number}", "--next")][:-1]
    assert mom(*line).returncode == 0
    assert [request.tokens for request in gateway.take()] == [[TOKEN]] * 60


def test_a_token_of_eight_kilobytes_arrives(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "/a", MOM_TOKEN="t" * 8192).returncode == 0
    assert gateway.take()[0].tokens == ["t" * 8192]


def test_parallel_transfers_all_have_the_token(mom: Mom, gateway: Recorder) -> None:
    assert mom("-sZ", "/a[1-8]").returncode == 0
    assert [request.tokens for request in gateway.take()] == [[TOKEN]] * 8


def test_the_users_own_token_header_is_the_only_token(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "-H", "atlas-accesstoken: mine", "/a", "--next", "-s", "/b").returncode == 0
    assert [request.tokens for request in gateway.take()] == [["mine"], [TOKEN]]


def test_no_auth_sends_none(mom: Mom, gateway: Recorder, elsewhere: Recorder) -> None:
    assert mom("-s", "--mom-no-auth", "/a", f"{elsewhere.url}/b").returncode == 0
    assert gateway.take()[0].tokens == elsewhere.take()[0].tokens == []


def test_a_token_file_is_sent(mom: Mom, gateway: Recorder) -> None:
    (mom.folder / "token").write_text("from-file\n")
    assert mom("-s", "/a", "--mom-token-file", "token").returncode == 0
    assert gateway.take()[0].tokens == ["from-file"]


def test_the_base_url_option_wins_over_the_variable_and_its_path_is_kept(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "--base-url", f"{gateway.url}/team/", "/a", MOM_BASE_URL="http://192.0.2.1").returncode == 0
    assert gateway.take()[0].target == "/team/a"


def test_an_ipv6_gateway_is_reached(mom: Mom) -> None:
    try:
        recorder = Recorder(host="::1", family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    try:
        assert mom("-s", "/a{b,c}", MOM_BASE_URL=recorder.url).returncode == 0
        assert [(request.target, request.tokens) for request in recorder.take()] == [("/ab", [TOKEN]), ("/ac", [TOKEN])]
    finally:
        recorder.close()


def test_stdin_is_the_users(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "-d", "@-", "/a", stdin=b"from stdin").returncode == 0
    assert mom("-s", "-T", "-", "/b", stdin=b"uploaded").returncode == 0
    assert mom("-s", "-K", "-", "/c", stdin=b'header = "X-From: stdin"\n').returncode == 0
    posted, put, configured = gateway.take()
    assert (posted.body, put.body, configured.all("X-From")) == (b"from stdin", b"uploaded", ["stdin"])
    assert posted.tokens == put.tokens == configured.tokens == [TOKEN]


def test_a_process_substitution_of_the_users_is_read_too(mom: Mom, gateway: Recorder) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    line = " ".join(mom.command("-s", "-K", '<(echo header = \\"X-Mine: yes\\")', "-d", "@<(printf body)", "/a"))
    subprocess.run([bash, "-c", line], env=mom.environ, check=True, capture_output=True)
    (request,) = gateway.take()
    assert (request.all("X-Mine"), request.body, request.tokens) == (["yes"], b"body", [TOKEN])


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (["-sf", "/status/404"], 22),
        (["-s", "--fail-with-body", "/status/500"], 22),
        (["-s", "-o", "/nowhere/x", "/a"], 23),
        (["-s", "/a", "-o"], 2),
        (["-s", "--unknown-option", "/a"], 2),
        (["-s", "/a[1-"], 3),
        (["-s", "-m", "0.2", "/hold"], 28),
        (["-sL", "--max-redirs", "0", "/redirect?to=/a"], 47),
        (["-s", "-K", "missing", "/a"], 26),
    ],
)
def test_the_exit_status_is_curls_own(mom: Mom, line: list[str], status: int) -> None:
    assert mom(*line).returncode == status


@pytest.mark.parametrize(
    "line", [["-V"], ["--help", "all"], ["-h"], ["--help", "category"], ["-M"], ["-o"], ["--nope"]]
)
def test_help_version_manual_and_errors_are_curls_own(mom: Mom, line: list[str]) -> None:
    ours = mom(*line, MOM_BASE_URL="malformed")
    theirs = subprocess.run(["curl", *line], capture_output=True, check=False, env=mom.environ)
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_help_whose_reader_goes_away_ends_quietly(mom: Mom) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(mom.command("--help"), stdout=write, stderr=subprocess.PIPE, env=mom.environ, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_arguments_our_help_is_shown_as_a_mistake_in_usage(mom: Mom) -> None:
    for line in ([], ["--base-url", "http://127.0.0.1:1"], ["--mom-print"]):
        done = mom(*line)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr == mom("--help").stdout


def test_a_path_without_its_beginning_is_explained_from_the_configuration_in_this_folder(mom: Mom) -> None:
    pattern = b"hint: paths are /v1/apis/http/ADAPTER/PATH"
    assert pattern in mom("openai/v1/models").stderr
    add = [*mom.command()[:-1], "atlas", "config", "add-http-adapter", "-f", "atlas.yml", "--adapter-name", "openai"]
    (mom.folder / "atlas.yml").write_text(EMPTY)
    add += ["--base-url", "https://api.openai.com"]
    subprocess.run(add, cwd=mom.folder, env=mom.environ, check=True, capture_output=True)
    done = mom("openai/v1/models")
    assert done.returncode == 125
    assert done.stderr.endswith(b"hint: the path of that API at the gateway: /v1/apis/http/openai/v1/models\n")
    (mom.folder / "atlas.yml").write_text("{")
    assert pattern in mom("openai/v1/models").stderr


def test_localhost_is_the_gateway_at_the_loopback_address(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", f"localhost:{gateway.port}/a", f"http://localhost:{gateway.port}/b").returncode == 0
    assert [(one.all("Host"), one.tokens) for one in gateway.take()] == [([f"127.0.0.1:{gateway.port}"], [TOKEN])] * 2


def test_moms_help_fits_a_terminal_and_names_every_option_of_moms(mom: Mom) -> None:
    done = mom("--help")
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 80
    for option in ("--base-url", "--mom-print", "--mom-no-auth", "--mom-token-file", "--mom-insecure-http", "--help"):
        assert any(line.strip().startswith(option) for line in lines), option


@pytest.mark.parametrize(
    ("line", "environ", "words"),
    [
        pytest.param(["http://other.example/"], {}, ["outside the gateway", "--base-url"], id="another host"),
        pytest.param(["v1/x"], {}, ["neither a path", "/v1/x"], id="a path without its slash"),
        pytest.param(["/a"], {"MOM_BASE_URL": "localhost:1"}, ["MOM_BASE_URL", "http://"], id="a malformed variable"),
        pytest.param(["/a"], {"MOM_BASE_URL": ""}, ["MOM_BASE_URL"], id="an empty variable"),
        pytest.param(["/a", "--base-url", "x"], {}, ["--base-url"], id="a malformed option"),
        pytest.param(["/a", "--base-url"], {}, ["--base-url needs"], id="an option without its value"),
        pytest.param(["/a", "--mom-prnt"], {}, ["did you mean --mom-print?"], id="a slip in an option of ours"),
        pytest.param(
            ["http://127.0.0.256/", "--base-url", "http://127.0.0.256"],
            {},
            ["plain http to another host"],
            id="no address",
        ),
        pytest.param(["/a", "--mom-no-such"], {}, ["--mom-no-such", "--mom-print"], id="an option we do not have"),
        pytest.param(["/a"], {"MOM_TOKEN": ""}, ["MOM_TOKEN is empty"], id="an empty token"),
        pytest.param(
            ["/a", "--mom-token-file", "no"],
            {},
            ["cannot read no", "there is no such file"],
            id="a token file that is missing",
        ),
        pytest.param(
            ["/a", "--base-url", "http://192.0.2.1"],
            {},
            ["plain http to another host", "--mom-insecure-http"],
            id="http to elsewhere",
        ),
    ],
)
def test_what_mom_itself_refuses_is_one_line_with_a_hint_and_status_125(
    mom: Mom, gateway: Recorder, line: list[str], environ: dict[str, str | None], words: list[str]
) -> None:
    done = mom.run(line, environ)
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") <= 2
    for word in words:
        assert word in done.stderr.decode()
    assert gateway.take() == []


def test_http_to_another_machine_is_possible_when_asked_for(mom: Mom) -> None:
    # 192.0.2.1 (RFC 5737) is nobody: printing is enough to see that it was not refused
    done = mom("--mom-print", "--mom-insecure-http", "--base-url", "http://192.0.2.1", "/a")
    assert done.returncode == 0
    assert b"--noproxy '*'" in done.stdout


def test_where_there_is_no_curl_the_status_is_127(mom: Mom) -> None:
    done = mom("/a", PATH="/nowhere")
    assert done.returncode == 127
    assert b"curl is not on the PATH" in done.stderr
    assert mom("--unknown-option", PATH="/nowhere").returncode == 127


def test_a_bug_in_mom_is_one_line_too() -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("secret\x1b[31m")

    stderr = io.StringIO()
    assert execute.main(["-V"], environ={}, execute=broken, stderr=stderr) == ExitStatus.NOT_STARTED
    assert stderr.getvalue().startswith("error: internal error: RuntimeError")
    assert "\x1b" not in stderr.getvalue()
    with pytest.raises(RuntimeError):
        execute.main(["-V"], environ={"MOM_DEBUG": "1"}, execute=broken, stderr=stderr)


def test_a_curl_that_cannot_be_started_is_one_line_too(mom: Mom, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_bytes(b"\x7fELF no")
    (tmp_path / "bin" / "curl").chmod(0o755)
    done = mom("/a", PATH=str(tmp_path / "bin"))
    assert done.returncode == 125
    assert b"curl could not be started" in done.stderr


@pytest.fixture
def hanging(mom: Mom, gateway: Recorder) -> Iterator[subprocess.Popen[bytes]]:
    """`mom curl` in the middle of an answer."""
    child = mom.start("-sN", "/hold")
    assert gateway.held.wait(120)
    yield child
    gateway.release()
    child.communicate(timeout=120)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_signal_ends_it_as_it_ends_curl(hanging: subprocess.Popen[bytes], number: signal.Signals) -> None:
    hanging.send_signal(number)
    assert hanging.wait(120) == -number


def test_a_stream_arrives_as_it_is_sent(hanging: subprocess.Popen[bytes], gateway: Recorder) -> None:
    assert hanging.stdout is not None
    assert hanging.stdout.read(1) == b"G"
    gateway.release()
    assert hanging.stdout.read() == b"ET /hold\n\n"


def test_curl_runs_in_the_process_of_mom_and_none_is_left(hanging: subprocess.Popen[bytes]) -> None:
    if sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    assert Path(f"/proc/{hanging.pid}/comm").read_text() == "curl\n"


def test_signals_that_python_ignores_are_not_ignored_in_curl(hanging: subprocess.Popen[bytes]) -> None:
    if sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    status = Path(f"/proc/{hanging.pid}/status").read_text()
    ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
    assert not ignored & 1 << (signal.SIGXFSZ - 1)


def test_the_terminal_is_curls(mom: Mom, gateway: Recorder) -> None:
    import pty

    master, slave = pty.openpty()
    # Only when its stdout is a terminal does curl warn of a binary answer instead of writing it.
    line = mom.command("-s", "--data-binary", "\1", "/a")
    child = subprocess.Popen(line, env=mom.environ, stdin=slave, stdout=slave, stderr=slave, cwd=mom.folder)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert child.wait(120) == 0
    assert b"POST /a" in shown
    assert gateway.take()[0].tokens == [TOKEN]

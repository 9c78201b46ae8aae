"""The token goes to the gateway and nowhere else: each test fails when the guard that it names is taken out."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.curl.conftest import TOKEN, Mom
from tests.curl.recorder import Recorder
from tests.envoy.certificates import Authority


class Listener:
    """A port that takes connections, keeps what it is sent, and answers nothing: a proxy, or whatever."""

    def __init__(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.received = b""
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                try:
                    self.received += connection.recv(65536) or b"(closed)"
                except OSError:
                    self.received += b"(nothing)"

    def close(self) -> None:
        """Stop."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def proxy() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(authority: Authority, tmp_path: Path) -> Iterator[Recorder]:
    """A gateway with TLS, whose certificate names localhost."""
    files = authority.issue("localhost").write(tmp_path, "secure")
    recorder = Recorder(certificate=(files.chain, files.key))
    recorder.host = "localhost"
    yield recorder
    recorder.close()


@pytest.fixture
def other_secure(authority: Authority, tmp_path: Path) -> Iterator[Recorder]:
    """Another server that the same authority vouches for, as other.test."""
    files = authority.issue("other.test", "127.0.0.1").write(tmp_path, "other")
    recorder = Recorder(certificate=(files.chain, files.key))
    yield recorder
    recorder.close()


def everything_sent(*servers: Recorder) -> str:
    return repr([request for server in servers for request in server.take()])


# --- where the token can be read on this machine


def test_the_token_is_in_no_command_line_environment_or_file_while_a_request_hangs(mom: Mom, gateway: Recorder) -> None:
    if sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    child = mom.start("-sN", "/hold", "--next", "-s", "/b")
    try:
        assert gateway.held.wait(120)
        process = Path(f"/proc/{child.pid}")
        assert b"/hold" in (process / "cmdline").read_bytes()
        assert TOKEN.encode() not in (process / "cmdline").read_bytes()
        assert b"MOM_BASE_URL" in (process / "environ").read_bytes()
        assert TOKEN.encode() not in (process / "environ").read_bytes()
        files = [path for path in [*mom.home.rglob("*"), *mom.folder.rglob("*")] if path.is_file()]
        assert files == []
    finally:
        gateway.release()
        child.communicate(timeout=120)
    assert [request.tokens for request in gateway.take()] == [[TOKEN], [TOKEN]]


def test_a_signed_token_is_in_no_file_either(mom: Mom, gateway: Recorder) -> None:
    assert mom("-s", "/a", MOM_TOKEN=None).returncode == 0
    (token,) = gateway.take()[0].tokens
    files = [path for path in [*mom.home.rglob("*"), *mom.folder.rglob("*")] if path.is_file()]
    assert sorted(path.name for path in files) == ["keys.json", "lock"]
    assert all(token.split(".")[2] not in path.read_text() for path in files)


@pytest.mark.parametrize("line", [["/a", "-o"], ["/a", "--nope"], ["http://other.example/"], ["/a", "--base-url", "x"]])
def test_the_token_is_in_no_error(mom: Mom, line: list[str]) -> None:
    done = mom(*line)
    assert done.returncode != 0
    assert TOKEN.encode() not in done.stdout + done.stderr


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_token_that_would_configure_curl_is_refused_and_nothing_is_sent(
    mom: Mom, gateway: Recorder, elsewhere: Recorder, quote: str
) -> None:
    token = f"secret{quote}\nurl = {quote}{elsewhere.url}/stolen{quote}\nheader = {quote}X: y"
    done = mom("-s", "/a", MOM_TOKEN=token)
    assert done.returncode == 125
    assert b"secret" not in done.stderr
    (mom.folder / "token").write_text(token)
    assert mom("-s", "/a", "--mom-token-file", "token").returncode == 125
    assert everything_sent(gateway, elsewhere) == "[]"


# --- redirects


@pytest.mark.parametrize("follow", [["-L"], ["--location-trusted"], ["--loc", "-L"], ["-sLS"]])
def test_a_redirect_to_another_port_or_host_ends_at_the_gateway(
    mom: Mom, gateway: Recorder, elsewhere: Recorder, follow: list[str]
) -> None:
    if follow[0] == "--loc":
        follow = follow[1:]
    for host in ("127.0.0.1", "localhost", "127.0.0.2"):
        done = mom("-s", *follow, f"/redirect?to=http://{host}:{elsewhere.port}/stolen")
        assert done.returncode == 0
        first, second = gateway.take()
        assert (first.tokens, second.target) == ([TOKEN], "/stolen")
    assert elsewhere.connections == 0


def test_a_redirect_within_the_gateway_is_followed_with_the_token(mom: Mom, gateway: Recorder) -> None:
    assert mom("-sL", "/redirect?to=/b").stdout == b"GET /b\n\n"
    assert [request.tokens for request in gateway.take()] == [[TOKEN], [TOKEN]]


def test_redirects_that_only_curlrc_asks_for_are_not_followed(mom: Mom, gateway: Recorder, elsewhere: Recorder) -> None:
    mom.curlrc("location\n")
    assert mom("-s", f"/redirect?to={elsewhere.url}/stolen").returncode == 0
    assert [request.target for request in gateway.take()] == [f"/redirect?to={elsewhere.url}/stolen"]
    assert elsewhere.connections == 0


def test_a_redirect_from_https_to_another_name_fails_on_its_certificate(
    mom: Mom, secure: Recorder, other_secure: Recorder, authority: Authority
) -> None:
    line = ["-sL", "--cacert", str(authority.file), f"/redirect?to=https://other.test:{other_secure.port}/stolen"]
    done = mom(*line, "--resolve", f"other.test:{other_secure.port}:127.0.0.1", MOM_BASE_URL=secure.url)
    assert done.returncode == 60
    assert [request.tokens for request in secure.take()] == [[TOKEN]]
    assert other_secure.take() == []


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_a_redirect_from_https_to_another_scheme_is_not_followed(
    mom: Mom, secure: Recorder, elsewhere: Recorder, authority: Authority, scheme: str
) -> None:
    to = "file:///etc/hosts" if scheme == "file" else f"{scheme}://localhost:{elsewhere.port}/stolen"
    line = ["-sL", "--cacert", str(authority.file), f"/redirect?to={to}"]
    assert mom(*line, MOM_BASE_URL=secure.url).returncode == 1
    assert elsewhere.connections == 0
    assert len(secure.take()) == 1


def test_the_users_own_proto_redir_does_not_open_that_door(
    mom: Mom, secure: Recorder, elsewhere: Recorder, authority: Authority
) -> None:
    line = ["-sL", "--proto-redir", "=http,https", "--proto", "=all", "--cacert", str(authority.file)]
    done = mom(*line, f"/redirect?to=http://localhost:{elsewhere.port}/stolen", MOM_BASE_URL=secure.url)
    assert done.returncode == 1
    assert elsewhere.connections == 0


@pytest.mark.parametrize("where", ["curlrc", "options"])
def test_a_url_without_tls_in_a_file_does_not_send_the_token_in_clear(mom: Mom, proxy: Listener, where: str) -> None:
    # The pin alone would lead it to the gateway's port for TLS, unencrypted.
    text = f"url = http://localhost:{proxy.port}/\n"
    mom.curlrc(text if where == "curlrc" else "")
    (mom.folder / "options").write_text(text if where == "options" else "")
    done = mom("-s", "-K", "options", "--next", "-s", "/a", MOM_BASE_URL=f"https://localhost:{proxy.port}")
    assert done.returncode != 0
    assert b"HTTP/1.1" not in proxy.received


# --- URLs that are not paths


def test_urls_of_other_hosts_are_refused_wherever_curl_reads_a_url(
    mom: Mom, gateway: Recorder, elsewhere: Recorder
) -> None:
    url = f"{elsewhere.url}/stolen"
    for line in ([url], ["--url", url], [f"--url={url}"], ["/a", "--next", url], ["--", url], ["-s", "-:", "/a", url]):
        assert mom(*line).returncode == 125, line
    assert everything_sent(gateway, elsewhere) == "[]"
    assert elsewhere.connections == 0


@pytest.mark.parametrize("config", ["url = {url}", "-L\nurl={url}"])
def test_a_url_in_a_file_of_options_leads_the_token_to_no_other_host(
    mom: Mom, gateway: Recorder, elsewhere: Recorder, config: str
) -> None:
    (mom.folder / "options").write_text(config.format(url=f"{elsewhere.url}/from-file\n"))
    mom("-s", "-K", "options", "/a", "--next", "-s", "/b")
    assert all(request.tokens == [] for request in elsewhere.take())
    assert gateway.take()[-1].tokens == [TOKEN]


def test_a_url_in_curlrc_leads_the_token_to_no_other_host(mom: Mom, gateway: Recorder, elsewhere: Recorder) -> None:
    mom.curlrc(f"url = {elsewhere.url}/from-curlrc\n")
    assert mom("-s", "/a").returncode == 0
    assert elsewhere.connections == 0
    assert sorted(request.target for request in gateway.take()) == ["/a", "/from-curlrc"]


def test_a_variable_that_names_another_host_is_refused(mom: Mom, elsewhere: Recorder) -> None:
    # --expand-url is curl 8.3's; older curls refuse it themselves, which is as good
    done = mom("-s", "--variable", f"x={elsewhere.url}", "--expand-url", "http://{{x}}/", "/a")
    assert done.returncode == 125
    assert elsewhere.connections == 0


# --- proxies and other ways


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_does_not_see_a_token_for_a_loopback_gateway(
    mom: Mom, gateway: Recorder, proxy: Listener, variable: str
) -> None:
    for address in (f"http://127.0.0.1:{proxy.port}", f"socks5h://127.0.0.1:{proxy.port}"):
        assert mom.run(["-s", "/a"], {variable: address}).returncode == 0
        assert mom.run(["-sL", "/redirect?to=http://other.example/b"], {variable: address}).returncode == 0
    assert proxy.received == b""
    assert [request.tokens for request in gateway.take()] == [[TOKEN]] * 6


@pytest.mark.parametrize(
    "line", ["proxy = {url}", "preproxy = {socks}\nproxy = {url}", "socks5 = 127.0.0.1:{port}", "-x {url}"]
)
def test_a_proxy_of_curlrc_or_of_a_file_of_options_does_not_see_it_either(
    mom: Mom, gateway: Recorder, proxy: Listener, line: str
) -> None:
    address = f"127.0.0.1:{proxy.port}"
    text = line.format(url=f"http://{address}", socks=f"socks5://{address}", port=proxy.port) + '\nnoproxy = ""\n'
    mom.curlrc(text)
    (mom.folder / "options").write_text(text)
    assert mom("-s", "/a").returncode == 0
    assert mom("-q", "-s", "-K", "options", "/b").returncode == 0
    assert proxy.received == b""
    assert [request.tokens for request in gateway.take()] == [[TOKEN], [TOKEN]]


def test_with_https_a_proxy_of_the_environment_sees_only_connect(mom: Mom, proxy: Listener) -> None:
    done = mom("-s", "/a", MOM_BASE_URL="https://gateway.test", https_proxy=f"http://127.0.0.1:{proxy.port}")
    assert done.returncode != 0
    assert proxy.received.startswith(b"CONNECT gateway.test:443 HTTP/1.1\r\n")
    assert b"Accesstoken" not in proxy.received


def test_a_proxy_that_the_user_names_on_the_command_line_is_used(mom: Mom, proxy: Listener) -> None:
    mom("-s", "-x", f"http://127.0.0.1:{proxy.port}", "/a")
    assert TOKEN.encode() in proxy.received


def test_a_proxy_of_one_group_is_not_that_of_the_next(mom: Mom, gateway: Recorder, proxy: Listener) -> None:
    address = f"http://127.0.0.1:{proxy.port}"
    mom.run(["-s", "-x", address, "/a", "--next", "-s", "/b"], {"http_proxy": address})
    assert [request.target for request in gateway.take()] == ["/b"]
    assert b"/b" not in proxy.received


@pytest.mark.parametrize("option", ["connect-to", "-L\nconnect-to"])
def test_a_file_of_options_does_not_reroute_the_group(
    mom: Mom, gateway: Recorder, elsewhere: Recorder, option: str
) -> None:
    (mom.folder / "options").write_text(f'{option} = "::127.0.0.1:{elsewhere.port}"\n')
    for line in (["-K", "options"], ["-sK", "options"], ["-Koptions"], ["-qKoptions"], ["--config", "options"]):
        assert mom("-s", "/a", *line).returncode == 0
        assert mom(*line, "-s", "/b").returncode == 0
    assert elsewhere.connections == 0
    assert {tuple(request.tokens) for request in gateway.take()} == {(TOKEN,)}


def test_q_in_one_word_with_a_file_of_options_still_leaves_curlrc_out(mom: Mom, gateway: Recorder) -> None:
    mom.curlrc("referer = from-curlrc\n")
    (mom.folder / "options").write_text("silent\n")
    assert mom("-qKoptions", "/a").returncode == 0
    assert gateway.take()[0].all("Referer") == []


def test_a_way_that_the_user_names_on_the_command_line_is_taken(mom: Mom, elsewhere: Recorder) -> None:
    assert mom("-s", "--connect-to", f"::127.0.0.1:{elsewhere.port}", "/a").returncode == 0
    assert [request.tokens for request in elsewhere.take()] == [[TOKEN]]


@pytest.mark.parametrize("where", ["line", "curlrc", "file"])
@pytest.mark.parametrize("option", ["=https", "-http", "-all", "=ftp,https", "http,-all"])
def test_a_protocol_that_the_user_forbids_stays_forbidden(mom: Mom, gateway: Recorder, where: str, option: str) -> None:
    (mom.folder / "options").write_text(f'proto = "{option}"\n' if where == "file" else "")
    mom.curlrc(f'proto = "{option}"\n' if where == "curlrc" else "")
    line = ["-s", *(["--proto", option] if where == "line" else []), "-K", "options"]
    plain = subprocess.run(
        ["curl", *line, gateway.url], env=mom.environ, cwd=mom.folder, capture_output=True, check=False
    )
    # 1, or 2 where curl is left with no protocol at all, which newer curls refuse, but ignore in .curlrc.
    assert plain.returncode in (1, 2) or where == "curlrc"
    allowed = len(gateway.take())
    assert mom(*line, "/a").returncode == plain.returncode
    assert [request.tokens for request in gateway.take()] == [[]] * allowed


@pytest.mark.parametrize("option", ["=http", "=all", "-https", "-all,http", "=https,+http", "HTTP"])
def test_a_protocol_that_the_user_allows_is_allowed(mom: Mom, gateway: Recorder, option: str) -> None:
    assert mom("-s", "--proto", option, "/a").returncode == 0
    assert mom("-sL", "--proto-redir", option, "/a").returncode == 0
    assert len(gateway.take()) == 2


# --- no certificate, no token


def test_a_gateway_whose_certificate_does_not_verify_gets_no_token(mom: Mom, secure: Recorder) -> None:
    assert mom("-s", "/a", MOM_BASE_URL=secure.url).returncode == 60
    assert secure.take() == []


def test_a_gateway_with_another_name_in_its_certificate_gets_no_token(
    mom: Mom, other_secure: Recorder, authority: Authority
) -> None:
    url = f"https://localhost:{other_secure.port}"
    assert mom("-s", "--cacert", str(authority.file), "/a", MOM_BASE_URL=url).returncode == 60
    assert other_secure.take() == []


def test_http_to_another_machine_is_refused_before_anything_is_sent(mom: Mom) -> None:
    done = mom("-s", "/a", MOM_BASE_URL="http://192.0.2.1")
    assert done.returncode == 125
    assert b"--mom-insecure-http" in done.stderr


def test_without_https_no_proxy_of_the_environment_is_used_even_when_http_is_allowed(mom: Mom, proxy: Listener) -> None:
    # other.example is resolved to loopback by hand: nothing leaves the machine
    environ = {"MOM_BASE_URL": f"http://other.example:{proxy.port}", "http_proxy": "http://127.0.0.1:1"}
    mom.run(["-s", "-m", "20", "--mom-insecure-http", "--resolve", f"*:{proxy.port}:127.0.0.1", "/a"], environ)
    assert proxy.received.startswith(b"GET /a HTTP/1.1")


# --- when in doubt, without


@pytest.mark.parametrize("line", [["/a", "-o"], ["/a", "--output"], ["/a", "--no-such-option"], ["/a", "-s?"]])
def test_a_line_that_curl_refuses_is_run_without_a_token(mom: Mom, gateway: Recorder, line: list[str]) -> None:
    assert mom(*line).returncode == 2
    assert gateway.take() == []


def test_an_appended_option_is_never_taken_for_a_value(mom: Mom, gateway: Recorder) -> None:
    # `-o` at the end would take `--connect-to`, and everything after it would stand for something else
    mom("-s", "/a", "-o")
    assert list(mom.folder.iterdir()) == []
    assert gateway.take() == []

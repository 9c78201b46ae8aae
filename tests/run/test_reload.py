"""Changes while it runs: applied within a second, no request lost, and never a step back for a mistake."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mom.auth import jwk
from mom.auth import keys as own_keys
from mom.auth.tokens import mint
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, Client, Response, read_response
from tests.envoy.running import free_port
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.load import Load
from tests.run.mom_run import WITHOUT_MEMORY, MomRun, is_running, mom_run, replace, threads, wait_until

P = "/v1/apis/http"
ENV = {"ONE": "first", "TWO": "second"}


@pytest.fixture
def run(tmp_path: Path, api: Upstream) -> Iterator[MomRun]:
    """Return a run of one adapter, `one`, that takes a variable from an env file."""
    (tmp_path / ".env").write_text("ONE=first\n")
    with mom_run(tmp_path) as started:
        started.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"})})
        started.start("--env-file", ".env")
        yield started


@pytest.fixture
def without_memory(tmp_path: Path, api: Upstream) -> Iterator[MomRun]:
    """Return the same run, where a changed variable needs another process."""
    (tmp_path / ".env").write_text("ONE=first\n")
    with mom_run(tmp_path) as started:
        started.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"})})
        started.start("--env-file", ".env", prelude=WITHOUT_MEMORY)
        yield started


def base(api: Upstream) -> str:
    return f"http://127.0.0.1:{api.port}"


def sent(run: MomRun, api: Upstream, path: str, header: str = "authorization") -> list[str]:
    """Send a request and return what the API got in a header."""
    before = len(api.seen(path))
    assert run.client.send(P + path, token=run.token()).status == 200
    return api.seen(path.removeprefix("/one"))[before:][-1].get(header)


def answer(run: MomRun, path: str) -> Response:
    return run.client.send(P + path, token=run.token())


def test_an_adapter_added_removed_and_changed(run: MomRun, api: Upstream) -> None:
    assert answer(run, "/two/x").status == 404
    run.configure({"one": (base(api), {"Authorization": "changed"}), "two": (base(api), {})})
    run.wait("Reloaded + two, ~ one")
    assert answer(run, "/two/x").status == 200
    assert sent(run, api, "/one/changed") == ["changed"]
    listed = run.client.send("/v1alpha1/apis", token=run.token()).json()["apis"]
    assert [one["name"] for one in listed] == ["one", "two"]
    run.configure({"two": (f"{base(api)}/base", {})})
    run.wait("Reloaded - one, ~ two")
    assert answer(run, "/one/x").status == 404
    assert answer(run, "/two/moved").status == 200
    assert api.seen("/base/moved")


def test_a_comment_changes_nothing_and_is_not_mentioned(run: MomRun, api: Upstream) -> None:
    path = run.folder / "atlas.yml"
    replace(path, f"# a comment\n{path.read_text()}")
    run.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"}), "two": (base(api), {})})
    assert run.wait("Reloaded").count("Reloaded") == 1


def test_writing_in_place_is_noticed_too(run: MomRun, api: Upstream) -> None:
    path = run.folder / "atlas.yml"
    path.write_text(path.read_text().replace("Bearer ${{ ONE }}", "in place"))
    run.wait("Reloaded ~ one")
    assert sent(run, api, "/one/in-place") == ["in place"]


def test_a_broken_file_is_reported_and_the_old_configuration_stays(run: MomRun, api: Upstream) -> None:
    """No YAML, an empty file, half an Atlas."""
    for number, broken in enumerate(("kind: [", "", '{"kind": "Atlas"}'), 1):
        said = len(run.text)
        replace(run.folder / "atlas.yml", broken)
        assert "error:" in run.wait("Still serving the previous configuration", number)[said:]
        assert answer(run, "/one/x").status == 200
        run.configure({"one": (base(api), {}), f"mended-{number}": (base(api), {})})
        run.wait(f"+ mended-{number}")
        assert answer(run, f"/mended-{number}/x").status == 200


def test_a_header_that_cannot_be_sent_is_reported_with_its_place(run: MomRun, api: Upstream) -> None:
    run.configure({"one": (base(api), {"Host": "${{ ONE }}"})})
    text = run.wait("Still serving the previous configuration")
    assert "atlas.yml:" in text
    assert "`Host` follows from the base URL" in text


def test_the_file_removed_and_back(run: MomRun, api: Upstream) -> None:
    path = run.folder / "atlas.yml"
    path.rename(path.with_suffix(".gone"))
    assert "there is no such file" in run.wait("Still serving the previous configuration")
    assert answer(run, "/one/x").status == 200
    run.configure({"one": (base(api), {}), "back": (base(api), {})})
    run.wait("+ back")


def test_a_missing_variable_is_reported_and_then_found(run: MomRun, api: Upstream) -> None:
    run.configure({"one": (base(api), {"Authorization": "${{ ONE }}", "X-Two": "${{ TWO }}"})})
    text = run.wait("Still serving the previous configuration")
    assert "the variable TWO is not set (header X-Two of one)" in text
    assert sent(run, api, "/one/still") == ["Bearer first"]
    replace(run.folder / ".env", "ONE=first\nTWO=second\n")
    run.wait("Reloaded ~ one")
    assert sent(run, api, "/one/found", "x-two") == ["second"]


def test_a_changed_variable(run: MomRun, api: Upstream) -> None:
    """The same process, and the same connections, have the new value; requests in progress go on."""
    answers: list[Response] = []
    (held,) = threads(lambda: answers.append(answer(run, "/one/hold/same")), [()])
    api.wait("/hold/same")
    request = run.client.request(f"{P}/one/open", token=run.token()).replace(b"Connection: close\r\n", b"")
    with web_socket(run) as socket_, run.client.connect() as connection, connection.makefile("rb") as reader:
        for value in ("first", "second", "third"):
            if value != "first":
                replace(run.folder / ".env", f"ONE={value}\n")
                run.wait("Reloaded variables: ONE", count=1 if value == "second" else 2)
            connection.sendall(request)
            assert read_response(reader).status == 200
            assert api.seen("/open")[-1].get("authorization") == [f"Bearer {value}"]
        assert echoes(socket_)
    assert len(run.children()) == 1
    api.release("same")
    held.join(SECONDS)
    assert [one.status for one in answers] == [200]
    assert api.seen("/hold/same")[0].get("authorization") == ["Bearer first"]
    assert "second" not in run.text
    # What is taken out of the file opens nothing: other adapters go on, and it comes back.
    replace(run.folder / ".env", "# ONE=third\n")
    run.wait("Reloaded variables: ONE", count=3)
    run.wait("ONE is not in .env: adapters that need it respond with 503")
    assert answer(run, "/one/gone").error == "API_CredentialUnavailableError"
    (listed,) = run.client.send("/v1alpha1/apis", token=run.token()).json()["apis"]
    assert listed["credential"]["state"] == "unavailable"
    replace(run.folder / ".env", "ONE=again\n")
    run.wait("Reloaded variables: ONE", count=4)
    assert sent(run, api, "/one/again") == ["Bearer again"]
    (listed,) = run.client.send("/v1alpha1/apis", token=run.token()).json()["apis"]
    assert listed["credential"]["state"] == "ready"


def test_a_changed_variable_without_memory(without_memory: MomRun, api: Upstream) -> None:
    """The next generation of Envoy takes over the socket; requests in progress end where they began."""
    run = without_memory
    answers: list[Response] = []
    (held,) = threads(lambda: answers.append(answer(run, "/one/hold/variable")), [()])
    api.wait("/hold/variable")
    replace(run.folder / ".env", "ONE=rotated\n")
    run.wait("Reloaded variables: ONE")
    assert sent(run, api, "/one/rotated") == ["Bearer rotated"]
    assert len(run.children()) == 2
    api.release("variable")
    held.join(SECONDS)
    assert [one.status for one in answers] == [200]
    assert api.seen("/hold/variable")[0].get("authorization") == ["Bearer first"]
    assert "rotated" not in run.text


def test_changing_variables_twice_cuts_nothing(without_memory: MomRun, api: Upstream) -> None:
    """Envoy ends the first of three generations at once, so the second change waits for its requests."""
    run = without_memory
    answers: list[Response] = []
    (held,) = threads(lambda: answers.append(answer(run, "/one/hold/twice")), [()])
    api.wait("/hold/twice")
    replace(run.folder / ".env", "ONE=second\n")
    run.wait("Reloaded variables: ONE")
    replace(run.folder / ".env", "ONE=third\n")
    run.wait("Change postponed until 1 in-flight request finishes")
    assert sent(run, api, "/one/waits") == ["Bearer second"]
    api.release("twice")
    held.join(SECONDS)
    assert [one.status for one in answers] == [200]
    run.wait("Reloaded variables: ONE", count=2)
    assert sent(run, api, "/one/third") == ["Bearer third"]


def web_socket(run: MomRun) -> socket.socket:
    """Open a web socket through `one`; what is sent comes back."""
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"]
    request = run.client.request(f"{P}/one/socket", *upgrade, token=run.token())
    connection = run.client.connect()
    connection.sendall(request.replace(b"Connection: close\r\n", b""))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1000)
    assert b" 101 " in answer
    return connection


def echoes(connection: socket.socket) -> bool:
    connection.sendall(b"x")
    return connection.recv(1) == b"x"


def test_an_open_web_socket_holds_back_no_change_of_variables(without_memory: MomRun, api: Upstream) -> None:
    """It outlives the first change, and is cut by the second, as its client must expect; requests are not."""
    run = without_memory
    with web_socket(run) as old:
        replace(run.folder / ".env", "ONE=second\n")
        run.wait("Reloaded variables: ONE")
        assert echoes(old)
        with web_socket(run) as new:
            replace(run.folder / ".env", "ONE=third\n")
            run.wait("Reloaded variables: ONE", count=2)
            assert "postponed" not in run.text
            assert sent(run, api, "/one/third") == ["Bearer third"]
            assert old.recv(1) == b""
            assert echoes(new)
            assert run.end() == 0
            assert "Draining" not in run.text
            assert new.recv(1) == b""


def test_requests_to_the_current_generation_hold_back_no_change(without_memory: MomRun, api: Upstream) -> None:
    """Only those to the one before it would be cut."""
    run = without_memory
    replace(run.folder / ".env", "ONE=second\n")
    run.wait("Reloaded variables: ONE")
    answers: list[Response] = []
    (held,) = threads(lambda: answers.append(answer(run, "/one/hold/current")), [()])
    api.wait("/hold/current")
    replace(run.folder / ".env", "ONE=third\n")
    run.wait("Reloaded variables: ONE", count=2)
    assert "postponed" not in run.text
    api.release("current")
    held.join(SECONDS)
    assert [one.status for one in answers] == [200]
    assert api.seen("/hold/current")[0].get("authorization") == ["Bearer second"]


def test_without_hot_restart_a_changed_variable_needs_a_new_run(tmp_path: Path, api: Upstream) -> None:
    """As on macOS, or where there is no shared memory: everything but variables is reloaded."""
    (tmp_path / ".env").write_text("ONE=first\n")
    with mom_run(tmp_path) as run:
        run.configure({"one": (base(api), {"Authorization": "${{ ONE }}"})})
        no_restart = "import mom.run.hot_restart as h\nh.new_hot_restart = lambda: None\n"
        run.start("--env-file", ".env", prelude=WITHOUT_MEMORY + no_restart)
        (envoy,) = run.children()
        assert b"--disable-hot-restart" in Path(f"/proc/{envoy}/cmdline").read_bytes()
        replace(tmp_path / ".env", "ONE=second\n")
        text = run.wait("Still serving the previous configuration")
        assert "environment variables have changed" in text
        assert sent(run, api, "/one/no-restart") == ["first"]
        run.configure({"one": (base(api), {}), "two": (base(api), {})})
        run.wait("Reloaded + two, ~ one")
        assert run.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not is_running(envoy), "Envoy ends with mom")


def test_no_request_is_lost_in_any_change(run: MomRun, api: Upstream) -> None:
    """200 slow requests: adapter removed, listener changed, variables changed under them."""
    answers: list[Response] = []
    slow = threads(lambda: answers.append(answer(run, "/one/hold/parallel")), [()] * 200)
    api.wait("/hold/parallel", count=200)
    run.configure({"other": (base(api).replace("127.0.0.1", "localhost"), {})})
    run.wait("Reloaded + other, - one")
    key = es256("another")
    replace(run.folder / "keys.json", json.dumps(jwks(run.key, key)))
    run.wait("Reloaded keys")
    run.configure({"one": (base(api), {"Authorization": "${{ ONE }}"})})
    run.wait("Reloaded + one, - other")
    replace(run.folder / ".env", "ONE=after\n")
    run.wait("Reloaded variables: ONE")
    assert sent(run, api, "/one/during") == ["after"]
    api.release("parallel")
    for thread in slow:
        thread.join(SECONDS)
    assert [one.status for one in answers] == [200] * 200


def test_keys_of_an_identity_provider_rotate(run: MomRun) -> None:
    old, run.key = run.key, es256("new")
    assert answer(run, "/one/x").status == 401
    replace(run.folder / "keys.json", json.dumps(jwks(run.key)))
    run.wait("Reloaded keys")
    wait_until(lambda: answer(run, "/one/x").status == 200, "the new key counts")
    assert run.client.send(f"{P}/one/x", token=old.token()).status == 401
    # What cannot be used lets no client in, and the others go on.
    replace(run.folder / "keys.json", '{"keys": [{"kty": "oct", "k": "AAAA"}]}')
    assert "symmetric" in run.wait("its tokens are rejected")
    wait_until(lambda: answer(run, "/one/x").status == 401, "the provider is out")
    assert own_status(run) == 200


def own_token(run: MomRun) -> str:
    """Return a token that this user's own key signs."""
    stored = own_keys.load(run.environ["MOM_HOME"])
    assert stored is not None
    return mint(stored, f"http://127.0.0.1:{run.port}")


def own_status(run: MomRun, token: str | None = None) -> int:
    """Return the status of a request with such a token."""
    return run.client.send(f"{P}/one/x", token=token or own_token(run)).status


def test_this_users_own_key_rotates_from_one_algorithm_to_the_other(run: MomRun) -> None:
    home = run.environ["MOM_HOME"]
    tokens = []
    for number, algorithm in enumerate(["ES256", "EdDSA"], 1):
        tokens.append(own_token(run))
        assert own_status(run) == 200
        rotated = own_keys.rotate(home, algorithm=algorithm)
        assert own_status(run) == 401
        run.wait("Reloaded keys", number)
        wait_until(lambda: own_status(run) == 200, "the new key counts")
        assert rotated.algorithm == algorithm
    # Both kinds are in one set, and tokens from before a rotation are valid until they expire.
    assert [key["alg"] for key in own_keys.public_jwks(home)["keys"]] == ["EdDSA", "ES256", "EdDSA"]
    assert [own_status(run, token) for token in tokens] == [200, 200]
    # The algorithm is that of the key, whatever the token says.
    stored = own_keys.load(home)
    assert stored is not None
    for algorithm in ("ES256", "EdDSA", "HS256", "none"):
        token = with_algorithm(own_token(run), stored.current, algorithm)
        assert (own_status(run, token) == 200) == (algorithm == stored.algorithm), algorithm


def with_algorithm(token: str, key: Mapping[str, Any], algorithm: str) -> str:
    """Return `token` with another algorithm in its header, signed by the private JWK `key` all the same."""
    header, claims, _ = token.split(".")
    head = {**json.loads(jwk.decode_base64url(header)), "alg": algorithm}
    signed = f"{jwk.encode_base64url(json.dumps(head).encode())}.{claims}"
    return f"{signed}.{jwk.encode_base64url(jwk.sign(key, signed.encode()))}"


def test_another_port_in_the_file(tmp_path: Path, api: Upstream) -> None:
    one, two = free_port(), free_port()
    with mom_run(tmp_path) as run:
        run.configure({"one": (base(api), {})}, exposedPorts={"ingressHttpPort": one})
        run.start(listen=False)
        assert Client(one).send("/healthz").status == 200
        run.configure({"one": (base(api), {})}, exposedPorts={"ingressHttpPort": two})
        run.wait(f"Reloaded listening at http://127.0.0.1:{two}")
        wait_until(lambda: is_open(two), "the new port")
        assert Client(two).send("/healthz").status == 200
        # Taken by somebody else: nothing changes.
        run.configure({"one": (base(api), {})}, exposedPorts={"ingressHttpPort": api.port})
        assert f"127.0.0.1:{api.port} is already in use" in run.wait("Still serving the previous configuration")
        assert Client(two).send("/healthz").status == 200


def is_open(port: int) -> bool:
    try:
        return Client(port).send("/healthz").status == 200
    except OSError:
        return False


def test_a_renewed_certificate(tmp_path: Path, api: Upstream, authority: Authority) -> None:
    import ssl

    context = ssl.create_default_context(cafile=str(authority.file))
    files = authority.issue("localhost").write(tmp_path)
    with mom_run(tmp_path) as run:
        client = Client(run.port, context=context)

        def serial() -> object:
            with client.connect() as connection:
                assert isinstance(connection, ssl.SSLSocket)
                certificate = connection.getpeercert()
                assert certificate
                return certificate["serialNumber"]

        run.configure({"one": (base(api), {})})
        run.start("--tls-cert", files.chain.name, "--tls-key", files.key.name)
        first = serial()
        assert client.send(f"{P}/one/x", token=run.token(), host=f"localhost:{run.port}").status == 200
        renewed = authority.issue("localhost").write(tmp_path, "new")
        renewed.key.replace(files.key)
        renewed.chain.replace(files.chain)
        run.wait("Reloaded certificate")
        wait_until(lambda: serial() != first, "the new certificate is shown")


def test_a_full_disk_is_reported_and_the_old_configuration_stays(tmp_path: Path, api: Upstream) -> None:
    # A short path: it holds a unix socket.
    disk = Path(tempfile.mkdtemp(prefix="md-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no permission to mount a file system")
    try:
        with mom_run(tmp_path, environ={"XDG_RUNTIME_DIR": str(disk)}) as run:
            run.configure({"one": (base(api), {})})
            run.start()
            with contextlib.suppress(OSError):
                (disk / "fill").write_bytes(b"x" * 1_000_000)
            run.configure({"two": (base(api), {})})
            assert "the disk is full" in run.wait("Still serving the previous configuration")
            assert answer(run, "/one/full").status == 200
            (disk / "fill").unlink()
            run.configure({"one": (base(api), {}), "three": (base(api), {})})
            run.wait("Reloaded + three")
            assert answer(run, "/three/room-again").status == 200
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        disk.rmdir()


def test_a_file_that_comes_back_as_it_was_ends_the_error(run: MomRun) -> None:
    path = run.folder / "atlas.yml"
    text = path.read_text()
    replace(path, "a: [")
    run.wait("Still serving the previous configuration")
    replace(path, text)
    assert "Reloaded" not in run.wait("Configuration is valid again; nothing to apply.")


def test_a_reload_begins_no_limit_anew(tmp_path: Path, api: Upstream) -> None:
    """Not that of an adapter which has not changed, whatever else does; only another limit begins new buckets."""
    base = f"http://127.0.0.1:{api.port}"
    limits = {"limits": {"requestsPerMinute": 1, "per": "adapter"}}
    with mom_run(tmp_path) as run:

        def status(name: str) -> int:
            return run.client.send(f"/v1/apis/http/{name}/x", token=run.token()).status

        run.configure({"one": (base, {})}, settings={"one": limits})
        run.start()
        assert [status("one"), status("one")] == [200, 429]
        run.configure(
            {"one": (base, {"X": "y"}), "two": (base, {}), "free": (base, {})}, {"one": limits, "two": limits}
        )
        run.wait("Reloaded + two")
        assert [status("one"), status("two"), status("two")] == [429, 200, 429]
        assert [status("free"), status("free")] == [200, 200]
        run.configure({"one": (base, {}), "two": (base, {})}, settings={"one": limits})
        run.wait("~ two: limits")
        assert [status("one"), status("two"), status("two")] == [429, 200, 200]


@pytest.mark.parametrize("by", ["provider", pytest.param("list", marks=pytest.mark.proof)])
def test_claims_that_are_demanded_and_no_longer_refuse_no_token_that_has_them(
    tmp_path: Path, api: Upstream, by: str
) -> None:
    """The filter that verifies tokens and the routes that compare claims are two files, which take turns."""
    provider = {"publicKey": "keys.json", "audience": "https://atlas.test", "issuer": "https://idp.test/"}
    adapters: dict[str, tuple[str, dict[str, str]]] = {"one": (base(api), {})}
    with mom_run(tmp_path) as run:

        def configure(**claims: Any) -> None:
            own = claims if by == "provider" else {}
            settings = {"one": {"allow": [claims]}} if claims and by == "list" else {}
            run.configure(adapters, settings, identityProviders=[{"idp": {**provider, **own}}])

        def sent() -> None:
            more = [number + 20 for number in load.begun]
            wait_until(lambda: all(map(int.__ge__, load.begun, more)), "requests are sent")

        configure()
        run.start()
        load = Load(run, [f"{P}/one/x"] * 4, team="x")
        try:
            for number in range(3):
                configure(claims={"team": "x"})
                run.wait("Reloaded", 2 * number + 1)
                refused = 401 if by == "provider" else 403
                assert run.client.send(f"{P}/one/x", token=run.token(team="y")).status == refused
                sent()
                configure()
                run.wait("Reloaded", 2 * number + 2)
                assert run.client.send(f"{P}/one/x", token=run.token(team="y")).status == 200
                sent()
        finally:
            load.stop()
        assert load.wrong == []

"""What is taken away opens nothing a moment later, on connections that are open already as on new ones."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.claims import CLAIMS
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, Client
from tests.envoy.running import free_port
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.held import Http1, Http2, held, held_both
from tests.run.mom_run import WITHOUT_MEMORY, MomRun, mom_run, replace, wait_until

X = "/v1/apis/http/one/x"
BOTH = pytest.mark.parametrize("kind", [Http1, Http2])
QUICK = "import mom.run.key_sets as k\nk.REFRESH_SECONDS = k.RETRY_SECONDS = 0.3\n"


def base(api: Upstream) -> str:
    return f"http://127.0.0.1:{api.port}"


@pytest.fixture
def run(tmp_path: Path, api: Upstream) -> Iterator[MomRun]:
    with mom_run(tmp_path) as started:
        started.configure({"one": (base(api), {}), "two": (base(api), {})})
        started.start()
        yield started


def configure(run: MomRun, api: Upstream, *names: str, **provider: Any) -> None:
    keys = {"publicKey": "keys.json", "audience": "https://atlas.test", "issuer": "https://idp.test/", **provider}
    run.configure({name: (base(api), {}) for name in names}, identityProviders=[{"idp": keys}])


def test_a_key_that_is_taken_out_of_its_file(run: MomRun) -> None:
    other = es256("other")
    with held_both(run.client) as connection:
        assert connection.status(X, run.token()) == 200
        token = run.token()
        replace(run.folder / "keys.json", json.dumps(jwks(other)))
        run.wait("Reloaded keys")
        # The token that was verified a moment ago is in no cache any more.
        assert connection.status(X, token) == 401
        assert connection.status(X, other.token()) == 200


def test_an_issuer_an_audience_and_a_lifetime(run: MomRun, api: Upstream) -> None:
    token = run.token()
    with held_both(run.client) as connection:
        for count, change in enumerate(
            [{"issuer": "https://b.test/"}, {"audience": "https://b.test"}, {"maxLifetime": "5s"}], 1
        ):
            assert connection.status(X, token) == 200
            configure(run, api, "one", "two", **change)
            run.wait("Reloaded identity providers", count=2 * count - 1)
            assert connection.status(X, token) == 401
            configure(run, api, "one", "two")
            run.wait("Reloaded identity providers", count=2 * count)


def test_an_adapter_and_where_it_leads(run: MomRun, api: Upstream) -> None:
    with held_both(run.client) as connection, Upstream() as another:
        assert connection.status("/v1/apis/http/two/x", run.token()) == 200
        run.configure({"one": (base(another), {})})
        run.wait("Reloaded - two, ~ one")
        assert connection.status("/v1/apis/http/two/x", run.token()) == 404
        assert connection.status("/v1/apis/http/one/moved-elsewhere", run.token()) == 200
        assert another.seen("/moved-elsewhere")
        assert not api.seen("/moved-elsewhere")


def test_rules_and_claims(run: MomRun, api: Upstream) -> None:
    adapters: dict[str, tuple[str, dict[str, str]]] = {"one": (base(api), {}), "two": (base(api), {})}
    with held_both(run.client) as connection:
        assert connection.status(X, run.token()) == 200
        run.configure(adapters, allow=[{"methods": ["POST"]}, {"claims": {"groups": "platform"}}])
        run.wait("Reloaded allow")
        assert connection.status(X, run.token()) == 403
        assert connection.status(X, run.token(groups=["platform"])) == 200
        configure(run, api, "one", "two", claims={"owner": "us"})
        run.wait("Reloaded identity providers, allow")
        assert connection.status(X, run.token()) == 401
        assert connection.status(X, run.token(owner="us")) == 200
        configure(run, api, "one", "two", claims={"owner": "them"})
        run.wait("Reloaded identity providers\n")
        assert connection.status(X, run.token(owner="us")) == 401


def test_a_key_file_that_is_gone_lets_no_client_of_its_provider_in(run: MomRun) -> None:
    """Removed, cut off, empty, broken: each one after the other came back."""
    for content in (None, "", '{"keys": []}', "garbage"):
        _a_key_file_is_gone(run, content)


def _a_key_file_is_gone(run: MomRun, content: str | None) -> None:
    before = run.text.count("its tokens are rejected")
    with held(Http1, run.client) as connection:
        assert connection.status(X, run.token()) == 200
        if content is None:
            (run.folder / "keys.json").unlink()
        else:
            replace(run.folder / "keys.json", content)
        run.wait("its tokens are rejected", before + 1)
        wait_until(lambda: connection.status(X, run.token()) == 401, "the provider is out")
    # And back again.
    replace(run.folder / "keys.json", json.dumps(jwks(run.key)))
    wait_until(lambda: run.client.send(X, token=run.token()).status == 200, "the provider is there again")


def test_of_two_providers_one_stays_and_the_list_has_which_is_out(run: MomRun, api: Upstream) -> None:
    two = es256("two")
    (run.folder / "two.json").write_text(json.dumps(jwks(two)))
    first = {"publicKey": "keys.json", "audience": "https://atlas.test", "issuer": "https://idp.test/"}
    second = {"publicKey": "two.json", "audience": "https://atlas.test", "issuer": "https://two.test/"}
    run.configure({"one": (base(api), {})}, identityProviders=[{"idp": first}, {"two": second}])
    run.wait("Reloaded - two, identity providers")

    def states() -> dict[str, str]:
        listed = run.client.send("/v1alpha1/apis", token=two.token(iss="https://two.test/")).json()
        return {one["name"]: one["keys"]["state"] for one in listed["identityProviders"]}

    wait_until(lambda: states() == {"idp": "ready", "two": "ready"}, "both are ready")
    (run.folder / "keys.json").unlink()
    wait_until(lambda: states() == {"idp": "unavailable", "two": "ready"}, "one is out")
    assert run.client.send(X, token=run.token()).status == 401


def test_a_key_is_revoked_while_the_configuration_is_broken(run: MomRun) -> None:
    token = run.token()
    replace(run.folder / "atlas.yml", "kind: [")
    run.wait("Still serving the previous configuration")
    assert run.client.send(X, token=token).status == 200
    replace(run.folder / "keys.json", json.dumps(jwks(es256("other"))))
    run.wait("Reloaded keys")
    assert run.client.send(X, token=token).status == 401


def test_a_broken_configuration_restarts_nothing_when_the_directory_of_the_run_is_gone(run: MomRun) -> None:
    """Renewing keys is no reason to, as long as they are the same."""
    before = run.children()
    (directory,) = run.runtime.glob("mom-atlas-*")
    shutil.rmtree(directory)
    replace(run.folder / "atlas.yml", "kind: [")
    run.wait("Still serving the previous configuration")
    assert run.client.send(X, token=run.token()).status == 200
    assert run.children() == before


def test_no_key_at_all_lets_no_client_in_and_is_reported(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"one": (base(api), {})})
        run.start("--no-local-key")
        assert run.client.send(X, token=run.token()).status == 200
        replace(run.folder / "keys.json", '{"keys": []}')
        run.wait("Reloaded keys")
        answer = run.client.send(X, token=run.token())
        assert (answer.status, answer.error) == (503, "API_IdentityProviderUnavailableError")
        assert run.client.send(X).status == 503
        assert run.client.send("/healthz").status == 200


# -- keys at a URL


@contextlib.contextmanager
def remote_run(folder: Path, api: Upstream, url: str, prelude: str = QUICK) -> Iterator[MomRun]:
    with mom_run(folder) as run:
        configure(run, api, "one", publicKey=url)
        run.start(prelude=prelude)
        yield run


def test_a_key_that_leaves_its_url(tmp_path: Path, api: Upstream) -> None:
    with Upstream() as idp, mom_run(tmp_path) as run:
        idp.body = json.dumps(jwks(run.key)).encode()
        configure(run, api, "one", publicKey=f"http://127.0.0.1:{idp.port}/keys")
        run.start(prelude=QUICK)
        with held_both(run.client) as connection:
            assert connection.status(X, run.token()) == 200
            token = run.token()
            idp.body = b'{"keys": []}'
            wait_until(lambda: connection.status(X, token) == 401, "nobody")
            idp.body = json.dumps(jwks(run.key)).encode()
            wait_until(lambda: connection.status(X, token) == 200, "back again")
            # What is no key set says nothing about keys: they stay, and the terminal says so.
            idp.body = b"<html>"
            run.wait("using the last known keys")
            assert connection.status(X, token) == 200


def test_a_provider_that_is_down_delays_neither_the_start_nor_a_reload(tmp_path: Path, api: Upstream) -> None:
    """Its own clients are out until it is there; after that, a reload changes nothing for them."""
    with Upstream() as idp, mom_run(tmp_path) as run:
        idp.body = b"not yet"
        configure(run, api, "one", publicKey=f"http://127.0.0.1:{idp.port}/keys")
        began = time.monotonic()
        run.start(prelude=QUICK)
        run.wait("is not JSON: its tokens are rejected")
        # A run in tests would wait as long as that for keys that may still come.
        assert time.monotonic() - began < SECONDS
        assert run.client.send(X, token=run.token()).status == 401
        idp.body = json.dumps(jwks(run.key)).encode()
        wait_until(lambda: run.client.send(X, token=run.token()).status == 200, "the keys are there")
        idp.body = b"down"
        run.wait("using the last known keys")
        configure(run, api, "one", "two", publicKey=f"http://127.0.0.1:{idp.port}/keys")
        run.wait("Reloaded + two")
        assert run.client.send(X, token=run.token()).status == 200


def test_keys_of_an_https_url_need_a_certificate_of_a_known_authority(
    tmp_path: Path, api: Upstream, secure_apis: dict[str, Upstream], authority: Authority
) -> None:
    environ = {"SSL_CERT_FILE": str(authority.file)}
    with mom_run(tmp_path, environ=environ) as run:
        good, bad = (f"https://localhost:{secure_apis[name].port}/keys" for name in ("good", "self-signed"))
        body, secure_apis["good"].body = secure_apis["good"].body, json.dumps(jwks(run.key)).encode()
        try:
            configure(run, api, "one", publicKey=good)
            run.start()
            assert run.client.send(X, token=run.token()).status == 200
            configure(run, api, "one", publicKey=bad)
            run.wait("its certificate is not valid")
            wait_until(lambda: run.client.send(X, token=run.token()).status == 401, "no keys from there")
        finally:
            secure_apis["good"].body = body


# -- changed variables: another process takes over


@BOTH
def test_a_connection_to_the_process_before_obeys_what_is_revoked_since(
    tmp_path: Path, api: Upstream, kind: type[Http1 | Http2]
) -> None:
    """It carries one more request, with the old value, and only for a token and an adapter that are good now."""
    (tmp_path / ".env").write_text("ONE=old\n")
    with mom_run(tmp_path) as run, contextlib.ExitStack() as stack:
        adapters = {"one": (base(api), {"Authorization": "${{ ONE }}"}), "two": (base(api), {})}
        run.configure(adapters)
        run.start("--env-file", ".env", prelude=WITHOUT_MEMORY)
        token = run.token(exp=int(time.time()) + 3600)
        connections = [stack.enter_context(held(kind, run.client)) for _ in range(60)]
        assert {one.status(X, token) for one in connections} == {200}
        replace(tmp_path / ".env", "ONE=new\n")
        run.wait("Reloaded variables: ONE")
        last = connections.pop()
        assert last.status("/v1/apis/http/one/last", token) == 200
        assert api.seen("/last")[-1].get("authorization") == ["old"]
        assert last.closing
        wait_until(lambda: is_cut(last, token), "a client that does not obey is cut off")
        run.configure({"one": adapters["one"]})
        run.wait("Reloaded - two")
        one_by_one(connections, "/v1/apis/http/two/x", token, 404)
        replace(run.folder / "keys.json", json.dumps(jwks(es256("other"))))
        run.wait("Reloaded keys")
        one_by_one(connections, X, token, 401)


def is_cut(connection: Http1 | Http2, token: str) -> bool:
    try:
        connection.status(X, token)
    except (OSError, IndexError, AssertionError):
        return True
    return False


def one_by_one(connections: list[Http1 | Http2], path: str, token: str, status: int) -> None:
    """Use one connection after the other, each for its last request, until one gets `status`.

    The process before cannot be asked whether it has applied a change, which takes it milliseconds.
    """
    pause = 0.1
    while connections[-1].status(path, token) != status:
        connections.pop()
        time.sleep(pause)
        # So that thirty of them last for as long as a busy machine may take.
        pause = min(1.2 * pause, 5.0)
    connections.pop()


def listener_text(run: MomRun) -> str:
    (file,) = run.runtime.glob("mom-atlas-*/0/lds.json")
    return file.read_text()


def test_the_listener_is_the_same_text_whatever_is_revoked(run: MomRun, api: Upstream) -> None:
    """Only a listener that changes would leave its open connections behind."""
    before = listener_text(run)
    replace(run.folder / "keys.json", json.dumps(jwks(run.key, es256("other"))))
    run.wait("Reloaded keys")
    configure(run, api, "one", "three", issuer="https://b.test/", maxLifetime="1h")
    run.wait("Reloaded + three, - two, identity providers")
    configure(run, api, "one", "three", issuer="https://b.test/", maxLifetime="1h", claims={"owner": "us"})
    run.wait("Reloaded identity providers", count=1)
    assert listener_text(run) == before


def test_keys_are_written_only_when_they_change(run: MomRun, api: Upstream) -> None:
    """Each time Envoy gets them, its cache of verified tokens is lost."""
    (file,) = run.runtime.glob("mom-atlas-*/0/authentication.pb")
    before = file.stat()
    # Which adapters there are is in it too: tokens may be for one of them.
    run.configure({"one": (f"{base(api)}/base", {}), "two": (base(api), {})})
    run.wait("Reloaded ~ one: base URL")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    replace(run.folder / "keys.json", json.dumps(jwks(es256("other"))))
    run.wait("Reloaded keys")
    assert file.stat().st_ino != before.st_ino


def test_claims_are_recorded_for_good_once_something_has_read_them(run: MomRun, api: Upstream) -> None:
    """A route that reads them goes a moment after what records them, and would refuse what it does not find."""
    (file,) = run.runtime.glob("mom-atlas-*/0/authentication.pb")
    assert CLAIMS.encode() not in file.read_bytes()
    adapters: dict[str, tuple[str, dict[str, str]]] = {"one": (base(api), {}), "two": (base(api), {})}
    run.configure(adapters, {"one": {"allow": [{"claims": {"team": "red"}}]}})
    run.wait("Reloaded", 1)
    run.configure(adapters)
    run.wait("Reloaded", 2)
    assert CLAIMS.encode() in file.read_bytes()


def test_a_connection_goes_on_under_a_renewed_certificate(tmp_path: Path, api: Upstream, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.file))
    files = authority.issue("localhost").write(tmp_path)
    with mom_run(tmp_path) as run:
        run.configure({"one": (base(api), {})})
        run.start("--tls-cert", files.chain.name, "--tls-key", files.key.name)
        with held(Http1, Client(run.port, context=context)) as connection:
            assert connection.status(X, run.token()) == 200
            renewed = authority.issue("localhost").write(tmp_path, "new")
            renewed.key.replace(files.key)
            renewed.chain.replace(files.chain)
            run.wait("Reloaded certificate")
            assert connection.status(X, run.token()) == 200
            token = run.token()
            replace(run.folder / "keys.json", json.dumps(jwks(es256("other"))))
            run.wait("Reloaded keys")
            assert connection.status(X, token) == 401


def test_a_connection_to_the_port_before_obeys_what_is_revoked_since(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run:
        one, two = free_port(), free_port()
        run.configure({"one": (base(api), {})}, exposedPorts={"ingressHttpPort": one})
        run.start(listen=False)
        with held_both(Client(one)) as connection:
            token = run.token()
            assert connection.status(X, token) == 200
            run.configure({"one": (base(api), {})}, exposedPorts={"ingressHttpPort": two})
            run.wait("Reloaded listening at")
            replace(run.folder / "keys.json", json.dumps(jwks(es256("other"))))
            run.wait("Reloaded keys")
            assert connection.status(X, token) == 401

"""Which names lead to a listener and to nothing else: for these alone are tokens of this user's key accepted."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mom.auth import keys as own_keys
from mom.auth.tokens import mint
from mom.envoy.options import Listen
from mom.run.bindings import Binding, Bindings
from tests.envoy.client import Client
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.run.mom_run import MomRun, mom_run


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


@needs_ipv6
@pytest.mark.parametrize(
    ("host", "also", "names"),
    [
        ("127.0.0.1", ("::1",), ("127.0.0.1", "localhost", "::1")),
        ("::1", ("127.0.0.1",), ("::1", "localhost", "127.0.0.1")),
        ("0.0.0.0", ("::1",), ("127.0.0.1", "localhost", "::1", socket.gethostname().lower())),
        ("::", ("127.0.0.1",), ("::1", "localhost", "127.0.0.1", socket.gethostname().lower())),
        ("127.0.0.2", (), ("127.0.0.2",)),
        ("192.0.2.1", (), ("192.0.2.1",)),
    ],
)
def test_both_loopback_addresses_are_bound(host: str, also: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert Bindings().of(Listen(host, free_port())) == Binding(also, names)


@contextlib.contextmanager
def another_process_at(host: str, port: int) -> Iterator[None]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as other:
        other.bind((host, port))
        other.listen()
        yield


@needs_ipv6
def test_an_address_that_is_taken_takes_the_name_localhost_with_it() -> None:
    port = free_port()
    with another_process_at("::1", port):
        assert Bindings().of(Listen("127.0.0.1", port)) == Binding((), ("127.0.0.1",), taken=f"[::1]:{port}")


@needs_ipv6
def test_a_binding_is_looked_at_once() -> None:
    """Later the run itself has the address."""
    bindings, listen = Bindings(), Listen("127.0.0.1", free_port())
    before = bindings.of(listen)
    with another_process_at("::1", listen.port):
        assert bindings.of(listen) == before


def status(run: MomRun, host: str, client: Client) -> int:
    found = own_keys.load(run.environ["MOM_HOME"])
    assert found is not None
    token = mint(found, f"http://{host}:{run.port}")
    return client.send("/v1/apis/http/one/x", token=token, host=f"{host}:{run.port}").status


@needs_ipv6
def test_a_token_for_any_loopback_name_is_valid_on_both_addresses(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        run.start()
        for client in (run.client, Client(run.port, host="::1")):
            assert [status(run, host, client) for host in ("127.0.0.1", "localhost", "[::1]")] == [200, 200, 200]


@needs_ipv6
def test_a_token_for_an_address_of_another_process_is_refused(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run, another_process_at("::1", run.port):
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        run.start()
        assert f"another process listens on [::1]:{run.port}" in run.text
        assert [status(run, host, run.client) for host in ("127.0.0.1", "localhost", "[::1]")] == [200, 401, 401]

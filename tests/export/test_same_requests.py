"""What is exported does what `mom atlas run` does: the same requests to both, and the same comes of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from mom.gateway import ErrorTypes
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.running import free_port
from tests.export.corpus import SLOW, Gateway, P, kubernetes, perform
from tests.export.deployments import EXPORTS, kubernetes_with_its_api_server, running
from tests.export.observation import Observation, described, differences, observe
from tests.export.world import VARIABLES, World, configuration, world
from tests.run.api_server import ApiServer, kubeconfig
from tests.run.mom_run import MomRun, atlas_yml
from tests.run.openid_provider import openid_provider
from tests.run.test_kubernetes import with_kubernetes

pytestmark = pytest.mark.proof

# Of which no request is, and why.
NOT_SENT = {
    ErrorTypes.ADAPTER_CONFIG: "a value that no header can have is refused before a run starts",
    ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE: "a run has other keys, by which a token without known keys is invalid",
    ErrorTypes.INSTANCE_LIMITS_EXCEEDED: "it takes more requests at once than there are here",
    ErrorTypes.UPSTREAM_ABORTED: "it is in the access log only",
}


class Difference(NamedTuple):
    """A difference that docs/deploy/README.md tells: what a response has here, and what it has there."""

    here: str
    there: str
    reason: str


_HOST = "Envoy cannot know by which names clients reach it"
_STATES = "no process looks after credentials and keys, and tells how they are"
# Where TLS may end in front of it.
BEHIND_TLS = {
    "links": Difference("link: <http://127.0.0.1:", "link: </v1/apis/http/plain/a?page=2>", "the scheme is not known")
}
# These run `mom atlas run` itself, which differs in nothing.
WITH_MOM = {"kubernetes, with mom", "compose, with mom", "systemd"}
DIFFERENCES = {
    "absolute form": Difference("API_MisdirectedRequestError", "HTTP/1.1 200", _HOST),
    "another host": Difference("API_MisdirectedRequestError", "HTTP/1.1 200", _HOST),
    "token of a provider that is down": Difference(
        "HTTP/1.1 401",
        'www-authenticate: Bearer realm="atlas"\r\n',
        "Envoy itself fetches keys",
    ),
    "list /v1alpha1/apis": Difference('"credential": {"state": "ready"', '"instance"', _STATES),
    "list /v1alpha1/apis of a caller that may do little": Difference('"identityProviders"', '"instance"', _STATES),
}
# Those of their lines in the access log.
_PATHS = {"/host", f"{P}/plain/host", f"{P}/plain/down", "/v1alpha1/apis"}
_STATE = re.compile(r', "(credential": \{[^}]*\}|identityProviders": \[.*\](?=\}))')


@dataclass(frozen=True)
class Here:
    """What `mom atlas run` did, the surroundings, and the port of every gateway."""

    world: World
    port: int
    observation: Observation


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Return what `mom atlas run` does."""
    folder = tmp_path_factory.mktemp("here")
    with (
        openid_provider(seconds=3_600) as provider,
        world(folder / "atlas", f"http://127.0.0.1:{provider.port}/token") as made,
    ):
        port = free_port()
        (made.folder / "atlas.yml").write_text(configuration(made, port))
        yield Here(made, port, observed(made, port))


def observed(world: World, port: int) -> Observation:
    run = MomRun(world.folder, environ={**VARIABLES, "SSL_CERT_FILE": str(world.authority.file)})
    world.write_keys()
    log = world.folder / "run.log"
    try:
        with log.open("w") as file:
            run.start("--no-local-key", "--access-log", "-", "--listen", f"127.0.0.1:{port}", listen=False, stdout=file)
        return observe(Gateway(Client(port), world), log, slow=True)
    finally:
        run.close()


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_does_what_a_run_does(here: Here, tmp_path: Path, name: str) -> None:
    is_slow = name == "envoy"
    deployment = EXPORTS[name](here.world, tmp_path, here.port)
    with running(deployment, tmp_path, here.port) as log:
        there = observe(Gateway(Client(here.port), here.world), log, slow=is_slow)
    known = {} if name in WITH_MOM else DIFFERENCES if name.startswith("envoy") else {**DIFFERENCES, **BEHIND_TLS}
    paths = {*(_PATHS if known else ()), *(() if is_slow else (SLOW,))}
    found = differences(here.observation, there, paths)
    found = {exchange: text for exchange, text in found.items() if exchange not in known}
    assert not found, report(found)
    for exchange, difference in known.items():
        one, other = (next(described(each.outcomes[exchange])) for each in (here.observation, there))
        assert (difference.here in one, difference.here in other) == (True, False), exchange
        assert difference.there in other, exchange
        if exchange.startswith("list "):
            assert _STATE.sub("", one).partition("\r\n\r\n")[2] == other.partition("\r\n\r\n")[2]


def test_an_export_to_kubernetes_does_what_a_run_does_with_the_api_server(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    with ApiServer(authority, tmp_path, "of-atlas", name="localhost") as server:
        world = World(tmp_path / "atlas", authority, "", {"api server": server.port}, {"api server": server})
        world.folder.mkdir()
        world.write_keys()
        (world.folder / "atlas.yml").write_text(with_kubernetes(atlas_yml({})))
        data = base64.b64encode(authority.file.read_bytes()).decode()
        url = f"https://localhost:{server.port}"
        login = kubeconfig(url, {"certificate-authority-data": data}, {"token": "of-atlas"})
        (tmp_path / "kubeconfig").write_text(login)
        gateway = Gateway(Client(port), world)
        run = MomRun(world.folder, environ={"KUBECONFIG": str(tmp_path / "kubeconfig")})
        world.write_keys()
        try:
            run.start("--no-local-key", "--listen", f"127.0.0.1:{port}", listen=False)
            expected = {each.name: list(described(perform(each, gateway))) for each in kubernetes()}
        finally:
            run.close()
        deployment = kubernetes_with_its_api_server(world, tmp_path, port)
        with running(deployment, tmp_path, port):
            assert {each.name: list(described(perform(each, gateway))) for each in kubernetes()} == expected
    assert "HTTP/1.1 101" in expected["websocket"][0]
    assert "API_NoMatchingInstanceError" in expected["another cluster"][0]


def report(found: dict[str, str]) -> str:
    return "\n".join(f"{name}:\n{text}" for name, text in found.items())


def test_each_type_of_error_is_among_the_responses(here: Here) -> None:
    seen = b"".join(outcome.seen for outcome in here.observation.outcomes.values()).decode("latin-1")
    types = {value for name, value in vars(ErrorTypes).items() if name.isupper()}
    assert {kind for kind in types if f"atlas-error: {kind}" not in seen} == set(NOT_SENT)
    assert len(here.observation.outcomes) >= 200

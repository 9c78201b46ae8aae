"""A Kubernetes adapter leads to the cluster's API server, with Atlas's own login there and not the caller's."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mom.atlas.adapters.kubernetes import Cluster, KubernetesAdapter
from mom.errors import MomError
from mom.run.kubernetes import Clusters, Login
from tests.envoy.certificates import Authority
from tests.envoy.configurations import HERE, configuration
from tests.observed import contents
from tests.run.api_server import UID, ApiServer, client_files, kubeconfig
from tests.run.mom_run import MomRun, atlas_yml, mom_run, replace, wait_until, with_adapter

P = "/v1/apis/kubernetes"
FIRST, SECOND = "first-token-of-atlas", "second-token-of-atlas"


def with_kubernetes(text: str) -> str:
    """Return the text of a configuration with a Kubernetes adapter."""
    return with_adapter(text, "Kubernetes", "k8s")


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[ApiServer]:
    """Return an API server."""
    with ApiServer(authority, tmp_path, FIRST, SECOND) as made:
        yield made


@pytest.fixture
def run(authority: Authority, server: ApiServer, tmp_path: Path) -> Iterator[MomRun]:
    """Return a run, not started, whose current context has a token in a file."""
    (tmp_path / "token").write_text(f"{FIRST}\n")
    data = base64.b64encode(authority.file.read_bytes()).decode()
    text = kubeconfig(server.url, {"certificate-authority-data": data}, {"tokenFile": "token"})
    (tmp_path / "kubeconfig").write_text(text)
    with mom_run(tmp_path, environ={"KUBECONFIG": str(tmp_path / "kubeconfig")}) as made:
        (tmp_path / "atlas.yml").write_text(with_kubernetes(atlas_yml({})))
        yield made


def test_requests_watches_and_upgrades_reach_the_api_server_with_its_own_token(run: MomRun, server: ApiServer) -> None:
    run.start()
    assert f"{P}/  {server.url}" in run.text
    token = run.token()
    theirs = f"Authorization: Bearer {token}"
    response = run.client.send(f"{P}/api/v1/namespaces?limit=500", theirs)
    assert (response.status, len(response.json()["items"])) == (200, 2)
    (request,) = server.seen("/api/v1/namespaces")
    assert request.get("authorization") == [f"Bearer {FIRST}"]
    assert "atlas-accesstoken" not in request.names
    assert run.client.send(f"{P}/api").status == 401
    assert run.client.send(f"{P}/api", f"Authorization: Bearer {FIRST}").status == 401
    _check_cluster_id(run, server, token)
    _check_other_users(run, server, token)
    _check_watch(run, token)
    for protocol in ("websocket", "SPDY/3.1"):
        _check_upgrade(run, token, protocol)
    options = ("-f", "atlas.yml", "--format", "json", "--base-url", f"http://127.0.0.1:{run.port}")
    (checked,) = json.loads(run.mom("atlas", "check", *options))["adapters"]
    assert (checked["outcome"], checked["request"]) == ("passed", "GET /api")
    envoys = run.children()
    replace(run.folder / "token", SECOND)
    wait_until(lambda: _seen_token(run, server, token) == f"Bearer {SECOND}", "the new token is used")
    assert run.children() == envoys
    (listed,) = run.client.send("/v1alpha1/apis", token=token).json()["apis"]
    assert listed.pop("credential")["state"] == "ready"
    assert listed == {"kind": "Kubernetes", "name": "k8s", "path": f"{P}/", "clusterId": UID, "instance": "test"}
    assert FIRST not in run.text
    assert not any(FIRST.encode() in content for content in contents(run.runtime, pattern="*.json").values())


def _check_cluster_id(run: MomRun, server: ApiServer, token: str) -> None:
    name = "Atlas-Apis-Kubernetes-Clusterid"
    assert run.client.send(f"{P}/api", f"{name}: {UID}", token=token).status == 200
    assert name.lower() not in server.seen("/api")[-1].names
    before = len(server.requests)
    for several in ((UID, "another"), ("another", UID), (UID, UID, "")):
        answer = run.client.send(f"{P}/api", *(f"{name}: {each}" for each in several), token=token)
        assert (answer.status, answer.error) == (404, "API_NoMatchingInstanceError"), several
    for other in ("another", f"{UID} ", UID.upper(), f"x{UID}"):
        response = run.client.send(f"{P}/api", f"{name}: {other}", token=token)
        # Blanks around a value are no part of it (RFC 9110, 5.5).
        expected = (200, None) if other.strip() == UID else (404, "API_NoMatchingInstanceError")
        assert (response.status, response.error) == expected, other
    assert len(server.requests) == before + 1
    assert UID in run.client.send(f"{P}/api", f"{name}: another", token=token).json()["error"]["message"]


def _check_other_users(run: MomRun, server: ApiServer, token: str) -> None:
    """The login may have the right to impersonate; callers do not get it, nor more than they asked for without it."""
    before = len(server.requests)
    for name in ("Impersonate-User", "impersonate-group", "Impersonate-Uid"):
        theirs = ("Impersonate-Extra-Scopes: all", f"{name}: system:masters")
        for given in (theirs, (*theirs, "Connection: Upgrade", "Upgrade: websocket")):
            answer = run.client.send(f"{P}/api", *given, token=token)
            assert (answer.status, answer.error) == (403, "API_NotAllowedError"), given
            assert "--as" in answer.json()["error"]["message"]
        assert run.client.send(f"{P}/api", f"{name}: x").status == 401
    assert len(server.requests) == before
    more = (
        "Impersonate-Extra-Scopes: all",
        "X-Remote-User: root",
        "X-Remote-Group: system:masters",
        "X-Remote-Extra-A: b",
    )
    assert run.client.send(f"{P}/api", *more, token=token).status == 200
    assert not [name for name in server.seen("/api")[-1].names if name.startswith(("impersonate", "x-remote"))]


def _check_watch(run: MomRun, token: str) -> None:
    with run.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(run.client.request(f"{P}/api/v1/namespaces?watch=1", token=token))
        while reader.readline().strip():
            pass
        reader.readline()
        # The first event comes while the stream goes on.
        assert json.loads(reader.readline())["type"] == "ADDED"


def _check_upgrade(run: MomRun, token: str, protocol: str) -> None:
    data = (
        f"POST {P}/api/v1/namespaces/default/pods/p/exec?command=sh HTTP/1.1\r\nHost: 127.0.0.1:{run.port}\r\n"
        f"Authorization: Bearer {token}\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
    ).replace("POST", "GET" if protocol == "websocket" else "POST")
    with run.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(data.encode())
        line = reader.readline()
        assert b" 101 " in line, (protocol, line)
        while reader.readline().strip():
            pass
        connection.sendall(b"hello")
        assert reader.read(5) == b"hello"


def _seen_token(run: MomRun, server: ApiServer, token: str) -> str:
    assert run.client.send(f"{P}/version", token=token).status == 200
    return server.seen("/version")[-1].get("authorization")[0]


@pytest.mark.parametrize("inline", [False, True])
def test_a_client_certificate_is_a_login(authority: Authority, tmp_path: Path, inline: bool) -> None:
    files = client_files(authority, tmp_path)
    named: Mapping[str, Path] = {"client-certificate": files.chain, "client-key": files.key}
    user: dict[str, Any] = {
        **{f"{key}-data": base64.b64encode(path.read_bytes()).decode() for key, path in named.items() if inline},
        **{key: str(path) for key, path in named.items() if not inline},
    }
    with (
        ApiServer(authority, tmp_path) as server,
        mom_run(tmp_path, environ={"KUBECONFIG": str(tmp_path / "kubeconfig")}) as run,
    ):
        text = kubeconfig(server.url, {"certificate-authority": str(authority.file)}, user)
        (tmp_path / "kubeconfig").write_text(text)
        (tmp_path / "atlas.yml").write_text(with_kubernetes(atlas_yml({})))
        run.start()
        assert run.client.send(f"{P}/api", f"Authorization: Bearer {run.token()}").status == 200
        assert run.client.send(f"{P}/api", "Authorization: Basic dTpw", token=run.token()).status == 200
        assert [request.get("authorization") for request in server.seen("/api")] == [[], []]


K8S = configuration(KubernetesAdapter("k8s", HERE))


def login(environ: Mapping[str, str], folder: Path) -> Login:
    """Return the login that a run would find."""
    found = Clusters(folder).login(K8S, environ, "/none")
    assert found is not None
    return found


def test_a_pod_logs_in_by_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(FIRST)
    environ = {"KUBERNETES_SERVICE_HOST": "::1", "KUBERNETES_SERVICE_PORT": "1", "KUBECONFIG": "/not/looked/at"}
    found = login(environ, tmp_path)
    assert found.cluster == Cluster("https://[::1]:1", found.cluster.tls)
    assert found.cluster.tls.ca_file == str(tmp_path / "ca.crt")
    assert found.token == tmp_path / "token"
    assert found.watched == (tmp_path / "ca.crt",)


def test_of_several_kubeconfigs_the_first_that_has_an_entry_counts(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("apiVersion: v1\ncurrent-context: it\n")
    (tmp_path / "two").write_text(kubeconfig("https://127.0.0.1:1/base/", {}, {"token": FIRST}))
    found = login({"KUBECONFIG": f"{tmp_path / 'none'}:{tmp_path / 'one'}:{tmp_path / 'two'}"}, tmp_path)
    assert (found.cluster.server, found.token) == ("https://127.0.0.1:1/base", FIRST)


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({}, {"exec": {"command": "aws"}}, "the user of the current context has `exec`"),
        ({}, {"auth-provider": {"name": "gcp"}}, "has `auth-provider`"),
        ({}, {"username": "u", "password": "p"}, "has `username`"),
        ({}, {"token": "t", "as": "admin"}, "has `as`"),
        ({}, {}, "has no login that Atlas can use"),
        ({}, {"client-certificate": "c.pem"}, "a client certificate without its key"),
        ({}, {"client-certificate-data": "?", "client-key-data": "?"}, "client-certificate-data in .* is not base64"),
        ({"insecure-skip-tls-verify": True}, {"token": "t"}, "`insecure-skip-tls-verify`"),
        ({"proxy-url": "http://127.0.0.1:1"}, {"token": "t"}, "`proxy-url`"),
        ({"server": "ftp://x"}, {"token": "t"}, "the server of the cluster"),
    ],
)
def test_a_context_that_cannot_be_used_says_why_and_what_can(
    tmp_path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any], message: str
) -> None:
    (tmp_path / "kubeconfig").write_text(kubeconfig("https://127.0.0.1:1", cluster, user))
    with pytest.raises(MomError) as raised:
        login({"KUBECONFIG": str(tmp_path / "kubeconfig")}, tmp_path)
    (problem,) = raised.value.problems
    assert problem.rule == "kubernetes-cluster"
    assert re.search(message, problem.message)
    assert problem.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no such file"),
        ("a: [", "is not valid YAML"),
        ("just text", "is not a kubeconfig"),
        ("apiVersion: v1", "no current-context is set"),
        ("current-context: it", "the current-context `it` is not there"),
    ],
)
def test_a_kubeconfig_that_cannot_be_read_says_why(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(MomError) as raised:
        login({"KUBECONFIG": str(tmp_path / "kubeconfig")}, tmp_path)
    assert message in raised.value.problems[0].message


def test_without_a_cluster_the_run_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(MomError) as raised:
        login({}, tmp_path)
    assert "KUBECONFIG is not set" in raised.value.problems[0].message
    assert "export KUBECONFIG=" in (raised.value.problems[0].hint or "")
    assert Clusters(tmp_path).login(configuration(), {}, "/none") is None

"""The cluster where Atlas runs, and its login there: a pod's service account, or the current context of `$KUBECONFIG`.

A token that is in a file (a pod's, or `tokenFile`) is followed: the kubelet renews it. Only logins that need no program
are used; what else a kubeconfig may have (`exec`, `auth-provider`, a password, `as`) is an error that says so.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mom.atlas.adapters.http_tls import Tls
from mom.atlas.adapters.kubernetes import KEY_VARIABLE, Cluster, KubernetesAdapter
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.urls import check_base_url
from mom.envoy.options import PemFile
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.gateway import authority
from mom.run.trust import certificates
from mom.yamledit.data import to_data
from mom.yamledit.source import decode
from mom.yamledit.stream import documents, parse_document

# Kubernetes: "Accessing the Kubernetes API from a Pod".
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_SUPPORTED = "supported are `token`, `tokenFile`, and `client-certificate` with `client-key`, each also as `…-data`"
_UNSUPPORTED = ("exec", "auth-provider", "username", "password", "as", "as-groups", "as-uid", "as-user-extra")
# In the place of any cluster in a run with stand-ins.
STAND_IN = Cluster("https://kubernetes.default.svc")
_SECONDS = 3.0
_AGAIN_SECONDS = 30.0
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Login:
    """A cluster with the files and the secrets that belong to it.

    pem_files: by the names that its `tls` has. token: itself or its file, empty where there is none. key: the text of
    the private key, where it is in the kubeconfig itself. watched: files whose change may change any of it.
    """

    cluster: Cluster
    pem_files: Mapping[str, PemFile] = field(default_factory=dict)
    token: Path | str = ""
    key: str = ""
    watched: tuple[Path, ...] = ()


class _UnusableError(Exception):
    """Why there is no login; with a hint."""

    def __init__(self, reason: str, hint: str = _SUPPORTED) -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass
class Clusters:
    """Finds the login of a run, and remembers the id of each cluster. `key`: that of the last login."""

    folder: Path = SERVICE_ACCOUNT
    key: str = field(init=False, default="")
    _ids: dict[str, str] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)

    def login(self, configuration: Configuration, environ: Mapping[str, str], ca_file: str) -> Login | None:
        """Return the login of the Kubernetes adapter, None without such an adapter.

        Raises MomError with a Problem at the adapter where there is none that can be used.
        """
        adapter = next((each for each in configuration.adapters if isinstance(each, KubernetesAdapter)), None)
        self.key = ""
        if adapter is None:
            return None
        try:
            login = find(environ, self.folder)
        except _UnusableError as error:
            message = f"{adapter.name}: {error}"
            problem = problem_of(adapter.place, "kubernetes-cluster", message, hint=error.hint)
            raise MomError(f"{configuration.file} cannot be served", problems=[problem]) from None
        self.key = login.key
        return replace(login, cluster=login.cluster._replace(id=self._id(login, ca_file)))

    def _id(self, login: Login, ca_file: str) -> str:
        server = login.cluster.server
        if server not in self._ids and time.monotonic() - self._asked.get(server, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
            self._asked[server] = time.monotonic()
            if known := cluster_id(login, ca_file):
                self._ids[server] = known
        return self._ids.get(server, "")


def with_cluster(configuration: Configuration, cluster: Cluster) -> Configuration:
    """Return `configuration` with the cluster of its Kubernetes adapter."""
    adapters: list[Adapter] = [
        replace(adapter, cluster=cluster) if isinstance(adapter, KubernetesAdapter) else adapter
        for adapter in configuration.adapters
    ]
    return configuration._replace(adapters=tuple(adapters))


def find(environ: Mapping[str, str], folder: Path) -> Login:
    """Return the pod's login, else that of `$KUBECONFIG`. Raises _UnusableError."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if host and (folder / "token").is_file():
        return _of_pod(f"https://{authority(host, int(port))}" if port.isdecimal() else "", folder)
    named = [Path(name) for name in environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if named:
        return _of_kubeconfig(named)
    hint = "export KUBECONFIG=~/.kube/config, whose current context is then used"
    raise _UnusableError("this is not a pod with a service account, and KUBECONFIG is not set", hint)


def _of_pod(server: str, folder: Path) -> Login:
    if not server:
        raise _UnusableError("KUBERNETES_SERVICE_PORT is not a number")
    tls, token = Tls(ca_file=str(folder / "ca.crt")), folder / "token"
    return Login(Cluster(server, tls), {}, token, "", (folder / "ca.crt",))


def _of_kubeconfig(paths: list[Path]) -> Login:
    """Return the login of the current context; of several files the first that has an entry counts (kubectl)."""
    files = [(path, _kubeconfig(path)) for path in paths if len(paths) == 1 or path.exists()]
    current = next((str(data["current-context"]) for _, data in files if data.get("current-context")), "")
    _, context = _named(files, "contexts", "context", current, "current-context")
    at, cluster = _named(files, "clusters", "cluster", str(context.get("cluster", "")), "cluster")
    beside, user = _named(files, "users", "user", str(context.get("user", "")), "user")
    _check(cluster, user)
    server = str(cluster.get("server", "")).rstrip("/")
    if wrong := check_base_url(server):
        raise _UnusableError(f"the server of the cluster in {at}: {wrong.message}", wrong.hint)
    names, pem_files, private_key = _tls_files((at, cluster), (beside, user))
    tls = Tls(names.get("certificate-authority", ""), names.get("client-certificate", ""), names.get("client-key", ""))
    token: Path | str = str(user.get("token") or "").strip()
    if user.get("tokenFile"):
        token = beside.absolute().parent / str(user["tokenFile"])
    if not token and not tls.cert_file:
        raise _UnusableError(f"the user of the current context in {beside} has no login that Atlas can use")
    watched = tuple(path for path, _ in files)
    return Login(Cluster(server, tls, bool(token)), pem_files, token, private_key, watched)


def _tls_files(
    cluster: tuple[Path, Mapping[str, Any]], user: tuple[Path, Mapping[str, Any]]
) -> tuple[dict[str, str], dict[str, PemFile], str]:
    """Return the name of each file by its key, those in the kubeconfig itself, and a private key among these."""
    names: dict[str, str] = {}
    pem_files: dict[str, PemFile] = {}
    private_key = ""
    for key, path, entry in (
        ("certificate-authority", *cluster),
        ("client-certificate", *user),
        ("client-key", *user),
    ):
        if f"{key}-data" in entry:
            names[key] = f"{path}#{key}-data"
            text = _decoded(str(entry[f"{key}-data"]), f"{key}-data in {path}")
            private_key = text if key == "client-key" else private_key
            pem_files[names[key]] = PemFile(
                "", certificates(text.encode()), KEY_VARIABLE if key == "client-key" else ""
            )
        elif key in entry:
            names[key] = str(path.absolute().parent / str(entry[key]))
    return names, pem_files, private_key


def _check(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> None:
    """Raise _UnusableError for what would have Atlas log in, or connect, in another way than kubectl does."""
    if unsupported := next((key for key in _UNSUPPORTED if user.get(key)), None):
        raise _UnusableError(f"the user of the current context has `{unsupported}`, which Atlas does not use")
    if cluster.get("insecure-skip-tls-verify"):
        hint = "write the cluster's certificate-authority instead"
        raise _UnusableError("the cluster has `insecure-skip-tls-verify`: anyone on the way could take the token", hint)
    for key in ("proxy-url", "tls-server-name"):
        if cluster.get(key):
            raise _UnusableError(f"the cluster has `{key}`, which Atlas does not use", "remove it")
    if bool(user.get("client-certificate") or user.get("client-certificate-data")) != bool(
        user.get("client-key") or user.get("client-key-data")
    ):
        raise _UnusableError("the user of the current context has a client certificate without its key, or a key alone")


def _kubeconfig(path: Path) -> dict[str, Any]:
    try:
        source = decode(read_file(path, _MAX_BYTES), str(path))
        trees = [parse_document(source, limits) for limits in documents(source)]
        data = to_data(trees[0]) if trees and trees[0] is not None else None
    except UnreadableError as error:
        raise _UnusableError(
            f"KUBECONFIG: {path}: {error.reason}", "name the file of kubectl's configuration"
        ) from None
    except MomError as error:
        raise _UnusableError(f"KUBECONFIG: {path} is not valid YAML: {error}", "kubectl config view shows it") from None
    if not isinstance(data, dict):
        raise _UnusableError(f"KUBECONFIG: {path} is not a kubeconfig", "kubectl config view shows it")
    return dict(data)


def _named(
    files: list[tuple[Path, dict[str, Any]]], of: str, key: str, name: str, what: str
) -> tuple[Path, Mapping[str, Any]]:
    for path, data in files:
        for entry in data.get(of) or ():
            if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(key), dict):
                return path, entry[key]
    where = ", ".join(str(path) for path, _ in files) or "no file of KUBECONFIG"
    hint = "choose a context: kubectl config use-context NAME"
    raise _UnusableError(f"{where}: the {what} `{name}` is not there" if name else f"{where}: no {what} is set", hint)


def _decoded(text: str, what: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _UnusableError(f"{what} is not base64 of a PEM file") from None


def cluster_id(login: Login, ca_file: str) -> str:
    """Return the uid of the namespace kube-system, which identifies a cluster; empty where Atlas may not see it."""
    parts = urlsplit(f"{login.cluster.server}/api/v1/namespaces/kube-system")
    host, port = parts.hostname or "", parts.port
    try:
        token = login.token if isinstance(login.token, str) else read_file(login.token, 65_536).decode().strip()
        if parts.scheme == "https":
            context = _context(login, ca_file)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=_SECONDS, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        namespace = json.loads(response.read(_MAX_BYTES)) if response.status == 200 else {}
        connection.close()
        uid = namespace["metadata"]["uid"]
    except (UnreadableError, OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return ""
    # A UUID as a rule.
    return uid if isinstance(uid, str) and len(uid) <= 100 and uid.isascii() and uid.isprintable() else ""


def _context(login: Login, ca_file: str) -> ssl.SSLContext:
    tls = login.cluster.tls
    if tls.ca_file in login.pem_files:
        context = ssl.create_default_context(cadata=login.pem_files[tls.ca_file].certificates)
    else:
        context = ssl.create_default_context(cafile=tls.ca_file or ca_file)
    if tls.cert_file and tls.cert_file not in login.pem_files and tls.key_file not in login.pem_files:
        # One in the kubeconfig itself would have to be written to a file first.
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context

"""What an Envoy configuration needs to know beside the Atlas configuration: where to listen, whom else to trust."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mom.envoy.proxies import Proxy, ProxyKey
from mom.gateway import (
    DEFAULT_PORTS,
    LOCAL_MAX_LIFETIME_SECONDS,
    LOOPBACK_ADDRESSES,
    LOOPBACK_NAMES,
    authority,
    is_this_machine,
)

# An hour: what a web socket may outlive its token by.
STREAM_LIMIT = 3_600


@dataclass(frozen=True, slots=True)
class Listen:
    """The address that an Atlas serves: an IP address literal (`::1` without brackets) and a TCP port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_this_machine(self.host)

    @property
    def is_wildcard(self) -> bool:
        """Whether it means every interface (`0.0.0.0`, `::`)."""
        return ipaddress.ip_address(self.host).is_unspecified

    @property
    def near(self) -> str:
        """The address at which this machine reaches it: itself, or the loopback address of its family."""
        return LOOPBACK_ADDRESSES[":" in self.host] if self.is_wildcard else self.host

    def __str__(self) -> str:
        """Give `host:port`, with the brackets that IPv6 needs."""
        return authority(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The TLS certificate of the listener: two PEM files, and the text of the chain, empty to have Envoy read it."""

    chain: str
    key: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class PemFile:
    """A PEM file of an adapter's TLS settings: its absolute path, and the certificates in it as text.

    Without a text Envoy reads the file itself, when it starts. variable: of a private key or a certificate that is in
    no file, where Envoy's environment has it.
    """

    path: str
    certificates: str
    variable: str = ""


@dataclass(frozen=True, slots=True)
class LocalKey:
    """Keys of this user's own, as Atlas sees them: who issues, for which origins, and the public JWKS.

    max_lifetime: seconds; a token whose expiry is further away is refused.
    """

    issuer: str
    audiences: tuple[str, ...]
    jwks: Mapping[str, object]
    max_lifetime: int = LOCAL_MAX_LIFETIME_SECONDS


@dataclass(frozen=True, slots=True)
class KeyState:
    """The state of the keys of an identity provider, and since when (RFC 3339, UTC).

    word: `ready`; `stale`, the last known keys, which could not be fetched again; `empty`, a set without keys;
    `unavailable`, none that could be used. Tokens of the last two are refused.
    """

    word: str
    since: str


@dataclass(frozen=True, slots=True)
class CredentialState:
    """The state of an adapter's credential, and since when (RFC 3339, UTC).

    word: `ready`; `stale`, the last known value, which could not be renewed; `unavailable`, none: requests get 503.
    """

    word: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """An OpenTelemetry collector, for one signal.

    grpc: OTLP/gRPC, else OTLP/HTTP with protobuf, sent to `path`. headers: each with the variable of Envoy's
    environment that has its value. timeout: seconds. ca_file: the authorities of its certificate, empty for those of
    the run. client: certificate chain and key that it is shown. pem_files: those three, by their names.
    """

    scheme: str
    host: str
    port: int
    path: str
    grpc: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 10.0
    ca_file: str = ""
    client: tuple[str, str] | None = None
    pem_files: Mapping[str, PemFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otlp:
    """What is exported: lines of the access log, metrics, or both, as of which resource.

    interval: seconds between two exports of metrics. deltas: whether each export has the difference to the one before.
    """

    logs: Collector | None = None
    metrics: Collector | None = None
    resource: tuple[tuple[str, str], ...] = ()
    interval: float = 1.0
    deltas: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything about an Atlas that is not in its configuration file.

    listen: the address. ca_file: PEM bundle that upstream and identity provider certificates are checked against.
    jwks: the JWK Set of each identity provider, as JSON text by its `publicKey`; a set without keys lets no client in.
    Of a URL that is not in it Envoy itself fetches the keys. key_states: how each of them is, for /v1alpha1/apis.
    hosts: the `Host` values served, all if None. local_key: trusted beside the configuration's identity providers.
    ephemeral_keys: the same, of programs that run at the moment; None for none.
    also: other addresses of this machine on which it listens at the same port.
    tls: None serves plain HTTP. timeout: seconds until an API must have responded in full, None for no limit.
    stream_limit: seconds after which a web socket ends, 0 for never.
    connection_limit: seconds after which a client's connection ends with its next response, 0 for never.
    access_log: a file path, `-` for standard output, None for none. open_files: how many files Envoy may have open at
    once, on which the numbers of connections depend. log_failures: whether Envoy's own log gets a line for each request
    that failed between Atlas and an API.
    tree_above: the number of adapters from which a path is looked up in a tree, not tried against each route in turn:
    each in front costs 43 ns, which of 1,000 adapters doubled the cost of a request to the last one.
    stand_in: the port of 127.0.0.1 where an echo takes the place of every API, None for the APIs themselves.
    pem_files: those that adapters name, by these names.
    certificate_folder: where each client certificate is a resource in a file, and may change with its key
    (`mom.envoy.client_certificates`); None has both named in the cluster, and read once.
    key_files: of a `publicKey` in `jwks`, the file from which Envoy reads the keys, when it starts.
    key_slots: whether the access token may be where SDKs put an API's key (`mom.envoy.key_slots`).
    stat_prefix: what the names of its statistics begin with, after `http.`.
    metrics: where Prometheus may read metrics, None for nowhere; they come from Envoy's admin interface, at the path
    `admin_socket`. otlp: what is sent to an OpenTelemetry collector, None for nothing.
    secrets: the variables whose values come from files of `secret_folder`, and change there (`mom.envoy.secrets`); all
    others are in Envoy's environment. Without a folder these are in the environment, too.
    proxies: those that lead to APIs, by origin and by what an adapter says of its proxy (`mom.envoy.proxies`).
    credential_files: what `ServedKind.composed` names and is in files of `secret_folder`, each with the number of its
    version.
    client_ids: the values of the variables in client ids of OAuth2. tokens_apart: whether requests for tokens are
    counted for each adapter, which takes a cluster for each.
    record_claims: whether claims of tokens are recorded though nothing of the configuration reads them.
    credential_states: how the credential of each adapter is, by its kind and name, for /v1alpha1/apis.
    """

    listen: Listen
    ca_file: str
    jwks: Mapping[str, str] = field(default_factory=dict)
    key_states: Mapping[str, KeyState] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None
    local_key: LocalKey | None = None
    ephemeral_keys: LocalKey | None = None
    tls: Certificate | None = None
    also: tuple[str, ...] = ()
    timeout: float | None = None
    stream_limit: float = STREAM_LIMIT
    connection_limit: float = 0.0
    access_log: str | None = None
    open_files: int = 1_048_576
    log_failures: bool = False
    tree_above: int = 10
    stand_in: int | None = None
    stat_prefix: str = "atlas"
    metrics: Listen | None = None
    admin_socket: str = "admin"
    otlp: Otlp | None = None
    pem_files: Mapping[str, PemFile] = field(default_factory=dict)
    certificate_folder: str | None = None
    key_files: Mapping[str, str] = field(default_factory=dict)
    key_slots: bool = True
    secrets: frozenset[str] = frozenset()
    secret_folder: str | None = None
    credential_files: Mapping[str, int] = field(default_factory=dict)
    client_ids: Mapping[str, str] = field(default_factory=dict)
    tokens_apart: bool = False
    proxies: Mapping[ProxyKey, Proxy] = field(default_factory=dict)
    record_claims: bool = False
    credential_states: Mapping[tuple[str, str], CredentialState] = field(default_factory=dict)

    @property
    def without_states(self) -> Options:
        """The same without what only the lists of `/v1alpha1` show, and what changes while a run goes on."""
        return replace(self, key_states={}, credential_states={})

    @property
    def has_request_log(self) -> bool:
        """Whether each request is a line of the access log, here or at a collector."""
        return self.access_log is not None or (self.otlp is not None and self.otlp.logs is not None)


def loopback_hosts(listen: Listen) -> tuple[str, ...]:
    """Return the `Host` values by which a client on this machine addresses a loopback listener.

    A web page that has its own name resolve to 127.0.0.1 (DNS rebinding) sends that name, and is refused by this list.
    """
    names = dict.fromkeys((listen.host, *LOOPBACK_NAMES))
    # A client omits the default port of its scheme (RFC 9110, 7.2); which scheme that is does not matter here.
    bare = [authority(name, None) for name in names] if listen.port in DEFAULT_PORTS.values() else []
    return (*(authority(name, listen.port) for name in names), *bare)

"""What is exported, where it will run, and the files that come of it: values, from which everything else is pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mom.atlas.adapters.http_tls import Tls
from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.model import Configuration
from mom.atlas.rules.variable_rules import variable_names
from mom.envoy import adapters
from mom.envoy.options import STREAM_LIMIT, Listen
from mom.export.names import file_names
from mom.gateway import DEFAULT_PORT

# Where Debian, and so Envoy's official image, has the authorities.
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# What the listener's own certificate and key are called in a folder of credentials (Kubernetes: "TLS Secrets").
LISTENER_FILES = ("tls.crt", "tls.key")
# In a container nothing else is reached from outside.
_LISTEN = Listen("0.0.0.0", DEFAULT_PORT)  # noqa: S104
# As Envoy's documentation of edge proxies has it; engines set the limit of the process to the same.
OPEN_FILES = 65_536


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export.

    path: relative to the folder, with `/`. text: all of it but the header. comment: how a line of comment begins in its
    format, empty for a format without comments, which gets no header. is_template: written once, then its reader's own.
    mode: its permissions.
    """

    path: str
    text: str
    comment: str = "#"
    is_template: bool = False
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What a command writes. command: its words, `mom atlas export envoy`. digest: of all that was read (`Source`).

    next_steps: command lines to run next. notes: what is different there than a user may expect.
    """

    command: str
    digest: str
    files: tuple[ExportedFile, ...]
    next_steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A configuration to export, read and checked.

    name: of its Atlas. digest: sha256 of the bytes of everything that was read. text: of its file. files: key sets of
    identity providers, judged, and authorities of APIs, by the names that the configuration has for them; no private
    key.
    """

    configuration: Configuration
    name: str
    digest: str
    text: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The variables that adapters name, sorted: the deployment has their values."""
        return tuple(sorted(variable_names(adapters.served(self.configuration))))

    @cached_property
    def client_certificates(self) -> tuple[Tls, ...]:
        """The TLS settings with a certificate that Atlas shows, each once."""
        found = {
            tls for adapter in adapters.http_adapters(self.configuration) if (tls := adapter.tls) and tls.cert_file
        }
        return tuple(sorted(found))

    @cached_property
    def pem_files(self) -> dict[str, str]:
        """The names of client certificates and their keys in a folder of credentials, by those in the configuration."""
        given = [name for tls in self.client_certificates for name in (tls.cert_file, tls.key_file)]
        return file_names(given, taken=(*self.variables, *LISTENER_FILES))

    @cached_property
    def pem_variables(self) -> dict[str, str]:
        """The same where there is no folder: the variables of the environment that have them."""
        wanted = {name: f"ATLAS_{re.sub('[^A-Za-z0-9]', '_', file).upper()}" for name, file in self.pem_files.items()}
        taken = [*wanted.values(), *self.variables]
        return {
            name: each if taken.count(each) == 1 else f"{each}_{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
            for name, each in wanted.items()
        }

    @property
    def port(self) -> int:
        """The port at which `mom atlas run` would listen by default."""
        return self.configuration.ingress_http_port or DEFAULT_PORT

    @property
    def has_kubernetes(self) -> bool:
        """Whether there is a Kubernetes adapter."""
        return any(isinstance(adapter, KubernetesAdapter) for adapter in self.configuration.adapters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things are where Envoy runs. Paths are absolute.

    hosts: the `Host` values that are served, every one if None. configuration: the folder with the exported files.
    credentials: a folder with one file for each variable, and one for each of `Source.pem_files`; None: they are in
    Envoy's environment. ca_file: the authorities of APIs. in_pod: whether it runs in a pod, whose service account logs
    in at the API server. cluster_id: of that cluster, empty where it is not known. tls: certificate chain and key of
    the listener, None for plain http. metrics: where Prometheus may read metrics, which needs `admin_socket`, a path
    that Envoy can create. open_files: how many files Envoy may have open. The rest is as for `mom atlas run`.
    """

    listen: Listen = _LISTEN
    hosts: tuple[str, ...] | None = None
    configuration: str = "/etc/atlas"
    credentials: str | None = "/credentials"
    ca_file: str = _AUTHORITIES
    in_pod: bool = False
    cluster_id: str = ""
    tls: tuple[str, str] | None = None
    access_log: str | None = "-"
    metrics: Listen | None = None
    admin_socket: str | None = None
    open_files: int = OPEN_FILES
    timeout: float | None = None
    stream_limit: float = STREAM_LIMIT
    connection_limit: float = 0.0
    key_slots: bool = True

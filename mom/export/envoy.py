"""Envoy's own files: the whole of its configuration in one, a file for each secret, and the keys of identity providers.

    envoy.json                what `mom atlas run` would have Envoy serve, translated by the same code
    keys/NAME                 the key set of an identity provider, where it is a file
    secrets/NAME.json         where the value of a variable is: in the file NAME of the folder of credentials
    certificates/NAME.json    the same of a client certificate and its key

Envoy looks at the files of secrets, and reads the files that they name again: a changed value is used within a second.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mom.atlas.adapters.http_tls import Tls
from mom.atlas.adapters.kubernetes import TOKEN_VARIABLE, Cluster
from mom.atlas.model import Configuration
from mom.envoy import adapters, bootstrap, client_certificates, jwt, messages, secrets
from mom.envoy.messages import Entries, Json
from mom.envoy.options import Certificate, Options, PemFile
from mom.envoy.proxies import Proxy, ProxyKey
from mom.envoy.translate import resources, upstreams
from mom.export.model import ExportedFile, Layout, Source
from mom.export.names import file_names
from mom.export.proxies import address
from mom.run.kubernetes import SERVICE_ACCOUNT, with_cluster

CONFIGURATION = "envoy.json"
KEYS, SECRETS, CERTIFICATES = "keys", "secrets", "certificates"
# Kubernetes: "Accessing the Kubernetes API from a Pod".
_API_SERVER = "https://kubernetes.default.svc"
_TOKEN, _AUTHORITIES = (str(SERVICE_ACCOUNT / name) for name in ("token", "ca.crt"))
# What has an item for each adapter or upstream, which is a line.
_ITEMS = frozenset({"routes", "map", "clusters", "requirement_map", "providers", "secrets"})
# Any other value of JSON that is no longer than this is not broken into lines.
_LINE = 2_000


def files(source: Source, layout: Layout) -> tuple[ExportedFile, ...]:
    """Return Envoy's files of a source without `mom.export.refusals`."""
    configuration = served(source, layout)
    given = options(source, layout)
    static = bootstrap.static(resources(configuration, given), given, admin_socket=layout.admin_socket)
    return (
        ExportedFile(CONFIGURATION, dumps(static), comment=""),
        *(ExportedFile(f"{KEYS}/{name}", f"{source.files[key]}\n", comment="") for key, name in _keys(source).items()),
        *_secrets(source, layout),
        *_certificates(source, layout),
    )


def arguments(layout: Layout) -> tuple[str, ...]:
    """Return the arguments of Envoy, beside how many threads it has: those of `mom atlas run`, without hot restart."""
    return (
        *("-c", f"{layout.configuration}/{CONFIGURATION}"),
        *("-l", "warning", "--component-log-level", "misc:error"),
        *("--drain-time-s", "600", "--drain-strategy", "immediate"),
        *("--file-flush-interval-msec", "250"),
        "--disable-hot-restart",
    )


def served(source: Source, layout: Layout) -> Configuration:
    """Return the configuration as it is served there: a Kubernetes adapter of a pod leads to the pod's cluster."""
    if not (layout.in_pod and source.has_kubernetes):
        return source.configuration
    return with_cluster(source.configuration, Cluster(_API_SERVER, Tls(_AUTHORITIES), id=layout.cluster_id))


def variables(source: Source, layout: Layout) -> tuple[str, ...]:
    """Return the variables that Envoy needs there, sorted; that of a service account's token is one."""
    token = (TOKEN_VARIABLE,) if layout.in_pod and source.has_kubernetes else ()
    return tuple(sorted({*source.variables, *token}))


def options(source: Source, layout: Layout) -> Options:
    """Return the options of the translation, the same for all files."""
    in_files = {provider.public_key for provider in source.configuration.identity_providers}
    given = Options(
        listen=layout.listen,
        ca_file=layout.ca_file,
        jwks={name: source.files[name] for name in in_files if name in source.files},
        key_files={key: f"{layout.configuration}/{KEYS}/{name}" for key, name in _keys(source).items()},
        hosts=layout.hosts,
        tls=None if layout.tls is None else Certificate(*layout.tls),
        timeout=layout.timeout,
        stream_limit=layout.stream_limit,
        connection_limit=layout.connection_limit,
        access_log=layout.access_log,
        open_files=layout.open_files,
        metrics=layout.metrics,
        admin_socket=layout.admin_socket or "",
        pem_files=_pem_files(source, layout),
        certificate_folder=None if layout.credentials is None else f"{layout.configuration}/{CERTIFICATES}",
        key_slots=layout.key_slots,
        # All of them, in the environment, too: the guard then refuses requests for want of a value.
        secrets=frozenset(variables(source, layout)),
        secret_folder=None if layout.credentials is None else f"{layout.configuration}/{SECRETS}",
    )
    return replace(given, proxies=_proxies(source, given))


def dumps(value: Json) -> str:
    """Return JSON without blanks, but with line breaks: the change of an adapter is that of some lines."""
    return f"{_lines(value)}\n"


def _lines(value: Any, key: str = "") -> str:
    if isinstance(value, dict | Entries) and value:
        # Each item as a whole: a configuration has thousands of them.
        form = _compact if key in _ITEMS else _lines
        parts = [f"{_compact(name)}:{form(each, name)}" for name, each in value.items()]
        return _joined("{", parts, "}", breaks=key in _ITEMS)
    if isinstance(value, list) and value:
        form = _compact if key in _ITEMS else _lines
        return _joined("[", [form(each, "") for each in value], "]", breaks=key in _ITEMS)
    return _compact(value)


def _compact(value: Any, _: str = "") -> str:
    return messages.dumps(value)


def _joined(begin: str, parts: list[str], end: str, *, breaks: bool) -> str:
    if not breaks and sum(map(len, parts)) <= _LINE and not any("\n" in part for part in parts):
        return f"{begin}{','.join(parts)}{end}"
    return f"{begin}\n" + ",\n".join(parts) + f"\n{end}"


def _keys(source: Source) -> dict[str, str]:
    """Return the name of the file with the keys of each `publicKey` that is not a URL."""
    named = (each.public_key for each in source.configuration.identity_providers)
    return file_names(name for name in named if not jwt.is_url(name))


def _secrets(source: Source, layout: Layout) -> tuple[ExportedFile, ...]:
    if layout.credentials is None:
        return ()
    needed = variables(source, layout)
    places = {name: f"{layout.credentials}/{name}" for name in needed}
    if TOKEN_VARIABLE not in source.variables and TOKEN_VARIABLE in places:
        places[TOKEN_VARIABLE] = _TOKEN
    return tuple(
        ExportedFile(
            f"{SECRETS}/{secrets.file_name(name)}",
            bootstrap.dumps(secrets.discovery(name, {"filename": path}, "1")),
            comment="",
        )
        for name, path in places.items()
    )


def _certificates(source: Source, layout: Layout) -> tuple[ExportedFile, ...]:
    if layout.credentials is None:
        return ()
    found = {}
    for tls in source.client_certificates:
        chain, key = (f"{layout.credentials}/{source.pem_files[name]}" for name in (tls.cert_file, tls.key_file))
        content = {"version_info": "1", "resources": [client_certificates.resource(tls, chain, key)]}
        found[client_certificates.name(tls)] = bootstrap.dumps(content)
    return tuple(ExportedFile(f"{CERTIFICATES}/{name}.json", text, comment="") for name, text in found.items())


def _pem_files(source: Source, layout: Layout) -> dict[str, PemFile]:
    found = {tls.ca_file: PemFile("", source.files[tls.ca_file]) for tls in _tls(source) if tls.ca_file}
    found |= {name: PemFile("", "", variable) for name, variable in source.pem_variables.items()}
    return found | ({_AUTHORITIES: PemFile(_AUTHORITIES, "")} if layout.in_pod else {})


def _tls(source: Source) -> list[Tls]:
    return [adapter.tls for adapter in adapters.http_adapters(source.configuration) if adapter.tls is not None]


def _proxies(source: Source, given: Options) -> dict[ProxyKey, Proxy]:
    found: dict[ProxyKey, Proxy] = {}
    for upstream in upstreams(source.configuration, given):
        if (at := address(upstream.proxy)) is not None:
            found[upstream.origin, upstream.proxy] = Proxy(upstream.proxy, *at)
    return found

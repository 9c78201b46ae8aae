"""What the files mean for Envoy at one moment: everything read and checked, nothing started or changed yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.kubernetes import KEY_VARIABLE, TOKEN_VARIABLE
from mom.atlas.initial import placeholder_problems
from mom.atlas.model import Adapter, Configuration
from mom.atlas.references import names
from mom.atlas.rules.variable_rules import variable_names
from mom.envoy import adapters, oauth2
from mom.envoy.adapters import http_adapters, served
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.bootstrap import dumps, static
from mom.envoy.options import (
    STREAM_LIMIT,
    Certificate,
    CredentialState,
    Listen,
    LocalKey,
    Options,
    PemFile,
    loopback_hosts,
)
from mom.envoy.proxies import Proxy, ProxyKey
from mom.envoy.translate import problems, resources, upstreams
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.gateway import DEFAULT_PORT, EPHEMERAL_MAX_LIFETIME_SECONDS, origin
from mom.run import limits, trust, variables
from mom.run.bindings import Bindings
from mom.run.credentials import Credentials, worst
from mom.run.directory import RunDirectory
from mom.run.key_sets import KeySets
from mom.run.kubernetes import STAND_IN, Clusters, Login, with_cluster
from mom.run.otel import Telemetry
from mom.run.proxies import Proxies
from mom.run.redaction import Redaction, redaction
from mom.yamledit.parser import collector_paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Where a plan comes from; reading it again after a change gives the next plan.

    load: reads and checks the configuration, raises MomError. file: its path. listen: the address asked for, None for
    the configuration's port on 127.0.0.1. local_key: returns the issuer and the public JWKS of this user's key, None to
    trust none; it is in local_key_file. ephemeral_keys: the same, of programs that run at the moment.
    tls: certificate chain and private key. access_log: a path, `-` or None.
    metrics: where to serve metrics, None for the configuration's `adminPort` on 127.0.0.1; no_metrics: nowhere.
    telemetry: what is exported to an OpenTelemetry collector.
    stand_in: the port of 127.0.0.1 where an echo takes the place of every API; then no value of a variable is read.
    key_slots: whether the access token may be where SDKs put an API's key.
    keys: the identity providers' key sets, which know what was fetched before. bindings: what each address binds.
    credentials: where the values of variables come from. proxies: those of the environment, and their addresses.
    directory: where a run has files of its own, None before it has one.
    clusters: how Atlas logs in at the API server of Kubernetes. token_states: how the tokens are that Envoy fetches.
    """

    load: Callable[[], Configuration]
    file: Path
    environ: Mapping[str, str]
    credentials: Credentials
    listen: Listen | None = None
    local_key: Callable[[], tuple[str, Mapping[str, object]]] | None = None
    local_key_file: Path | None = None
    ephemeral_keys: Callable[[], tuple[str, Mapping[str, object]]] | None = None
    tls: tuple[Path, Path] | None = None
    timeout: float | None = None
    stream_limit: float = STREAM_LIMIT
    connection_limit: float = 0.0
    access_log: str | None = None
    metrics: Listen | None = None
    no_metrics: bool = False
    telemetry: Telemetry = field(default_factory=Telemetry)
    stand_in: int | None = None
    key_slots: bool = True
    keys: KeySets = field(default_factory=KeySets)
    bindings: Bindings = field(default_factory=Bindings)
    proxies: Proxies = field(default_factory=lambda: Proxies({}))
    directory: RunDirectory | None = None
    clusters: Clusters = field(default_factory=Clusters)
    token_states: Mapping[tuple[str, str], CredentialState] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A configuration with all that Envoy needs to serve it.

    variables: those it names, with their values. One that is in `options.secrets` and not here has none at present.
    """

    configuration: Configuration
    options: Options
    variables: Mapping[str, str]
    watched: tuple[Path, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables whose values are in Envoy's environment, and what is composed of others."""
        elsewhere = {*self.options.secrets, *self.options.credential_files, *_only_composed(self.configuration)}
        return {name: value for name, value in self.variables.items() if name not in elsewhere}

    @property
    def credential_files(self) -> dict[str, str]:
        """What is composed of variables and found in files: the text of each."""
        return {name: self.variables[name] for name in self.options.credential_files}

    @property
    def secrets(self) -> dict[str, str]:
        """The variables whose values Envoy finds in files; empty where there is none."""
        return {name: self.variables.get(name, "") for name in sorted(self.options.secrets)}

    @property
    def secrets_in_environment(self) -> frozenset[str]:
        """The variables whose values are in Envoy's environment, and that Envoy takes as secrets."""
        return oauth2.secrets_in_environment(http_adapters(self.configuration), self.options)

    @cached_property
    def with_tokens(self) -> tuple[HttpAdapter, ...]:
        """The adapters whose tokens Envoy fetches (OAuth2)."""
        return tuple(adapter for adapter in http_adapters(self.configuration) if adapter.oauth2 is not None)

    @cached_property
    def redaction(self) -> Redaction:
        """What hides the secrets of this plan in a text."""
        return redaction(self.configuration, self.variables)

    @property
    def url(self) -> str:
        """Where it listens, as it was asked for."""
        return f"{'http' if self.options.tls is None else 'https'}://{self.options.listen}"

    @property
    def base_url(self) -> str:
        """The URL by which `mom curl` reaches it from this machine."""
        listen = self.options.listen
        return origin("http" if self.options.tls is None else "https", listen.near, listen.port)

    @cached_property
    def static_text(self) -> str:
        """A bootstrap with everything in it, to be validated."""
        return dumps(static(resources(self.configuration, self.options), self.options))


@collector_paused()
def make(inputs: Inputs, *, strict: bool = False) -> Plan:
    """Read all files and return the plan; raises MomError if a part of it cannot be served.

    strict: that is also a key set in a file that cannot be used. Else its provider lets no client in, and the others
    go on.
    """
    configuration = inputs.load()
    if placeholders := placeholder_problems(configuration):
        raise MomError(f"{configuration.file} cannot be served", problems=placeholders)
    ca_file = trust.ca_file(inputs.environ, inputs.directory)
    login = None if inputs.stand_in is not None else inputs.clusters.login(configuration, inputs.environ, ca_file)
    configuration = with_cluster(configuration, STAND_IN if login is None else login.cluster)
    values, secrets, files = _values(inputs, configuration, login)
    listen = inputs.listen or Listen("127.0.0.1", configuration.ingress_http_port or DEFAULT_PORT)
    jwks, states = inputs.keys.read(configuration, ca_file, strict=strict)
    options = Options(
        listen=listen,
        ca_file=ca_file,
        jwks=jwks,
        key_states=states,
        hosts=loopback_hosts(listen) if listen.is_loopback else None,
        local_key=_local_key(inputs, listen),
        ephemeral_keys=_ephemeral_keys(inputs, listen),
        also=inputs.bindings.of(listen).also,
        tls=_certificate(inputs.tls),
        timeout=inputs.timeout,
        stream_limit=inputs.stream_limit,
        connection_limit=inputs.connection_limit,
        access_log=inputs.access_log,
        metrics=_metrics(inputs, configuration, listen),
        otlp=inputs.telemetry.otlp,
        open_files=limits.open_files(),
        log_failures=True,
        stand_in=inputs.stand_in,
        key_slots=inputs.key_slots,
        pem_files=_pem_files(inputs, configuration, login),
        secrets=secrets,
        credential_files=files,
        client_ids=_client_ids(configuration, values),
        tokens_apart=sum(each.oauth2 is not None for each in http_adapters(configuration)) <= oauth2.MOST_APART,
        credential_states=_states(inputs, configuration),
    )
    options = replace(options, proxies=_proxies(inputs, configuration, options))
    if wrong := problems(configuration, options):
        raise MomError(f"{configuration.file} cannot be served", problems=wrong)
    # The values of an exporter's headers reach Envoy, and are hidden in its log, in the same way.
    given = {**values, **inputs.telemetry.variables}
    watched = (*_watched(inputs, configuration, options), *(login.watched if login else ()))
    return Plan(configuration, options, given, watched)


def _pem_files(inputs: Inputs, configuration: Configuration, login: Login | None) -> dict[str, PemFile]:
    if inputs.stand_in is not None:
        return {}
    return trust.pem_files(configuration, login.pem_files if login else None)


def _metrics(inputs: Inputs, configuration: Configuration, listen: Listen) -> Listen | None:
    if inputs.no_metrics:
        return None
    port = configuration.admin_port
    metrics = inputs.metrics or (Listen("127.0.0.1", port) if port else None)
    if metrics is not None and metrics.port == listen.port and (metrics.host == listen.host or listen.is_wildcard):
        where = "--metrics" if inputs.metrics else "spec.exposedPorts.adminPort"
        raise MomError(f"{where}: port {metrics.port} is that of the requests", hint="choose another port for metrics")
    return metrics


def _proxies(inputs: Inputs, configuration: Configuration, options: Options) -> dict[ProxyKey, Proxy]:
    if inputs.proxies.is_unused and not any(adapter.proxy for adapter in http_adapters(configuration)):
        return {}
    keys = dict.fromkeys((upstream.origin, upstream.proxy) for upstream in upstreams(configuration, options))
    return inputs.proxies.of(keys)


def _values(
    inputs: Inputs, configuration: Configuration, login: Login | None = None
) -> tuple[dict[str, str], frozenset[str], dict[str, int]]:
    """Return the variables of a configuration, with what is composed of them, and what of both Envoy has in files.

    Of a file the number is that of a version, which only a run knows. login: one that has been found anew; its secrets
    are variables, too. Raises MomError.
    """
    if inputs.stand_in is not None:
        return variables.dummies(configuration), frozenset(), {}
    if login is not None:
        inputs.credentials.find(TOKEN_VARIABLE, login.token)
    every = served(configuration)
    given, changing = inputs.credentials.values(every)
    key = {KEY_VARIABLE: inputs.clusters.key} if inputs.clusters.key else {}
    composing = _composing(every)
    composed = adapters.environment(composing, given)
    # Of what is composed no route asks for the file of a secret: none would ever be in use.
    with_secrets = (adapter for adapter in every if adapters.kind_of(adapter).has_secrets)
    files = {name: 0 for name, parts in adapters.composed(composing).items() if not changing.isdisjoint(parts)}
    secrets = changing.intersection(variable_names(with_secrets)) if changing else changing
    return given | key | composed, secrets, files


def _composing(every: Iterable[Adapter]) -> list[Adapter]:
    """Return the adapters of kinds that Envoy needs something composed for: not HTTP, of which there may be many."""
    kinds = [name for name, kind in adapters.KINDS.items() if type(kind).composed is not ServedKind.composed]
    return [adapter for adapter in every if adapter.kind in kinds]


def _only_composed(configuration: Configuration) -> set[str]:
    """Return the variables that Envoy needs in what is composed of them, and nowhere else."""
    every = served(configuration)
    composing = _composing(every)
    if not composing:
        return set()
    return set(variable_names(composing)) - adapters.needed(every)


def _states(inputs: Inputs, configuration: Configuration) -> dict[tuple[str, str], CredentialState]:
    if inputs.stand_in is not None:
        return {}
    return worst(inputs.credentials.states(served(configuration)), inputs.token_states)


def with_new_values(inputs: Inputs, plan: Plan) -> Plan:
    """Return `plan` with the values of variables as they are now. Raises MomError."""
    values, secrets, files = _values(inputs, plan.configuration)
    states = _states(inputs, plan.configuration)
    options = replace(
        plan.options,
        secrets=secrets,
        credential_files=files,
        client_ids=_client_ids(plan.configuration, values),
        credential_states=states,
    )
    given = {**values, **inputs.telemetry.variables}
    return replace(plan, variables=given, options=options)


def _client_ids(configuration: Configuration, values: Mapping[str, str]) -> dict[str, str]:
    ids = [adapter.oauth2.client_id for adapter in http_adapters(configuration) if adapter.oauth2 is not None]
    return {name: values[name] for text in ids for name in names(text) if name in values}


def with_new_keys(inputs: Inputs, plan: Plan) -> Plan:
    """Return `plan` with the keys as they are now, of this user and of each identity provider.

    What a plan trusts can be renewed when the next configuration is broken, or rejected. Raises
    MomError where this user's key cannot be read.
    """
    jwks, states = inputs.keys.read(plan.configuration, plan.options.ca_file)
    options = replace(
        plan.options,
        jwks=jwks,
        key_states=states,
        local_key=_local_key(inputs, plan.options.listen),
        ephemeral_keys=_ephemeral_keys(inputs, plan.options.listen),
    )
    return replace(plan, options=options)


def has_new_keys(inputs: Inputs, plan: Plan) -> bool:
    """Whether an identity provider's key set or its state, or the set of ephemeral keys, has changed since `plan`."""
    inputs.keys.poll()
    if _ephemeral_keys(inputs, plan.options.listen) != plan.options.ephemeral_keys:
        return True
    return inputs.keys.current(plan.configuration) != (plan.options.jwks, plan.options.key_states)


def watched_at_least(inputs: Inputs) -> tuple[Path, ...]:
    """Return the files whose change can matter even if the configuration itself cannot be read."""
    tls = inputs.tls or ()
    files = (inputs.file, inputs.local_key_file, *tls)
    return tuple(path for path in files if path is not None)


def key_has_changed(inputs: Inputs, plan: Plan) -> bool:
    """Whether this user's key set is another now, without its file having changed: retired keys leave it in time."""
    if inputs.local_key is None or plan.options.local_key is None:
        return False
    return inputs.local_key()[1] != plan.options.local_key.jwks


def _local_key(inputs: Inputs, listen: Listen) -> LocalKey | None:
    if inputs.local_key is None:
        return None
    issuer, jwks = inputs.local_key()
    return LocalKey(issuer, _audiences(inputs, listen), jwks)


def _ephemeral_keys(inputs: Inputs, listen: Listen) -> LocalKey | None:
    if inputs.ephemeral_keys is None:
        return None
    issuer, jwks = inputs.ephemeral_keys()
    return LocalKey(issuer, _audiences(inputs, listen), jwks, EPHEMERAL_MAX_LIFETIME_SECONDS) if jwks["keys"] else None


def _audiences(inputs: Inputs, listen: Listen) -> tuple[str, ...]:
    scheme = "http" if inputs.tls is None else "https"
    return tuple(origin(scheme, name, listen.port) for name in inputs.bindings.of(listen).names)


def _certificate(tls: tuple[Path, Path] | None) -> Certificate | None:
    if tls is None:
        return None
    texts = []
    for option, path in zip(("--tls-cert", "--tls-key"), tls, strict=True):
        try:
            texts.append(read_file(path))
        except UnreadableError as error:
            raise MomError(f"{option} {path}: {error.reason}") from error
    chain, key = (str(path.absolute()) for path in tls)
    if reason := trust.key_pair_objection(chain, key):
        raise MomError(f"cannot use --tls-cert {tls[0]} with --tls-key {tls[1]}: {reason}")
    return Certificate(chain, key, trust.certificates(texts[0]))


def _watched(inputs: Inputs, configuration: Configuration, options: Options) -> tuple[Path, ...]:
    pem_files = (Path(file.path) for file in options.pem_files.values() if file.path)
    return (*watched_at_least(inputs), *trust.key_files(configuration).values(), *pem_files)
